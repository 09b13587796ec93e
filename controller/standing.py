"""How controllers stand in every case of a benchmark: who wins, by how much, how sure that is, and what was violated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from controller.benchmark import ladder
from controller.cell import SEGMENTS, Cell, Outcome
from controller.named import SHIFTED
from controller.score import Scale
from controller.statistics import ROUNDING, Interval, crossed_difference, upper95, win_rate, worst_tenth
from controller.variants import Variant
from plant_models.core.duty import Tracking
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Protocol

NMPC, PID = "nmpc", "pid"
CROSSED = "hard-limit violations"
COUNTED = (CROSSED, "trips", "failed integrations")


@dataclass(frozen=True)
class Case:
    """What controllers are compared on: a plant's scenario in one of its variants."""

    plant: Plant
    scenario: str
    variant: Variant

    @property
    def protocol(self) -> Protocol:
        """What the scenario asks."""
        return self.plant.scenario(self.scenario).protocol

    @property
    def title(self) -> str:
        """The case in words."""
        return f"{self.plant.name}, {self.scenario}" + ("" if self.variant == "none" else f", {self.variant}")


@dataclass(frozen=True)
class Sample:
    """A controller's runs of one case: ``cost`` and ``figures`` (policies, n), ``segments`` (policies, n, SEGMENTS)."""

    cells: tuple[Cell, ...]
    cost: Array
    segments: Array
    figures: Mapping[str, Array]
    units: Mapping[str, str]
    seconds: float

    def first(self, episodes: int) -> Sample:
        """Return the same on the first episodes alone."""
        figures = {name: each[:, :episodes] for name, each in self.figures.items()}
        return replace(self, cost=self.cost[:, :episodes], segments=self.segments[:, :episodes], figures=figures)

    def total(self, name: str, first: int | None = None) -> int:
        """Return a count over all runs, or over the first episodes; zero where the plant has no such figure."""
        return int(self.figures[name][:, :first].sum()) if name in self.figures else 0


