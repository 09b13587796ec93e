"""The scale on which all plants are compared: PID at 0, NMPC at 1, and no score where there is nothing to gain."""

from __future__ import annotations

import numpy as np
import pytest

from controller.score import Scale
from controller.statistics import Interval
from plant_models.core.scenario import Array

RNG = np.random.default_rng(0)
PID = RNG.uniform(1.0, 3.0, 40)
FLOOR, NMPC = PID + 2.0 + RNG.normal(0.0, 0.1, 40), PID - 1.0 + RNG.normal(0.0, 0.1, 40)
SCALE = Scale(FLOOR, PID, NMPC)


def costs(share: float, seeds: int = 5) -> Array:
    """Costs of training seeds that reach a share of what NMPC gains, less or more by a twentieth of it."""
    return PID - (share + np.linspace(-0.05, 0.05, seeds))[:, None] * (PID - NMPC)


def test_pid_scores_nothing_and_nmpc_one() -> None:
    assert SCALE.gap
    assert SCALE.scores(np.stack([PID, NMPC, FLOOR])) == pytest.approx([0.0, 1.0, -2.0], abs=0.15)


def test_the_score_is_the_middle_of_the_seeds_with_an_interval_around_it() -> None:
    found = SCALE.score(costs(0.8))
    assert found is not None
    assert found.mean == pytest.approx(0.8)
    assert 0.7 < found.low < found.mean < found.high < 0.9


def test_one_failed_seed_moves_the_interval_more_than_the_middle() -> None:
    whole = costs(0.8)
    whole[0] = FLOOR
    found, sound = SCALE.score(whole), SCALE.score(costs(0.8))
    assert found is not None
    assert sound is not None
    assert found.mean == pytest.approx(sound.mean, abs=0.05)
    assert found.low < sound.low - 0.2


def test_the_score_repeats() -> None:
    assert SCALE.score(costs(0.5)) == SCALE.score(costs(0.5))


@pytest.mark.parametrize("gain", [0.0, 0.05, -0.5], ids=["none", "too small", "NMPC is worse"])
def test_without_a_gap_there_is_no_score(gain: float) -> None:
    nothing = Scale(FLOOR, PID, PID - gain)
    assert not nothing.gap
    assert not nothing.undecided
    assert nothing.score(costs(0.8)) is None


def test_nmpc_may_have_run_on_fewer_scenarios() -> None:
    fewer = Scale(FLOOR, PID, NMPC[:10])
    assert fewer.scores(costs(0.8)) == pytest.approx(0.8 + np.linspace(-0.05, 0.05, 5))
    assert fewer.score(NMPC[None, :10]) == Interval(1.0, 1.0, 1.0)
    assert fewer.against_pid(NMPC[None, :10]).mean == pytest.approx(0.5, rel=0.1)


def test_few_scenarios_do_not_rule_a_gap_out() -> None:
    far_apart = Scale(FLOOR, PID, PID[:4] - [0.1, 3.0, -0.5, 0.2])
    assert not far_apart.gap
    assert far_apart.undecided
    assert not Scale(FLOOR, PID, PID[:20] + 0.5).undecided
    assert Scale(FLOOR, PID, NMPC[:3]).undecided
    assert not Scale(FLOOR, PID, NMPC[:3]).gap
    assert not SCALE.undecided


def test_against_pid_counts_in_what_pid_gains_over_its_floor() -> None:
    found = SCALE.against_pid(costs(0.8))
    assert found.mean == pytest.approx(0.4, rel=0.05)
    assert found.low < found.mean < found.high
    assert SCALE.against_pid(FLOOR[None]).mean == pytest.approx(-1.0)


def test_against_pid_knows_that_trainings_differ() -> None:
    agree, differ = PID - 0.5 * np.ones((5, 1)), PID - np.array([[0.0], [0.0], [0.5], [1.0], [1.0]])
    sure, unsure = SCALE.against_pid(agree), SCALE.against_pid(differ)
    assert sure.mean == pytest.approx(unsure.mean)
    assert sure.high - sure.low < 1e-6
    assert unsure.low < 0.0 < unsure.high  # Student's: 0.5 +- 2.776 * 0.5 / sqrt(5), every episode alike
