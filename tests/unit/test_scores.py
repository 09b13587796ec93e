"""Figures and intervals on signals whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from controller.baselines import Constant, Pid
from controller.benchmark import Comparison, compare
from controller.rollout import rollout
from controller.scores import _reversals, kpis
from controller.statistics import paired_difference
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.env.scenario import draw

CSTR, HOUSE = get("exothermic_cstr"), get("heat_pump_house")


def test_interval_of_a_paired_difference_is_students() -> None:
    rng = np.random.default_rng(0)
    worse = rng.normal(size=20)
    better = worse - 1.0 - 0.1 * rng.normal(size=20)
    found = paired_difference(worse, better)
    difference = worse - better
    half = 2.093024 * difference.std(ddof=1) / np.sqrt(20)
    assert found.mean == pytest.approx(difference.mean())
    assert (found.low, found.high) == pytest.approx((difference.mean() - half, difference.mean() + half))


def test_one_episode_gives_no_interval() -> None:
    assert paired_difference(np.ones(1), np.zeros(1)).low == -np.inf


def test_iae_of_a_run_is_the_sum_of_its_errors() -> None:
    run = rollout(Pid(CSTR), draw(CSTR, CSTR.scenario(), 0, 3, "judging"))
    target = run.episodes.exogenous[:, :60, run.episodes.targets()][:, :, 0]
    by_hand = np.abs(run.path["x"][:, 1:, 0] - target).sum(axis=1) * CSTR.decision
    np.testing.assert_allclose(kpis(run)["IAE"].values, by_hand)


def test_a_ramp_of_the_target_is_one_move_judged_from_its_end() -> None:
    episodes = draw(CSTR, CSTR.scenario(), 0, 1, "judging")
    target = np.interp(np.arange(episodes.exogenous.shape[1]), [20, 30], [0.87, 0.90])
    episodes.exogenous[:, :, episodes.targets()] = target[:, None]
    run = rollout(Pid(CSTR), episodes)
    found, c_A = kpis(run), run.path["x"][0, 1:, 0]
    outside = np.flatnonzero(np.abs(c_A[30:] - 0.90) > 0.05 * 0.03)
    assert found["overshoot"].values[0] == pytest.approx(100.0 * max(c_A[30:].max() - 0.90, 0.0) / 0.03)
    assert found["settling"].values[0] == pytest.approx((outside[-1] + 1 if len(outside) else 0) * CSTR.decision)
    since = np.where(np.arange(60) < 21, np.arange(1, 61), np.arange(1, 61) - 21) * CSTR.decision
    by_hand = (np.abs(c_A - target[:60]) * since).sum() * CSTR.decision
    assert found["ITAE"].values[0] == pytest.approx(by_hand)


def test_a_target_that_never_moves_has_neither_overshoot_nor_settling() -> None:
    episodes = draw(CSTR, CSTR.scenario(), 0, 1, "judging")
    episodes.exogenous[:, :, episodes.targets()] = 0.88
    found = kpis(rollout(Pid(CSTR), episodes))
    assert (found["overshoot"].values, found["settling"].values) == (0.0, 0.0)


def test_recorded_paths_move() -> None:
    run = rollout(Pid(CSTR), draw(CSTR, CSTR.scenario(), 0, 3, "judging"))
    assert (np.ptp(run.path["u"], axis=1) > 0.5).all()
    assert (kpis(run)["T_c travel"].values > 0.1).all()


def test_money_of_the_house_adds_up() -> None:
    found = kpis(rollout(Pid(HOUSE), draw(HOUSE, HOUSE.scenario(), 0, 3, "judging")))
    total = found["electricity cost"].values + found["discomfort cost"].values - found["stored heat"].values
    np.testing.assert_allclose(found["cost"].values, total)
    mean_price = found["electricity cost"].values / found["electric energy"].values
    assert ((mean_price > 0.2) & (mean_price < 0.35)).all()
    assert (found["heat"].values > found["electric energy"].values).all()


def test_comparison_judges_all_on_the_same_episodes_and_states_units() -> None:
    result = compare(CSTR, [Constant(CSTR, (0.88,)), Pid(CSTR)], episodes=6, seed=1)
    assert isinstance(result, Comparison)
    whole = result.as_json()
    assert whole["units"]["IAE"] == "mol/L min"
    assert whole["against_pid"]["constant"]["high"] < 0.0
    assert set(whole["controllers"]) == {"constant", "pid"}


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="given twice"):
        compare(CSTR, [Pid(CSTR), Pid(CSTR)], episodes=2)


def test_a_valve_that_turns_round_is_counted_and_one_that_trembles_is_not() -> None:
    moves = np.array([[0.1, -0.1, 0.1, 0.0, 0.1, -0.2], [0.1, -1e-4, 0.1, -1e-4, 0.1, 0.1]])
    assert list(_reversals(moves)) == [3.0, 0.0]
