"""Marks the contracts of plants that are not compiled in every run: `run.py test` interprets them, `.ci/run` compiles them."""

from __future__ import annotations

from pathlib import Path

import pytest

from plant_models.core.plant import Plant
from tests.compiled import COMPILED

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        plant = vars(item).get("callspec") and vars(item)["callspec"].params.get("plant")
        if item.path.parent != HERE or not isinstance(plant, Plant):
            continue
        item.add_marker(pytest.mark.xdist_group(plant.name))
        if plant.name not in COMPILED:
            item.add_marker("every")
