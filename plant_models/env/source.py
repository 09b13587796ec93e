"""An endless, seeded supply of training episodes, drawn many at a time and handed out one by one."""

from __future__ import annotations

from typing import Any

from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario, Split
from plant_models.env.scenario import Episodes, draw


class EpisodeSource:
    """Hands out episodes 0, 1, 2, ... of a seed; ``ahead`` of them are drawn at once."""

    def __init__(self, plant: Plant, scenario: Scenario, seed: int, split: Split, ahead: int = 16, weather: Any = None) -> None:
        self.plant, self.scenario, self.seed, self.split, self.weather = plant, scenario, seed, split, weather
        self._ahead = ahead
        self._next = self._first = 0
        self._drawn: Episodes | None = None

    def take(self, n: int) -> Episodes:
        """Return the next ``n`` episodes."""
        if self._drawn is None or self._next + n > self._first + len(self._drawn):
            self._first = self._next
            count = max(self._ahead, n)
            self._drawn = draw(self.plant, self.scenario, self.seed, count, self.split, self._first, self.weather)
        at = self._next - self._first
        self._next += n
        return self._drawn[slice(at, at + n)]
