"""Promises that every environment keeps, one plant or many."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_gymnasium
from stable_baselines3.common.env_checker import check_env as check_sb3

from controller.baselines import Pid
from controller.rollout import rollout
from plant_models import environment_id
from plant_models.core.errors import InvalidAction
from plant_models.core.plant import Plant
from plant_models.derive.layout import LEVELS
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator
from plant_models.env.single import PlantEnv
from tests.contracts.every import plants

ROUNDING = 1e-9


def make(plant: Plant, **kw: Any) -> gymnasium.Env[Any, Any]:
    return gymnasium.make(environment_id(plant.name), **kw)


@plants
def test_both_checkers_pass_without_a_warning(plant: Plant) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_gymnasium(make(plant).unwrapped, skip_render_check=True)
        check_sb3(make(plant).unwrapped)


@plants
def test_a_seed_repeats_bit_for_bit(plant: Plant) -> None:
    def trace() -> list[Any]:
        env = make(plant)
        rng = np.random.default_rng(1)
        out = [env.reset(seed=5)[0]]
        for _ in range(30):
            observation, reward, *_ = env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))
            out += [observation, np.array(reward)]
        return out

    for a, b in zip(trace(), trace(), strict=True):
        np.testing.assert_array_equal(a, b)


@plants
def test_many_plants_are_the_same_as_one(plant: Plant) -> None:
    episodes = draw(plant, plant.scenario(), 2, 70, "judging")
    many, one = Simulator(plant, 70, plant.scenario().steps), Simulator(plant, 1, plant.scenario().steps)
    many.load(episodes, np.arange(70))
    one.load(episodes[slice(67, 68)], np.arange(1))
    actions = np.random.default_rng(0).uniform(-1, 1, (20, 70, len(plant.acted))).astype(np.float32)
    for action in actions:
        a, b = many.step(action), one.step(action[67:68])
        np.testing.assert_allclose(a.observation[67], b.observation[0], rtol=1e-5, atol=1e-6)
        assert a.reward[67] == pytest.approx(b.reward[0], rel=1e-6, abs=ROUNDING)


@plants
def test_observations_stay_inside_their_space_and_none_is_constant(plant: Plant) -> None:
    env = gymnasium.make_vec(environment_id(plant.name), num_envs=16)
    rng = np.random.default_rng(0)
    seen = [env.reset(seed=0)[0]]
    shape = env.action_space.shape
    seen += [env.step(rng.uniform(-1, 1, shape).astype(np.float32))[0] for _ in range(plant.scenario().steps)]
    stacked = np.concatenate(seen)
    assert np.isfinite(stacked).all()
    assert (np.abs(stacked) <= 10.0).all()
    assert (np.ptp(stacked, axis=0) > 0.0).all()


@plants
def test_a_time_limit_truncates_after_exactly_its_steps(plant: Plant) -> None:
    env = make(plant)
    env.reset(seed=0)
    zero = np.zeros(env.action_space.shape, dtype=np.float32)
    ends = [env.step(zero)[2:4] for _ in range(plant.scenario().steps)]
    assert ends[-1] == (False, True)
    assert not any(terminated or truncated for terminated, truncated in ends[:-1])


@plants
def test_the_zero_action_is_the_pid_layer(plant: Plant) -> None:
    """Step for step the environment under zero action runs as the PID layer does when nobody supervises it."""
    episodes = draw(plant, plant.scenario(), 4, 1, "judging")
    run = rollout(Pid(plant), episodes)
    env = PlantEnv(plant.name, split="judging")
    env.reset(options={"episodes": episodes})
    for k in range(plant.scenario().steps):
        env.step(np.zeros(len(plant.acted), dtype=np.float32))
        np.testing.assert_array_equal(env.simulator.S.read("x")[:, 0], run.path["x"][0, k + 1])
    assert (run.path["v"] == 0.0).all()


@plants
def test_nan_is_refused_and_nothing_moves(plant: Plant) -> None:
    env = PlantEnv(plant.name)
    env.reset(seed=0)
    env.step(np.zeros(len(plant.acted), dtype=np.float32))
    before, k = env.simulator.S.data.copy(), env.simulator.k.copy()
    for bad in (np.nan, np.inf):
        with pytest.raises(InvalidAction, match="not finite"):
            env.step(np.full(len(plant.acted), bad, dtype=np.float32))
    with pytest.raises(InvalidAction, match="shape"):
        env.step(np.zeros(len(plant.acted) + 1, dtype=np.float32))
    np.testing.assert_array_equal(env.simulator.S.data, before)
    np.testing.assert_array_equal(env.simulator.k, k)


@plants
def test_an_action_out_of_range_is_clipped_and_counted(plant: Plant) -> None:
    one, two = PlantEnv(plant.name), PlantEnv(plant.name)
    one.reset(seed=0)
    two.reset(seed=0)
    *a, info = one.step(np.full(len(plant.acted), 7.0, dtype=np.float32))
    *b, _ = two.step(np.ones(len(plant.acted), dtype=np.float32))
    np.testing.assert_array_equal(a[0], b[0])
    assert info["clipped"] == len(plant.acted)


@plants
@pytest.mark.parametrize("level", LEVELS)
def test_every_action_level_runs(plant: Plant, level: str) -> None:
    if level != "setpoint" and plant.name != "exothermic_cstr":
        pytest.skip("the other levels are compiled for one plant here")
    env = make(plant, level=level)
    env.reset(seed=0)
    observation, reward, *_ = env.step(np.zeros(env.action_space.shape, dtype=np.float32))
    assert env.observation_space.contains(observation)
    assert np.isfinite(reward)


@plants
def test_a_policy_that_trips_at_once_ranks_last(plant: Plant) -> None:
    """Every step that a trip leaves undone costs more than the worst episode of the PID layer does."""
    trips = [i for i, kind in enumerate(Simulator(plant, 1, 1).kernel.layout.kinds) if kind == "trip"]
    if not trips:
        pytest.skip("the plant declares no trip")
    env = PlantEnv(plant.name, level="direct", split="judging")
    env.reset(seed=0)
    total, done, steps = 0.0, False, 0
    while not done:
        _, reward, terminated, truncated, info = env.step(np.ones(env.action_space.shape, dtype=np.float32))
        total, done, steps = total + reward, terminated or truncated, steps + 1
    assert terminated
    assert info["tripped"]
    assert steps < plant.scenario().steps
    others = rollout(Pid(plant), draw(plant, plant.scenario(), 0, 32, "judging"))
    assert total < -others.total.max() / plant.scale
