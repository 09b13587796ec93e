"""Which row of which block holds what: the memory map that traced pieces, kernel, environments and tests share.

Blocks have one row per quantity and one lane per plant: ``S`` what changes, ``P`` what is fixed for an episode, ``E``
what a decision is given, ``N`` the sensor noise of one loop period. Plants stand in chunks of ``LANES``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from plant_models.core.plant import Plant
from plant_models.core.vector import Vector

Level = Literal["setpoint", "absolute", "direct"]
"""What an action moves: offsets on setpoints (zero is the PID layer alone), setpoints, or manipulated variables."""

LEVELS: tuple[Level, ...] = ("setpoint", "absolute", "direct")
MEMORY, COEFFICIENTS, LIMITS = 5, 7, 2
LANES, STRIDE = 64, 72
"""Plants in a chunk, and the distance of its rows: a little more, or the rows would compete for the same cache sets."""
RUNNING, TRIPPED, FAILED, COMPLETE = 0.0, 1.0, 2.0, 3.0


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

    @property
    def exogenous(self) -> int:
        """Columns of the scenario tensor: disturbances, references of the masters, targets."""
        return self.E.row("d1")


def size(vector: type[Vector]) -> int:
    """Return the number of fields of a vector."""
    return len(vector.names())


def layout(plant: Plant, level: Level) -> Layout:
    """Lay out a plant's blocks; margins, cost terms and measures are named by evaluating the plant at its nominal point."""
    at = tuple(v.nominal() for v in (plant.State, plant.Input, plant.Disturbance, plant.Parameter))
    margins, measures = plant.margins(*at), plant.measures(*at)
    terms = (*plant.targets, *plant.cost(*at))
    actions = size(plant.Input) if level == "direct" else len(plant.acted)
    loops, disturbances = len(plant.loops), size(plant.Disturbance)
    feedforward = sum(len(loop.gains.disturbance) for loop in plant.loops)
    return Layout(
        S=Rows(
            x=size(plant.State), u=size(plant.Input), memory=MEMORY * loops, v=actions, d=disturbances,
            y=size(plant.Output), sp=loops, base=len(plant.acted), status=1, terms=len(terms), moves=1,
            lowest=len(margins), time=len(margins), measures=len(measures), stock=1, stage=1,
        ),
        P=Rows(p=size(plant.Parameter), coefficients=COEFFICIENTS * loops, feedforward=feedforward,
               limits=LIMITS * loops, advance=1),
        E=Rows(d=disturbances, r=len(plant.masters), target=len(plant.targets), d1=disturbances, a=actions),
        noise=size(plant.Output),
        actions=actions,
        margins=tuple(margins),
        kinds=tuple(m.kind for m in margins.values()),
        terms=terms,
        measures=tuple((name, m.unit) for name, m in measures.items()),
        feedforward=feedforward,
    )  # fmt: skip
