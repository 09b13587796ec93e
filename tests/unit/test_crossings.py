"""What stood behind a limit that was crossed, on courses made by hand; those that are run are a trial's."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import crossings
from benchmarks.crossings import Course, crossed
from controller.safety.field import Field, unmoved
from controller.safety.opponents import along
from controller.safety.trial import hard, limits, trial
from plant_models.catalogue import get
from tests.safety import PERIOD, certain, episodes

PLANT = get("evaporator")
LOW, HIGH = (np.array(limits(PLANT))[hard(PLANT)].tolist().index(name) for name in ("pressure low", "pressure high"))
DECISIONS = 6


def course(certified: list[int], beyond: dict[int, float], limit: int = LOW) -> Course:
    """One plant whose margins are 1 but for one limit, in decisions that say by how much; certificates foresee 0.1 k."""
    lowest = np.ones((DECISIONS, 1, int(hard(PLANT).sum())))
    for k, by in beyond.items():
        lowest[k, 0, limit] = by
    given = np.isin(np.arange(DECISIONS), certified)[:, None]
    foreseen = np.where(given, 0.1 * np.arange(DECISIONS)[:, None], np.nan)
    return Course(lowest, np.repeat(foreseen[:, :, None], lowest.shape[2], axis=2), given)


@pytest.mark.parametrize(
    ("certified", "uncertified", "foreseen"),
    [([0, 1, 2, 3], 0, 0.3), ([0, 1], 2, 0.1), ([0, 1, 4, 5], 2, 0.1), ([], 4, None)],
)
def test_a_limit_was_crossed_with_a_certificate_or_so_many_decisions_after_the_last(
    certified: list[int], uncertified: int, foreseen: float | None
) -> None:
    (found,) = crossed(course(certified, {3: -0.2, 4: -0.5}), PLANT, first=7)
    assert (found.episode, found.decision, found.limit, found.lowest) == (7, 3, "pressure low", -0.5)
    assert found.uncertified == uncertified
    assert found.foreseen == pytest.approx(foreseen)


def test_an_episode_that_crosses_nothing_is_not_named_and_what_is_no_number_has_crossed() -> None:
    assert list(crossed(course([0], {3: 0.0}), PLANT)) == []
    (found,) = crossed(course([0], {2: np.nan}, HIGH), PLANT)
    assert (found.decision, found.limit) == (2, "pressure high")


def test_a_course_is_that_of_a_trial_decision_by_decision() -> None:
    plant, swinging = get("exothermic_cstr"), along("bang-bang", PERIOD, 0)
    drawn, knows = episodes(plant, 8), certain(plant, 13)
    ran, whole = crossings.course(swinging, drawn, knows), trial(swinging, drawn, knows)
    assert np.array_equal(ran.lowest.min(axis=0), whole.lowest[:, hard(plant)])
    assert (~ran.certified).sum() == whole.decided[:, -1].sum()
    assert np.isnan(ran.foreseen).all(axis=2).sum() == (~ran.certified).sum()
    assert crossings.found(swinging, knows, plant, 8, 0)["episodes"] == 8


def test_what_is_sent_first_is_held_to_the_end_whatever_the_hierarchy_sends_later() -> None:
    plant, n = get("quadruple_tank"), 6
    drawn = episodes(plant, n)
    field = Field(plant, drawn)
    first, lowest = unmoved(field), np.full_like(field.lowest, np.inf)
    for _ in range(drawn.scenario.steps):
        field.command(first)
        lowest = np.minimum(lowest, field.lowest)
    found = crossings.held(plant, n, 0)
    assert list(found["smallest"].values()) == lowest[:, hard(plant)].min(axis=0).tolist()
    assert found["violating"] == (lowest[:, hard(plant)] < 0.0).any(axis=1).sum()
    assert not np.array_equal(unmoved(field).r, first.r), "the hierarchy has moved on"
