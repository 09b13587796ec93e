"""Put a challenger through the gate: run it beside the champion, or beside the tuned PID layer where there is none yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from controller.baselines import Pid
from controller.drift import Histogram, references
from controller.gate import CONSENT, SHIELDED, Criterion, Pair, behaviour, costs, effort, limits, repeatable, worst
from controller.interface import Controller, Reading
from controller.policy import Policy
from controller.recording import episode_record
from controller.records import EpisodeRecord
from controller.rollout import Run, rollout
from controller.safety.governor import Calibration
from controller.scores import kpis
from controller.stability import probes
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario
from plant_models.derive.layout import Level
from plant_models.env.scenario import Episodes, Single, draw

EPISODES = 500
"""Episodes of each scenario."""
WATCHED = 64
"""Episodes in which the champion's observations are taken down, and that are run twice."""
REFERENCE = 200
"""Episodes that make the reference for drift."""


@dataclass(frozen=True)
class Scope:
    """What is judged on: ``episodes`` of each scenario, ``shielded`` ones of the first behind the shield, and a seed."""

    scenarios: tuple[Scenario, ...]
    episodes: int = EPISODES
    shielded: int = SHIELDED
    seed: int = 0


@dataclass(frozen=True)
class Judgement:
    """The criteria one by one, whom the challenger was compared with, the user's ``consent``, and the challenger's reference."""

    against: str
    criteria: tuple[Criterion, ...]
    consent: str
    reference: dict[str, Histogram]

    @property
    def accepted(self) -> bool:
        """Whether every criterion is met; with a reason given for it, behaviour may have changed."""
        return not self.unmet

    @property
    def unmet(self) -> tuple[Criterion, ...]:
        """The criteria that stand in the way."""
        return tuple(c for c in self.criteria if not c.passed and not (self.consent and c.group == CONSENT))

    @property
    def reason(self) -> str:
        """Why, in one line."""
        if self.accepted:
            return f"all criteria met against {self.against}" + (f"; change accepted: {self.consent}" if self.consent else "")
        told = [f"{c.name} {c.value:.3g} {c.unit}, {c.sense} {c.limit:g} ({c.where})" for c in self.unmet]
        return "; ".join(told)

    def as_json(self) -> dict[str, Any]:
        """Return everything by name."""
        return {"against": self.against, "accepted": self.accepted, "reason": self.reason, "consent": self.consent,
                "criteria": [c.as_json() for c in self.criteria],
                "reference": {name: histogram.as_json() for name, histogram in self.reference.items()}}  # fmt: skip


@dataclass(frozen=True)
class Watching:
    """A controller whose observations are taken down."""

    inner: Controller
    name: str
    level: Level
    seen: list[Single] = field(default_factory=list)

    @classmethod
    def of(cls, inner: Controller) -> Watching:
        """Watch a controller."""
        return cls(inner, inner.name, inner.level)

    def plan(self, episodes: Episodes) -> Episodes:
        """Leave it to the controller."""
        return self.inner.plan(episodes)

    def act(self, reading: Reading) -> Single:
        """Take the observation down."""
        self.seen.append(reading.observation.copy())
        return self.inner.act(reading)


def judge(
    plant: Plant, challenger: Policy, champion: Policy | None, scope: Scope, shield: Calibration | None = None, consent: str = "",
    report: Callable[[str], None] = lambda what: None,
) -> Judgement:  # fmt: skip
    """Return how a challenger does against the champion, or against the tuned PID layer where there is none.

    ``shield`` is what is known of the first scenario, for a plant that has hard limits.
    """
    before: Controller = champion or Pid(plant)
    pairs = []
    for scenario in scope.scenarios:
        report(f"scenario {scenario.name}: {scope.episodes} episodes")
        episodes = draw(plant, scenario, scope.seed, scope.episodes, "judging")
        pairs.append(Pair(rollout(before, episodes), rollout(challenger, episodes)))
    behind = None
    if shield is not None:
        report(f"behind the shield: {scope.shielded} episodes")
        behind = _behind(plant, before, challenger, scope, shield)
    criteria = tuple(_criteria(plant, challenger, champion, pairs, behind, scope.seed))
    return Judgement(before.name if champion is None else f"champion ({champion.name})", criteria, consent,
                     references(_records((behind or pairs[0]).challenger, challenger.name, scope.seed)))  # fmt: skip


def _behind(plant: Plant, before: Controller, challenger: Policy, scope: Scope, shield: Calibration) -> Pair:
    episodes = draw(plant, scope.scenarios[0], scope.seed, scope.shielded, "judging")
    return Pair(rollout(before, episodes, shield=shield), rollout(challenger, episodes, shield=shield))


def _criteria(
    plant: Plant, challenger: Policy, champion: Policy | None, pairs: Sequence[Pair], behind: Pair | None, seed: int
) -> Iterator[Criterion]:
    yield from limits(pairs, behind)
    yield from costs(pairs, seed)
    yield from worst(pairs, max(1, round(plant.learning.horizon)))
    if champion is not None:
        yield from _change(challenger, champion, pairs)
    yield from effort(pairs, behind, first=champion is None)
    once = pairs[0].challenger
    yield repeatable(once, rollout(challenger, once.episodes[:WATCHED]))


def _change(challenger: Policy, champion: Policy, pairs: Sequence[Pair]) -> Iterator[Criterion]:
    """Compare what both do on frozen observations; where they do not act on the same things nothing can be compared."""
    if challenger.level != champion.level:
        where = f"{challenger.level} against {champion.level}"
        yield Criterion(CONSENT, "actions at the champion's level", 0.0, "at least", 1.0, "", where)
        return
    watching = Watching.of(champion)
    rollout(watching, pairs[0].champion.episodes[:WATCHED])
    frozen = Reading(probes(np.concatenate(watching.seen)))
    yield from behaviour(champion.act(frozen), challenger.act(frozen), pairs)


def _records(run: Run, name: str, seed: int) -> list[EpisodeRecord]:
    """Return the first episodes of a run as they are recorded."""
    few = min(REFERENCE, len(run.total))
    figures = kpis(run)
    units = {key: kpi.unit for key, kpi in figures.items()}
    return [
        episode_record(run, name, e, seed, {key: float(kpi.values[e]) for key, kpi in figures.items()}, units) for e in range(few)
    ]


def observed(champion: Policy, episodes: Episodes, shield: Calibration | None, seed: int) -> list[EpisodeRecord]:
    """Return records of a champion's episodes, to be compared with its reference."""
    return _records(rollout(champion, episodes, shield=shield), champion.name, seed)


def kept_reference(verdict: Mapping[str, Any]) -> dict[str, Histogram]:
    """Return the reference that was kept with a champion's verdict."""
    return {name: Histogram.of_json(kept) for name, kept in verdict.get("reference", {}).items()}
