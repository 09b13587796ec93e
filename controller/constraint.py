"""A budget while a policy learns under it: what each decision of a rollout cost, and what that makes of the multiplier."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.cost_critic import CostCritic
from controller.limits import share
from controller.multiplier import Multiplier
from plant_models.core.scenario import Array
from plant_models.env.scenario import Single


@dataclass
class Constraint:
    """The budget of a training, its critic and multiplier, and what the rollout under way has cost so far.

    ``limits`` are the margins that count, ``decision`` is the time that a decision takes. ``costs`` holds what each decision cost
    on every plant, (n,), ``counting`` those of the plants that are ``counted``: whose first episode is over, which began in its
    middle, in a state that no plant would be in at that time. ``cut`` tells where a time limit ended an episode: decision, plant,
    and the last observation, whose value is added to the cost there.
    """

    budget: float
    critic: CostCritic
    limits: NDArray[np.intp]
    decision: float
    counted: NDArray[np.bool_]
    multiplier: Multiplier = field(default_factory=Multiplier)
    costs: list[Array] = field(default_factory=list)
    counting: list[Array] = field(default_factory=list)
    cut: list[tuple[int, int, Single]] = field(default_factory=list)
    measures: dict[str, float] = field(default_factory=dict)

    def note(self, time: Array, infos: list[dict[str, Any]], over: NDArray[Any]) -> None:
        """Take down how long one decision of all plants was beyond each margin, (margins, n)."""
        for e in np.flatnonzero(over):
            if infos[e].get("TimeLimit.truncated", False):
                self.cut.append((len(self.costs), int(e), infos[e]["terminal_observation"]))
        self.costs.append(share(time, self.limits, self.decision))
        self.counting.append(self.costs[-1][self.counted])
        self.counted |= over

    def settle(self) -> None:
        """Move the multiplier by what the rollout spent, where anything of it counts."""
        counting = np.concatenate(self.counting)
        if len(counting):
            spent = float(counting.mean())
            self.multiplier = self.multiplier.after(spent, self.budget)
            self.measures |= {"train/limit_cost": spent, "train/multiplier": self.multiplier.value}

    def clear(self) -> None:
        """Begin another rollout."""
        self.costs, self.counting, self.cut = [], [], []

    def bootstrapped(self, discount: float) -> Single:
        """Return the costs of the rollout, (steps, n), with the value of what a time limit cut off."""
        costs = np.stack(self.costs).astype(np.float32)
        if self.cut:
            decisions, plants, seen = zip(*self.cut, strict=True)
            costs[list(decisions), list(plants)] += np.float32(discount) * self.critic.values(np.stack(seen))
        return costs
