"""What a move must keep in reserve is what moves lose, and never so much that none could be let through."""

from __future__ import annotations

import pytest

from controller.baselines import Pid
from controller.safety.corners import enforced, scales
from controller.safety.opponents import steered
from controller.safety.stress import alike, stressed
from plant_models.catalogue import get
from tests.compiled import alone
from tests.safety import known


@pytest.mark.parametrize("name", [pytest.param(name, marks=alone(name)) for name in ("exothermic_cstr", "batch_crystallizer")])
def test_a_move_keeps_no_more_than_half_of_what_there_is_at_the_nominal_point(name: str) -> None:
    plant, found = get(name), known(name)
    at = enforced(plant)
    assert (found.slack[at] > 0.0).all()
    assert (found.slack <= 0.5 * scales(plant)).all()


@alone("batch_crystallizer")
def test_where_moves_lose_more_than_that_the_pid_layer_may_move_all_the_same() -> None:
    plant, found = get("batch_crystallizer"), known("batch_crystallizer")
    assert found.slack[0] == 0.5 * scales(plant)[0]
    told = stressed(alike(steered(Pid(plant))), found, plant, plant.scenario(), 64, 0)
    assert told.decided["full"] > 0.5
    assert told.violating == 0
    assert told.violating_unshielded > 0
