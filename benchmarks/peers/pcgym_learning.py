"""PPO on PC-Gym's stirred-tank case: it moves the jacket's temperature itself and is paid PC-Gym's own reward."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from benchmarks.peers.pcgym_cstr import stage_costs
from benchmarks.peers.pcgym_judge import run
from controller.policy import Policy
from controller.ppo import discount, learner, policy_of
from controller.statistics import paired_difference
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.scenario import Episodes, Single
from plant_models.env.simulator import Index
from plant_models.env.source import EpisodeSource
from plant_models.env.spaces import action_space, observation_space
from plant_models.env.start import starts
from plant_models.env.substeps import fleet

CHECKS = 48
"""Validations in one training, evenly spread."""


class PcGymVecEnv(VecEnv):
    """The plants at level "direct" on random setpoints; an ended episode is followed at once by the next one."""

    def __init__(self, plant: Plant, seed: int) -> None:
        self._plant, self._first = plant, seed
        n = plant.learning.parallel
        self._simulator = fleet(plant, n, plant.scenario().steps, "direct")
        self._scale = 1.0 - discount(plant.learning)
        self._actions: Single = np.zeros((n, 1), dtype=np.float32)
        super().__init__(n, observation_space(self._simulator.kernel), action_space(self._simulator.kernel))

    def reset(self) -> Single:
        """Start an episode on every plant, at different samples, so that their ends do not all fall on one step."""
        rows, scenario = self._simulator.kernel.layout, self._plant.scenario()
        self._source = EpisodeSource(self._plant, rows, scenario, self._first, "training", ahead=self.num_envs)
        at = np.arange(self.num_envs) * scenario.steps // self.num_envs
        episodes = self._source.take(self.num_envs).episodes
        self._simulator.load(starts(rows, episodes, at=at), np.arange(self.num_envs))
        return self._simulator.observe()

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Keep the actions for :meth:`step_wait`."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Run one step on every plant."""
        simulator, begins = self._simulator, self._simulator.k == 0
        before = simulator.S.read("u")[0]
        result = simulator.step(self._actions)
        rewards, done = self._scale * self._rewards(before, begins), result.terminated | result.truncated
        infos: list[dict[str, Any]] = [{}] * self.num_envs
        if done.any():
            infos = list(infos)
            for i in np.flatnonzero(done):
                infos[i] = {"terminal_observation": result.observation[i].copy(), "TimeLimit.truncated": True}
            result.observation[done] = self._restarted(np.flatnonzero(done))
        return result.observation, rewards.astype(np.float32), done, infos

    def _rewards(self, before: Array, begins: NDArray[np.bool_]) -> Array:
        S, E = self._simulator.S, self._simulator.E
        c_A, target, T_c = S.read("x")[0], E.read("target")[0], S.read("u")[0]
        inputs = np.stack([np.where(begins, T_c, before), T_c], axis=1)
        rewards: Array = -stage_costs(c_A[:, None], target[:, None], inputs)[:, 1]
        return rewards

    def _restarted(self, plants: Index) -> Single:
        self._simulator.load(self._source.take(len(plants)), plants)
        return self._simulator.observe()[plants]

    def close(self) -> None:
        """Nothing is held open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return nothing for each plant."""
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Keep nothing."""

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kw: Any) -> list[Any]:
        """Call nothing."""
        return []

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Return False for each plant."""
        return [False] * self.num_envs


@dataclass(frozen=True)
class Learned:
    """The policy that did best on the validation episodes, the seconds of training, and those to a lead over a rival.

    ``curve`` holds (steps, seconds, mean return) of each validation.
    """

    policy: Policy
    seconds: float
    lead: float | None
    curve: tuple[tuple[int, float, float], ...]


def learn(plant: Plant, seed: int, steps: int, episodes: Episodes, rival: Array) -> Learned:
    """Train; the lead begins where the gain over the rival's returns on ``episodes`` has its 95 % interval above zero."""
    model = learner(plant.learning, PcGymVecEnv(plant, seed), seed)
    watch = _Watch(plant, steps, episodes, rival)
    model.learn(steps, callback=watch)
    watch.check()
    return Learned(watch.best, watch.curve[-1][1], watch.lead, tuple(watch.curve))


class _Watch(BaseCallback):
    """Validates between rollouts, when no gradient is under way."""

    def __init__(self, plant: Plant, total: int, episodes: Episodes, rival: Array) -> None:
        super().__init__()
        self._plant, self._total, self._episodes, self._rival = plant, total, episodes, rival
        self.best: Policy
        self.lead: float | None = None
        self.curve: list[tuple[int, float, float]] = []
        self._highest, self._next = -float("inf"), 0
        self._begun = time.perf_counter()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.num_timesteps >= self._next:
            self._next += self._total // CHECKS
            self.check()

    def check(self) -> None:
        """Judge the policy as it stands, and keep it if it is the best so far."""
        assert isinstance(self.model, PPO)
        policy = policy_of(self.model, self._plant, "direct")
        returns = run(policy, self._episodes, "direct").returns
        seconds = time.perf_counter() - self._begun
        self.curve.append((self.num_timesteps, seconds, float(returns.mean())))
        if returns.mean() > self._highest:
            self._highest, self.best = float(returns.mean()), policy
        if self.lead is None and paired_difference(returns, self._rival).low > 0.0:
            self.lead = seconds
