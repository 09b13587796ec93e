"""What a policy has to show before it takes over from another: every criterion with its figure, its limit and its verdict.

All criteria are judged on the same episodes for champion and challenger. Costs are compared in % of the champion's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from controller.building import building
from controller.drift import ACT, along, psi, reference
from controller.rollout import Run
from controller.scores import kpis
from controller.stability import moved, worst_tenth
from controller.statistics import RESAMPLES, matched_upper95, upper95, wins
from plant_models.core.scenario import Array
from plant_models.env.scenario import Single

SHIELDED = 3000
"""Episodes behind the shield without a violation that show a rate below 0.1 %."""
MOST_TRAVEL, MOST_TRAVEL_OF_PID = 1.1, 1.2
"""Valve travel that is allowed, as a multiple of the champion's and of the PID layer's."""
SLACK = 0.05
"""Strokes an episode by which any valve may travel more."""
DISCOMFORT, SLACK_DISCOMFORT = 1.05, 0.01
"""Discomfort that is allowed, as a multiple of the champion's, and K h/zone that are none."""
FEWEST_SIGNS = 0.02
"""Share of the range within which an action has no sign."""
Sense = Literal["at most", "at least", "above"]
Group = Literal["limits", "cost", "worst case", "behaviour", "effort", "repeatable"]
CONSENT: Group = "behaviour"
"""The criteria that a user may accept, with a reason."""


@dataclass(frozen=True)
class Criterion:
    """One criterion: its figure in ``unit``, the limit, on which side of it the figure has to be, and what it was found on."""

    group: Group
    name: str
    value: float
    sense: Sense
    limit: float
    unit: str
    where: str = ""

    @property
    def passed(self) -> bool:
        """Whether it is met; a figure that is not a number never is."""
        if self.sense == "at most":
            return self.value <= self.limit
        return self.value >= self.limit if self.sense == "at least" else self.value > self.limit

    def as_json(self) -> dict[str, Any]:
        """Return everything by name."""
        return vars(self) | {"passed": self.passed}


@dataclass(frozen=True)
class Pair:
    """What champion and challenger did on the same episodes of one scenario."""

    champion: Run
    challenger: Run

    @property
    def scenario(self) -> str:
        """The scenario's name."""
        return self.champion.episodes.scenario.name

    @property
    def costs(self) -> tuple[Array, Array]:
        """What each episode cost the champion and the challenger, (n,)."""
        return self.champion.total, self.challenger.total


def percent(better: float, than: float) -> float:
    """Return by how much the cost ``better`` is below ``than``, in % of its size."""
    return 0.0 if better == than else 100.0 * (than - better) / max(abs(than), 1e-12)


def violated(run: Run) -> Array:
    """Return which episodes crossed a hard limit, tripped or left the range of the equations, (n,)."""
    figures = kpis(run)
    names = ("hard-limit violations", "trips", "failed integrations")
    return np.asarray(np.max([figures[name].values for name in names], axis=0) > 0.0)


def limits(pairs: Sequence[Pair], behind: Pair | None) -> Iterator[Criterion]:
    """Judge hard limits: without the shield against the champion's, and behind it, where the plant has one, in ``behind``."""
    if behind is not None:
        flags = violated(behind.challenger)
        where = f"{int(flags.sum())} of {len(flags)} episodes"
        bound = 100.0 * upper95(int(flags.sum()), len(flags))
        yield Criterion("limits", "violations behind the shield, 95 % upper bound", bound, "at most", 0.1, "%", where)
    before, after = (np.concatenate([violated(run) for run in runs]) for runs in _each(pairs))
    more = 100.0 * matched_upper95(int((after & ~before).sum()), int((before & ~after).sum()), len(after))
    where = f"{int(after.sum())} against {int(before.sum())} of {len(after)} episodes"
    yield Criterion(
        "limits", "violations without the shield, 95 % upper bound of the increase", more, "at most", 0.5, "pp", where
    )


def costs(pairs: Sequence[Pair], seed: int = 0) -> Iterator[Criterion]:
    """Judge that no scenario costs more, by interquartile means, and that the challenger is ahead in most episodes."""
    for pair in pairs:
        name = "interquartile mean of the cost saved, 95 % lower bound"
        yield Criterion("cost", name, saved(*pair.costs, seed), "at least", -2.0, "%", pair.scenario)
    low = ahead([pair.costs for pair in pairs], seed)
    yield Criterion(
        "cost", "episodes that the challenger wins, 95 % lower bound", 100.0 * low, "above", 50.0, "%", "all scenarios"
    )


def saved(before: Array, after: Array, seed: int = 0) -> float:
    """Return the lower end of the 95 % interval of the interquartile mean's fall, in % of it; both from the same resamples."""
    rows = np.random.default_rng(seed).integers(len(before), size=(RESAMPLES, len(before)))
    gain = _middle(before[rows]) - _middle(after[rows])
    usual = abs(float(_middle(before[None])[0]))
    return float(100.0 * np.quantile(gain, 0.025) / max(usual, 1e-12))


def _middle(values: Array) -> Array:
    """Return the interquartile mean of each row."""
    cut = values.shape[1] // 4
    middle: Array = np.sort(values, axis=1)[:, cut : values.shape[1] - cut].mean(axis=1)
    return middle


def ahead(costs: Sequence[tuple[Array, Array]], seed: int = 0) -> float:
    """Return the lower end of the 95 % interval of the share of episodes that cost less; a tie is half a win.

    Episodes are drawn again within their scenario, and every scenario has the same weight.
    """
    rng = np.random.default_rng(seed)
    shares = []
    for before, after in costs:
        won = wins(before, after)
        shares.append(won[rng.integers(len(won), size=(RESAMPLES, len(won)))].mean(axis=1))
    return float(np.quantile(np.mean(shares, axis=0), 0.025))


