"""Which contracts run compiled in every run of the tests: those of four plants, of each kind of duty and with several targets.

The others carry the mark ``every``: `run.py test` runs them interpreted, `.ci/run` compiled too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from plant_models.core.plant import Plant

COMPILED = ("exothermic_cstr", "heat_pump_house", "quadruple_tank", "penicillin_fermentation")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        plant = vars(item).get("callspec") and vars(item)["callspec"].params.get("plant")
        if item.path.parent != HERE or not isinstance(plant, Plant):
            continue
        item.add_marker(pytest.mark.xdist_group(plant.name))
        if plant.name not in COMPILED:
            item.add_marker("every")
