"""Marks what compiles a plant that is not compiled in every run of the tests, and keeps a plant's tests on one worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.contract.suite import GROUPS
from plant_models.core.plant import Plant
from tests.compiled import COMPILED

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        plant = vars(item).get("callspec") and vars(item)["callspec"].params.get("plant")
        if item.path.parent != HERE or not isinstance(plant, Plant):
            continue
        item.add_marker(pytest.mark.xdist_group(plant.name))
        if plant.name not in COMPILED and compiles(item.path.name, vars(item)["callspec"].params.get("check")):
            item.add_marker("every")


def compiles(file: str, check: object) -> bool:
    """Whether a contract test runs a kernel: all but the checks of what a file declares."""
    return file != "test_plants.py" or check in GROUPS["behaviour"]
