"""The batched plants as a Stable-Baselines3 VecEnv.

What SB3 does with it decides three things here: the observation handed out is never overwritten (SB3 stores it one step
late), ``infos`` is one shared list of empty dicts except where an episode ends, and only a time limit is bootstrapped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from plant_models.env.batched import PlantVectorEnv

NO_INFO: dict[str, Any] = {}


class PlantVecEnv(VecEnv):
    """Many plants of one kind, each on an episode of its own, their first episodes staggered."""

    def __init__(self, env: PlantVectorEnv, stagger: bool = True, scale: float = 1.0) -> None:
        self.plants = env
        self._stagger, self._scale = stagger, scale
        self._actions: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._quiet: list[dict[str, Any]] = [NO_INFO] * env.num_envs
        self.returns = np.zeros(env.num_envs)
        self.hard_violations = 0
        kinds = env.simulator.kernel.layout.kinds
        self._hard = np.flatnonzero([kind == "hard" for kind in kinds])
        self.seed(0)
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> VecEnvObs:
        """Start every plant."""
        observation, _ = self.plants.reset(seed=self._first_seed)
        self.returns[:] = 0.0
        return self.plants.stagger() if self._stagger else observation

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Keep the actions for :meth:`step_wait`."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Run one decision on every plant."""
        observation, reward, terminated, truncated, infos = self.plants.step(self._actions)
        done = terminated | truncated
        if len(self._hard):
            self.hard_violations += int((self.plants.simulator.S.read("time")[self._hard] > 0.0).any(axis=0).sum())
        scaled = (reward * self._scale).astype(np.float32)
        return observation, scaled, done, self._infos(done, terminated, infos) if done.any() else self._quiet

    def _infos(self, done: NDArray[np.bool_], terminated: NDArray[np.bool_], infos: dict[str, Any]) -> list[dict[str, Any]]:
        out = list(self._quiet)
        final, failed = infos["final_obs"], infos["integration_failed"]
        for i in np.flatnonzero(done):
            out[i] = {"terminal_observation": final[i], "TimeLimit.truncated": not (terminated[i] or failed[i])}
        return out

    def close(self) -> None:
        """Nothing is held open."""

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Set the seed of the sequence of episodes that the next reset starts."""
        self._first_seed = 0 if seed is None else seed
        return [seed]

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the environment behind, once for each plant; SB3 asks for ``render_mode``."""
        return [vars(self.plants).get(attr_name)] * self.plants.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuse: plants are changed through their episodes."""
        raise NotImplementedError("plants are changed through their episodes, not by set_attr")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kw: Any) -> list[Any]:
        """Refuse: there is one environment, not one for each plant."""
        raise NotImplementedError("the plants share one environment; call its methods on .plants")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Return False for each plant."""
        return [False] * self.plants.num_envs
