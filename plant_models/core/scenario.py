"""The words in which a plant file declares its scenarios: random signals drawn for many episodes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plant_models.core.ar1 import stationary
from plant_models.core.fault import Fault
from plant_models.core.loop import Loop

Array: TypeAlias = NDArray[np.float64]
Protocol = Literal["tracking", "disturbance", "boundary"]
Split = Literal["training", "validation", "tuning", "judging"]


@dataclass(frozen=True, kw_only=True)
class Signals:
    """What a scenario prescribes, for ``n`` episodes of ``count`` samples, one a decision; what is left out stays nominal.

    ``targets`` by output, ``references`` (setpoints sent to the master loops, by tag; default: the target of the loop's PV)
    and ``disturbances`` by name: (n, count). ``forecasts`` by name: (n, count, leads), default the truth. ``initial`` by
    state and ``parameters`` by name: (n,).
    """

    targets: Mapping[str, Array] = field(default_factory=dict)
    references: Mapping[str, Array] = field(default_factory=dict)
    disturbances: Mapping[str, Array] = field(default_factory=dict)
    forecasts: Mapping[str, Array] = field(default_factory=dict)
    initial: Mapping[str, Array] = field(default_factory=dict)
    parameters: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Draw:
    """A seeded source of signals: ``n`` episodes of ``count`` samples that are ``period`` apart."""

    rng: np.random.Generator
    n: int
    count: int
    period: float
    split: Split
    leads: tuple[int, ...] = ()
    weather: Any = None

    def uniform(self, low: float, high: float) -> Array:
        """Draw one value an episode, (n,)."""
        return self.rng.uniform(low, high, self.n)

    def steps(self, low: float, high: float, hold: tuple[int, int]) -> Array:
        """Draw a staircase with levels in [low, high], each held for ``hold[0]..hold[1]`` samples, (n, count)."""
        most = self.count // hold[0] + 2
        ends = np.cumsum(self.rng.integers(hold[0], hold[1] + 1, (self.n, most)), axis=1)
        levels = self.rng.uniform(low, high, (self.n, most))
        ended = np.zeros((self.n, self.count + 1), dtype=np.intp)
        np.put_along_axis(ended, np.minimum(ends, self.count), 1, axis=1)
        return np.take_along_axis(levels, np.cumsum(ended[:, : self.count], axis=1), axis=1)

    def wander(self, mean: float, sd: float, memory: float) -> Array:
        """Draw a stationary first-order autoregression with a time constant of ``memory`` samples, (n, count)."""
        return mean + sd * stationary(self.rng, (self.n, self.count), float(np.exp(-1.0 / memory)))


@dataclass(frozen=True)
class Scenario:
    """A named family of episodes: ``steps`` decisions of signals drawn by ``signals``; parameters vary unless ``exact``."""

    name: str
    description: str
    steps: int
    signals: Callable[[Draw], Signals]
    exact: bool = False
    loops: tuple[Loop, ...] = ()
    """Other settings of the same loops, where the scenario runs at another operating point."""
    protocol: Protocol = "tracking"
    """What it asks: the duty under everyday disturbances, large disturbances at rest, or life at the limits."""
    faults: tuple[Fault, ...] = ()