def worst(pairs: Sequence[Pair], window: int) -> Iterator[Criterion]:
    """Judge the worst tenth of the episodes, and the worst ``window`` decisions in a row of any."""
    for pair in pairs:
        before, after = (-worst_tenth(-each) for each in pair.costs)
        yield Criterion(
            "worst case", "cost saved in the worst tenth", percent(after, before), "at least", -5.0, "%", pair.scenario
        )
        segments = [segment(run.cost, window) for run in (pair.champion, pair.challenger)]
        plant, (after, episode, first) = pair.champion.episodes.plant, segments[1]
        where = f"{pair.scenario} {episode + 1} from {first * plant.decision:.4g} {plant.time_unit}"
        value = percent(after, segments[0][0])
        yield Criterion("worst case", f"cost saved in the worst {window} decisions", value, "at least", -5.0, "%", where)


def segment(cost: Array, window: int) -> tuple[float, int, int]:
    """Return the largest mean cost of ``window`` decisions in a row, with its episode and its first decision."""
    width = min(window, cost.shape[1])
    sums = np.cumsum(np.pad(cost, ((0, 0), (1, 0))), axis=1)
    means = (sums[:, width:] - sums[:, :-width]) / width
    episode, first = np.unravel_index(int(np.argmax(np.where(np.isfinite(means), means, np.inf))), means.shape)
    return float(means[episode, first]), int(episode), int(first)


def behaviour(before: Single, after: Single, pairs: Sequence[Pair]) -> Iterator[Criterion]:
    """Judge the change of actions (probes, actions) on frozen observations, and of the actions taken in closed loop."""
    mean, most = moved(before, after)
    yield Criterion(CONSENT, "mean change of an action, of its range", 100.0 * mean, "at most", 5.0, "%", f"{len(before)} probes")
    yield Criterion(
        CONSENT, "99th percentile of the change, of its range", 100.0 * most, "at most", 15.0, "%", f"{len(before)} probes"
    )
    agree = 100.0 * float(same_sign(before, after).mean())
    yield Criterion(CONSENT, "actions of the same sign", agree, "at least", 95.0, "%", f"{len(before)} probes")
    for pair in pairs:
        paths = [run.path["v"][:, 1:] for run in (pair.champion, pair.challenger)]
        found = [shift(*(path[:, :, i] for path in paths)) for i in range(paths[0].shape[2])]
        yield Criterion(CONSENT, "stability index of the actions taken", max(found), "at most", ACT, "PSI", pair.scenario)


def same_sign(before: Single, after: Single) -> Array:
    """Return where actions have the same sign, or one of them has none."""
    undecided = np.minimum(np.abs(before), np.abs(after)) < FEWEST_SIGNS
    return np.asarray(undecided | (np.sign(before) == np.sign(after)))


def shift(before: Array, after: Array) -> float:
    """Return the stability index of values (episodes, samples) against those before, less what chance brings."""
    expected = reference(before)
    return psi(expected, along(expected.edges, after))[0]


def effort(pairs: Sequence[Pair], behind: Pair | None, first: bool) -> Iterator[Criterion]:
    """Judge valve travel, interventions of the shield and discomfort; a ``first`` champion is compared with the PID layer."""
    allowed = MOST_TRAVEL_OF_PID if first else MOST_TRAVEL
    for pair in pairs:
        before, after = (_travel(run) for run in (pair.champion, pair.challenger))
        ratio, valve = max((_ratio(after[name], before[name], SLACK), name) for name in before)
        yield Criterion("effort", "valve travel, as a multiple", ratio, "at most", allowed, "times", f"{pair.scenario}, {valve}")
        if pair.champion.episodes.plant.building is not None:
            before_, after_ = (float(building(run)["tdis"].values.mean()) for run in (pair.champion, pair.challenger))
            ratio = _ratio(after_, before_, SLACK_DISCOMFORT)
            yield Criterion("effort", "discomfort, as a multiple", ratio, "at most", DISCOMFORT, "times", pair.scenario)
    if behind is not None:
        before_, after_ = (_interventions(run) for run in (behind.champion, behind.challenger))
        where = f"{after_:.3g} % against {before_:.3g} % of decisions"
        yield Criterion("effort", "increase of interventions by the shield", after_ - before_, "at most", 1.0, "pp", where)


def _travel(run: Run) -> dict[str, float]:
    return {name: float(kpi.values.mean()) for name, kpi in kpis(run).items() if name.endswith(" travel")}


def _ratio(after: float, before: float, slack: float) -> float:
    """Return a multiple, 1 where the difference is within what does not count."""
    if after - before <= slack:
        return min(after / before, 1.0) if before > 0.0 else 1.0
    return after / before if before > 0.0 else math.inf


def _interventions(run: Run) -> float:
    assert run.share is not None
    return 100.0 * float((run.share < 1.0).mean())


def repeatable(once: Run, again: Run) -> Criterion:
    """Judge that the same episodes bring the same numbers, to the last bit."""
    differing = int((once.cost[: len(again.cost)] != again.cost).any(axis=1).sum())
    return Criterion(
        "repeatable", "episodes that differ when run again", differing, "at most", 0.0, "episodes", f"{len(again.cost)}"
    )


def _each(pairs: Sequence[Pair]) -> tuple[list[Run], list[Run]]:
    return [pair.champion for pair in pairs], [pair.challenger for pair in pairs]
