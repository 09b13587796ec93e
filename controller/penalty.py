"""PPO with a penalty on the KL divergence in place of the clipped ratio, whose weight follows a target.

Source: J. Schulman et al., Proximal policy optimization algorithms, arXiv:1707.06347, 2017, section 4. The divergence is
estimated without bias by the mean of (r - 1) - ln r over the samples, with the ratio r of new to old probability.
"""

from __future__ import annotations

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.utils import explained_variance

FIRST, TARGET = 1.0, 0.01
"""The weight that a training begins with, and the divergence in nat that an update shall have."""


def adapted(weight: float, kl: float) -> float:
    """Return the next weight: twice the last where an update went beyond 1.5 times the target, half where below 1/1.5 of it."""
    if kl > 1.5 * TARGET:
        return 2.0 * weight
    return 0.5 * weight if kl < TARGET / 1.5 else weight


def learn(model: PPO, weight: float) -> None:
    """Make one update of a PPO, over its epochs, with the penalised objective; record what SB3 records of its own."""
    model.policy.set_training_mode(True)
    model._update_learning_rate(model.policy.optimizer)  # noqa: SLF001
    buffer, losses = model.rollout_buffer, []
    for _ in range(model.n_epochs):
        for part in buffer.get(model.batch_size):
            values, log_probability, entropy = model.policy.evaluate_actions(part.observations, part.actions)
            advantages = (part.advantages - part.advantages.mean()) / (part.advantages.std() + 1e-8)
            change = log_probability - part.old_log_prob
            ratio = torch.exp(change)
            value_loss = torch.nn.functional.mse_loss(part.returns, values.flatten())
            gain = (advantages * ratio - weight * (ratio - 1.0 - change)).mean()
            uncertainty = -log_probability if entropy is None else entropy
            loss = model.vf_coef * value_loss - gain - model.ent_coef * uncertainty.mean()
            model.policy.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.policy.parameters(), model.max_grad_norm)
            model.policy.optimizer.step()
            losses.append(value_loss.item())
        model._n_updates += 1  # noqa: SLF001
    model.logger.record("train/value_loss", np.mean(losses))
    model.logger.record("train/explained_variance", explained_variance(buffer.values.flatten(), buffer.returns.flatten()))
