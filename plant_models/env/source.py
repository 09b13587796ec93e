"""An endless, seeded supply of episodes ready to start, drawn many at a time and handed out one by one."""

from __future__ import annotations

from typing import Any

from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario, Split
from plant_models.derive.layout import Layout
from plant_models.env.scenario import draw
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

    def take(self, n: int) -> Starts:
        """Return the next ``n`` episodes."""
        if self._ready is None or self._next + n > self._first + len(self._ready):
            self._first = self._next
            count = max(self._ahead, n)
            drawn = draw(self.plant, self.scenario, self.seed, count, self.split, self._first, self.weather)
            self._ready = starts(self._layout, drawn)
        at = self._next - self._first
        self._next += n
        return self._ready[slice(at, at + n)]
