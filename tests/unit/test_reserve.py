"""How much of the reserve moves must keep: by how plants fare with parts of it, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from controller.safety.reserve import PARTS, STOPPED, UNCERTAIN, Conduct, Tally, following, least
from controller.safety.shield import HELD, UNCERTIFIED, Decision
from plant_models.env.lookahead import Command

WHOLE = Conduct(uncertified=0.003, stopped=0.02, crossed=0.125)
TINY = 1e-9


def test_what_is_hardly_more_is_one_decision_of_a_thousand_and_of_a_hundred() -> None:
    assert (UNCERTAIN, STOPPED) == (0.001, 0.01)


def test_parts_are_tried_from_the_least_to_the_whole() -> None:
    assert list(PARTS) == sorted(PARTS)
    assert PARTS[0] > 0.0
    assert PARTS[-1] == 1.0


@pytest.mark.parametrize(("field", "more"), [("uncertified", UNCERTAIN), ("stopped", STOPPED), ("crossed", 0.0)])
def test_hardly_more_of_anything_is_as_good_and_more_of_anything_is_not(field: str, more: float) -> None:
    value = getattr(WHOLE, field)
    assert replace(WHOLE, **{field: value + more}).as_good_as(WHOLE)
    assert replace(WHOLE, **{field: 0.0}).as_good_as(WHOLE)
    assert not replace(WHOLE, **{field: value + more + TINY}).as_good_as(WHOLE)


@pytest.mark.parametrize("enough", PARTS)
def test_the_least_part_that_does_as_well_as_the_whole_is_kept(enough: float) -> None:
    """The whole is tried first, and no part beyond the one that is kept; what no part does, the whole does."""
    tried = list[float]()

    def trial(part: float) -> Conduct:
        tried.append(part)
        return WHOLE if part >= enough else replace(WHOLE, crossed=0.25)

    assert least(trial) == (enough, WHOLE)
    parts = [part for part in PARTS[:-1] if part <= enough]
    assert tried == [1.0, *parts]


def test_the_whole_is_measured_as_the_others_are() -> None:
    """How the plants fare with it is what they are held against, however badly that is."""
    bad = Conduct(0.5, 0.5, 1.0)
    assert least(lambda part: bad if part == 1.0 else WHOLE) == (PARTS[0], bad)


def test_beyond_each_part_comes_the_next_and_after_the_whole_nothing() -> None:
    assert [following(part) for part in (0.0, *PARTS)] == [*PARTS, 1.0]


def decided(share: list[float], stopped: list[bool]) -> Decision:
    sent = Command(np.zeros((len(share), 1)), np.zeros((len(share), 0)), np.array(stopped))
    return Decision(sent, np.array(share), sent, sent, np.zeros((len(share), 2)))


def counted(batch: bool = False) -> Conduct:
    """Return how four plants fare in two decisions; the last one ran in the first of them only."""
    tally = Tally(4, np.array([True, False]), batch)
    running, kept = np.ones(4, dtype=bool), np.ones((4, 2))
    tally.add(decided([1.0, UNCERTIFIED, HELD, 0.5], [False, True, True, False]), running, kept)
    beyond = np.array([[0.0, -1.0], [np.nan, 1.0], [-0.5, 1.0], [-9.0, 1.0]])
    tally.add(
        decided([HELD, 1.0, UNCERTIFIED, UNCERTIFIED], [False, False, False, True]), running & [True, True, True, False], beyond
    )
    return tally.conduct()


def test_decisions_are_counted_while_plants_run_and_episodes_once() -> None:
    """A margin of zero is kept, one that is not a number is not, and one that is not enforced does not count."""
    assert counted() == Conduct(uncertified=2 / 7, stopped=2 / 7, crossed=2 / 4)


def test_one_decision_is_all_there_is() -> None:
    tally = Tally(1, np.array([True, True]), batch=False)
    tally.add(decided([UNCERTIFIED], [True]), np.ones(1, dtype=bool), np.ones((1, 2)))
    assert tally.conduct() == Conduct(uncertified=1.0, stopped=1.0, crossed=0.0)


def test_one_enforced_limit_of_several_is_enough_to_cross() -> None:
    tally = Tally(1, np.array([True, True]), batch=False)
    tally.add(decided([1.0], [False]), np.ones(1, dtype=bool), np.array([[1.0, -1.0]]))
    assert tally.conduct().crossed == 1.0


def test_a_limit_once_crossed_stays_crossed() -> None:
    tally = Tally(2, np.array([True]), batch=False)
    for lowest in ([[-1.0], [1.0]], [[1.0], [1.0]]):
        tally.add(decided([1.0, 1.0], [False, False]), np.ones(2, dtype=bool), np.array(lowest))
    assert tally.conduct() == Conduct(0.0, 0.0, 0.5)


def test_stops_of_a_batch_do_not_count() -> None:
    """Each of its moves was certified by what the safe action makes of it."""
    assert counted(batch=True) == Conduct(uncertified=2 / 7, stopped=0.0, crossed=2 / 4)


def test_where_nothing_ran_nothing_went_wrong() -> None:
    assert Tally(3, np.array([True]), batch=False).conduct() == Conduct(0.0, 0.0, 0.0)
