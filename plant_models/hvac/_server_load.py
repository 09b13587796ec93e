"""The load of a data hall's processors: its daily cycle, what departs from it, and what can be told ahead."""

from __future__ import annotations

import numpy as np

from plant_models.core.ar1 import stationary
from plant_models.core.scenario import Array
from plant_models.weather import outlook

LOAD, SWING, SPREAD, MEMORY = 0.35, 0.10, 0.04, 8.0
"""Mean, daily amplitude, standard deviation and memory in samples of the processor load; chosen here so that it stays within
the 20 to 50 % of published clusters, with their daily cycle: Cheng, Chai, Anwar, arXiv:1808.02919 (2018), which reports 40 to
50 % at Alibaba's busy hours and cites 20 to 40 % at Google; Jiang et al., IEEE Trans. Cloud Computing 10(4), 2022."""
BUSIEST_HOUR = 15.0


def usual(hours: Array, more: float = 0.0) -> Array:
    """Return the load's daily cycle at hours since 1 January, raised by ``more``."""
    return LOAD + more + SWING * np.cos(2.0 * np.pi * (hours - BUSIEST_HOUR) / 24.0)


def unusual(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw what departs from the daily cycle, remembered over some samples; shape (episodes, samples)."""
    return SPREAD * stationary(rng, shape, float(np.exp(-1.0 / MEMORY)))


def expected(usual: Array, unusual: Array, leads: tuple[int, ...]) -> Array:
    """Return the load as it is expected at each lead: the daily cycle, and what is left of the deviation seen now."""
    left = np.exp(-np.asarray(leads) / MEMORY)
    issued = usual.shape[1] - max(leads)
    expected: Array = outlook.ahead(usual, leads) + unusual[:, :issued, None] * left
    return expected
