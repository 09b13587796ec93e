"""What an operator changes in an episode while it runs, and the episode that comes of it.

Everything is worked out anew from the episode as it was drawn and the list of changes: the same list gives the same plant.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from controller.live.commands import Injected
from plant_models.core.errors import BadInput
from plant_models.core.fault import Bias, DeadBand, Drift, Dropout, Jammed, Noise, Sensor, Spike, Stiction, Stuck
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario, Signals
from plant_models.derive.layout import HELD, faulty_valves
from plant_models.env.scenario import Episodes

Rows: TypeAlias = NDArray[np.float32]
OPERATED = "operated"
"""The scenario that gives every valve that a loop moves a way to fail."""


@dataclass(frozen=True)
class Held:
    """A setpoint of a master loop that the operator sends, and the target that goes with it."""

    tag: str
    value: float


@dataclass(frozen=True)
class Stepped:
    """A disturbance that is ``size`` higher than drawn."""

    name: str
    size: float


What: TypeAlias = Held | Stepped | Injected


@dataclass(frozen=True)
class Change:
    """Something that holds from decision ``at`` until before decision ``until``, or to the end."""

    at: int
    what: What
    until: int | None = None


def place(what: What) -> tuple[str, str]:
    """Return what a change is made to: the next one there takes its place."""
    if isinstance(what, Held):
        return "setpoint", what.tag
    if isinstance(what, Stepped):
        return "disturbance", what.name
    return ("instrument", what.output) if isinstance(what, Sensor) else ("valve", what.input)


def fitted(plant: Plant) -> Plant:
    """Return a plant any of whose valves may fail: those that a loop moves, beside those that its scenarios make faulty."""
    moved = dict.fromkeys(loop.mv for loop in plant.loops if loop.mv)
    valves = tuple(Stiction(name, 0.0) for name in moved)
    extra = Scenario(OPERATED, "valves that fail when an operator says so", 1, lambda _: Signals(), faults=valves)
    return replace(plant, scenarios=(*plant.scenarios, extra))


def prescribed(base: Episodes, changes: Sequence[Change]) -> Episodes:
    """Return one episode with all changes made to it."""
    exogenous, noise = base.exogenous.copy(), base.noise.copy()
    for change in changes:
        if isinstance(change.what, Held):
            _hold(base, exogenous[0, change.at : change.until], change.what)
        elif isinstance(change.what, Stepped):
            column = base.plant.Disturbance.names().index(change.what.name)
            exogenous[0, change.at : change.until, column] += change.what.size
        else:
            _fail(base.plant, noise[0], change, change.what)
    return replace(base, exogenous=exogenous, noise=noise)


def _hold(base: Episodes, samples: Array, held: Held) -> None:
    plant = base.plant
    place = [loop.tag for loop in plant.masters].index(held.tag)
    samples[:, base.references().start + place] = held.value
    pv = plant.masters[place].pv
    if pv in plant.targets:
        samples[:, base.targets().start + plant.targets.index(pv)] = held.value


def _fail(plant: Plant, noise: Rows, change: Change, fault: Injected) -> None:
    """Write a fault into what instruments add, (loop periods + 1, rows): from the first reading of its first decision on."""
    loops = plant.loops_per_decision
    last = None if change.until is None else change.until * loops + 1
    rng = np.random.default_rng([change.at, zlib.crc32(repr(fault).encode())])
    _write(fault, noise[change.at * loops + 1 : last, _column(plant, fault)], plant.loop_period, rng)


def _column(plant: Plant, fault: Injected) -> int:
    outputs = plant.Output.names()
    if isinstance(fault, Sensor):
        return outputs.index(fault.output)
    valves = faulty_valves(plant)
    return len(outputs) + len(valves) * isinstance(fault, DeadBand) + valves.index(fault.input)


@singledispatch
def _write(fault: Injected, rows: Rows, h: float, rng: np.random.Generator) -> None:
    """Write a fault, exactly as large as it says, into the readings or bands from its onset on, (loop periods,)."""
    raise BadInput(f"{type(fault).__name__}: no fault that an operator can inject")


@_write.register
def _(fault: Noise, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows[rows < HELD] *= np.float32(fault.factor)


@_write.register
def _(fault: Bias, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows += np.float32(fault.size)


@_write.register
def _(fault: Drift, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows += np.asarray(fault.rate * h * np.arange(1, len(rows) + 1), dtype=np.float32)


@_write.register
def _(fault: Spike, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows += np.asarray(fault.size * rng.choice([-1.0, 1.0], len(rows)) * (rng.random(len(rows)) < fault.chance), np.float32)


@_write.register
def _(fault: Stuck, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows[:] = HELD


@_write.register
def _(fault: Dropout, rows: Rows, h: float, rng: np.random.Generator) -> None:
    periods = max(1, round(fault.time / h))
    at, begun = np.arange(len(rows)), rng.random(len(rows)) < fault.chance
    last = np.maximum.accumulate(np.where(begun, at, -periods))
    rows[at - last < periods] = HELD


@_write.register
def _(fault: Stiction | DeadBand, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows[:] = np.maximum(rows, np.float32(fault.band))


@_write.register
def _(fault: Jammed, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows[:] = HELD
