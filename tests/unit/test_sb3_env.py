"""What Stable-Baselines3 sees: each action beside its own observation, and only time limits bootstrapped."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.algorithms import policy_of
from controller.ground import environment
from controller.interface import Reading
from controller.methods import Method
from controller.ppo import discount, learner
from controller.sb3_env import PlantVecEnv
from plant_models.catalogue import get
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.single import PlantEnv

PLANT, ROOT = get("exothermic_cstr"), Path(__file__).parents[2]


class Recording(PlantVecEnv):
    """Keeps a copy of what it was given and of what it answered."""

    def __init__(self, env: PlantVectorEnv) -> None:
        super().__init__(env)
        self.seen: list[NDArray[Any]] = []
        self.taken: list[NDArray[Any]] = []

    def reset(self) -> Any:
        observation = super().reset()
        self.seen.append(np.array(observation))
        return observation

    def step_async(self, actions: NDArray[np.float32]) -> None:
        self.taken.append(actions.copy())
        super().step_async(actions)

    def step_wait(self) -> Any:
        result = super().step_wait()
        self.seen.append(np.array(result[0]))
        return result


def test_the_rollout_buffer_pairs_each_action_with_its_own_observation() -> None:
    env = Recording(PlantVectorEnv(PLANT.name, 8))
    model = learner(PLANT.learning, env, seed=0)
    model.learn(8 * PLANT.learning.rollout)
    steps = PLANT.learning.rollout
    stored = model.rollout_buffer.observations.reshape(8, steps, -1).transpose(1, 0, 2)
    actions = model.rollout_buffer.actions.reshape(8, steps, -1).transpose(1, 0, 2)
    for k in range(steps):
        np.testing.assert_array_equal(stored[k], env.seen[k])
        np.testing.assert_array_equal(np.clip(actions[k], -1.0, 1.0), env.taken[k])


def test_only_a_time_limit_is_bootstrapped_and_the_last_observation_is_kept() -> None:
    env = PlantVecEnv(PlantVectorEnv(PLANT.name, 3), stagger=False)
    env.reset()
    zero = np.zeros((3, 1), dtype=np.float32)
    for _ in range(PLANT.scenario().steps - 1):
        *_, infos = env.step(zero)
        assert infos == [{}, {}, {}]
    env.plants.simulator.S.write("x", np.array([[0.5], [350.0]]), np.array([0]))
    env.plants.simulator.S.write("x", np.nan, np.array([1]))
    observation, _, done, infos = env.step(zero)
    assert done.all()
    assert [info["TimeLimit.truncated"] for info in infos] == [False, False, True]
    assert not np.array_equal(infos[2]["terminal_observation"], np.asarray(observation)[2])


def test_a_terminal_observation_is_what_the_plant_showed_last() -> None:
    """Beside the same episodes run one by one: the last observation of the old episode, then the first of the next."""
    env, one = PlantVecEnv(PlantVectorEnv(PLANT.name, 1), stagger=False), PlantEnv(PLANT.name)
    env.seed(3)
    env.reset()
    one.reset(seed=3)
    rng = np.random.default_rng(0)
    for _ in range(PLANT.scenario().steps):
        action = rng.uniform(-1.0, 1.0, (1, 1)).astype(np.float32)
        first, _, done, infos = env.step(action)
        last = one.step(action[0])[0]
    assert done.all()
    np.testing.assert_array_equal(infos[0]["terminal_observation"], last)
    np.testing.assert_array_equal(np.asarray(first)[0], one.reset()[0])
    env.step(np.zeros((1, 1), dtype=np.float32))
    np.testing.assert_array_equal(infos[0]["terminal_observation"], last)


def test_a_hard_violation_in_an_episodes_last_decision_is_counted() -> None:
    env = PlantVecEnv(PlantVectorEnv(PLANT.name, 3), stagger=False)
    env.reset()
    env.plants.simulator.S.write("x", np.array([[0.5], [350.0]]), np.array([0]))
    *_, done, _ = env.step(np.zeros((3, 1), dtype=np.float32))
    assert done.tolist() == [True, False, False]
    assert env.hard_violations == 1


class Tripping(PlantVecEnv):
    """Trips plant 0 on its last step, where plant 1 reaches its time limit."""

    def step_wait(self) -> Any:
        if self.plants.simulator.k[0] == PLANT.scenario().steps - 1:
            self.plants.simulator.S.write("x", np.array([[0.5], [350.0]]), np.array([0]))
        return super().step_wait()


def test_sb3_adds_the_value_of_what_follows_to_a_time_limit_and_to_nothing_else() -> None:
    steps = PLANT.scenario().steps
    env = Tripping(PlantVectorEnv(PLANT.name, 2), stagger=False)
    model = learner(replace(PLANT.learning, rollout=steps), env, seed=0)
    given: list[NDArray[np.float32]] = []
    step = env.step_wait

    def kept() -> Any:
        result = step()
        given.append(result[1].copy())
        return result

    env.step_wait = kept  # type: ignore[method-assign]
    model.learn(2 * steps)
    added = model.rollout_buffer.rewards.reshape(steps, 2) - np.stack(given)
    assert (added[:-1] == 0.0).all()
    assert added[-1, 0] == 0.0
    assert added[-1, 1] != 0.0


def test_first_episodes_are_staggered_and_the_rest_run_their_full_length() -> None:
    n, steps = 6, PLANT.scenario().steps
    env = PlantVecEnv(PlantVectorEnv(PLANT.name, n))
    env.reset()
    ends: list[list[int]] = [[] for _ in range(n)]
    for k in range(2 * steps + 1):
        done = env.step(np.zeros((n, 1), dtype=np.float32))[2]
        for e in np.flatnonzero(done):
            ends[e].append(k)
    assert len({first for first, *_ in ends}) == n
    assert all(b - a == steps for first in ends for a, b in itertools.pairwise(first))


def test_the_first_policy_is_the_pid_layer() -> None:
    model = learner(PLANT.learning, environment(PLANT, 0), seed=0)
    policy = policy_of(model, PLANT, Method())
    width = (model.observation_space.shape or (0,))[0]
    observation = np.random.default_rng(0).normal(size=(50, width)).astype(np.float32)
    assert (policy.act(Reading(observation)) == 0.0).all()
    assert 0.0 < discount(PLANT.learning) < 1.0


HEAVY = """
import importlib, pkgutil, sys
import plant_models, dashboard
LEARNING = {"dashboard.commands.learn"}
for package in (plant_models, dashboard):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name not in LEARNING and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
import controller.benchmark, controller.policy, controller.rollout, controller.scores, controller.historian
import controller.pid_tuning, benchmarks.simulator
from plant_models.catalogue import get
from controller.baselines import Pid
from plant_models.env.scenario import draw
plant = get("exothermic_cstr")
controller.rollout.rollout(Pid(plant), draw(plant, plant.scenario(), 0, 1, "judging"))
sys.exit(", ".join(sorted({"torch", "stable_baselines3"} & set(sys.modules))) or 0)
"""


def test_plants_simulation_benchmark_and_browser_never_import_torch() -> None:
    done = subprocess.run([sys.executable, "-c", HEAVY], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_decision_beyond_a_hard_limit_costs_what_is_declared() -> None:
    dear = PlantVecEnv(PlantVectorEnv(PLANT.name, 8), scale=0.5, crossing=3.0)
    plain = PlantVecEnv(PlantVectorEnv(PLANT.name, 8), scale=0.5)
    zero = np.zeros((8, 1), dtype=np.float32)
    for env in (dear, plain):
        env.reset()
        env.plants.simulator.S.write("x", np.array([[0.75], [336.0]]), np.array([2]))
    found, usual = np.asarray(dear.step(zero)[1]), np.asarray(plain.step(zero)[1])
    np.testing.assert_allclose(usual - found, [0.0, 0.0, 1.5, 0.0, 0.0, 0.0, 0.0, 0.0], atol=1e-5)
    assert dear.hard_violations == plain.hard_violations == 1
