"""Whether valves follow: the position that is reported, beside the output of the loop that moves it.

A little play or stiction asks for maintenance; a valve that is far from its command, and stays there, is lost. Judged at each
decision, at which a healthy valve has reached its command: the loop's output keeps the input's rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.safety.given import Given
from controller.safety.ne107 import NAMES, Status
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import MEMORY

Counts = NDArray[np.intp]

OUTPUT = 3
"""Place of the output in a loop's memory."""
STICKS = 0.005
"""Share of the span by which a valve may be off its command: a quarter of the least stiction that cycles (2 to 5 %)."""
WEIGHT, STICKING = 3, 15
"""Points for a decision in which it is further off, one less for any other, and points from which it sticks."""
LOST, LOSING = 0.1, 3
"""Share of the span by which no valve is off that only sticks, and decisions in a row from which it is lost."""


@dataclass(frozen=True)
class Valves:
    """What is counted for each input, (inputs,): points for sticking, and decisions in a row in which it was far off."""

    sticking: Counts
    losing: Counts

    @property
    def statuses(self) -> Counts:
        """The NE 107 status of each input, (inputs,)."""
        worn = np.where(self.sticking >= STICKING, Status.MAINTENANCE, Status.GOOD)
        found: Counts = np.where(self.losing >= LOSING, Status.FAILURE, worn).astype(np.intp)
        return found


def unwatched(plant: Plant) -> Valves:
    """Return what is known of valves that nobody has looked at."""
    none = np.zeros(len(plant.Input.names()), dtype=np.intp)
    return Valves(none, none)


def watched(plant: Plant, before: Valves, now: Given) -> Valves:
    """Return what is known of the valves after one more decision."""
    off = _off(plant, now)
    sticking = np.clip(before.sticking + np.where(off > STICKS, WEIGHT, -1), 0, 2 * STICKING)
    return Valves(sticking, np.where(off > LOST, before.losing + 1, 0))


def said(plant: Plant, valves: Valves) -> tuple[str, ...]:
    """Return one line for each valve that is not good."""
    words = {Status.MAINTENANCE: "the valve sticks or has play", Status.FAILURE: "the valve does not follow its command"}
    tags = [q.tag or name for name, q in plant.Input.quantities().items()]
    found = zip(tags, map(Status, valves.statuses), strict=True)
    return tuple(f"{tag}: {NAMES[status]}, {words[status]}" for tag, status in found if status in words)


def _off(plant: Plant, now: Given) -> Array:
    """Return by which share of its span each input is off the output of the one loop that moves it, (inputs,)."""
    off, moved = np.zeros(len(now.u)), [loop.mv for loop in plant.loops]
    for place, (name, q) in enumerate(plant.Input.quantities().items()):
        if moved.count(name) == 1:
            told = now.memory[MEMORY * moved.index(name) + OUTPUT]
            off[place] = abs(now.u[place] - told) / (q.high - q.low)
    return np.where(np.isfinite(off), off, 0.0)
