"""What Stable-Baselines3 sees: each action beside its own observation, and only time limits bootstrapped."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.ppo import discount, learner, policy_of
from controller.sb3_env import PlantVecEnv
from controller.train import environment
from plant_models.catalogue import get
from plant_models.env.batched import PlantVectorEnv

PLANT = get("exothermic_cstr")


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
    env.plants.simulator.S.write("x", np.array([[0.5], [341.0]]), np.array([0]))
    env.plants.simulator.S.write("x", np.nan, np.array([1]))
    observation, _, done, infos = env.step(zero)
    assert done.all()
    assert [info["TimeLimit.truncated"] for info in infos] == [False, False, True]
    assert not np.array_equal(infos[2]["terminal_observation"], np.asarray(observation)[2])


def test_the_first_policy_is_the_pid_layer() -> None:
    model = learner(PLANT.learning, environment(PLANT, 0), seed=0)
    policy = policy_of(model, PLANT, "setpoint")
    width = (model.observation_space.shape or (0,))[0]
    observation = np.random.default_rng(0).normal(size=(50, width)).astype(np.float32)
    assert (policy.act(observation) == 0.0).all()
    assert 0.0 < discount(PLANT.learning) < 1.0


def test_plants_simulation_and_browser_never_import_torch() -> None:
    code = (
        "import sys, controller.benchmark, controller.policy, dashboard.app, dashboard.cli, dashboard.commands.compare\n"
        "from plant_models.env import single, batched\n"
        "sys.exit('torch' in sys.modules or 'stable_baselines3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
