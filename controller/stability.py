"""Whether an update of PPO did good or harm, and how steadily a training's score rises; pure functions of NumPy arrays.

The estimate of the KL divergence, ``(r - 1) - ln r`` with the ratio ``r`` of new to old probability, is never negative and has no
bias (J. Schulman, Approximating KL divergence, 2020). Dispersion and risk across training follow S. C. Y. Chan et al., Measuring
the reliability of reinforcement learning algorithms, ICLR 2020.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from plant_models.core.errors import SetpointError
from plant_models.core.scenario import Array
from plant_models.env.scenario import Single

REMEMBERED = 50
"""Updates over which medians are taken."""
SEEN = 10
"""Updates from which a median means something."""
STRIKES = 3
"""Updates lost to numbers that are not finite until a training is given up."""
ON_POLICY, INSIDE, EDGE = 500, 300, 200
"""Probes: observations of the first rollout, points inside the declared ranges, and corners of these."""

LARGE_STEP = "try a larger Learning.rollout or Learning.parallel in the plant file"
NARROW = "try a larger Learning.spread, or an entropy bonus by Learning.entropy, in the plant file"
WIDE = "the reward hardly depends on what is tried: check the objective's scale and the loops' authority"
UNFORESEEN = "try another Learning.horizon: about the decisions in which the plant answers"
CHANGED = "returns changed, look at the trips"
OUT_OF_SCALE = "check the plant's scale"


@dataclass(frozen=True)
class Sign:
    """A measure of an update, and from where on it is unusual (a warning) and does harm (the update is taken back).

    ``warns`` and ``harms`` are in ``unit``, or multiples of the measure's median over the last updates where ``relative``;
    ``low`` says that what lies below them is unusual. ``when`` tells what else must be so, ``remedy`` what to do.
    """

    name: str
    unit: str
    remedy: str
    warns: float = math.nan
    harms: float = math.nan
    low: bool = False
    relative: bool = False
    when: str = ""

    @property
    def said(self) -> str:
        """The name with its unit, where it has one."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


FELL = 0.5
"""Fall of the entropy in ``SEEN`` updates, in nat an action, that ends the search too early."""
EARLY = 0.5
"""Share of a training before which a small spread is too early."""
IN_A_ROW = 3
"""Updates that must clip too many samples one after the other for a warning."""
SIGNS = {
    "kl": Sign("KL divergence", "nat", LARGE_STEP, 0.03, 0.05),
    "kl_p99": Sign("99th percentile of KL", "nat", LARGE_STEP, 0.5, 2.0),
    "clip_fraction": Sign("clip fraction", "", LARGE_STEP, 0.3, 0.5, when=f"in {IN_A_ROW} updates in a row"),
    "behaviour": Sign("behaviour step", "", LARGE_STEP, 0.02, 0.05),
    "behaviour_p99": Sign("99th percentile of behaviour step", "", LARGE_STEP, harms=0.2),
    "spread_low": Sign("spread of an action", "", NARROW, 0.05, 0.02, low=True, when="in the first half of the training"),
    "spread_high": Sign("spread of an action", "", WIDE, 1.0, 1.5),
    "entropy": Sign("entropy", "nat", NARROW, when=f"a fall by more than {FELL} nat an action in {SEEN} updates"),
    "explained_variance": Sign("explained variance", "", UNFORESEEN, 0.2, low=True, when="after a fifth of the training"),
    "gradient_norm": Sign("gradient norm", "", LARGE_STEP, 5.0, relative=True),
    "value_loss": Sign("value loss", "", CHANGED, 10.0, relative=True),
}
"""Every measure by its name in :class:`Update`, its limits, and what to do."""
LEAST_ADVANTAGE, MOST_ADVANTAGE = 1e-6, 1e3
USUAL_KL, TIMES_KL = 0.02, 5.0
"""A KL divergence that does harm: more than so many times its median, but never one below ``USUAL_KL``."""


class Diverged(SetpointError):
    """A training that keeps producing numbers that are not finite; the text names the last cause."""


