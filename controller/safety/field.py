"""Plants in the field: what their control room reads, and how a command reaches them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import RUNNING
from plant_models.env.lookahead import Command, by_hand, safe_outputs
from plant_models.env.scenario import Episodes
from plant_models.env.simulator import Simulator, Step
from plant_models.env.substeps import substeps


@dataclass(frozen=True)
class Reading:
    """What the control room of ``n`` plants reads, first axis plants.

    Outputs ``y``, inputs ``u``, the PID layer's ``memory``, offsets ``v``, the modes that its loops ``was`` in, and the measured
    disturbances ``d``, NaN where nobody measures them.
    """

    y: Array
    u: Array
    memory: Array
    v: Array
    was: Array
    d: Array

    def of(self, plants: NDArray[np.intp] | NDArray[np.bool_]) -> Reading:
        """Return the readings of some plants."""
        return Reading(*(getattr(self, field.name)[plants] for field in fields(self)))


class Field:
    """``n`` plants on episodes, their loops operated: each decision a command is sent to all of them."""

    def __init__(self, plant: Plant, episodes: Episodes) -> None:
        self.plant, self.episodes, self.n = plant, episodes, len(episodes)
        self.simulator = Simulator(plant, self.n, episodes.scenario.steps, substeps(plant), operated=True)
        self.simulator.load(episodes, np.arange(self.n))
        self.simulator.E.write("manual", safe_outputs(plant))

    def read(self) -> Reading:
        """Read the instruments and the PID layer."""
        return read(self.simulator)

    def command(self, command: Command) -> Step:
        """Run one decision."""
        return sent(self.simulator, command)

    def held(self, command: Command, then: Command | None, decisions: int) -> Array:
        """Return the smallest margins, (n, margins), that a command, held or followed by another, would bring the real plants.

        The plants stay where they are.
        """
        simulator, lowest = self.simulator, np.full_like(self.lowest, np.inf)
        kept = simulator.S.data.copy(), simulator.k.copy(), simulator.clipped.copy()
        for k in range(min(decisions, simulator.steps - int(simulator.k.max()))):
            sent(simulator, command if k == 0 or then is None else then)
            lowest = np.minimum(lowest, self.lowest)
        simulator.S.data[:], simulator.k[:], simulator.clipped[:] = kept
        return lowest

    @property
    def running(self) -> NDArray[np.bool_]:
        """Whether each plant still runs."""
        running: NDArray[np.bool_] = self.simulator.S.read("status")[0] == RUNNING
        return running

    @property
    def lowest(self) -> Array:
        """The smallest margins of the last decision, (n, margins)."""
        return self.simulator.S.read("lowest").T


def read(simulator: Simulator) -> Reading:
    """Read the instruments and the PID layer of plants whose loops are operated."""
    S = simulator.S
    y, u, memory, v, was = (S.read(part).T for part in ("y", "u", "memory", "v", "was"))
    return Reading(y, u, memory, v, was, simulator.measured)


def sent(simulator: Simulator, command: Command) -> Step:
    """Send a command to plants whose loops are operated, and run one decision."""
    simulator.E.write("mode", command.safe * by_hand(simulator.plant)[:, None])
    return simulator.step(command.a, command.r)


def unmoved(field: Field) -> Command:
    """Return what the hierarchy sends by itself, without any offset."""
    return Command(field.simulator.sent, np.zeros((field.n, len(field.plant.acted))), np.zeros(field.n, dtype=bool))
