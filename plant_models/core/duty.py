"""What a plant is run for: to hold targets, to save money, or to finish a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from plant_models.core.scenario import Array


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Duty: hold outputs at their targets; stage cost = mean of the sum of ((output - target) / scale)^2 + moves + cost terms.

    ``scales`` by output; ``moves`` weighs (change of an input / its half range)^2, summed over the loop periods of a decision.
    Where ``sampled`` the error is not the mean over a decision but that at its end.
    """

    scales: Mapping[str, float]
    moves: Mapping[str, float] = field(default_factory=dict)
    sampled: bool = False
    kind: Literal["tracking"] = "tracking"


@dataclass(frozen=True, kw_only=True)
class Setback:
    """A setpoint schedule: ``occupied`` from ``lead`` samples before the occupancy signal rises until it falls, else ``empty``.

    ``occupancy`` names a disturbance that is at its highest value while the building is occupied.
    """

    tag: str
    occupancy: str
    occupied: float
    empty: float
    lead: int

    def references(self, occupancy: Array) -> Array:
        """Return the setpoints for occupancy signals (n, samples)."""
        present = occupancy >= occupancy.max()
        ahead = [np.pad(present[:, k:], ((0, 0), (0, k)), mode="edge") for k in range(self.lead + 1)]
        return np.where(np.any(ahead, axis=0), self.occupied, self.empty)


@dataclass(frozen=True, kw_only=True)
class Economic:
    """Duty: least money; stage cost = integral of the cost terms - growth of the stock's value, in ``unit``.

    ``stock`` says in words what the stock is, such as stored heat. Where a calendar rules the setpoints, ``schedule`` is the
    best one (tuned) and ``rule`` the published one.
    """

    unit: str
    stock: str
    schedule: Setback | None = None
    rule: Setback | None = None
    kind: Literal["economic"] = "economic"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A batch's setpoints: straight lines between ``values`` at ``times``, in the plant's time unit, held after the last."""

    tag: str
    times: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raise ValueError unless times rise from zero and every time has a value."""
        if len(self.times) != len(self.values) or self.times[:1] != (0.0,) or any(np.diff(self.times) < 0.0):
            raise ValueError(f"{self.tag}: a recipe needs one value for each time, and times that rise from 0")

    def references(self, count: int, period: float) -> Array:
        """Return the setpoints of ``count`` samples that are ``period`` apart, (1, count)."""
        return np.asarray(np.interp(np.arange(count) * period, self.times, self.values))[None, :]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Duty: most product; stage cost = integral of the cost terms - growth of the stock, in ``unit``; the end is final.

    ``stock`` says in words what the stock is, such as penicillin; it is what the batch would be worth now, so that its growth
    sums to the payoff. ``recipe`` holds the setpoints that the plant's hierarchy sends (re-optimised on training scenarios),
    ``published`` those of the literature.
    """

    unit: str
    stock: str
    recipe: tuple[Recipe, ...]
    published: tuple[Recipe, ...]
    kind: Literal["batch"] = "batch"


Duty = Tracking | Economic | Batch
