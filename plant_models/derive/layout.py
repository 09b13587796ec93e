"""Which row of which block holds what: the memory map that traced pieces, kernel, environments and tests share.

Blocks have one row per quantity and one lane per plant: ``S`` what changes, ``P`` what is fixed for an episode, ``E``
what a decision is given, ``N`` what instruments add in one loop period, and the bands of faulty valves. Plants stand in
chunks of ``LANES``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from plant_models.core.building import BIN
from plant_models.core.fault import Delay, Fading, Valve
from plant_models.core.loop import Loop
from plant_models.core.plant import SECONDS, Plant
from plant_models.core.vector import Vector

Level = Literal["setpoint", "absolute", "direct"]
"""What an action moves: offsets on setpoints (zero is the PID layer alone), setpoints, or manipulated variables."""

LEVELS: tuple[Level, ...] = ("setpoint", "absolute", "direct")
MEMORY, COEFFICIENTS, LIMITS = 5, 7, 2
LANES, STRIDE = 64, 72
"""Plants in a chunk, and the distance of its rows: a little more, or the rows would compete for the same cache sets."""
CAS, AUTO, MAN = 0.0, 1.0, 2.0
"""Modes of a loop that is operated: its setpoint is sent, its setpoint is the operator's, its output is the operator's."""
RUNNING, TRIPPED, FAILED, COMPLETE = 0.0, 1.0, 2.0, 3.0
HELD = 1e30
"""In place of noise: the instrument shows its last reading; in place of a valve's band: the valve is jammed."""


class Rows:
    """Names for consecutive rows of a block."""

    def __init__(self, **sizes: int) -> None:
        self._slices: dict[str, slice] = {}
        self.size = 0
        for name, size in sizes.items():
            self._slices[name] = slice(self.size, self.size + size)
            self.size += size

    def __getitem__(self, name: str) -> slice:
        return self._slices[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in their order."""
        return tuple(self._slices)

    def row(self, name: str) -> int:
        """Return the first row of a name."""
        start: int = self._slices[name].start
        return start


@dataclass(frozen=True)
class Layout:
    """The rows of every block of one plant at one action level."""

    S: Rows
    P: Rows
    E: Rows
    noise: int
    actions: int
    margins: tuple[str, ...]
    kinds: tuple[str, ...]
    terms: tuple[str, ...]
    measures: tuple[tuple[str, str], ...]
    feedforward: int
    delayed: tuple[tuple[str, int], ...]
    """Instruments that some scenario delays, with the loop periods that are remembered."""
    valves: tuple[str, ...]
    """Inputs whose valve some scenario makes faulty; ``N`` holds for each its stiction and its dead band."""
    fading: tuple[str, ...]
    """Parameters that some scenario lets fade; the scenario tensor holds them after the targets."""

    @property
    def exogenous(self) -> int:
        """Columns of the scenario tensor that ``E`` holds: disturbances, references of the masters, targets."""
        return self.E.row("d1")

    @property
    def bands(self) -> slice:
        """The rows of ``N`` with the bands of faulty valves: the stiction of each, then the dead band of each."""
        return slice(self.noise - 2 * len(self.valves), self.noise)


def size(vector: type[Vector]) -> int:
    """Return the number of fields of a vector."""
    return len(vector.names())


def layout(plant: Plant, level: Level, operated: bool = False) -> Layout:
    """Lay out a plant's blocks; margins, cost terms and measures are named by evaluating the plant at its nominal point.

    After the memories of all loops stand the factors on ``K_c`` last used where gains are scheduled, after the coefficients of
    all loops the columns of the schedules. A plant that is ``operated`` is given the mode, the operator's output and the
    operator's setpoint of each loop, and remembers the mode it was in.
    """
    at = tuple(v.nominal() for v in plant.arguments)
    margins, measures = plant.margins(*at), plant.measures(*at)
    terms = (*plant.targets, *plant.cost(*at))
    actions = size(plant.Input) if level == "direct" else len(plant.acted)
    loops, disturbances = len(plant.loops), size(plant.Disturbance)
    carriers = len(plant.building.carriers) if plant.building else 0
    late, valves = delayed(plant), faulty_valves(plant)
    feedforward = sum(len(loop.gains.disturbance) for loop in plant.loops)
    return Layout(
        S=Rows(
            x=size(plant.State), u=size(plant.Input), memory=MEMORY * loops + len(scheduled(plant)), v=actions, d=disturbances,
            y=size(plant.Output), sp=loops, base=len(plant.acted), status=1, terms=len(terms), moves=1,
            lowest=len(margins), time=len(margins), measures=len(measures), stock=1, stage=1,
            history=sum(periods for _, periods in late), bin=carriers, peak=carriers,
            was=loops if operated else 0,
        ),
        P=Rows(p=size(plant.Parameter), coefficients=COEFFICIENTS * loops + schedule_rows(plant, loops),
               feedforward=feedforward, limits=LIMITS * loops, advance=1, delay=len(late)),
        E=Rows(d=disturbances, r=len(plant.masters), target=len(plant.targets), d1=disturbances, a=actions,
               **dict.fromkeys(("mode", "manual", "local"), loops if operated else 0)),
        noise=size(plant.Output) + 2 * len(valves),
        actions=actions,
        margins=tuple(margins),
        kinds=tuple(m.kind for m in margins.values()),
        terms=terms,
        measures=tuple((name, m.unit) for name, m in measures.items()),
        feedforward=feedforward,
        delayed=late,
        valves=valves,
        fading=fading(plant),
    )  # fmt: skip


def scheduled(plant: Plant) -> tuple[Loop, ...]:
    """Return the loops whose gains are scheduled, in order."""
    return tuple(loop for loop in plant.loops if loop.schedule)


def schedule_rows(plant: Plant, first: int) -> int:
    """Return how many rows the schedules of the first so many loops take."""
    return sum(len(loop.schedule.column) for loop in plant.loops[:first] if loop.schedule)


def bin_periods(plant: Plant) -> int:
    """Return the loop periods over which a peak's power is averaged: a quarter of an hour, or a shorter decision."""
    return max(1, min(round(BIN / (plant.loop_period * SECONDS[plant.time_unit])), plant.loops_per_decision))


def faulty_valves(plant: Plant) -> tuple[str, ...]:
    """Return the inputs whose valve some scenario makes faulty."""
    return tuple(dict.fromkeys(fault.input for fault in plant.faults if isinstance(fault, Valve)))


def fading(plant: Plant) -> tuple[str, ...]:
    """Return the parameters that some scenario lets fade."""
    return tuple(dict.fromkeys(fault.parameter for fault in plant.faults if isinstance(fault, Fading)))


def delayed(plant: Plant) -> tuple[tuple[str, int], ...]:
    """Return the instruments that some scenario delays, with the longest delay in loop periods."""
    longest: dict[str, int] = {}
    for fault in plant.faults:
        if isinstance(fault, Delay):
            longest[fault.output] = max(longest.get(fault.output, 1), math.ceil(fault.time / plant.loop_period))
    return tuple(longest.items())
