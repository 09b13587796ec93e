"""PPO that keeps a budget of time beyond limits: its advantages are weighed against those of a cost by a multiplier.

Source: A. Stooke, J. Achiam, P. Abbeel, Responsive safety in reinforcement learning by PID Lagrangian methods, ICML 2020: the
objective is (reward - multiplier * cost) / (1 + multiplier). The cost of a decision is the share of its time beyond any limit,
never normalised; it has a critic of its own, and discount and trace of the reward.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.utils import explained_variance
from stable_baselines3.common.vec_env import VecEnv

from controller import ppo
from controller.constraint import Constraint
from controller.cost_critic import CostCritic, estimated
from controller.limits import limited
from controller.methods import Penalty
from controller.multiplier import unpacked
from controller.ppo import EPOCHS, GuardedPPO
from controller.sb3_env import PlantVecEnv
from plant_models.core.plant import Learning
from plant_models.env.scenario import Single


class LagrangianPPO(GuardedPPO):
    """PPO whose advantages are weighed against those of a constraint's cost."""

    constraint: Constraint

    def train(self) -> None:
        """Weigh, then learn as PPO does; from a spoiled rollout neither is done. Raises Diverged."""
        if not self.guard.spoiled:
            self._weigh()
        self.constraint.clear()
        super().train()

    def _update_info_buffer(self, infos: list[dict[str, Any]], dones: NDArray[Any] | None = None) -> None:
        super()._update_info_buffer(infos, dones)
        env = self.get_env()
        assert isinstance(env, PlantVecEnv)
        assert dones is not None
        self.constraint.note(env.time_beyond, infos, dones)

    def _weigh(self) -> None:
        """Move the multiplier, put weighed advantages in the place of PPO's, and let the cost's critic learn."""
        at, buffer = self.constraint, self.rollout_buffer
        assert isinstance(self._last_obs, np.ndarray)
        assert self._last_episode_starts is not None
        at.settle()
        values, last = at.critic.values(buffer.observations), at.critic.values(self._last_obs)
        advantages = estimated(at.bootstrapped(self.gamma), values, last, buffer.episode_starts, self._last_episode_starts,
                               self.gamma, self.gae_lambda)  # fmt: skip
        buffer.advantages = weighed(buffer.advantages, advantages, at.multiplier.value)
        self._learn_cost(buffer.observations, values, advantages + values)

    def _learn_cost(self, observations: Single, values: Single, targets: Single) -> None:
        rate, width = self.guard.rate(self._current_progress_remaining), observations.shape[-1]
        given = observations.reshape(-1, width), targets.ravel()
        self.constraint.measures |= {
            "train/cost_value_loss": self.constraint.critic.learn(*given, rate, self.batch_size, EPOCHS),
            "train/cost_explained_variance": float(explained_variance(values.ravel(), targets.ravel())),
        }

    def measures(self) -> dict[str, float]:
        """Return what else there is to log of the last update."""
        return super().measures() | self.constraint.measures

    def state(self) -> dict[str, NDArray[Any]]:
        """Return all that the learner's next steps depend on, between two rollouts, except what the environment keeps."""
        critic = {f"cost.{name}": part for name, part in self.constraint.critic.state().items()}
        return super().state() | critic | {
            "multiplier": self.constraint.multiplier.packed(), "constraint.counted": self.constraint.counted.copy(),
        }  # fmt: skip

    def resume(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go back to a state; raises KeyError where it is that of a training without a budget."""
        self.constraint.multiplier, self.constraint.counted = unpacked(kept["multiplier"]), kept["constraint.counted"].copy()
        names = {name.removeprefix("cost."): part for name, part in kept.items() if name.startswith("cost.")}
        self.constraint.critic.resume(names)
        super().resume(kept)


def weighed(reward: Single, cost: Single, multiplier: float) -> Single:
    """Return advantages of the reward weighed against those of the cost.

    The cost is taken in standard deviations of the reward's advantage, so that a multiplier means the same on every plant and
    whatever the reward's scale; at zero the reward's advantages come back bit for bit.
    """
    weight = np.float32(multiplier)
    both: Single = (reward - weight * reward.std() * cost) / (1.0 + weight)
    return both


def learner(learning: Learning, env: VecEnv, seed: int, near: Penalty, budget: float) -> LagrangianPPO:
    """Return PPO under a budget, the share of time that may be spent beyond limits; its first policy is the PID layer."""
    model = ppo.learner(learning, env, seed, near, LagrangianPPO)
    assert isinstance(model, LagrangianPPO)
    assert isinstance(env, PlantVecEnv)
    plant, critic = env.plants.plant, CostCritic((model.observation_space.shape or (0,))[0], tuple(learning.net), seed)
    model.constraint = Constraint(budget, critic, limited(plant), plant.decision, np.zeros(env.num_envs, dtype=bool))
    return model
