"""PPO by Stable-Baselines3 on the batched plants, with defaults that come from the plant file's own declarations."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv

from controller.policy import Policy
from plant_models.core.plant import Learning, Plant
from plant_models.derive.layout import Level

BATCH, EPOCHS, RATE, LAMBDA = 4096, 10, 2e-3, 0.95
SLOWEST = 0.05
"""The learning rate falls linearly to this share of its start."""


def learner(learning: Learning, env: VecEnv, seed: int) -> PPO:
    """Return a PPO whose first policy is exactly zero: the PID layer as it stands."""
    torch.set_num_threads(1)
    net, batch = list(learning.net), min(BATCH, env.num_envs * learning.rollout)
    model = PPO(
        "MlpPolicy", env, n_steps=learning.rollout, batch_size=batch, n_epochs=EPOCHS, learning_rate=_falling,
        gamma=discount(learning), gae_lambda=LAMBDA, ent_coef=0.0, seed=seed, device="cpu",
        policy_kwargs={"net_arch": {"pi": net, "vf": net}, "log_std_init": float(np.log(learning.spread))},
    )  # fmt: skip
    model.set_logger(Logger(folder=None, output_formats=[]))
    with torch.no_grad():
        for parameter in model.policy.action_net.parameters():
            parameter.zero_()
    return model


def discount(learning: Learning) -> float:
    """Return gamma for the plant's horizon in decisions."""
    return 1.0 - 1.0 / learning.horizon


def _falling(left: float) -> float:
    return RATE * max(left, SLOWEST)


def policy_of(model: PPO, plant: Plant, level: Level) -> Policy:
    """Return the network's mean action as plain arrays."""
    hidden = [m for m in model.policy.mlp_extractor.policy_net if isinstance(m, torch.nn.Linear)]
    layers = [(_array(m.weight), _array(m.bias)) for m in [*hidden, model.policy.action_net] if isinstance(m, torch.nn.Linear)]
    return Policy(plant, level, tuple(layers))


def _array(parameter: torch.Tensor) -> NDArray[np.float32]:
    copied: NDArray[np.float32] = parameter.detach().numpy().astype(np.float32, copy=True)
    return copied
