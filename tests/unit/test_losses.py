"""What moves lose of their margins, on sequences made by hand: from the first that is foreseen to the least while it is held."""

from __future__ import annotations

import numpy as np
import pytest

from controller.safety.corners import NEAR
from controller.safety.losses import SELDOM, Losses
from controller.safety.shield import HELD, UNCERTIFIED, Decision
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command

NOTHING = np.nan


def at(r: list[float]) -> Command:
    """Return a command to as many plants, one setpoint and one offset each."""
    return Command(np.array(r)[:, None], np.zeros((len(r), 1)), np.zeros(len(r), dtype=bool))


def decided(safe: Command, share: list[float], foreseen: list[list[float]]) -> Decision:
    return Decision(safe, np.array(share), safe, safe, np.array(foreseen), np.zeros(len(share), dtype=bool))


def one(held: list[list[float]], first: list[float]) -> Array:
    """Return the reserve after one plant's move and what it held foresaw from then on, until it moved again."""
    losses = Losses(1, len(first))
    losses.held(np.full((1, len(first)), 5.0))
    losses.moved(decided(at([1.0]), [1.0], [first]), at([0.0]))
    for foreseen in held:
        losses.held(np.array([foreseen]))
        losses.moved(decided(at([1.0]), [HELD], [foreseen]), at([1.0]))
    losses.moved(decided(at([2.0]), [1.0], [first]), at([1.0]))
    return losses.reserve()


def test_a_move_loses_what_is_foreseen_at_first_less_the_least_while_it_is_held() -> None:
    """Each margin by itself; what was held before the move is none of its losses, nor is what it wins back."""
    assert one([[3.0, 2.0], [1.5, 2.5], [2.0, 4.0]], [3.0, 2.5]).tolist() == [1.5, 0.5]


def test_a_move_that_only_gains_loses_nothing() -> None:
    assert one([[4.0], [5.0]], [3.0]).tolist() == [0.0]


def test_before_a_first_move_there_is_nothing_to_lose() -> None:
    """What a plant begins with was never certified as a move."""
    losses = Losses(1, 1)
    losses.held(np.array([[7.0]]))
    losses.moved(decided(at([1.0]), [1.0], [[3.0]]), at([0.0]))
    assert losses.reserve().tolist() == [0.0]


def test_where_nothing_moves_nothing_is_kept_in_reserve() -> None:
    losses = Losses(3, 2)
    for foreseen in (3.0, 1.0, -2.0):
        losses.held(np.full((3, 2), foreseen))
        losses.moved(decided(at([1.0] * 3), [HELD, UNCERTIFIED, HELD], [[foreseen] * 2] * 3), at([1.0] * 3))
    assert losses.reserve().tolist() == [0.0, 0.0]


def test_a_move_that_has_not_ended_tells_nothing_yet() -> None:
    losses = Losses(1, 1)
    losses.moved(decided(at([1.0]), [1.0], [[3.0]]), at([0.0]))
    losses.held(np.array([[1.0]]))
    losses.moved(decided(at([1.0]), [HELD], [[1.0]]), at([1.0]))
    assert losses.reserve().tolist() == [0.0]


def test_an_offset_that_changes_is_a_move_too() -> None:
    losses, here = Losses(1, 1), at([1.0])
    there = here._replace(a=np.array([[0.5]]))
    losses.moved(decided(there, [0.75], [[3.0]]), here)
    losses.held(np.array([[2.0]]))
    losses.moved(decided(here, [1.0], [[3.0]]), there)
    assert losses.reserve().tolist() == [1.0]


@pytest.mark.parametrize("none", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_not_counted(none: float) -> None:
    """NaN while it is held tells nothing; a move that begins with none, or ends without bound, is left out."""
    assert one([[2.0, 2.5], [np.nan, 2.0]], [3.0, 3.0]).tolist() == [1.0, 1.0]
    assert one([[2.0, 2.5]], [none, 3.0]).tolist() == [0.0, 0.5]
    assert one([[-np.inf, 2.5]], [3.0, 3.0]).tolist() == [0.0, 0.5]


def test_each_plant_begins_anew_where_it_moves() -> None:
    """Two plants; the second loses more, between moves at other times."""
    losses, now = Losses(2, 1), at([0.0, 0.0])
    course = [([1.0, 0.0], [3.0, 9.0]), ([1.0, 1.0], [2.9, 3.0]), ([1.0, 1.0], [2.8, 1.0]), ([2.0, 2.0], [2.5, 2.0])]
    for r, foreseen in course:
        losses.held(np.array(foreseen)[:, None])
        after = at(r)
        losses.moved(decided(after, [1.0, 1.0], [[value] for value in foreseen]), now)
        now = after
    assert losses.reserve().tolist() == [pytest.approx(np.quantile([0.5, 2.0], SELDOM))]


def test_what_counts_is_what_most_lose_of_those_that_begin_near_the_limit() -> None:
    """Those far from it may lose any amount; of those near, a hundredth may lose more."""
    n = 1000
    first = np.arange(n, dtype=float)
    lost = np.where(first <= NEAR * (n - 1), first / 100.0, 500.0)
    losses = Losses(n, 1)
    losses.moved(decided(at([1.0] * n), [1.0] * n, first[:, None].tolist()), at([0.0] * n))
    losses.held((first - lost)[:, None])
    losses.moved(decided(at([2.0] * n), [1.0] * n, first[:, None].tolist()), at([1.0] * n))
    near = lost[first <= NEAR * (n - 1)]
    assert len(near) == 200
    assert losses.reserve()[0] == pytest.approx(np.quantile(near, SELDOM))
    assert (near > losses.reserve()[0]).sum() == 2
