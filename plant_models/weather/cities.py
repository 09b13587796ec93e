"""Which bundled years a plant's episodes live in: some to train and tune on, others to be judged on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant_models.core.scenario import Array, Draw
from plant_models.weather.bundled import load
from plant_models.weather.year import Weather, WeatherYear


@dataclass(frozen=True)
class Cities:
    """Names of bundled years by split; a user's own year takes the place of both."""

    trained: tuple[str, ...]
    judged: tuple[str, ...]

    def weather(self, draw: Draw, hours: Array) -> Iterator[tuple[NDArray[np.bool_], WeatherYear, Weather]]:
        """Put each episode in a city by chance; yield for each city which episodes, its year, and the weather at their hours."""
        names = self.judged if draw.split == "judging" else self.trained
        years = [load(name) for name in names] if draw.weather is None else [draw.weather]
        pick = draw.rng.integers(0, len(years), draw.n)
        for i, year in enumerate(years):
            here = pick == i
            yield here, year, year.at(hours[here])
