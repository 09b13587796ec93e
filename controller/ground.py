"""Where a policy learns and where it is watched: the training environment, and fixed validation episodes, behind one shield.

Where it learns on several scenarios, a cost in each is weighed so that PID's costs as much in every one as in the first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from controller.baselines import Pid
from controller.interface import Controller
from controller.methods import PPO_METHOD, ROLLED_OUT, Method
from controller.policy import Policy
from controller.ppo import discount
from controller.rollout import returns, rollout
from controller.safety.governor import Calibration
from controller.safety.helpless import helpless
from controller.safety.known import calibrated, check
from controller.safety.opponents import steered
from controller.safety.trial import DECIDED, trial
from controller.sb3_env import PlantVecEnv
from plant_models.core.duty import Tracking
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant, Rival
from plant_models.core.scenario import Array, Scenario, Split
from plant_models.derive.layout import layout
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.mixture import label, mixture
from plant_models.env.scenario import Episodes, draw

VALIDATION_EPISODES, WEIGHED = 64, 256
"""Episodes on which a training is watched, and those of a scenario by which its costs are weighed: a trip is rare and dear."""
TRIED = 16
"""Episodes of the PID layer from which it is told whether a shield certifies what that does."""
MOST = 100.0
"""What a scenario in which PID costs next to nothing counts at most."""


def shield(plant: Plant, scenario: str, method: Method) -> Calibration | None:
    """Return what the shield knows of a plant where a method has one; the first time it is found by simulation.

    Raises:
        BadInput: for a plant without hard limits, several scenarios, or one with loops of its own.
    """
    if not method.shielded:
        return None
    return calibrated(plant, guarded(plant, scenario, method))


def guarded(plant: Plant, scenario: str, method: Method) -> Scenario:
    """Return the scenario that a shield is calibrated for.

    Raises:
        BadInput: for a plant without hard limits, several scenarios, or one with loops of its own.
    """
    chosen = mixture(plant, scenario)
    if len(chosen) > 1:
        given = f"safety {method.safety!r} with scenarios {label(chosen)!r} of {plant.name}"
        raise BadInput(f"{given}: a shield is calibrated for one scenario; name one, or leave the shield out")
    check(plant, chosen[0])
    return chosen[0]


def environment(
    plant: Plant, seed: int, scenario: str = "", method: Method = PPO_METHOD, weights: tuple[float, ...] = ()
) -> PlantVecEnv:
    """Return the training environment; the reward is scaled so that a discounted return is of order one.

    Where the plant's learning is ``paired`` what PID earns is subtracted, or what the policy itself does, and what is left is as
    much larger; learners from what older policies did, from rollouts of another length, or from parts of episodes alone
    are always compared with PID. ``weights`` are what a reward counts in each scenario, one where there are none.

    Raises:
        BadInput: where a shield is asked for and the plant has no hard limits.
    """
    known = shield(plant, scenario, method)
    plants = PlantVectorEnv(plant, plant.learning.parallel, method.level, scenario, operated=known is not None)
    against = rival(plant, method)
    scale = (1.0 - discount(plant.learning)) * (plant.learning.paired or 1.0)
    each = scale * np.array(weights)[plants.which] if weights else scale
    env = PlantVecEnv(
        plants, scale=each, shield=known, against=against, crossing=plant.learning.crossing, rollout=plant.learning.rollout
    )
    env.seed(seed)
    return env


def rival(plant: Plant, method: Method) -> Rival | None:
    """Return what rewards are compared with, None where they stand for themselves."""
    if not plant.learning.paired:
        return None
    whole = method.algorithm in ROLLED_OUT and plant.learning.rollout >= plant.scenario().steps
    return plant.learning.against if whole else "pid"


def validation(plant: Plant, scenario: str = "") -> Episodes:
    """Return the fixed episodes on which a training is watched; from the places of training, and never trained on."""
    return draw(plant, plant.scenario(scenario), 0, VALIDATION_EPISODES, "validation")


def score(costs: Array, plant: Plant) -> float:
    """Return the mean return of episodes that cost this much, higher is better."""
    return float(-costs.mean() / plant.scale)


@dataclass(frozen=True)
class Ground:
    """Fixed episodes of each scenario, equally many, and the shield that every controller runs behind on them.

    ``weights`` are what a cost counts in each scenario's score.
    """

    parts: tuple[Episodes, ...]
    shield: Calibration | None
    weights: tuple[float, ...] = (1.0,)

    @property
    def plant(self) -> Plant:
        """The plant that the episodes are of."""
        return self.parts[0].plant

    def returns(self, controller: Controller) -> Array:
        """Return what each episode costs under a controller, weighed, scenario by scenario, (n,)."""
        costs = [weight * returns(controller, part, shield=self.shield) for weight, part in self._weighed()]
        return np.concatenate(costs)

    @property
    def rewards(self) -> tuple[float, ...]:
        """What a reward counts in each scenario: its weight where that lowers it, else half way there, by the root."""
        return tuple(min(weight, math.sqrt(weight)) for weight in self.weights)

    def saved(self, rival: Array, costs: Array) -> dict[str, float]:
        """Return what was saved against a rival in each of several scenarios, in % of the rival's cost; nothing for one."""
        if len(self.parts) == 1:
            return {}
        pairs = zip(self.parts, np.split(rival, len(self.parts)), np.split(costs, len(self.parts)), strict=True)
        return {f"saved/{part.scenario.name}": 100.0 * float((a - b).mean() / np.abs(a.mean())) for part, a, b in pairs}

    def by_scenario(self) -> dict[str, dict[str, float]]:
        """Return what a cost counts in the score and in the reward, by the scenarios' names; nothing for one scenario."""
        if len(self.parts) == 1:
            return {}
        names, kinds = [part.scenario.name for part in self.parts], {"weights": self.weights, "reward_weights": self.rewards}
        return {kind: dict(zip(names, counts, strict=True)) for kind, counts in kinds.items()}

    def terms(self, policy: Policy) -> dict[str, float]:
        """Return the mean cost of an episode by its terms, weighed; ``rest`` is moves, growth of the stock and charges for trips.

        Behind a shield also how often it intervened, and had nothing certified, in % of the decisions.
        """
        told = [self._terms(policy, weight, part) for weight, part in self._weighed()]
        return {name: float(np.mean([each[name] for each in told])) for name in told[0]}

    def _terms(self, policy: Policy, weight: float, part: Episodes) -> dict[str, float]:
        run, names = rollout(policy, part, shield=self.shield), layout(self.plant, "setpoint").terms
        sums = dict(zip(names, run.sums["terms"].sum(axis=1).mean(axis=0), strict=True))
        rest = run.total.mean() - sum(sums.values())
        costs = {f"cost/{name}": weight * float(value) for name, value in (sums | {"rest": rest}).items()}
        return costs | ({} if run.share is None else _interventions(run.share))

    def _weighed(self) -> list[tuple[float, Episodes]]:
        return list(zip(self.weights, self.parts, strict=True))


