"""One scale for all plants: 0 is the tuned PID layer, 1 is NMPC that knows what a policy knows.

Score = (J_PID - J) / (J_PID - J_NMPC) with J the cost, a ratio of means over scenarios, one value for each training seed. It is
defined only where there is a gap; elsewhere a controller is measured in shares of what the PID layer gains over its floor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from controller.statistics import RESAMPLES, Interval, crossed_difference, interquartile_mean, paired_difference
from plant_models.core.scenario import Array

FEWEST = 4
"""Scenarios below which nothing is said of a gap."""
WORTHWHILE = 0.05
"""Share of PID's gain over its floor that NMPC must gain over PID for a gap."""


@dataclass(frozen=True)
class Scale:
    """Costs of the floor and the PID layer on the same scenarios, (n,), and of NMPC on the first of them, (m,)."""

    floor: Array
    pid: Array
    nmpc: Array

    @property
    def unit(self) -> float:
        """What the PID layer gains over its floor, on average."""
        return float((self.floor - self.pid).mean())

    @property
    def gap(self) -> bool:
        """Whether NMPC is ahead of PID beyond doubt, and by more than a twentieth of PID's gain over its floor."""
        if len(self.nmpc) < FEWEST:
            return False
        return bool(self._ahead.low > 0.0 and self._ahead.mean > WORTHWHILE * abs(self.unit))

    @property
    def undecided(self) -> bool:
        """Whether NMPC ran on too few scenarios to rule a gap out."""
        if len(self.nmpc) < FEWEST:
            return True
        return not self.gap and len(self.nmpc) < len(self.pid) and self._ahead.high > WORTHWHILE * abs(self.unit)

    @property
    def _ahead(self) -> Interval:
        """How much less than PID NMPC costs, on the scenarios that both ran."""
        return paired_difference(self.pid[: len(self.nmpc)], self.nmpc)

    def scores(self, costs: Array) -> Array:
        """Return the score of each training seed, (seeds,), from costs (seeds, n) or (seeds, m)."""
        m = len(self.nmpc)
        return np.asarray((self.pid[:m] - costs[:, :m]).mean(axis=1) / (self.pid[:m] - self.nmpc).mean())

    def score(self, costs: Array, seed: int = 0) -> Interval | None:
        """Return the interquartile mean over training seeds, None where there is no gap.

        Its 95 % interval is a bootstrap's, which draws training seeds and scenarios anew, scenarios alike for all controllers.
        """
        if not self.gap:
            return None
        m, seeds, rng = len(self.nmpc), len(costs), np.random.default_rng(seed)
        gained, possible = self.pid[:m] - costs[:, :m], self.pid[:m] - self.nmpc
        drawn = []
        for _ in range(RESAMPLES):
            who, where = rng.integers(seeds, size=seeds), rng.integers(m, size=m)
            drawn.append(interquartile_mean(gained[np.ix_(who, where)].mean(axis=1) / possible[where].mean()))
        low, high = np.percentile(drawn, [2.5, 97.5])
        return Interval(interquartile_mean(self.scores(costs)), float(low), float(high))

    def against_pid(self, costs: Array) -> Interval:
        """Return how much less than PID a controller costs, the mean over training seeds, in shares of PID's gain over its floor.

        ``costs`` (seeds, n) or on the first scenarios (seeds, m). Its 95 % interval is over seeds and scenarios, both a sample.
        """
        gained = crossed_difference(self.pid[: costs.shape[1]], costs)
        unit = abs(self.unit)
        return Interval(gained.mean / unit, gained.low / unit, gained.high / unit)
