"""Signals are what they say, and episodes are cut, joined and redirected without touching what they hold."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from plant_models.catalogue import get, names
from plant_models.core.errors import BadInput
from plant_models.core.scenario import Draw, Signals
from plant_models.derive.layout import layout
from plant_models.env.scenario import ARRAYS, BLOCK, Episodes, concatenate, draw
from plant_models.env.source import EpisodeSource

CSTR = get("exothermic_cstr")


def source(n: int = 400, count: int = 200) -> Draw:
    return Draw(np.random.default_rng(0), n, count, 1.0, "training")


def assert_same(a: Episodes, b: Episodes) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def test_a_staircase_holds_each_level_as_long_as_it_says() -> None:
    stairs = source().steps(2.0, 5.0, hold=(4, 9))
    assert ((stairs >= 2.0) & (stairs <= 5.0)).all()
    for row in stairs:
        held = np.diff(np.flatnonzero(np.diff(row)))
        assert held.min() >= 4
        assert held.max() <= 9


def test_a_staircase_is_its_levels_each_for_the_time_drawn() -> None:
    rng, most = np.random.default_rng(0), 200 // 4 + 2
    held, levels = rng.integers(4, 10, (400, most)), rng.uniform(2.0, 5.0, (400, most))
    laid_out = [np.repeat(level, times)[:200] for level, times in zip(levels, held, strict=True)]
    np.testing.assert_array_equal(source().steps(2.0, 5.0, hold=(4, 9)), laid_out)


def test_a_staircase_may_be_as_long_as_any_scenario() -> None:
    stairs = source(BLOCK, 100_000).steps(0.0, 1.0, hold=(1, 3))
    assert stairs.shape == (BLOCK, 100_000)
    assert (np.diff(stairs, axis=1) != 0.0).mean() == pytest.approx(0.5, abs=0.01)


def test_wandering_is_stationary_with_its_mean_spread_and_memory() -> None:
    path = source().wander(10.0, 2.0, memory=5.0)
    assert path.mean() == pytest.approx(10.0, abs=0.1)
    assert path[:, 0].std() == pytest.approx(2.0, rel=0.1)
    assert path[:, -1].std() == pytest.approx(2.0, rel=0.1)
    after = np.corrcoef(path[:, :-5].ravel(), path[:, 5:].ravel())[0, 1]
    assert after == pytest.approx(np.exp(-1.0), abs=0.03)


@pytest.mark.parametrize(("n", "seed"), [(0, 0), (-3, 0), (4, -1)])
def test_no_episodes_and_negative_seeds_are_refused(n: int, seed: int) -> None:
    with pytest.raises(BadInput, match="give at least 1 episode and a seed of at least 0"):
        draw(CSTR, CSTR.scenario(), seed, n, "judging")


SIGNALS = {
    "target": (Signals(targets={"TT": np.zeros((BLOCK, 1))}), "unknown target 'TT'; did you mean 'T'? Known: c_A, T"),
    "reference": (Signals(references={"TIC-999": np.array(350.0)}), "unknown reference 'TIC-999'; did you mean"),
    "disturbance": (
        Signals(disturbances={"T_ff": np.array(350.0)}),
        "unknown disturbance 'T_ff'; did you mean 'T_f'? Known: T_f",
    ),
    "initial state": (Signals(initial={"TT": np.array(350.0)}), "unknown initial state 'TT'; did you mean 'T'?"),
    "parameter": (Signals(parameters={"Vv": np.array(100.0)}), "unknown parameter 'Vv'; did you mean 'V'?"),
    "forecast of nothing": (Signals(forecasts={"T_f": np.array(350.0)}), "unknown forecast 'T_f'"),
    "one number an episode": (Signals(disturbances={"T_f": np.zeros(BLOCK)}), "disturbance 'T_f' of shape (64,) given, (64, 64)"),
    "one sample": (Signals(targets={"c_A": np.zeros((BLOCK, 2))}), "target 'c_A' of shape (64, 2) given, (64, 64) or one number"),
    "another for each sample": (Signals(initial={"T": np.zeros((BLOCK, 9))}), "initial state 'T' of shape (64, 9) given"),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_that_the_plant_does_not_declare_is_refused(name: str) -> None:
    given, told = SIGNALS[name]
    scenario = replace(CSTR.scenario(), signals=lambda draw: given)
    with pytest.raises(BadInput, match=re.escape(f"scenario 'tracking': {told}")):
        draw(CSTR, scenario, 0, 1, "judging")


def test_a_signal_may_be_one_number_or_one_for_each_episode() -> None:
    each = np.linspace(340.0, 360.0, BLOCK)
    given = Signals(disturbances={"T_f": each[:, None]}, targets={"c_A": np.array(0.9)}, initial={"T": each})
    episodes = draw(CSTR, replace(CSTR.scenario(), signals=lambda draw: given), 0, 3, "judging")
    assert (episodes.disturbance("T_f") == each[:3, None]).all()
    assert (episodes.exogenous[:, :, episodes.targets()] == 0.9).all()
    assert (episodes.initial[:, CSTR.State.names().index("T")] == each[:3]).all()


def test_seeds_and_scenarios_draw_different_episodes() -> None:
    drawn = [draw(CSTR, scenario, seed, 2, "judging") for scenario in CSTR.scenarios for seed in (0, 1)]
    assert not any(np.array_equal(a.noise, b.noise) for i, a in enumerate(drawn) for b in drawn[i + 1 :])


def test_no_episode_of_a_draw_repeats_another() -> None:
    many = draw(CSTR, CSTR.scenario(), 0, 3 * BLOCK, "training")
    assert len(np.unique(many.noise.reshape(len(many), -1), axis=0)) == len(many)
    assert len(np.unique(many.exogenous.reshape(len(many), -1), axis=0)) == len(many)


def test_a_cut_and_joined_draw_is_the_draw() -> None:
    whole = draw(CSTR, CSTR.scenario(), 0, 9, "judging")
    assert_same(concatenate([whole[slice(0, 4)], whole[slice(4, 9)]]), whole)


def test_other_setpoints_replace_what_the_hierarchy_sends_and_nothing_else() -> None:
    episodes = draw(CSTR, CSTR.scenario(), 0, 3, "judging")
    constant = episodes.following(np.array([0.9]))
    assert (constant.exogenous[:, :, constant.references()] == 0.9).all()
    np.testing.assert_array_equal(constant.exogenous[:, :, constant.targets()], episodes.exogenous[:, :, episodes.targets()])
    np.testing.assert_array_equal(constant.disturbance("T_f"), episodes.disturbance("T_f"))
    assert not np.array_equal(constant.exogenous, episodes.exogenous)


@pytest.mark.parametrize("name", names())
def test_parameters_vary_within_their_declared_uncertainty_unless_exact(name: str) -> None:
    """Around what the scenario says, which is the nominal value where it says nothing."""
    plant = get(name)
    spread = np.array([q.uncertain for q in plant.Parameter.quantities().values()])
    drawn, middle = (draw(plant, replace(plant.scenario(), exact=exact), 0, 64, "training").parameters for exact in (False, True))
    away = np.abs(drawn / np.where(middle == 0.0, 1.0, middle) - (middle != 0.0))
    assert (away <= spread + 1e-12).all()
    assert (away.max(axis=0)[spread > 0.0] > 0.8 * spread[spread > 0.0]).all()


def test_an_exact_scenario_has_the_same_plant_in_every_episode() -> None:
    fixed = draw(CSTR, CSTR.scenario("unstable"), 0, 8, "training").parameters
    assert (fixed == fixed[0]).all()


@pytest.mark.parametrize("ahead", [1, 3, 16])
def test_a_source_hands_out_the_episodes_of_its_seed_in_order(ahead: int) -> None:
    supply = EpisodeSource(CSTR, layout(CSTR, "setpoint"), CSTR.scenario(), 7, "training", ahead)
    taken = concatenate([supply.take(n).episodes for n in (1, 5, 2, 20, 1)])
    assert_same(taken, draw(CSTR, CSTR.scenario(), 7, 29, "training"))
