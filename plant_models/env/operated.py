"""One plant with an operator at its loops: each in manual, in automatic or in cascade, and no bump in between."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from plant_models.core.duty import Batch, Economic
from plant_models.core.errors import BadInput, UnknownName, unknown
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.derive.layout import AUTO, CAS, LIMITS, MAN, MEMORY
from plant_models.env.scenario import Episodes, draw
from plant_models.env.simulator import Simulator, Step
from plant_models.env.substeps import substeps

Mode = Literal["MAN", "AUTO", "CAS"]
MODES: tuple[Mode, ...] = get_args(Mode)
CODES: dict[Mode, float] = {"CAS": CAS, "AUTO": AUTO, "MAN": MAN}


@dataclass(frozen=True)
class Faceplate:
    """What a loop shows: its mode, measurement, setpoint and output in units, and whether its slave listens to that output."""

    tag: str
    mode: Mode
    pv: float
    setpoint: float
    output: float
    heard: bool


class OperatedPlant:
    """A plant that runs one episode while modes, outputs and setpoints of its loops are set by hand.

    MAN: the output is the operator's, and the setpoint follows the measurement. AUTO: the setpoint is the operator's. CAS: it is
    what master loop, hierarchy and supervisor send; so every loop begins, but for one that nothing sends a setpoint, which begins
    in AUTO. What is set holds from the next step on. A loop that takes over begins with the output that it finds, and a master
    whose slave is not in CAS follows the slave. The exception is a loop that only passes its setpoint on, as a flow
    controller's: back in CAS, its input goes to what is sent at the input's rate.
    """

    def __init__(self, plant: Plant, episodes: Episodes | None = None) -> None:
        self.plant = plant
        self.episodes = draw(plant, plant.scenario(), 0, 1, "judging") if episodes is None else episodes
        self._tags = [loop.tag for loop in plant.loops]
        self.simulator = Simulator(plant, 1, self.episodes.scenario.steps, substeps(plant), operated=True)
        self.simulator.load(self.episodes, np.zeros(1, dtype=np.intp))
        self._modes: list[Mode] = ["CAS" if _sent(self.episodes, loop) else "AUTO" for loop in plant.loops]
        self._manual = [0.0 for _ in plant.loops]
        self._local = [plant.Output.quantities()[loop.pv].nominal for loop in plant.loops]
        self.simulator.S.write("was", [[CODES[mode]] for mode in self._modes])

    def step(self, offsets: ArrayLike | None = None) -> Step:
        """Run one decision; ``offsets`` in [-1, 1] are a supervisor's, none by default.

        Raises:
            BadInput: where the episode is over.
        """
        given = np.zeros(self.simulator.kernel.layout.actions) if offsets is None else np.asarray(offsets)
        for part, column in (("mode", [CODES[mode] for mode in self._modes]), ("manual", self._manual), ("local", self._local)):
            self.simulator.E.write(part, np.reshape(column, (-1, 1)))
        return self.simulator.step(given.reshape(1, -1))

    def faceplate(self, tag: str) -> Faceplate:
        """Return what a loop shows.

        Raises:
            UnknownName: for a tag that no loop has.
        """
        i = self._index(tag)
        return Faceplate(tag, self._modes[i], self._measured(i), self._setpoint(i), self._output(i), not self._unheard(i))

    def set_mode(self, tag: str, mode: str) -> None:
        """Put a loop into ``MAN``, ``AUTO`` or ``CAS``; it takes over its present output, or its present setpoint.

        Raises:
            UnknownName: for a tag or a mode that there is not.
            BadInput: for CAS where nothing sends the loop a setpoint.
        """
        i = self._index(tag)
        chosen = next((known for known in MODES if known == mode), None)
        if chosen is None:
            raise UnknownName(unknown("mode", mode, MODES))
        if chosen == "CAS" and not _sent(self.episodes, self.plant.loops[i]):
            raise BadInput(
                f"{tag}: CAS given, but no master loop, hierarchy or supervisor sends it a setpoint; AUTO or MAN allowed"
            )
        if chosen == self._modes[i]:
            return
        self._manual[i], self._local[i] = self._output(i), self._setpoint(i)
        self._modes[i] = chosen
        for master in self._masters(i):
            self._manual[master] = self._output(master)

    def set_output(self, tag: str, value: float) -> None:
        """Set the output of a loop in MAN, in the unit of what it moves.

        Raises:
            UnknownName: for a tag that no loop has.
            BadInput: in another mode, where its slave does not listen, and for a value out of range.
        """
        i = self._index(tag)
        if self._modes[i] != "MAN":
            raise BadInput(f"{tag}: an output given in {self._modes[i]}; allowed in MAN: set the mode first")
        if self._unheard(i):
            raise BadInput(
                f"{tag}: an output given while {self.plant.loops[i].sp_of} is not in CAS and follows its own; set that first"
            )
        self._manual[i] = self._checked(tag, "output", value, *self._range(i))

    def set_setpoint(self, tag: str, value: float) -> None:
        """Set the setpoint of a loop in AUTO, in the unit of its measurement.

        Raises:
            UnknownName: for a tag that no loop has.
            BadInput: in another mode, and for a value out of range.
        """
        i = self._index(tag)
        if self._modes[i] != "AUTO":
            raise BadInput(f"{tag}: a setpoint given in {self._modes[i]}; allowed in AUTO: set the mode first")
        self._local[i] = self._checked(tag, "setpoint", value, *self._limits(i))

    def sent_to(self, tag: str) -> bool:
        """Return whether a master loop, the hierarchy or a supervisor sends a loop its setpoint: whether it has a CAS.

        Raises:
            UnknownName: for a tag that no loop has.
        """
        return _sent(self.episodes, self.plant.loops[self._index(tag)])

    def limits(self, tag: str) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the lowest and highest setpoint of a loop, and output, in units.

        Raises:
            UnknownName: for a tag that no loop has.
        """
        i = self._index(tag)
        return self._limits(i), self._range(i)

    def _index(self, tag: str) -> int:
        if tag not in self._tags:
            raise UnknownName(unknown("loop", tag, self._tags))
        return self._tags.index(tag)

    def _checked(self, tag: str, what: str, value: float, low: float, high: float) -> float:
        if not (math.isfinite(value) and low <= value <= high):
            raise BadInput(f"{tag}: {what} {value:g} given; {low:g} to {high:g} allowed")
        return float(value)

    def _range(self, i: int) -> tuple[float, float]:
        loop = self.plant.loops[i]
        if loop.mv:
            q = self.plant.Input.quantities()[loop.mv]
            return q.low, q.high
        return self._limits(self._tags.index(loop.sp_of))

    def _limits(self, i: int) -> tuple[float, float]:
        low, high = self.simulator.P.read("limits")[LIMITS * i : LIMITS * (i + 1), 0]
        return float(low), float(high)

    def _measured(self, i: int) -> float:
        return float(self.simulator.S.read("y")[self.plant.Output.names().index(self.plant.loops[i].pv), 0])

    def _output(self, i: int) -> float:
        return float(self.simulator.S.read("memory")[MEMORY * i + 3, 0])

    def _setpoint(self, i: int) -> float:
        """What the loop goes by now: its own setpoint in AUTO, the measurement in MAN, else what was last sent."""
        if self._modes[i] == "AUTO":
            return self._local[i]
        begun = bool(self.simulator.k[0])
        seen = float(self.simulator.S.read("sp")[i, 0]) if begun and self._modes[i] == "CAS" else self._measured(i)
        return min(max(seen, self._limits(i)[0]), self._limits(i)[1])

    def _masters(self, i: int) -> list[int]:
        """The loops above one, nearest first."""
        above = [j for j, loop in enumerate(self.plant.loops) if loop.sp_of == self._tags[i]]
        return above + [further for j in above for further in self._masters(j)]

    def _unheard(self, i: int) -> bool:
        slave = self.plant.loops[i].sp_of
        if not slave:
            return False
        j = self._tags.index(slave)
        return self._modes[j] != "CAS" or self._unheard(j)


def _sent(episodes: Episodes, loop: Loop) -> bool:
    """Return whether a master loop, the hierarchy or a supervisor sends a loop its setpoint."""
    plant, duty = episodes.plant, episodes.plant.duty
    if loop not in plant.masters or loop.authority > 0.0 or loop.pv in plant.targets:
        return True
    setbacks = [part.tag for part in (*duty.schedule, *duty.rule)] if isinstance(duty, Economic) else []
    recipes = [part.tag for part in duty.recipe] if isinstance(duty, Batch) else []
    column = episodes.exogenous[:, :, episodes.references().start + plant.masters.index(loop)]
    return loop.tag in (*setbacks, *recipes) or bool(np.ptp(column) > 0.0)
