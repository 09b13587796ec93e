"""An endless, seeded supply of episodes ready to start, drawn many at a time and handed out one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario, Split
from plant_models.derive.layout import Layout
from plant_models.env.scenario import BLOCK, Episodes, concatenate, draw
from plant_models.env.start import Starts, starts


class EpisodeSource:
    """Hands out episodes 0, 1, 2, ... of a seed; ``ahead`` of them are drawn at once."""

    def __init__(
        self, plant: Plant, layout: Layout, scenario: Scenario, seed: int, split: Split, ahead: int = 16, weather: Any = None
    ) -> None:
        self.plant, self.scenario, self.seed, self.split, self.weather = plant, scenario, seed, split, weather
        self._layout, self._ahead = layout, ahead
        self._next = self._first = 0
        self._ready: Starts | None = None

    @property
    def next(self) -> int:
        """The number of the episode that is handed out next."""
        return self._next

    @property
    def place(self) -> tuple[int, int, int]:
        """The next episode's number, the number of the first one drawn, and how many are drawn."""
        return self._next, self._first, 0 if self._ready is None else len(self._ready)

    def seek(self, following: int, first: int, count: int) -> None:
        """Go to a place, and draw again what had been drawn there."""
        self._next, self._first = following, first
        self._ready = self._drawn(first, count) if count else None

    def numbered(self, numbers: NDArray[np.intp]) -> Episodes:
        """Draw episodes by their numbers anew, in any order."""
        blocks, which = np.unique(numbers // BLOCK, return_inverse=True)
        drawn = [draw(self.plant, self.scenario, self.seed, BLOCK, self.split, int(b) * BLOCK, self.weather) for b in blocks]
        return concatenate(drawn)[which * BLOCK + numbers % BLOCK]

    def onward(self, number: int, count: int) -> Episodes:
        """Return the episode of a number and those after it, ``count`` at most: those that are drawn already where it is."""
        at = number - self._first
        if self._ready is not None and 0 <= at < len(self._ready):
            return self._ready.episodes[slice(at, at + count)]
        return self.numbered(np.arange(number, number + count))

    def take(self, n: int) -> Starts:
        """Return the next ``n`` episodes."""
        if self._ready is None or self._next + n > self._first + len(self._ready):
            self._first = self._next
            self._ready = self._drawn(self._first, max(self._ahead, n))
        at = self._next - self._first
        self._next += n
        return self._ready[slice(at, at + n)]

    def _drawn(self, first: int, count: int) -> Starts:
        drawn = draw(self.plant, self.scenario, self.seed, count, self.split, first, self.weather)
        return starts(self._layout, drawn)
