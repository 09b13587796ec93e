"""What the shell must know of a plant before it can be trusted: found by simulation, measured on other simulations.

1. The estimator's gain, and the error that it leaves.
2. How far disturbances move over the horizon, and the corners that are worst for each limit.
3. The reserve that a move must keep beyond the limits: what most moves near them lose of it afterwards, and of no limit more than
   half of its margin at the nominal point, or nothing could move where the plant is meant to run.
4. The margins that certificates must keep: the largest that was foreseen where a certificate was given in vain, so that on
   these situations none would have been. Of n exchangeable situations at most one in n + 1 is then expected to be in vain.
5. How much of the reserve is needed, as what is kept beyond that refuses moves in vain: a quarter or else a half, where no
   margins are needed in its place, hardly a decision is left without a certificate, and every limit is kept in the worst cases
   that a search finds, as well as with all of it; else all of it, and margins grow, step by step, until worst cases and an
   attack fitted to the shield are kept too.

Source: Angelopoulos and others, Conformal risk control, ICLR 2024, theorem 1, where the loss is a certificate in vain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from controller.safety.adversaries import channels, command, mixed
from controller.safety.attack import courses, sequences
from controller.safety.corners import Situations, Spread, enforced, further, scales, shares, worst
from controller.safety.estimator import Estimator, Gain, Unknowns
from controller.safety.evolution import Found
from controller.safety.field import Field, unmoved
from controller.safety.governor import Calibration, Governor
from controller.safety.learning_gain import Known, learn
from controller.safety.losses import Losses
from controller.safety.shield import UNCERTIFIED, Decision, Flags
from controller.safety.worst_case import Space, search
from plant_models.core.duty import Batch
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.env.lookahead import Command, Lookahead, Standing
from plant_models.env.scenario import Episodes, draw

HORIZONS, LONG = (4, 6, 9, 13, 20, 30, 45), 90
"""Decisions that may be looked ahead, and those after which what a held command leads to has shown."""
MISSED = 0.002
"""Share of situations that may cross a limit after the horizon and not within it."""
ROUNDS, CORNERED, MORE = 5, 3, 2
"""Rounds of governed episodes, those of them that add corners, and how many each adds; the others widen the margins."""
KEPT = 0.5
"""Share of a margin at the nominal point that is the most a move must keep in reserve."""
HARDER, GENERATIONS, ATTACKED = 6, 10, 128
"""How often margins may grow to keep what worst cases and an attack show; generations of the attack, and its episodes."""
GROWTH = 0.1
"""The most by which they grow at once, a share of the margin at the nominal point: worst cases may come as a surprise."""
NEEDED, UNSURE = (0.25, 0.5), 0.05
"""Shares of the reserve that are tried, the least first, and the most decisions in which nothing may then be certified."""
SEARCHED, ROOM = 1024, 0.01
"""Worst cases searched for with each, and the share of its margin at the nominal point that every limit must keep in them.

