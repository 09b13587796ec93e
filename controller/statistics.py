"""Intervals for what a benchmark claims: paired differences over the same scenarios, and scores over seeds of training.

Scores over seeds follow R. Agarwal et al., Deep reinforcement learning at the edge of the statistical precipice, NeurIPS 2021:
few seeds are told by their interquartile mean, with an interval from resampling the seeds within each stratum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, mannwhitneyu, t, trim_mean

from plant_models.core.scenario import Array

RESAMPLES = 2000
TAIL = 0.1
"""Share of the episodes that make up the worst."""
ROUNDING = 1e-9
"""Share of a cost by which two may differ through rounding alone."""


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
    return _around(float(difference.mean()), _student(difference))


def crossed_difference(worse: Array, better: Array) -> Interval:
    """Return the mean of ``worse - better``, (episodes,) - (seeds, episodes), positive where ``better`` costs less.

    All seeds of training run the same episodes, and both are samples. The squares of Student's half widths over the seeds' means
    and over the episodes' means add up, which covers 95 % at least where both are normal, for few seeds too. With one seed the
    interval is over episodes alone.

    Source: Banerjee, Sankhya 22 (1960) 357-358.
    """
    if len(better) == 1:
        return paired_difference(worse, better[0])
    gained = worse - better
    return _around(float(gained.mean()), float(np.hypot(_student(gained.mean(axis=1)), _student(gained.mean(axis=0)))))


def _around(mean: float, half: float) -> Interval:
    return Interval(mean, mean - half, mean + half)


def _student(values: Array) -> float:
    """Return half the width of Student's 95 % interval of a mean; infinite for one value, which says nothing of a spread."""
    n = len(values)
    return float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)) if n > 1 else float("inf")


def upper95(events: int, n: int) -> float:
    """Return the one-sided 95 % upper bound of a rate of which ``events`` were seen in ``n`` trials; about 3 / n for none.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404-413.
    """
    return 1.0 if events >= n else float(beta.ppf(0.95, events + 1, n - events))


def matched_upper95(more: int, fewer: int, n: int) -> float:
    """Return the two-sided 95 % interval's upper end for the increase of a rate, from ``n`` matched pairs of trials.

    ``more`` pairs have the event only after, ``fewer`` only before. Half a pair is added to each of the four kinds, so that no
    events at all say something too: about 2 / n.

    Source: Agresti and Min, Stat. Med. 24 (2005) 729-740.
    """
    b, c, total = more + 0.5, fewer + 0.5, n + 2.0
    half = 1.959964 * np.sqrt((b + c) - (b - c) ** 2 / total) / total
    return float((b - c) / total + half)


def interquartile_mean(values: Array, weights: Array | None = None) -> float:
    """Return the mean of the middle half of all values; a quarter is left out at each end, rounded down.

    With ``weights``, of the values' shape, it is a quarter of their sum; a value that lies only partly in it stays.
    """
    if weights is None:
        return float(trim_mean(values, 0.25, axis=None))
    order = np.argsort(values, axis=None)
    value, weight = np.ravel(values)[order], np.ravel(weights)[order]
    upto, quarter = np.cumsum(weight), (0.25 + ROUNDING) * weight.sum()
    middle = (upto > quarter) & (upto[-1] - upto + weight > quarter)
    return float(np.average(value[middle], weights=weight[middle]))


def stratified_bootstrap(
    strata: Sequence[Array], statistic: Callable[[Array], float] = interquartile_mean, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a statistic over all values, by percentiles.

    Each stratum, a plant for instance, is (seeds,) or (seeds, episodes). Seeds are drawn again with replacement within their
    stratum, each with all of its episodes: episodes that one policy ran are no independent trainings. What the statistic is
    given has always the order and size of the strata, one after the other.
    """
    rng = np.random.default_rng(seed)

    def again() -> Array:
        return np.concatenate([np.ravel(stratum[rng.integers(len(stratum), size=len(stratum))]) for stratum in strata])

    low, high = np.quantile([statistic(again()) for _ in range(resamples)], [0.025, 0.975])
    return float(low), float(high)


def worst_tenth(costs: Array) -> float:
    """Return the mean cost of the worst tenth of the episodes, rounded up: the conditional value at risk at 90 %."""
    flat = np.sort(np.ravel(costs))
    return float(flat[-max(1, int(np.ceil(TAIL * len(flat)))) :].mean())


def win_rate(worse: Array, better: Array) -> float:
    """Return the share of pairs in which ``better`` costs less; a tie counts half."""
    return float(wins(worse, better).mean())


def wins(worse: Array, better: Array) -> Array:
    """Return 1 where ``better`` costs less, 0 where it costs more, and a half where the two differ by rounding at most."""
    return np.where(np.isclose(better, worse, rtol=ROUNDING, atol=0.0), 0.5, better < worse)


def probability_of_improvement(pairs: Sequence[tuple[Array, Array]]) -> float:
    """Return how likely a run of the first is above one of the second, unpaired, the mean over strata of (runs,), (runs,).

    Source: Mann and Whitney, Ann. Math. Stat. 18 (1947) 50-60.
    """
    found = [mannwhitneyu(x, y, alternative="greater").statistic / (len(x) * len(y)) for x, y in pairs]
    return float(np.mean(found))


def performance_profile(
    strata: Sequence[Array], scores: Array, resamples: int = 500, seed: int = 0
) -> tuple[Array, Array, Array]:
    """Return the share of runs above each of ``scores`` (m,), the mean over strata of (runs,), and its pointwise 95 % band."""
    rng = np.random.default_rng(seed)
    share, drawn = np.zeros(len(scores)), np.zeros((resamples, len(scores)))
    for stratum in strata:
        above = (stratum[:, None] > scores).astype(float)
        again = rng.integers(len(stratum), size=(resamples, len(stratum)))
        times = np.stack([np.bincount(each, minlength=len(stratum)) for each in again])
        share += above.mean(axis=0) / len(strata)
        drawn += times @ above / (len(stratum) * len(strata))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return share, low, high
