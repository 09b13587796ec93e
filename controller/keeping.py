"""Which policy of a training is kept: the best that keeps the budget; while none does, the one that exceeds it least."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.checkpoint import Arrays
from controller.limits import Budget
from controller.policy import Policy
from plant_models.core.plant import Plant
from plant_models.derive.layout import Level


@dataclass
class Keeper:
    """The policy kept so far, its score, and by how much it exceeds the budget; without a budget nothing is exceeded.

    ``spent`` is the share of time that the policy offered last is beyond limits.
    """

    budget: Budget | None
    score: float = -math.inf
    excess: float = math.inf
    spent: float = 0.0
    policy: Policy = field(init=False)

    def offer(self, policy: Policy, score: float) -> None:
        """Keep a policy where it is better than the one kept; a score that is no number is worse than any."""
        excess = 0.0
        if self.budget is not None:
            self.spent = self.budget.spent(policy)
            excess = self.budget.excess(self.spent)
        if score > -math.inf and (-excess, score) > (-self.excess, self.score):
            self.excess, self.score, self.policy = excess, score, policy

    def metrics(self) -> dict[str, float]:
        """Return what there is to log after an offer."""
        return {"score/best": self.score} | ({} if self.budget is None else {"validation/limit_cost": self.spent})

    def complaint(self) -> str:
        """Return what a user has to hear of the policy kept in the end; nothing where it keeps the budget."""
        if self.budget is None or self.excess <= 0.0:
            return ""
        allowed, spent = 100.0 * self.budget.share, 100.0 * (self.budget.share + self.excess)
        remedy = "give more --steps" if self.budget.hard else "give a larger --cost-limit, or more --steps"
        return f"no policy kept to {allowed:.3g} % of time beyond limits; the nearest is kept, with {spent:.3g} %; {remedy}"

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the policy's layers, its score and its excess."""
        layers = {f"best.{i}.{j}": part for i, layer in enumerate(self.policy.layers) for j, part in enumerate(layer)}
        budgeted = {} if self.budget is None else {"excess": np.array([self.excess])}
        return layers | {"best_score": np.array([self.score])} | budgeted

    def resume(self, kept: Arrays, plant: Plant, level: Level) -> None:
        """Go back to a state; raises KeyError where it is that of a training without a budget."""
        layers = [(kept[f"best.{i}.0"], kept[f"best.{i}.1"]) for i in range(sum(name.endswith(".0") for name in kept))]
        self.policy, self.score = Policy(plant, level, tuple(layers)), float(kept["best_score"][0])
        self.excess = 0.0 if self.budget is None else float(kept["excess"][0])