@dataclass(frozen=True)
class Update:
    """What one update did, over the whole rollout it learned from.

    ``kl`` (nat) and ``kl_p99`` compare the policy after with the one before, ``spread`` are standard deviations of the actions as
    a share of the authority, ``behaviour`` is how far the mean action on the probes moved, as a share of its whole range.
    ``gradient_norm`` is the largest of the update before clipping, ``entropy`` is in nat for each action.
    """

    kl: float
    kl_p99: float
    clip_fraction: float
    entropy: float
    spread_low: float
    spread_high: float
    behaviour: float
    behaviour_p99: float
    gradient_norm: float
    explained_variance: float
    value_loss: float
    advantage: float

    @property
    def finite(self) -> bool:
        """Whether all numbers are finite; the explained variance is none where every return is the same."""
        return bool(np.isfinite([value for name, value in vars(self).items() if name != "explained_variance"]).all())

    def metrics(self) -> dict[str, float]:
        """Return the numbers under the keys by which they are logged."""
        return {f"train/{name}": float(value) for name, value in vars(self).items()}


@dataclass(frozen=True)
class Verdict:
    """Why an update has to be taken back (no ``harm``: it stays), and what is unusual, by what the warnings are about."""

    harm: str
    warnings: dict[str, str]


def steps(before: Single, after: Single, clip: float) -> tuple[float, float, float]:
    """Return mean and 99th percentile of the KL divergence and the share of clipped samples, from log-probabilities (n,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        log_ratio = (after - before).astype(np.float64)
        ratio = np.exp(log_ratio)
        kl = (ratio - 1.0) - log_ratio
    return float(kl.mean()), percentile_99(kl), float((np.abs(ratio - 1.0) > clip).mean())


def moved(before: Single, after: Single) -> tuple[float, float]:
    """Return mean and 99th percentile of how far mean actions in [-1, 1], (n, actions), moved, as a share of their range."""
    distance = np.abs(np.clip(after, -1.0, 1.0) - np.clip(before, -1.0, 1.0)) / 2.0
    return float(distance.mean()), percentile_99(distance.ravel())


def percentile_99(values: NDArray[np.floating]) -> float:
    """Return the smallest value that 99 % of the values do not exceed; not a number where one of them is none."""
    at = math.ceil(0.99 * len(values)) - 1
    return float(np.partition(values, at)[at]) if np.isfinite(values).all() else math.nan


def probes(seen: Single) -> Single:
    """Return the observations, (up to 1000, entries), on which behaviour is watched, from the first rollout's."""
    rng, width = np.random.default_rng(0), seen.shape[1]
    visited = seen[np.linspace(0, len(seen) - 1, min(ON_POLICY, len(seen))).astype(int)]
    strata = np.stack([rng.permutation(INSIDE) for _ in range(width)], axis=1)
    inside = 2.0 * (strata + rng.uniform(size=strata.shape)) / INSIDE - 1.0
    corners = rng.choice([-1.0, 1.0], (EDGE, width))
    return np.concatenate([visited, inside, corners]).astype(np.float32)


def judge(update: Update, before: Sequence[Update], done: float) -> Verdict:
    """Judge an update by those that went before it; ``done`` is the share of the training that is over."""
    reasons = "; ".join(_harm(update, before))
    return Verdict(reasons, {} if reasons else dict(_warnings(update, before, done)))


def _harm(update: Update, before: Sequence[Update]) -> Iterator[str]:
    if not update.finite:
        yield "a measure of the update is not finite"
        return
    usual = max(USUAL_KL, TIMES_KL * _median(before, "kl", math.inf))
    for name in ("kl", "kl_p99", "clip_fraction", "behaviour", "behaviour_p99"):
        sign, value = SIGNS[name], getattr(update, name)
        limit = min(sign.harms, usual) if name == "kl" else sign.harms
        if value > limit:
            yield f"{sign.said} {_passed(value, limit)} above {limit:.3g}"
    narrow, wide = SIGNS["spread_low"], SIGNS["spread_high"]
    if before and update.spread_low < narrow.harms <= before[-1].spread_low:
        yield f"{narrow.said} {_passed(update.spread_low, narrow.harms)} below {narrow.harms:g}"
    if before and update.spread_high > wide.harms >= before[-1].spread_high:
        yield f"{wide.said} {_passed(update.spread_high, wide.harms)} above {wide.harms:g}"


def _passed(value: float, limit: float) -> str:
    """A value with as many figures, three or more, as tell it from the limit that it passed."""
    return next((text for n in range(3, 9) if float(text := f"{value:.{n}g}") != float(f"{limit:.3g}")), f"{value:g}")


