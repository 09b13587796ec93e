"""The learners by name, all on the same environments, from the same first policy, and with the same kind of result.

Off-policy ones get the plant's horizon, networks and first exploration too; what else they need stands here.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import torch
from stable_baselines3 import A2C, DDPG, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv

from controller import lagrangian, ppo, whitening
from controller.limits import Budget
from controller.methods import OFF_POLICY, Method
from controller.policy import Policy
from controller.ppo import SLOWEST, discount, nets, untrained
from controller.reinforce import Reinforce
from plant_models.core.plant import Learning, Plant

A2C_RATE = 3e-3
"""Falling linearly to the share of PPO's."""
TRPO_KL = 0.01
"""Distance in nat that a step of TRPO may go."""
REINFORCE_RATE, HORIZONS, TAIL = 1e-2, 5.0, 2.0
"""Its rollout and what of it is not learned from, in the plant's horizons."""
CRITIC = (64, 64)
OFF_RATE, OFF_BATCH, REPLAY, GRADIENT_STEPS, AHEAD = 1e-3, 256, 500_000, 8, 4
"""Off-policy: transitions remembered, gradient steps after each decision of all plants, and rewards summed before the critic."""
CRITIC_FIRST, EVERY = 0.25, 30
"""Off-policy: share of the training in which the critic alone learns, and the decisions for one in which the actor learns too."""
TEMPERATURE = 0.01
"""SAC's first weight of entropy, in scaled reward a nat."""


class Paced(BaseCallback):
    """Lets an off-policy actor learn after one decision of ``every``, and from ``start`` decisions on.

    A critic that has seen little sends the actor to an end of its range, where the squash holds it.
    """

    def __init__(self, start: int, every: int) -> None:
        super().__init__()
        self._start, self._every, self._rollouts = start, every, 0

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        assert isinstance(self.model, SAC | TD3)
        self._rollouts += 1
        learns = self.num_timesteps >= self._start and self._rollouts % self._every == 0
        for part in self.model.actor.parameters():
            part.requires_grad_(learns)


def pace(method: Method, total: int) -> list[BaseCallback]:
    """Return what a training of so many decisions needs beside its learner."""
    return [Paced(int(CRITIC_FIRST * total), EVERY)] if method.algorithm in OFF_POLICY else []


def learner(method: Method, learning: Learning, env: VecEnv, seed: int, budget: Budget | None = None) -> BaseAlgorithm:
    """Return a learner whose first policy is exactly zero: at level ``setpoint`` the PID layer as it stands, else the middle."""
    if budget is not None:
        return lagrangian.learner(learning, env, seed, method.penalty, budget.share)
    if method.algorithm == "ppo":
        return ppo.learner(learning, env, seed, method.penalty)
    return untrained(partial(_OTHERS[method.algorithm], learning, env, seed), _zeroed)


def policy_of(model: BaseAlgorithm, plant: Plant, method: Method) -> Policy:
    """Return the network's mean action as plain arrays."""
    level = method.level
    if isinstance(model, OnPolicyAlgorithm):
        hidden = [*model.policy.mlp_extractor.policy_net, model.policy.action_net]
        layers = whitening.folded(model.policy.features_extractor, ppo.layers(hidden))
        return Policy(plant, level, layers, method.algorithm)
    if isinstance(model, SAC):
        return Policy(plant, level, ppo.layers([*model.actor.latent_pi, model.actor.mu]), method.algorithm, "tanh")
    assert isinstance(model, TD3)
    return Policy(plant, level, ppo.layers([*model.actor.mu]), method.algorithm, "tanh")


def _zeroed(model: BaseAlgorithm) -> list[torch.nn.Module]:
    """Return the layers that begin at zero."""
    if isinstance(model, OnPolicyAlgorithm):
        assert isinstance(model.policy, ActorCriticPolicy)
        return [model.policy.action_net, *([model.policy.value_net] if isinstance(model, Reinforce) else [])]
    if isinstance(model, SAC):
        return [model.actor.mu]
    assert isinstance(model, TD3)
    return [net.mu[-2] for net in (model.actor, model.actor_target)]


def _a2c(learning: Learning, env: VecEnv, seed: int) -> OnPolicyAlgorithm:
    return A2C(
        "MlpPolicy", env, n_steps=learning.rollout, learning_rate=lambda left: A2C_RATE * max(left, SLOWEST),
        gamma=discount(learning), gae_lambda=learning.gae, normalize_advantage=True, use_rms_prop=False, seed=seed, device="cpu",
        policy_kwargs=nets(learning),
    )  # fmt: skip


def _trpo(learning: Learning, env: VecEnv, seed: int) -> OnPolicyAlgorithm:
    from sb3_contrib import TRPO

    return TRPO(
        "MlpPolicy", env, n_steps=learning.rollout, batch_size=env.num_envs * learning.rollout // 4, gamma=discount(learning),
        gae_lambda=learning.gae, target_kl=TRPO_KL, seed=seed, device="cpu", policy_kwargs=nets(learning),
    )  # fmt: skip


def _reinforce(learning: Learning, env: VecEnv, seed: int) -> OnPolicyAlgorithm:
    model = Reinforce(
        ActorCriticPolicy, env, learning_rate=REINFORCE_RATE, n_steps=math.ceil(HORIZONS * learning.horizon),
        gamma=discount(learning), gae_lambda=1.0, ent_coef=0.0, vf_coef=0.0, max_grad_norm=0.5, use_sde=False, sde_sample_freq=-1,
        seed=seed, device="cpu", policy_kwargs=nets(learning),
    )  # fmt: skip
    model.tail = math.ceil(TAIL * learning.horizon)
    return model


def _sac(learning: Learning, env: VecEnv, seed: int) -> OffPolicyAlgorithm:
    model = SAC("MlpPolicy", env, ent_coef=f"auto_{TEMPERATURE}", **_off_policy(learning, seed))
    spread: Any = model.actor.log_std
    with torch.no_grad():
        spread.weight.zero_()
        spread.bias.fill_(math.log(learning.spread))
    return model


def _td3(learning: Learning, env: VecEnv, seed: int) -> OffPolicyAlgorithm:
    return TD3("MlpPolicy", env, action_noise=_noise(learning, env), **_off_policy(learning, seed))


def _ddpg(learning: Learning, env: VecEnv, seed: int) -> OffPolicyAlgorithm:
    return DDPG("MlpPolicy", env, action_noise=_noise(learning, env), **_off_policy(learning, seed))


def _noise(learning: Learning, env: VecEnv) -> NormalActionNoise:
    size = (env.action_space.shape or (0,))[0]
    return NormalActionNoise(np.zeros(size), np.full(size, learning.spread))


def _off_policy(learning: Learning, seed: int) -> dict[str, Any]:
    nets = {"pi": list(learning.net), "qf": list(CRITIC)}
    return {"learning_rate": OFF_RATE, "buffer_size": REPLAY, "learning_starts": 0, "batch_size": OFF_BATCH,
            "gamma": discount(learning), "train_freq": 1, "gradient_steps": GRADIENT_STEPS, "n_steps": AHEAD, "seed": seed,
            "device": "cpu", "policy_kwargs": {"net_arch": nets, "activation_fn": torch.nn.Tanh}}  # fmt: skip


_OTHERS = {"a2c": _a2c, "trpo": _trpo, "reinforce": _reinforce, "sac": _sac, "td3": _td3, "ddpg": _ddpg}
