"""REINFORCE: each action is made likelier by the return that followed it, with no baseline and no critic.

Source: R. J. Williams, Simple statistical gradient-following algorithms for connectionist reinforcement learning, Machine
Learning 8 (1992) 229-256.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm


class Reinforce(OnPolicyAlgorithm):
    """One gradient step a rollout, by Monte Carlo returns.

    A return ends with its episode, or is cut at the rollout's end; nothing is learned from the last ``tail`` decisions, whose
    returns are cut too early. The value network that SB3's policy carries stays at zero.
    """

    tail: int = 0

    def train(self) -> None:
        """Learn from the rollout."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        observations, actions, returns = (torch.as_tensor(part) for part in self._learned_from())
        _, log_probability, _ = self.policy.evaluate_actions(observations, actions)
        loss = -(log_probability * returns).mean()
        self.policy.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
        self.policy.optimizer.step()
        self.logger.record("train/return", float(returns.mean()))
        self.logger.record("train/gradient_norm", float(norm))

    def _learned_from(self) -> tuple[NDArray[np.float32], ...]:
        """Return observations, actions and returns of the rollout without its tail, one decision a row."""
        buffer, end = self.rollout_buffer, self.n_steps - self.tail
        observations, actions = (part[:end].reshape(end * self.n_envs, -1) for part in (buffer.observations, buffer.actions))
        return observations, actions, buffer.returns[:end].ravel()
