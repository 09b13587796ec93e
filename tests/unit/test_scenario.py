"""Signals are what they say, and episodes are cut, joined and redirected without touching what they hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from plant_models.catalogue import get, names
from plant_models.core.errors import BadInput
from plant_models.core.scenario import Draw
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
