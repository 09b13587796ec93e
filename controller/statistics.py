"""Intervals for what a benchmark claims: paired differences over the same scenarios and seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from plant_models.core.scenario import Array


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """Return the three numbers by name."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


def paired_difference(worse: Array, better: Array) -> Interval:
    """Return the mean of ``worse - better`` over episodes with Student's 95 % interval; positive where ``better`` costs less."""
    difference = worse - better
    n = len(difference)
    mean = float(difference.mean())
    half = float(t.ppf(0.975, n - 1) * difference.std(ddof=1) / np.sqrt(n)) if n > 1 else float("inf")
    return Interval(mean, mean - half, mean + half)
