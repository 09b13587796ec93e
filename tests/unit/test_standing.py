"""Standings, over one case and over all: against numbers worked out by hand, and against rliable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from controller.cell import Cell, Outcome
from controller.overall import overall, profiles, trade, uncounted
from controller.source import Source
from controller.standing import compared
from controller.statistics import (
    crossed_difference,
    interquartile_mean,
    paired_difference,
    performance_profile,
    probability_of_improvement,
    stratified_bootstrap,
    upper95,
    win_rate,
    worst_tenth,
)
from controller.variants import Variant
from plant_models.core.scenario import Array


def result(
    name: str, cost: list[float], plant: str = "exothermic_cstr", digest: str = "", variant: Variant = "none", **figures: Any
) -> tuple[Cell, Outcome]:
    scenario = {"exothermic_cstr": "tracking", "heat_pump_house": "week"}[plant]
    cell = Cell(Source(plant, scenario=scenario), variant, name, 0, 0, len(cost), digest, digest)
    told = {"cost": tuple(cost)} | {key: tuple(values) for key, values in figures.items()}
    return cell, Outcome(tuple(cost), tuple((c, 0.0, 0.0, 0.0, 0.0, 0.0) for c in cost), told, dict.fromkeys(told, "1"), 1.0)


def test_the_figures_of_a_row() -> None:
    violated = {"hard-limit violations": [0.0, 1.0, 0.0, 0.0]}
    pid = result("pid", [4.0, 6.0, 8.0, 2.0])
    (case,) = compared(
        [
            result("constant", [8.0, 8.0, 8.0, 8.0]),
            pid,
            result("nmpc", [1.0, 2.0]),
            result("ppo", [3.0, 6.0, 5.0, 3.0], **violated),
        ]
    )
    row = case.standing("ppo")
    assert row.saved == paired_difference(np.array([4.0, 6.0, 8.0, 2.0]), np.array([3.0, 6.0, 5.0, 3.0]))
    assert row.saved.mean / row.share == pytest.approx(0.75 / 5.0)  # a tracking plant: of PID's cost
    assert (row.wins, row.cvar, row.violations, row.verdict) == (0.625, 6.0, 1, "unclear")
    assert row.rate == upper95(1, 4)
    assert row.segment == (2, 0.0, 0.0)  # nothing lost in the first sixth
    assert row.gap == "open"  # NMPC ran on two episodes only
    assert case.standing("nmpc").episodes == 2
    assert case.standing("pid").saved is None


def test_seeds_of_training_are_joined_and_kept_apart() -> None:
    pid = result("pid", [4.0, 6.0])
    (case,) = compared([pid, result("ppo", [3.0, 5.0], digest="a"), result("ppo", [1.0, 3.0], digest="b")])
    row = case.standing("ppo")
    assert (row.policies, row.episodes) == (2, 2)
    assert row.saved is not None
    assert row.saved.mean == 2.0
    assert list(case.gains("ppo")) == pytest.approx([1.0 / 5.0, 3.0 / 5.0])


def test_where_there_is_a_gap_there_is_a_score_and_elsewhere_it_says_so() -> None:
    rng = np.random.default_rng(0)
    floor, pid = 20.0 + rng.normal(size=30), 10.0 + rng.normal(size=30)
    rows = [result("constant", list(floor)), result("pid", list(pid)), result("ppo", list(pid - 2.0))]
    (case,) = compared([*rows, result("nmpc", list(pid - 4.0))])
    assert case.standing("ppo").score is not None
    assert case.standing("ppo").score.mean == pytest.approx(0.5)  # type: ignore[union-attr]
    (case,) = compared([*rows, result("nmpc", list(pid + 0.1))])
    assert (case.standing("ppo").gap, case.standing("ppo").score) == ("no gap", None)


def test_over_all_cases_and_at_equal_comfort() -> None:
    cost, warm = [10.0, 12.0, 14.0], [3.0, 4.0, 5.0]
    energy = {"energy cost": [c - 0.5 * w for c, w in zip(cost, warm, strict=True)], "discomfort cost": [0.5 * w for w in warm]}
    rows = [result("pid", cost, "heat_pump_house", tdis=warm, **energy),
            result("pid, shifted 0", cost, "heat_pump_house", tdis=warm, **energy),
            result("ppo", [c - 1.0 for c in cost], "heat_pump_house", tdis=warm, **energy),
            result("pid", [2.0, 2.0, 4.0]), result("ppo", [3.0, 3.0, 5.0])]  # fmt: skip
    cases = compared(rows)
    (ppo,) = overall(cases)
    assert (ppo.cases, ppo.ahead, ppo.behind, ppo.episodes) == (2, 1, 1, 6)
    share, low, high = profiles(cases, np.array([0.0]))["ppo"]
    assert share[0] == 0.5
    assert low[0] <= share[0] <= high[0]
    paid = trade(cases[0])
    assert paid is not None
    assert paid.saved["ppo"].mean == pytest.approx(1.0)
    assert paid.points["pid"] == pytest.approx((4.0, 10.0))
    assert trade(cases[1]) is None


def test_violations_of_pid_are_counted_on_the_episodes_that_the_other_ran() -> None:
    pid = result("pid", [4.0, 6.0, 8.0], **{"hard-limit violations": [1.0, 0.0, 1.0]})
    seeds = [result("ppo", [3.0, 5.0, 7.0], digest=d, **{"hard-limit violations": [1.0, 1.0, 0.0]}) for d in "ab"]
    ppo, nmpc = overall(compared([pid, *seeds, result("nmpc", [1.0, 2.0], **{"hard-limit violations": [0.0, 0.0]})]))
    assert (ppo.violations, ppo.episodes, ppo.pid, ppo.compared, ppo.rates) == (4, 6, 2, 3, (2 / 3, 2 / 3))
    assert (nmpc.violations, nmpc.episodes, nmpc.pid, nmpc.compared) == (0, 2, 1, 2)


def test_what_rounding_alone_makes_is_no_win() -> None:
    cost = np.array([4.0, 6.0, 8.0, 2.0])
    (case,) = compared([result("pid", cost.tolist()), result("ppo", (cost * (1.0 - 1e-15)).tolist())])
    row = case.standing("ppo")
    assert row.saved is not None
    assert row.saved.low > 0.0
    assert (row.wins, row.verdict) == (0.5, "unclear")
    assert win_rate(np.array([np.inf, np.inf]), np.array([np.inf, 1.0])) == 0.75


def test_tails_wins_and_crossed_intervals() -> None:
    assert worst_tenth(np.arange(25.0)) == 23.0
    assert win_rate(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 4.0])) == 0.5
    worse, better = np.arange(6.0) + 5.0, np.stack([np.arange(6.0), np.arange(6.0) + 2.0])
    both = crossed_difference(worse, better)
    half = 12.7062  # episodes agree, only the two trainings differ: Student's with one degree of freedom
    assert (both.mean, both.low, both.high) == pytest.approx((4.0, 4.0 - half, 4.0 + half), abs=1e-4)
    assert upper95(0, 300) == pytest.approx(3.0 / 300.0, rel=0.01)


def test_every_case_weighs_the_same_however_many_runs_it_has() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 10.0, 10.0])
    assert interquartile_mean(values, np.ones(6)) == interquartile_mean(values)
    assert interquartile_mean(values[:4], np.array([1.0, 4.0, 2.0, 1.0])) == pytest.approx((4.0 * 1.0 + 2.0 * 2.0) / 6.0)
    reactor = [result("pid", [10.0, 10.0]), result("ppo", [9.0, 9.0])]  # gains a tenth in each of two episodes
    house = [result("pid", [10.0] * 40, "heat_pump_house"), result("ppo", [6.0] * 40, "heat_pump_house")]
    (ppo,) = overall(compared([*reactor, *house]))
    assert ppo.iqm.mean == pytest.approx((0.1 + 0.4) / 2.0)  # unweighed, forty episodes would hide two


def test_variants_share_their_episodes_and_one_that_changes_nothing_does_not_count() -> None:
    rng = np.random.default_rng(3)
    pid = 10.0 + rng.normal(size=40)
    ppo = pid - 1.0 - rng.normal(size=40)
    plain = [result("pid", pid.tolist()), result("ppo", ppo.tolist())]
    idle = [result("pid", pid.tolist(), variant="noise"), result("ppo", (ppo - 1.0).tolist(), variant="noise")]
    (alone,), (beside,) = overall(compared(plain)), overall(compared([*plain, *idle]))
    assert beside == alone
    assert uncounted(compared([*plain, *idle])) == [
        "exothermic_cstr: variant 'noise' changes no cost of PID's in tracking; over all cases it does not count"
    ]
    again = [result("pid", (2.0 * pid).tolist(), variant="drift"), result("ppo", (2.0 * ppo).tolist(), variant="drift")]
    (both,) = overall(compared([*plain, *again]))  # the same gains once more tell nothing new
    assert (both.cases, both.iqm.mean) == (2, pytest.approx(alone.iqm.mean))
    assert both.iqm.high - both.iqm.low == pytest.approx(alone.iqm.high - alone.iqm.low, rel=0.05)


def scores(seed: int) -> Array:
    return np.random.default_rng(seed).normal(0.1 * seed, 1.0, (8, 5))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_statistics_agree_with_rliable() -> None:
    from rliable import library, metrics

    ours, theirs = scores(1), scores(3)
    assert interquartile_mean(ours) == pytest.approx(metrics.aggregate_iqm(ours))
    assert interquartile_mean(ours, np.full(ours.shape, 1.0 / len(ours))) == pytest.approx(metrics.aggregate_iqm(ours))
    pairs = [(theirs[:, m], ours[:, m]) for m in range(5)]
    assert probability_of_improvement(pairs) == pytest.approx(metrics.probability_of_improvement(theirs, ours))
    taus = np.linspace(-2.0, 2.0, 9)
    share, low, high = performance_profile(list(ours.T), taus, resamples=4000)
    profile, interval = library.create_performance_profile({"ours": ours}, taus, reps=4000)
    assert np.allclose(share, profile["ours"])
    assert np.allclose([low, high], interval["ours"], atol=0.03)
    _, ends = library.get_interval_estimates({"ours": ours}, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=4000)
    assert np.allclose(stratified_bootstrap(list(ours.T), resamples=4000), ends["ours"][:, 0], atol=0.04)
