"""How often the shield is wrong: states that adversaries visit, what was decided there, and what CVODES says of it.

A certificate is false where the true plant crosses a limit by CVODES in a long simulation of what was certified. A refusal is
false where every corner keeps every limit by CVODES, with no margin to spare, under what was refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.exact import corner, real
from controller.safety.calibration import LONG
from controller.safety.corners import enforced, varied
from controller.safety.field import Field, unmoved
from controller.safety.governor import Calibration, Governor
from controller.safety.shield import UNCERTIFIED, Decision
from controller.safety.trial import Supervisor
from plant_models.core.duty import Batch
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command, Lookahead, Standing
from plant_models.env.scenario import Episodes


@dataclass(frozen=True)
class Moment:
    """Plants in the field before a decision: how their variants stand, what was proposed, was safe before, and was decided."""

    k: int
    field: Field
    variants: Standing
    proposed: Command
    safe: Command
    decision: Decision


@dataclass(frozen=True)
class Verdicts:
    """States looked at, those where some move was certified, those where less than the whole was, and what was wrong of each."""

    states: int
    certified: int
    refused: int
    false_safe: int
    false_unsafe: int


def judged(supervisor: Supervisor, episodes: Episodes, known: Calibration, states: int, seed: int) -> Verdicts:
    """Judge decisions at moments drawn by chance, one plant each, while a supervisor acts through the shield."""
    rng = np.random.default_rng(seed)
    asked = np.bincount(rng.integers(0, episodes.scenario.steps, states), minlength=episodes.scenario.steps)
    counts = np.zeros(5, dtype=int)
    for moment in _moments(supervisor, episodes, known):
        running = np.flatnonzero(moment.field.running)
        for e in rng.permutation(running)[: asked[moment.k]]:
            counts += _judged(moment, int(e), known)
    return Verdicts(*counts.tolist())


def _moments(supervisor: Supervisor, drawn: Episodes, known: Calibration) -> Iterator[Moment]:
    episodes = supervisor.plan(drawn)
    field, n = Field(episodes.plant, episodes), len(episodes)
    reading, send, governor = field.read(), supervisor.begin(episodes, 0), Governor(episodes.plant, n, known)
    safe = unmoved(field)
    governor.begin(np.arange(n), reading, safe)
    for k in range(episodes.scenario.steps):
        proposed, standing = send(field, k), governor.estimate(reading)
        variants = varied(field.plant, standing, known.signs, known.spread, governor.phase)
        decision = governor.allow(standing, proposed)
        yield Moment(k, field, variants, proposed, safe, decision)
        safe = decision.safe
        field.command(decision.sent)
        reading = field.read()


def _judged(moment: Moment, e: int, known: Calibration) -> Array:
    """Return what one state adds to each count of :class:`Verdicts`, (5,)."""
    plant, decision = moment.field.plant, moment.decision
    certified, refused = bool(decision.share[e] > UNCERTIFIED), bool(decision.share[e] < 1.0)
    vain = certified and not _kept(plant, real(moment.field, e, decision.sent, decision.then, known.horizon, LONG))
    needless = refused and any(_every_corner(moment, e, then, known) for then in _follows(moment))
    return np.array([1, certified, refused, vain, needless])


def _kept(plant: Plant, lowest: Array) -> bool:
    return bool((lowest[enforced(plant)] >= 0.0).all())


def _follows(moment: Moment) -> tuple[Command | None, ...]:
    """Return what a whole move may be followed by: itself or the last safe command; in a batch the safe action."""
    if isinstance(moment.field.plant.duty, Batch):
        return (moment.safe._replace(safe=np.ones(len(moment.safe.r), dtype=bool)),)
    return None, moment.safe


def _every_corner(moment: Moment, e: int, then: Command | None, known: Calibration) -> bool:
    """Whether every variant keeps its limits by CVODES; the one that is worst by the kernel is asked first."""
    plant, one = moment.field.plant, np.arange(moment.field.n) == e
    ahead = Lookahead(plant)
    outlook = ahead.hold(moment.variants.of(one), moment.proposed.of(one), None if then is None else then.of(one), known.horizon)
    lowest = np.where(outlook.sound, outlook.lowest[:, :, enforced(plant)].min(axis=2), -np.inf)[0]
    order = np.argsort(lowest, kind="stable")
    return all(_kept(plant, corner(plant, moment.variants, e, v, moment.proposed, then, known.horizon)) for v in order)
