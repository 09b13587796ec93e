"""What a benchmark says over all its cases: interquartile mean, probability of improvement, performance profile, fronts.

After R. Agarwal et al., Deep reinforcement learning at the edge of the statistical precipice, NeurIPS 2021: cases are strata,
runs are training seeds, or episodes where one policy ran. Every case weighs the same, however many runs it has, and variants of
one scenario, which share their episodes, are drawn again together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from controller.comfort import Point, Tried, front, price, saved
from controller.named import SHIFTED
from controller.standing import CROSSED, PID, Compared
from controller.statistics import (
    Interval,
    interquartile_mean,
    performance_profile,
    probability_of_improvement,
    stratified_bootstrap,
    upper95,
)
from plant_models.core.duty import Economic
from plant_models.core.scenario import Array

DISCOMFORT = "tdis"


@dataclass(frozen=True)
class Overall:
    """A controller over all cases it ran in: ``iqm`` of its relative gains over PID.

    A variant that changes no cost of PID's is no case of its own. ``pid`` are PID's violations in the ``compared`` episodes that
    the controller ran too, by one policy or by several. ``rates`` are the shares of episodes with a violation, its own and
    PID's, in which every case weighs the same however many policies ran.
    """

    label: str
    cases: int
    iqm: Interval
    improvement: float
    ahead: int
    behind: int
    violations: int
    episodes: int
    pid: int
    compared: int
    rates: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return {
            "cases": self.cases, "iqm": self.iqm.as_json(), "probability_of_improvement": self.improvement, "ahead": self.ahead,
            "behind": self.behind, "unclear": self.cases - self.ahead - self.behind, "violations": self.violations,
            "episodes": self.episodes, "violations_of_pid": self.pid, "episodes_of_pid": self.compared,
            "violation_rate": self.rates[0], "violation_rate_of_pid": self.rates[1],
            "violation_rate_below": upper95(self.violations, self.episodes),
        }  # fmt: skip


def labels(cases: Sequence[Compared]) -> list[str]:
    """Return the controllers of all cases, PID last of those without training."""
    return list(dict.fromkeys(label for case in cases for label in case.shown()))


def overall(cases: Sequence[Compared]) -> list[Overall]:
    """Return every controller but PID over the cases that PID ran too."""
    distinct = _distinct(_beside(cases))
    return [_one([c for c in distinct if label in c.samples], label) for label in labels(distinct) if label != PID]


def _unchanged(cases: Sequence[Compared]) -> list[Compared]:
    """Return the variants that change no cost of PID's: to count them would count the scenario twice."""
    plain = {_scenario(case): case.samples[PID].cost for case in _beside(cases) if case.case.variant == "none"}
    return [
        case for case in _beside(cases)
        if case.case.variant != "none" and _scenario(case) in plain
        and np.array_equal(case.samples[PID].cost, plain[_scenario(case)])
    ]  # fmt: skip


