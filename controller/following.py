"""Has a learner compare itself with its own mean action: before each rollout its twins are told what the policy is by now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from controller.algorithms import policy_of
from controller.methods import Method
from controller.sb3_env import PlantVecEnv
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array


class Following(BaseCallback):
    """Tells the environment the policy as it stands, and has nothing learned from episodes that a rollout's end has cut off.

    What these would yet have earned beyond their twins cannot be foreseen from where they stand alone.
    """

    def __init__(self, plant: Plant, method: Method, env: PlantVecEnv) -> None:
        super().__init__()
        self._plant, self._method, self._env = plant, method, env

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        self._env.follow(policy_of(self.model, self._plant, self._method))

    def _on_rollout_end(self) -> None:
        assert isinstance(self.model, OnPolicyAlgorithm)
        buffer = self.model.rollout_buffer
        cut = last_of(buffer.episode_starts) & self._env.cut
        buffer.advantages[cut], buffer.returns[cut] = 0.0, buffer.values[cut]


def last_of(begins: Array) -> NDArray[np.bool_]:
    """Return which decisions of a rollout, (steps, n), are of each plant's last episode in it.

    ``begins`` is above zero where an episode's first decision is.
    """
    first = len(begins) - 1 - np.argmax(begins[::-1] > 0.0, axis=0)
    found: NDArray[np.bool_] = np.arange(len(begins))[:, None] >= first
    return found
