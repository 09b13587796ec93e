"""What a plant is run for: to hold targets, to save money, or to finish a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from plant_models.core.quantity import Source
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
    """A part of a schedule: ``occupied`` from ``lead`` samples before ``by`` comes within two values until it leaves them.

    Else it is ``empty``. ``by`` names a disturbance such as a comfort limit, a price or the light.
    """

    tag: str
    by: str
    within: tuple[float, float]
    occupied: float
    empty: float
    lead: int = 0

    def references(self, signals: Mapping[str, Array]) -> Array:
        """Return the setpoints for disturbances by name, each (n, samples)."""
        low, high = self.within
        present = (signals[self.by] >= low) & (signals[self.by] <= high)
        ahead = [np.pad(present[:, k:], ((0, 0), (0, k)), mode="edge") for k in range(self.lead + 1)]
        return np.where(np.any(ahead, axis=0), self.occupied, self.empty)


@dataclass(frozen=True, kw_only=True)
class Reset:
    """A part of a schedule: straight lines between ``values``, given for ``at`` of the disturbance ``by``, held beyond."""

    tag: str
    by: str
    at: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raise ValueError unless the disturbance's values rise and each has a setpoint."""
        if len(self.at) != len(self.values) or not self.at or any(np.diff(self.at) <= 0.0):
            raise ValueError(f"{self.tag}: a reset needs one value for each of at, and at that rises")

    def references(self, signals: Mapping[str, Array]) -> Array:
        """Return the setpoints for disturbances by name, each (n, samples)."""
        return np.asarray(np.interp(signals[self.by], self.at, self.values))


@dataclass(frozen=True, kw_only=True)
class Held:
    """A part of a schedule: one value throughout."""

    tag: str
    value: float

    def references(self, signals: Mapping[str, Array]) -> Array:
        """Return the setpoint, ()."""
        return np.asarray(self.value)


Part = Setback | Reset | Held


def commanded(parts: Sequence[Part], signals: Mapping[str, Array]) -> dict[str, Array]:
    """Return the setpoints that a schedule sends, by master loop: the sum of its parts for disturbances by name."""
    found: dict[str, Array] = {}
    for part in parts:
        found[part.tag] = found.get(part.tag, np.asarray(0.0)) + part.references(signals)
    return found


@dataclass(frozen=True, kw_only=True)
class Economic:
    """Duty: least money; stage cost = integral of the cost terms - growth of the stock's value, in ``unit``.

    ``stock`` says in words what the stock is, such as stored heat. ``schedule`` is what the plant's hierarchy sends where a
    calendar or measured disturbances rule the setpoints: the best one found on tuning scenarios. ``rule`` is the published one,
    from ``source``. Parts for the same loop add up; a loop that neither names keeps what the scenario sends.
    """

    unit: str
    stock: str
    schedule: tuple[Part, ...] = ()
    rule: tuple[Part, ...] = ()
    source: Source | None = None
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