def _warnings(update: Update, before: Sequence[Update], done: float) -> Iterator[tuple[str, str]]:
    last = [*before, update]
    if update.kl > SIGNS["kl"].warns or update.kl_p99 > SIGNS["kl_p99"].warns:
        yield "kl", f"large steps, KL {update.kl:.3g} nat (99th percentile {update.kl_p99:.3g}): {LARGE_STEP}"
    clipped = SIGNS["clip_fraction"].warns
    if len(last) >= IN_A_ROW and all(each.clip_fraction > clipped for each in last[-IN_A_ROW:]):
        yield "clip", f"{100 * update.clip_fraction:.0f} % of samples clipped in three updates: {LARGE_STEP}"
    if update.behaviour > SIGNS["behaviour"].warns:
        yield "behaviour", f"actions moved by {100 * update.behaviour:.1f} % of their range in one update: {LARGE_STEP}"
    narrow = SIGNS["spread_low"].warns
    if done < EARLY and update.spread_low < narrow and (not before or before[0].spread_low >= narrow):
        yield "spread", f"spread {update.spread_low:.3g} before half of the training: {NARROW}"
    if len(before) >= SEEN and update.entropy - before[-SEEN].entropy < -FELL:
        yield "entropy", f"entropy fell by more than {FELL} nat an action in {SEEN} updates: {NARROW}"
    if update.spread_high > SIGNS["spread_high"].warns:
        yield "wide", f"spread {update.spread_high:.3g} of the authority: {WIDE}"
    yield from _critic(update, last, done)


def _critic(update: Update, last: Sequence[Update], done: float) -> Iterator[tuple[str, str]]:
    explained = update.explained_variance
    if len(last) >= SEEN and all(each.explained_variance < 0.0 for each in last[-SEEN:]):
        yield "value", f"the value function explained nothing in {SEEN} updates: {UNFORESEEN}"
    elif len(last) > 2 * SEEN and done > 0.2 and explained < SIGNS["explained_variance"].warns:
        yield "value", f"the value function explains {100 * explained:.0f} % of the returns: {UNFORESEEN}"
    if update.gradient_norm > SIGNS["gradient_norm"].warns * _median(last[:-1], "gradient_norm", math.inf):
        yield "gradient", f"gradient norm {update.gradient_norm:.3g}, over five times its median: {LARGE_STEP}"
    if update.value_loss > SIGNS["value_loss"].warns * _median(last[:-1], "value_loss", math.inf):
        yield "loss", f"value loss {update.value_loss:.3g}, over ten times its median: {CHANGED}"
    if not LEAST_ADVANTAGE <= update.advantage <= MOST_ADVANTAGE:
        yield "advantage", f"advantages of size {update.advantage:.3g}, allowed is 1e-6 to 1e3: {OUT_OF_SCALE}"


def _median(updates: Sequence[Update], name: str, few: float) -> float:
    values = [getattr(update, name) for update in updates[-REMEMBERED:]]
    return float(np.median(values)) if len(values) >= SEEN else few


def packed(updates: Sequence[Update]) -> Array:
    """Return the last updates as rows, (up to 50, measures)."""
    rows = [astuple(update) for update in updates[-REMEMBERED:]]
    return np.array(rows, dtype=float).reshape(-1, len(fields(Update)))


def unpacked(rows: Array) -> list[Update]:
    """Return the updates of :func:`packed`."""
    return [Update(*(float(value) for value in row)) for row in rows]


def drawdown(scores: Sequence[float], baseline: float) -> float:
    """Return how much of the lead over the PID layer, once reached, is lost again, in %."""
    lead = max(scores) - baseline
    return 100.0 * (max(scores) - scores[-1]) / lead if lead > 0.0 else 0.0


def volatility(scores: Sequence[float]) -> float:
    """Return the interquartile range of the last ten changes of the score, in % of the median score; 0 for fewer than three."""
    last = np.asarray(scores[-11:])
    if len(last) < 3:
        return 0.0
    low, high = np.quantile(np.diff(last), [0.25, 0.75])
    return float(100.0 * (high - low) / max(abs(np.median(last)), 1e-12))


def worst_tenth(returns: Array) -> float:
    """Return the mean of the lowest tenth of the episodes' returns: the conditional value at risk."""
    return float(np.sort(returns)[: math.ceil(0.1 * len(returns))].mean())