Where all of the reserve keeps less, as of a limit that the plant is run along, as much as that.
"""
BEYOND = 1e-6
CHECKED = 60
"""Decisions of a governed episode, at least, whose certificates are held against the real plants."""
MOMENTS = 12
"""Moments of an episode that are looked at before there is a shield."""
RARE = 0.999
"""Share of the cases in which a disturbance moves less than it is reckoned with."""


def situations(plant: Plant, scenario: Scenario, gain: Gain, seed: int, n: int, every: int) -> Situations:
    """Collect situations under commands of all kinds."""
    field = Field(plant, draw(plant, scenario, seed, n, "tuning"))
    estimator = Estimator(plant, n, gain)
    moves = mixed(n, scenario.steps, channels(plant), np.random.default_rng(seed))
    reading, met = field.read(), []
    estimator.begin(np.arange(n), reading)
    for k in range(scenario.steps):
        estimator.correct(reading)
        sent = command(plant, moves[:, k])
        standing = estimator.standing(reading)
        if k % every == every // 2:
            at = field.running
            met.append((standing.of(at), np.full(int(at.sum()), k), sent.of(at)))
        estimator.predict(standing, sent)
        field.command(sent)
        reading = field.read()
    standings, phase, commands = zip(*met, strict=True)
    together = Command(*(np.concatenate(part) for part in zip(*commands, strict=True)))
    return Situations(_joined(standings), np.concatenate(phase), together, after(plant, together))


def _joined(parts: tuple[Standing, ...]) -> Standing:
    return Standing(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


def drift(episodes: Episodes, horizon: int) -> Array:
    """Return how far each disturbance moves within a horizon, (horizon + 1, disturbances), in 999 of a thousand cases."""
    d = episodes.exogenous[:, :, : len(episodes.plant.Disturbance.names())]
    far = [np.zeros(d.shape[2])]
    for h in range(1, min(horizon + 1, d.shape[1] - 1)):
        moved = np.abs(d[:, h:] - d[:, :-h]).reshape(-1, d.shape[2])
        far.append(np.maximum(far[-1], np.quantile(moved, RARE, axis=0)))
    return np.stack(far)


def horizon(plant: Plant, met: Situations) -> int:
    """Return the decisions over which most held commands show the worst that they lead to."""
    ahead, at = Lookahead(plant), enforced(plant)

    def safe(decisions: int) -> Flags:
        lowest = ahead.hold(met.standing, met.sent, met.then, decisions).lowest[:, 0, at]
        return np.asarray((lowest >= 0.0).all(axis=1))

    for_long = safe(LONG)
    enough = [h for h in HORIZONS if (safe(h) & ~for_long).mean() <= MISSED]
    return min(enough, default=HORIZONS[-1])


def calibrate(plant: Plant, scenario: Scenario, seed: int = 0, n: int = 256) -> Calibration:
    """Find what the shell must know of a plant in a scenario.

    Corners are found where certificates turn out to have been given in vain; what no corner explains, the margins cover. Of the
    reserve no more is kept than the worst cases need.
    """
    known = learn(plant, scenario, seed=seed)
    met = situations(plant, scenario, known.gain, seed + 2, 128, max(1, scenario.steps // MOMENTS))
    far = horizon(plant, met)
    spread = _spread(plant, known, drift(draw(plant, scenario, seed + 2, n, "tuning"), far))
    nothing = np.zeros(len(enforced(plant)))
    found = Calibration(known.gain, spread, worst(plant, met, spread, far), far, nothing, nothing)
    for turn in range(CORNERED):
        ran = governed(plant, scenario, found, seed + 3 + turn, n)
        found = replace(found, signs=_cornered(plant, ran.vain, found), slack=ran.reserve)
    whole = np.minimum(found.slack, KEPT * scales(plant))
    space, near = Space.of(plant, scenario, seed), list[tuple[float, Calibration]]()
    for share in NEEDED:
        less, uncertified = _margined(plant, scenario, replace(found, slack=share * whole), seed, n)
        if uncertified <= UNSURE and not less.margins.any():
            room = float(search(space, less, seed, SEARCHED).values[0])
            if room >= ROOM:
                return less
            near.append((room, less))
    full, _ = _margined(plant, scenario, replace(found, slack=whole), seed, n)
    worst_cases = search(space, full, seed, SEARCHED)
    as_good = [less for room, less in near if room >= max(0.0, worst_cases.values[0])]
    return as_good[0] if as_good else _hardened(space, full, worst_cases, seed)


def _hardened(space: Space, known: Calibration, found: Found, seed: int) -> Calibration:
    """Return what is known with margins that keep worst cases and a fitted attack off the limits; as it was where none do.

    The worst cases ``found`` are those of what is known now. Where a limit is crossed though no certificate was in vain, nothing
    having been certified, no margins help.
    """
    plant, scenario, harder = space.base.plant, space.base.scenario, known
    for turn in range(HARDER):
        if turn:
            found = search(space, harder, seed + turn, SEARCHED)
        kept = bool(found.values[0] >= ROOM)
        episodes, moves = _attacked(plant, scenario, harder, seed + turn) if kept else space.cases(found.points)
        vain = _governed(Field(plant, episodes), moves, harder, 1).vain
        if not vain:
            return harder if found.values[0] >= 0.0 else known
        margins = np.minimum(_stricter(harder.margins, vain), harder.margins + GROWTH * scales(plant))
        harder = replace(harder, margins=margins)
    return known


def _attacked(plant: Plant, scenario: Scenario, known: Calibration, seed: int) -> tuple[Episodes, Array]:
    """Return tuning episodes and the moves, (n, steps, channels), of sequences that are fitted against the shield."""
    each = courses(sequences(plant, scenario, known, seed, GENERATIONS), scenario.steps)
    return draw(plant, scenario, seed, ATTACKED, "tuning"), each[np.arange(ATTACKED) % len(each)]


def _margined(plant: Plant, scenario: Scenario, known: Calibration, seed: int, n: int) -> tuple[Calibration, float]:
    """Return what is known with the margins that certificates must keep, and the share of decisions without a certificate."""
    uncertified = list[float]()
    for turn in range(CORNERED, ROUNDS):
        ran = governed(plant, scenario, known, seed + 3 + turn, n)
        known = replace(known, margins=_stricter(known.margins, ran.vain))
        uncertified.append(ran.uncertified)
    return known, max(uncertified)


def _spread(plant: Plant, known: Known, moving: Array) -> Spread:
    """Return how far off everything may be; a disturbance that nobody measures is off by the estimate's error to begin with."""
    unknowns = Unknowns.of(plant)
    states, hidden, _ = unknowns.split(known.error)
    moving[:, list(unknowns.disturbances)] += hidden[-1]
    return Spread(states, moving, shares(plant))


