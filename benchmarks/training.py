"""How fast learning is, as ratios within one run: against a plant that costs nothing, and against SB3's defaults.

``python benchmarks/training.py --json``. One thread; the sides alternate, and the share is the median over the rounds of
one side's rate over the other's, since what else the machine does moves both sides of a round. A plant that learns ``against``
another policy simulates twice: the twins are part of its side.
"""

from __future__ import annotations

import time
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from benchmarks.provenance import arguments, report
from controller.demo import PLANTS
from controller.following import Following
from controller.ground import environment
from controller.methods import PPO_METHOD
from controller.ppo import learner
from plant_models import environment_id
from plant_models.catalogue import get, names
from plant_models.core.plant import Plant

ROUNDS = 15


class FreeVecEnv(VecEnv):
    """Same spaces, same number of plants, same episode lengths, no plant: what the learner alone costs."""

    def __init__(self, like: VecEnv, steps: int) -> None:
        super().__init__(like.num_envs, like.observation_space, like.action_space)
        rng = np.random.default_rng(0)
        shape = (like.num_envs, *(like.observation_space.shape or ()))
        self._observations = [rng.normal(size=shape).astype(np.float32) for _ in range(2)]
        self._rewards = rng.normal(size=like.num_envs).astype(np.float32)
        self._steps, self._at = steps, np.arange(like.num_envs) * steps // like.num_envs
        self._quiet: list[dict[str, Any]] = [{}] * like.num_envs

    def reset(self) -> Any:
        """Return a fixed observation."""
        return self._observations[0]

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Take no action."""

    def step_wait(self) -> Any:
        """Return a fixed observation, and the ends of episodes when they are due."""
        self._at += 1
        done = self._at >= self._steps
        self._observations.reverse()
        infos = self._quiet
        if done.any():
            self._at[done] = 0
            infos = list(self._quiet)
            for i in np.flatnonzero(done):
                infos[i] = {"terminal_observation": self._observations[1][i], "TimeLimit.truncated": True}
        return self._observations[0], self._rewards, done, infos

    def close(self) -> None:
        """Nothing is open."""

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


def rate(model: PPO, steps: int, watched: BaseCallback | None = None) -> float:
    """Return the steps per second of ``steps`` more steps."""
    before, begun = model.num_timesteps, time.perf_counter()
    model.learn(steps, watched, reset_num_timesteps=False)
    return (model.num_timesteps - before) / (time.perf_counter() - begun)


def measure_plant(plant: Plant, quick: bool) -> dict[str, Any]:
    """Measure one plant."""
    env = environment(plant, 0)
    batch = plant.learning.parallel * plant.learning.rollout
    rounds, steps = (1, batch) if quick else (ROUNDS, 4 * batch)
    ours = learner(plant.learning, env, 0)
    free = learner(plant.learning, FreeVecEnv(env, plant.scenario().steps), 0)
    watched = Following(plant, PPO_METHOD, env) if env.follows else None
    rate(ours, batch, watched), rate(free, batch)
    pairs = np.array([(rate(ours, steps, watched), rate(free, steps)) for _ in range(rounds)])
    defaults = PPO("MlpPolicy", gymnasium.make(environment_id(plant.name)), device="cpu")
    default = float(np.median([rate(defaults, 2048) for _ in range(1 if quick else 5)]))
    plant_rate, free_rate = np.median(pairs, axis=0)
    shares = pairs[:, 0] / pairs[:, 1]
    low, share, high = np.quantile(shares, [0.25, 0.5, 0.75])
    return {"against": plant.learning.against if plant.learning.paired else None,
            "steps_per_s": plant_rate, "steps_per_s_free": free_rate, "steps_per_s_defaults": default,
            "share_of_free_env": share, "share_quartiles": (low, high), "ratio_to_defaults": plant_rate / default}  # fmt: skip


def measure(quick: bool, plants: tuple[str, ...]) -> dict[str, Any]:
    """Measure some plants; the figures at the top are the first one's."""
    torch.set_num_threads(1)
    found = {name: measure_plant(get(name), quick) for name in plants}
    return {**found[plants[0]], "plants": found}


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    first = PLANTS if options.quick else tuple(dict.fromkeys((*PLANTS, *names())))
    report(measure(options.quick, options.plants or first), options)
