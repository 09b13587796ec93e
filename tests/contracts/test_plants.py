"""Promises that every plant file keeps; a new plant is tested by existing.

The contract itself is shipped (``controller/contract``); its numerics are in :mod:`tests.contracts.test_kernel`, its environment
checkers in :mod:`tests.contracts.test_environments`.
"""

from __future__ import annotations

import pytest

from controller.contract.check import Check
from controller.contract.suite import GROUPS
from plant_models.catalogue import problems
from plant_models.core.plant import Plant
from tests.contracts.every import plants

CHECKS = [check for group in ("declarations", "units", "physics", "scenarios", "behaviour") for check in GROUPS[group]]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.title)
@plants
def test_contract(plant: Plant, check: Check) -> None:
    check.run(plant)


@plants
def test_every_shipped_plant_reproduces_a_published_number(plant: Plant) -> None:
    assert plant.reproduced


def test_no_shipped_file_is_left_out() -> None:
    assert problems() == {}