@dataclass(frozen=True)
class Compared:
    """All controllers' runs of one case, by label; NMPC's may be on the first of the episodes only."""

    case: Case
    samples: Mapping[str, Sample]

    @cached_property
    def floor(self) -> str:
        """The label of the floor that was run; an empty text without one."""
        lowest = next(iter(ladder(self.case.plant)))
        return lowest if lowest in self.samples else ""

    @cached_property
    def unit(self) -> float:
        """What gains over PID are told in: PID's own cost where a duty tracks, for then zero is perfect, else what it gains.

        That gain is over the floor; where no floor was run, PID's cost stands for it too.
        """
        pid = self.samples[PID].cost
        earns = self.floor and not isinstance(self.case.plant.duty, Tracking)
        gained = abs(float((self.samples[self.floor].cost - pid).mean())) if earns else 0.0
        return gained or float(np.abs(pid).mean()) or 1.0

    @cached_property
    def scale(self) -> Scale | None:
        """The scale from PID to NMPC; None where floor, PID or NMPC did not run."""
        if not self.floor or not {PID, NMPC} <= set(self.samples):
            return None
        return Scale(*(self.samples[name].cost[0] for name in (self.floor, PID, NMPC)))

    def first(self, label: str, episodes: int) -> Compared:
        """Return the same with the first episodes alone of one controller."""
        return replace(self, samples={**self.samples, label: self.samples[label].first(episodes)})

    def shown(self) -> list[str]:
        """Return the labels that a table shows."""
        return [label for label in self.samples if not label.startswith(SHIFTED)]

    def gains(self, label: str) -> Array:
        """Return the gains over PID as shares of ``unit``, (runs,): of training seeds, or of one's episodes."""
        cost = self.samples[label].cost
        gained = (self.samples[PID].cost[0, : cost.shape[1]] - cost) / self.unit
        return np.asarray(gained.mean(axis=1) if len(gained) > 1 else gained[0])

    def standing(self, label: str) -> Standing:
        """Return how a controller stands."""
        sample = self.samples[label]
        pid = self.samples[PID] if PID in self.samples and label != PID else None
        n = sample.cost.shape[1]
        against = None if pid is None else pid.cost[0, :n]
        gap, score = self._score(label)
        events = sample.total(CROSSED)
        return Standing(
            case=self.case, label=label, policies=len(sample.cost), episodes=n, unit=self.case.plant.worth,
            cost=float(sample.cost.mean()), cvar=worst_tenth(sample.cost),
            saved=None if against is None else crossed_difference(against, sample.cost), share=self.unit if pid else 0.0,
            wins=None if against is None else win_rate(np.broadcast_to(against, sample.cost.shape), sample.cost),
            segment=_worst_segment(sample, pid), score=score, gap=gap, violations=events,
            rate=upper95(events, sample.cost.size), trips=sample.total("trips"), failed=sample.total("failed integrations"),
            kpis={k: float(v.sum() if k in COUNTED else v.mean()) for k, v in sample.figures.items()}, units=sample.units,
            commands=tuple(cell.command for cell in sample.cells), seconds=sample.seconds,
        )  # fmt: skip

    def _score(self, label: str) -> tuple[str, Interval | None]:
        """Return whether there is a gap between PID and NMPC, in words, and where there is one the score."""
        if self.scale is None:
            return "", None
        if not self.scale.gap:
            return "open" if self.scale.undecided else "no gap", None
        return "gap", self.scale.score(self.samples[label].cost)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One row: ``cost``, ``saved`` against PID and ``cvar`` in ``unit``, ``share`` what a relative gain of one is in it.

    ``segment`` is the number of the episode's part in which the controller stands worst, its cost, and PID's there. ``rate`` is
    the upper 95 % bound of the share of episodes that cross a hard limit.
    """

    case: Case
    label: str
    policies: int
    episodes: int
    unit: str
    cost: float
    cvar: float
    saved: Interval | None
    share: float
    wins: float | None
    segment: tuple[int, float, float | None]
    score: Interval | None
    gap: str
    violations: int
    rate: float
    trips: int
    failed: int
    kpis: Mapping[str, float]
    units: Mapping[str, str]
    commands: tuple[str, ...]
    seconds: float

    @property
    def verdict(self) -> str:
        """Against PID, by the 95 % interval; what rounding alone may make is neither lead nor loss."""
        if self.saved is None:
            return ""
        nothing = ROUNDING * abs(self.cost)
        return "ahead" if self.saved.low > nothing else "behind" if self.saved.high < -nothing else "unclear"

    def as_json(self) -> dict[str, Any]:
        """Return the row by names."""
        case, segment = self.case, dict(zip(("part", "cost", "pid"), self.segment, strict=True))
        return {
            "plant": case.plant.name, "duty": case.plant.duty.kind, "protocol": case.protocol, "scenario": case.scenario,
            "variant": case.variant, "controller": self.label, "policies": self.policies, "episodes": self.episodes,
            "unit": self.unit, "cost": self.cost, "worst_tenth": self.cvar,
            "saved": None if self.saved is None else self.saved.as_json(),
            "saved_share": None if self.saved is None else self.saved.mean / self.share, "verdict": self.verdict,
            "win_rate": self.wins, "worst_segment": segment | {"of": SEGMENTS}, "gap": self.gap,
            "score": None if self.score is None else self.score.as_json(), "violations": self.violations,
            "violation_rate_below": self.rate, "trips": self.trips, "failed": self.failed, "kpis": dict(self.kpis),
            "units": dict(self.units), "commands": list(self.commands), "seconds": self.seconds,
        }  # fmt: skip


def compared(results: Iterable[tuple[Cell, Outcome]]) -> list[Compared]:
    """Return every case with all controllers' runs of it, in the order in which they came."""
    cases: dict[tuple[str, str, Variant], Case] = {}
    found: dict[Case, dict[str, dict[str, list[tuple[Cell, Outcome]]]]] = {}
    for cell, outcome in results:
        plant, scenario = cell.source.case()
        case = cases.setdefault((plant.name, scenario, cell.variant), Case(plant, scenario, cell.variant))
        found.setdefault(case, {}).setdefault(cell.label, {}).setdefault(cell.digest, []).append((cell, outcome))
    return [Compared(case, {label: _sample(parts) for label, parts in labels.items()}) for case, labels in found.items()]


def _sample(by_policy: Mapping[str, list[tuple[Cell, Outcome]]]) -> Sample:
    """Join the cells of each policy, and the policies."""
    joined = [sorted(parts, key=lambda part: part[0].first) for parts in by_policy.values()]
    first = joined[0][0][1]
    runs = [[outcome for _, outcome in parts] for parts in joined]
    return Sample(
        tuple(cell for parts in joined for cell, _ in parts),
        np.array([[cost for outcome in each for cost in outcome.cost] for each in runs]),
        np.array([[parts for outcome in each for parts in outcome.segments] for each in runs]),
        {name: np.array([[v for outcome in each for v in outcome.figures[name]] for each in runs]) for name in first.figures},
        first.units, sum(outcome.seconds for each in runs for outcome in each),
    )  # fmt: skip


def _worst_segment(sample: Sample, pid: Sample | None) -> tuple[int, float, float | None]:
    """Return the part of the episodes in which a controller loses most against PID, or costs most where there is no PID."""
    own = sample.segments.mean(axis=(0, 1))
    if pid is None:
        worst = int(own.argmax())
        return worst + 1, float(own[worst]), None
    other = pid.segments[:, : sample.cost.shape[1]].mean(axis=(0, 1))
    worst = int((own - other).argmax())
    return worst + 1, float(own[worst]), float(other[worst])
