"""F6: a valve at its end. A setpoint beyond reach for long must be given up as readily as one beyond reach for a while."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from controller.safety.corners import enforced
from controller.safety.fault_cases import ONSET, final
from controller.safety.fault_trial import Verdict
from controller.safety.field import Field, unmoved
from controller.safety.shield import Flags
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario
from plant_models.env.scenario import Episodes, draw

SHORT, LONG, AFTER = 25, 50, 60
"""Decisions in which the setpoint is beyond reach, and those watched once it is back."""
RELEASED, LAST, STUCK = ONSET + LONG, 10, 3
"""The decision at which it is back, and how many of so many before that have the valve at its end."""
ALLOWED, UNSEEN, AT_END = 1.2, 0.01, 1e-3
"""Times the overshoot after the short one that is allowed, and shares of spans: of what is no overshoot, and of a valve's end."""
QUIET = np.float32(0.05)
"""Share of the instruments' noise, without which they would count as frozen."""
LAYER = "PID"
"""Stands for the mode: the shell has no part in it."""
FAULT, EXPECTED = f"setpoint beyond reach for {LONG} decisions", f"overshoots at most {ALLOWED:g} times as far as after {SHORT}"


@dataclass(frozen=True)
class Beyond:
    """A setpoint of a master loop that may be beyond reach, with the disturbances, (disturbances,), that put it there."""

    master: Loop
    setpoint: float
    d: tuple[float, ...]


def undisturbed(plant: Plant, scenario: Scenario, steps: int, seed: int = 0) -> Episodes:
    """Return an episode of the nominal plant in which nothing is asked for and nothing disturbs, with little noise."""
    drawn = draw(plant, replace(scenario, steps=steps, faults=()), seed, 1, "judging")
    episodes = drawn.under(np.array([list(plant.Parameter.nominal())], dtype=float))
    exogenous = np.repeat(episodes.exogenous[:, :1], episodes.exogenous.shape[1], axis=1)
    exogenous[:, :, : len(plant.Disturbance.names())] = list(plant.Disturbance.nominal())
    exogenous[:, :, episodes.references()] = [plant.Output.quantities()[loop.pv].nominal for loop in plant.masters]
    initial = np.array([list(plant.State.nominal())], dtype=float)
    return replace(episodes, exogenous=exogenous, noise=QUIET * episodes.noise, initial=initial)


def wound_up(plant: Plant, scenario: Scenario, seed: int) -> Verdict:
    """Hold a setpoint beyond reach for long and for short, and compare how far the controlled variable overshoots afterwards."""
    for beyond in _tried(plant):
        long = _held(plant, scenario, seed, beyond, LONG)
        if long.lost.any() or long.at_end[ONSET - STUCK : ONSET].all() or long.at_end[RELEASED - LAST : RELEASED].sum() < STUCK:
            continue
        past, before = (each.overshoot for each in (long, _held(plant, scenario, seed, beyond, SHORT)))
        left = np.flatnonzero(~long.at_end[RELEASED:])
        q = plant.Output.quantities()[beyond.master.pv]
        kept = len(left) > 0 and past <= max(ALLOWED * before, UNSEEN * (q.high - q.low))
        said = f"overshoots by {past:.3g} {q.unit}, after {SHORT} decisions by {before:.3g} {q.unit}"
        return Verdict("F6", FAULT, EXPECTED, LAYER, int(left[0]) + 1 if len(left) else None, said, (), False, kept)
    said = f"{final(plant).tag} is not held at an end by any setpoint and disturbance that keep all limits"
    return Verdict("F6", FAULT, EXPECTED, LAYER, 0, said, (), False, True)


def _tried(plant: Plant) -> Iterator[Beyond]:
    """Yield both ends of the setpoint's range, at nominal disturbances, then with one of these at an end too."""
    master, usual = _master(plant), tuple(plant.Disturbance.nominal())
    ranges = [(q.low, q.high) for q in plant.Disturbance.quantities().values()]
    moved = [(*usual[:i], end, *usual[i + 1 :]) for i, ends in enumerate(ranges) for end in ends]
    for d in (usual, *moved):
        for setpoint in (master.low, master.high):
            yield Beyond(master, setpoint, d)


def _master(plant: Plant) -> Loop:
    """Return the master of the loops that end at the valve."""
    for loop in plant.masters:
        last = loop
        while last.sp_of:
            last = plant.slave(last)
        if last == final(plant):
            return loop
    raise LookupError(f"{plant.name}: no master commands {final(plant).tag}")


@dataclass(frozen=True)
class _Course:
    """After each decision whether the valve was ``at_end``, and whether a limit was crossed or the plant ``lost``, (decisions,).

    ``overshoot``: how far the controlled variable went past its setpoint, once that was back, away from where it was.
    """

    at_end: Flags
    lost: Flags
    overshoot: float


def _held(plant: Plant, scenario: Scenario, seed: int, beyond: Beyond, decisions: int) -> _Course:
    """Run the PID layer with the setpoint beyond reach for some decisions, up to ``RELEASED``."""
    pv, usual = beyond.master.pv, plant.Output.quantities()[beyond.master.pv].nominal
    episodes = undisturbed(plant, scenario, RELEASED + AFTER, seed)
    setpoints = np.full(episodes.exogenous.shape[1], usual)
    setpoints[RELEASED - decisions : RELEASED] = beyond.setpoint
    asked = episodes.commanding(beyond.master.tag, setpoints[None])
    asked.exogenous[:, :, : len(beyond.d)] = beyond.d
    field, at_end, lost, y = Field(plant, asked), list[bool](), list[bool](), list[float]()
    for _ in range(RELEASED + AFTER):
        field.command(unmoved(field))
        at_end.append(_at_end(plant, field))
        lost.append(not (field.lowest[0, enforced(plant)] >= 0.0).all() or not field.running[0])
        y.append(float(field.read().y[0, plant.Output.names().index(pv)]))
    past = np.sign(beyond.setpoint - usual) * (usual - np.array(y[RELEASED:]))
    return _Course(np.array(at_end), np.array(lost), float(past.max(initial=0.0)))


def _at_end(plant: Plant, field: Field) -> bool:
    mv = final(plant).mv
    q, u = plant.Input.quantities()[mv], float(field.read().u[0, plant.Input.names().index(mv)])
    return min(u - q.low, q.high - u) <= AT_END * (q.high - q.low)
