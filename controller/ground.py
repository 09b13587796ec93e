"""Where a policy learns and where it is watched: the training environment, and fixed validation episodes, behind one shield."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from controller.interface import Controller
from controller.methods import PPO_METHOD, Method
from controller.policy import Policy
from controller.ppo import discount
from controller.rollout import returns, rollout
from controller.safety.governor import Calibration
from controller.safety.known import calibrated, check
from controller.sb3_env import PlantVecEnv
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import layout
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.scenario import Episodes, draw

VALIDATION_EPISODES = 64


def shield(plant: Plant, scenario: str, method: Method) -> Calibration | None:
    """Return what the shield knows of a plant where a method has one; the first time it is found by simulation.

    Raises:
        BadInput: for a plant without hard limits, or a scenario with loops of its own.
    """
    if not method.shielded:
        return None
    check(plant, plant.scenario(scenario))
    return calibrated(plant, plant.scenario(scenario))


def environment(plant: Plant, seed: int, scenario: str = "", method: Method = PPO_METHOD) -> PlantVecEnv:
    """Return the training environment; the reward is scaled so that a discounted return is of order one.

    Raises:
        BadInput: where a shield is asked for and the plant has no hard limits.
    """
    known = shield(plant, scenario, method)
    plants = PlantVectorEnv(plant, plant.learning.parallel, method.level, scenario, operated=known is not None)
    env = PlantVecEnv(plants, scale=1.0 - discount(plant.learning), shield=known)
    env.seed(seed)
    return env


def validation(plant: Plant, scenario: str = "") -> Episodes:
    """Return the fixed episodes on which a training is watched; from the places of training, and never trained on."""
    return draw(plant, plant.scenario(scenario), 0, VALIDATION_EPISODES, "validation")


def score(costs: Array, plant: Plant) -> float:
    """Return the mean return of episodes that cost this much, higher is better."""
    return float(-costs.mean() / plant.scale)


@dataclass(frozen=True)
class Ground:
    """Validation episodes and the shield that every controller runs behind on them."""

    episodes: Episodes
    shield: Calibration | None

    def returns(self, controller: Controller) -> Array:
        """Return what each episode costs under a controller, (n,)."""
        return returns(controller, self.episodes, shield=self.shield)

    def terms(self, policy: Policy) -> dict[str, float]:
        """Return the mean cost of an episode by its terms; ``rest`` is moves, growth of the stock and charges for trips.

        Behind a shield also how often it intervened, and had nothing certified, in % of the decisions.
        """
        run, names = rollout(policy, self.episodes, shield=self.shield), layout(self.episodes.plant, "setpoint").terms
        sums = dict(zip(names, run.sums["terms"].sum(axis=1).mean(axis=0), strict=True))
        rest = run.total.mean() - sum(sums.values())
        costs = {f"cost/{name}": float(value) for name, value in (sums | {"rest": rest}).items()}
        return costs | ({} if run.share is None else _interventions(run.share))


def _interventions(share: Array) -> dict[str, float]:
    kinds = {"validation/interventions": share < 1.0, "validation/uncertified": share < 0.0}
    return {name: 100.0 * float(np.mean(decisions)) for name, decisions in kinds.items()}
