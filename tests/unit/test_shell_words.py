"""What the shell says of what the shield sends, in an operator's words."""

from __future__ import annotations

import numpy as np
import pytest

from controller.safety.report import shielded
from controller.safety.shield import HELD, UNCERTIFIED, Decision
from plant_models.catalogue import get
from plant_models.env.lookahead import Command

TANKS = get("quadruple_tank")


def made(share: float, stopped: bool = False, returned: bool = False) -> Decision:
    sent = Command(np.array([[12.4, 12.7]]), np.zeros((1, len(TANKS.acted))), np.array([stopped]))
    return Decision(sent, np.array([share]), sent, sent, np.zeros((1, 6)), np.array([returned]))


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_return_to_the_nominal_setpoints_names_them_with_their_units(by_hand: bool) -> None:
    (line,) = shielded(TANKS, made(HELD, returned=True), by_hand)
    tags = [loop.tag for loop in TANKS.masters]
    assert line == f"what was last safe is no longer, back to the nominal setpoints, {tags[0]} 12.4 cm, {tags[1]} 12.7 cm"
    (line,) = shielded(TANKS, made(UNCERTIFIED, returned=True), by_hand)
    assert line.startswith("nothing is certified: what was last safe is no longer")


def test_the_safe_action_names_its_inputs_and_a_part_of_a_move_is_told_to_the_operator_alone() -> None:
    (line,) = shielded(TANKS, made(UNCERTIFIED, stopped=True), by_hand=False)
    assert line.startswith("nothing is certified: the plant's safe action is taken, ")
    (line,) = shielded(TANKS, made(HELD, stopped=True), by_hand=False)
    assert line.startswith("the plant's safe action is taken, ")
    assert all(f"{value:g}" in line for value in TANKS.safe_action.values())
    assert shielded(TANKS, made(0.5), by_hand=True) == ("shield leaves 50 % of the operator's move",)
    assert shielded(TANKS, made(0.5), by_hand=False) == shielded(TANKS, made(1.0), by_hand=True) == ()
