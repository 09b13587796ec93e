"""Show a network how an observation differs from what usually comes with it, not where the episode as a whole has got to.

In a batch all readings follow the recipe together: what one batch differs in from another is a hundredth of what each of them
runs through. A linear map to uncorrelated entries of one size makes it as visible as the time, as readings of batches are centred
and scaled before they are compared (P. Nomikos, J. F. MacGregor, Monitoring batch processes using multiway principal component
analysis, AIChE J. 40 (1994) 1361-1375). A policy has the map in the weights of its first layer.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv

from controller.sb3_env import PlantVecEnv
from plant_models.core.plant import Learning
from plant_models.core.scenario import Array
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.mixture import label
from plant_models.env.scenario import Single

EPISODES = 256
"""Training episodes with actions by chance from which the map is found."""
LEAST = 0.01
"""Deviation below which a direction is not enlarged to one, as a share of the half range."""
Layers = tuple[tuple[Single, Single], ...]


class Whitened(BaseFeaturesExtractor):
    """What actor and critic see: ``white (o - middle)``; neither is learned."""

    middle: torch.Tensor
    white: torch.Tensor

    def __init__(self, space: gymnasium.spaces.Box, middle: Array, white: Array) -> None:
        super().__init__(space, len(white))
        self.register_buffer("middle", torch.as_tensor(middle, dtype=torch.float32))
        self.register_buffer("white", torch.as_tensor(white, dtype=torch.float32))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return entries of one size, (n, entries), for observations (n, entries)."""
        return (observations - self.middle) @ self.white.T


def extractor(learning: Learning, env: VecEnv) -> dict[str, Any]:
    """Return what has Stable-Baselines3 put the map before both networks; nothing where the plant does not ask for it."""
    if not learning.whitened or not isinstance(env, PlantVecEnv):
        return {}
    middle, white = found(seen(env.plants, learning.spread))
    return {"features_extractor_class": Whitened, "features_extractor_kwargs": {"middle": middle, "white": white}}


def seen(plants: PlantVectorEnv, spread: float) -> Array:
    """Return observations (samples, entries) of whole training episodes under actions of this standard deviation."""
    twin = PlantVectorEnv(plants.plant, EPISODES, plants.simulator.level, label(plants.scenarios))
    rng, shape = np.random.default_rng(0), twin.action_space.shape
    shown = [twin.reset(seed=0)[0]]
    for _ in range(plants.scenario.steps - 1):
        actions = np.clip(rng.normal(0.0, spread, shape), -1.0, 1.0).astype(np.float32)
        shown.append(twin.step(actions)[0].copy())
    return np.concatenate(shown).astype(float)


def found(observations: Array) -> tuple[Array, Array]:
    """Return the mean (entries,) and the map (entries, entries) to uncorrelated entries of one size."""
    variances, directions = np.linalg.eigh(np.cov(observations.T))
    sizes = np.sqrt(np.maximum(variances, 0.0) + LEAST**2)
    return observations.mean(axis=0), directions.T / sizes[:, None]


def folded(before: torch.nn.Module, layers: Layers) -> Layers:
    """Return the layers of a network that takes the observation itself."""
    if not isinstance(before, Whitened):
        return layers
    (weight, bias), *rest = layers
    middle, white = (part.numpy().astype(float) for part in (before.middle, before.white))
    through: NDArray[Any] = weight.astype(float) @ white
    return ((through.astype(np.float32), (bias - through @ middle).astype(np.float32)), *rest)