def ground(
    plant: Plant, scenario: str = "", method: Method = PPO_METHOD, episodes: int = VALIDATION_EPISODES,
    split: Split = "validation",
) -> Ground:  # fmt: skip
    """Return where a training is watched: so many episodes in all, shared equally by its scenarios.

    Raises:
        BadInput: where a shield is asked for that there cannot be.
    """
    chosen, known = mixture(plant, scenario), shield(plant, scenario, method)
    parts = tuple(draw(plant, each, 0, episodes // len(chosen), split) for each in chosen)
    return Ground(parts, known, weights(plant, chosen))


@lru_cache
def weights(plant: Plant, scenarios: tuple[Scenario, ...]) -> tuple[float, ...]:
    """Return what a cost counts in each scenario: tracking costs as shares of PID's, in units of the first; money as it is."""
    if len(scenarios) == 1 or not isinstance(plant.duty, Tracking):
        return (1.0,) * len(scenarios)
    costs = [float(returns(Pid(plant), _weighed(plant, each)).mean()) for each in scenarios]
    return tuple(costs[0] / max(cost, costs[0] / MOST) if costs[0] else 1.0 for cost in costs)


def _weighed(plant: Plant, scenario: Scenario) -> Episodes:
    return draw(plant, scenario, 0, WEIGHED, "validation")


def warnings(watched: Ground) -> list[str]:
    """Return what a user has to hear of scenarios, and of a shield, before a policy learns."""
    return [*_tripping(watched.plant, tuple(part.scenario for part in watched.parts)), *_helpless(watched)]


def _tripping(plant: Plant, scenarios: tuple[Scenario, ...]) -> list[str]:
    if len(scenarios) == 1 or not isinstance(plant.duty, Tracking):
        return []
    told = [(each.name, int(rollout(Pid(plant), _weighed(plant, each)).tripped.sum())) for each in scenarios]
    remedy = "which may drown what the others teach; to name only those leaves it out, and trips there more often"
    return [f"in scenario {name!r} PID itself trips in {trips} of {WEIGHED} episodes, {remedy}" for name, trips in told if trips]


def _helpless(watched: Ground) -> list[str]:
    """Return what a user has to hear of a shield that certifies nothing of what the PID layer does."""
    if watched.shield is None:
        return []
    decided = trial(steered(Pid(watched.plant)), watched.parts[0][slice(TRIED)], watched.shield).decided.sum(axis=0)
    told = helpless(float(decided[DECIDED.index("uncertified")] / decided.sum()))
    return [told] if told else []


def _interventions(share: Array) -> dict[str, float]:
    kinds = {"validation/interventions": share < 1.0, "validation/uncertified": share < 0.0}
    return {name: 100.0 * float(np.mean(decisions)) for name, decisions in kinds.items()}