@dataclass(frozen=True)
class Vain:
    """A certificate given in vain: its situations, the limit that was crossed, the margin that was foreseen and the real one."""

    met: Situations
    limits: Array
    foreseen: Array
    real: Array


@dataclass(frozen=True)
class Governed:
    """What governed episodes show.

    The certificates that the real plants did not keep, how much of each margin (margins,) most moves lose afterwards, and the
    share of decisions in which nothing was certified.
    """

    vain: list[Vain]
    reserve: Array
    uncertified: float


def governed(plant: Plant, scenario: Scenario, known: Calibration, seed: int, n: int) -> Governed:
    """Run governed episodes under commands of all kinds."""
    moves = mixed(n, scenario.steps, channels(plant), np.random.default_rng(seed))
    every = max(1, scenario.steps // CHECKED)
    return _governed(Field(plant, draw(plant, scenario, seed, n, "tuning")), moves, known, every)


def _governed(field: Field, moves: Array, known: Calibration, every: int) -> Governed:
    """Run governed episodes; of one decision in so many the certificates are held against the real plants."""
    plant, (n, steps, _) = field.plant, moves.shape
    governor, found, reading = Governor(plant, n, known), list[Vain](), field.read()
    governor.begin(np.arange(n), reading, unmoved(field))
    losses, unsure, ran = Losses(n, len(known.margins)), 0, 0
    for k in range(steps):
        standing, phase = governor.estimate(reading), governor.phase.copy()
        losses.held(governor.held(standing))
        before = governor.safe
        decision = governor.allow(standing, command(plant, moves[:, k]))
        unsure += int((decision.share[field.running] <= UNCERTIFIED).sum())
        ran += int(field.running.sum())
        losses.moved(decision, before)
        if k % every == 0:
            found += _in_vain(field, Situations(standing, phase, decision.sent, decision.then), decision, known.horizon)
        field.command(decision.sent)
        reading = field.read()
    return Governed(found, losses.reserve(), unsure / max(ran, 1))


def _in_vain(field: Field, met: Situations, decision: Decision, horizon: int) -> list[Vain]:
    """Return the certificates of one decision that the real plants would not keep, one entry for each limit."""
    real = field.held(decision.sent, decision.then, horizon)
    vain = (real < 0.0) & enforced(field.plant) & (decision.share > UNCERTIFIED)[:, None] & field.running[:, None]
    return [
        Vain(met.of(vain[:, c]), np.full(int(vain[:, c].sum()), c), decision.foreseen[vain[:, c], c], real[vain[:, c], c])
        for c in np.flatnonzero(vain.any(axis=0))
    ]


def _cornered(plant: Plant, vain: list[Vain], known: Calibration) -> Array:
    """Return the signs with those added that are worst where most certificates were given in vain."""
    if not vain:
        return known.signs
    rows = [further(plant, part.met, part.limits, known.spread, known.horizon) for part in vain]
    signs, counts = np.unique(np.concatenate(rows), axis=0, return_counts=True)
    chosen = signs[np.argsort(-counts, kind="stable")][:MORE]
    return np.unique(np.concatenate([known.signs, chosen]), axis=0)


def _stricter(kept: Array, vain: list[Vain]) -> Array:
    """Return the margins with which none of these certificates would have been given."""
    kept = kept.copy()
    for part in vain:
        c = int(part.limits[0])
        kept[c] = max(kept[c], part.foreseen.max() * (1.0 + BEYOND))
    return kept


def after(plant: Plant, sent: Command) -> Command | None:
    """Return what a command is certified to be followed by: nothing else, or in a batch the safe action."""
    return Command(sent.r, sent.a, np.ones(len(sent.r), dtype=bool)) if isinstance(plant.duty, Batch) else None