def uncounted(cases: Sequence[Compared]) -> list[str]:
    """Return in words which variants change no cost of PID's, and so do not count over all cases."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in _unchanged(cases):
        found.setdefault((each.case.plant.name, each.case.variant), []).append(each.case.scenario)
    return [
        f"{plant}: variant {variant!r} changes no cost of PID's in {', '.join(scenarios)}; over all cases it does not count"
        for (plant, variant), scenarios in found.items()
    ]


def _distinct(cases: Sequence[Compared]) -> list[Compared]:
    same = {id(case) for case in _unchanged(cases)}
    return [case for case in cases if id(case) not in same]


def _scenario(case: Compared) -> tuple[str, str]:
    return case.case.plant.name, case.case.scenario


def _beside(cases: Sequence[Compared]) -> list[Compared]:
    return [case for case in cases if PID in case.samples]


def _one(cases: Sequence[Compared], label: str) -> Overall:
    strata = _strata(cases, label)
    typical = partial(interquartile_mean, weights=np.concatenate([np.full(each.size, 1.0 / len(each)) for each in strata]))
    iqm = Interval(typical(np.concatenate([each.ravel() for each in strata])), *stratified_bootstrap(strata, typical))
    standings = [case.standing(label) for case in cases]
    verdicts = [standing.verdict for standing in standings]
    samples = [case.samples[label] for case in cases]
    counts = [sample.cost.shape[1] for sample in samples]
    crossed = [each.violations for each in standings]
    by_pid = [case.samples[PID].total(CROSSED, n) for case, n in zip(cases, counts, strict=True)]
    pairs = [(-sample.cost.ravel(), -case.samples[PID].cost.ravel()) for case, sample in zip(cases, samples, strict=True)]
    return Overall(
        label, len(cases), iqm, probability_of_improvement(pairs),
        verdicts.count("ahead"), verdicts.count("behind"), sum(crossed), sum(sample.cost.size for sample in samples),
        sum(by_pid), sum(counts), (_mean_rate(crossed, [sample.cost.size for sample in samples]), _mean_rate(by_pid, counts)),
    )  # fmt: skip


def _mean_rate(crossed: Sequence[int], of: Sequence[int]) -> float:
    return float(np.mean(np.divide(crossed, of)))


def _strata(cases: Sequence[Compared], label: str) -> list[Array]:
    """Return the gains of each scenario, (runs, variants); apart where a variant has fewer runs."""
    found: dict[tuple[str, str, int], list[Array]] = {}
    for case in cases:
        gains = case.gains(label)
        found.setdefault((*_scenario(case), len(gains)), []).append(gains)
    return [np.stack(variants, axis=1) for variants in found.values()]


def profiles(cases: Sequence[Compared], scores: Array) -> dict[str, tuple[Array, Array, Array]]:
    """Return for every controller but PID the share of runs that gain more than each of ``scores``, with its band."""
    beside = _distinct(_beside(cases))
    found = {}
    for label in labels(beside):
        strata = [case.gains(label) for case in beside if label in case.samples]
        if label != PID:
            found[label] = performance_profile(strata, scores)
    return found


@dataclass(frozen=True)
class Trade:
    """What cost is paid with in one case: a point for each controller, (x, cost), and PID's own front.

    ``saved`` is what each controller but PID costs less than PID on its front at the controller's own discomfort.
    """

    title: str
    x: str
    unit: str
    points: dict[str, tuple[float, float]]
    front: tuple[tuple[float, float], ...]
    saved: dict[str, Interval]

    def as_json(self) -> dict[str, Any]:
        """Return the points by controller."""
        return {"against": self.x, "unit": self.unit, "points": {k: list(v) for k, v in self.points.items()},
                "front": [list(point) for point in self.front],
                "saved_at_equal_comfort": {k: v.as_json() for k, v in self.saved.items()}}  # fmt: skip


def trade(case: Compared) -> Trade | None:
    """Return cost against discomfort for a building, against time beyond limits for another economic plant; else None."""
    plant = case.case.plant
    if not isinstance(plant.duty, Economic):
        return None
    if plant.building is not None and f"{SHIFTED}0" in case.samples:
        return _comfort(case)
    means = {label: (_beyond(case, label), float(case.samples[label].cost.mean())) for label in case.shown()}
    return Trade(case.case.title, "time beyond limits (h)", plant.worth, means, (), {})


def _beyond(case: Compared, label: str) -> float:
    figures = case.samples[label].figures
    return float(sum(values.mean() for name, values in figures.items() if name.startswith("time beyond")))


def _comfort(case: Compared) -> Trade:
    """Compare without what discomfort is charged: at equal discomfort that is the same."""
    shifted = [label for label in case.samples if label.startswith(SHIFTED)]
    charged = max(price(*_charges(case, label)) for label in shifted)
    tried = Tried(tuple(_point(case, label, charged) for label in shifted), charged)
    points = {label: _point(case, label, charged) for label in case.shown()}
    ends = tuple((float(p.discomfort.mean()), float(p.cost.mean())) for p in front(tried.points))
    n = len(tried.points[0].cost)
    gained = {label: saved(tried.points, p) for label, p in points.items() if label != PID and len(p.cost) == n}
    means = {label: (float(p.discomfort.mean()), float(p.cost.mean())) for label, p in points.items()}
    return Trade(case.case.title, "discomfort (K h/zone)", case.case.plant.worth, means, ends, gained)


def _point(case: Compared, label: str, charged: float) -> Point:
    """Return a controller's mean over its policies, (n,)."""
    sample = case.samples[label]
    discomfort = sample.figures[DISCOMFORT].mean(axis=0)
    return Point(sample.cost.mean(axis=0) - charged * discomfort, discomfort)


def _charges(case: Compared, label: str) -> tuple[Array, Array]:
    """Return what each term of the cost came to, (n, terms), and the discomfort, (n,)."""
    figures = case.samples[label].figures
    terms = [values[0] for name, values in figures.items() if name.endswith(" cost")]
    return np.stack(terms, axis=1), figures[DISCOMFORT][0]
