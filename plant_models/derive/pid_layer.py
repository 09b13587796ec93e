"""The PID layer of a plant on symbols: what each loop reads, its law, and what it moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import casadi as ca

from plant_models.core import loop as law
from plant_models.core.plant import Plant
from plant_models.core.schedule import SETPOINT, Schedule, factors
from plant_models.core.smooth import clamp, where
from plant_models.derive import symbolic
from plant_models.derive.layout import COEFFICIENTS, LIMITS, MEMORY, Level, schedule_rows, scheduled

Block: TypeAlias = Callable[[str], ca.SX]


@dataclass(frozen=True)
class LoopPart:
    """What the law of one loop takes in one period; ``factor`` is that on ``K_c``, where it is scheduled."""

    c: law.Coefficients
    memory: law.Memory
    setpoint: ca.SX
    y: ca.SX
    y_0: float
    ff: ca.SX
    to: law.Actuator
    reset: ca.SX | None
    factor: list[ca.SX]

    def run(self, memory: law.Memory) -> law.Memory:
        """Return the memory after one period that begins with this one."""
        return law.pid(self.c, memory, self.setpoint, self.y, self.y_0, self.ff, self.to, self.reset)

    def aligned(self, u: ca.SX) -> law.Memory:
        """Return the memory with which the output is ``u``."""
        return law.align(self.c, u, self.setpoint, self.y, self.y_0, self.ff, self.to)


@dataclass(frozen=True)
class PidLayer:
    """The loops of a plant at an action level, on the symbols of its blocks."""

    plant: Plant
    level: Level
    S: Block
    P: Block
    E: Block

    def run(self, d: ca.SX) -> tuple[ca.SX, dict[str, ca.SX]]:
        """Return the inputs after one period of all loops, masters first, and what else is written."""
        return self.passed(d, lambda _, sent: sent, lambda _, part: part.run(part.memory))

    def passed(
        self, d: ca.SX, goes_by: Callable[[int, ca.SX], ca.SX], after: Callable[[int, LoopPart], law.Memory]
    ) -> tuple[ca.SX, dict[str, ca.SX]]:
        """Return the same where each loop ``goes_by`` a setpoint made of the one sent, and has a memory ``after`` the period."""
        sent = {loop.tag: self.E("r")[i] for i, loop in enumerate(self.plant.masters)}
        u, rows, setpoints, bases, factor = symbolic.rows(self.S("u")), [], [], [], []
        for i, loop in enumerate(self.plant.loops):
            base, remote = self.setpoint(i, sent[loop.tag])
            part = self.part(i, goes_by(i, remote), d)
            memory = after(i, part)
            if loop.authority:
                bases.append(base)
            setpoints.append(part.setpoint)
            rows += list(memory)
            factor += part.factor
            if loop.mv:
                u[self.plant.Input.names().index(loop.mv)] = memory.u
            else:
                sent[loop.sp_of] = memory.u
        writes = {"memory": ca.vertcat(*rows, *factor), "sp": ca.vertcat(*setpoints)}
        return ca.vertcat(*u), writes | ({"base": ca.vertcat(*bases)} if bases else {})

    def setpoint(self, i: int, sent: ca.SX) -> tuple[ca.SX, ca.SX]:
        """Return what is sent to a loop within its limits, and its setpoint with what a supervisor adds."""
        loop = self.plant.loops[i]
        low, high = self.limits(i)
        base = clamp(sent, low, high)
        if not loop.authority:
            return base, base
        v = self.S("v")[self.plant.acted.index(loop)]
        return base, clamp(v if self.level == "absolute" else base + v, low, high)

    def part(self, i: int, setpoint: ca.SX, d: ca.SX) -> LoopPart:
        """Return everything that a loop's law takes in this period, its gains at the operating point."""
        loop = self.plant.loops[i]
        c = law.Coefficients(*symbolic.rows(self.P("coefficients")[COEFFICIENTS * i : COEFFICIENTS * (i + 1)]))
        to, memory, factor = self._actuator(loop), self._memory(i), list[ca.SX]()
        reset = self._reset(loop, memory, to)
        y, y_0 = self.measured(i), self.plant.Output.quantities()[loop.pv].nominal
        if loop.schedule:
            c, memory, factor = self._followed(i, loop.schedule, c, memory, setpoint)
        return LoopPart(c, memory, setpoint, y, y_0, self._feedforward(i, d), to, reset, factor)

    def measured(self, i: int) -> ca.SX:
        """Return the measurement of a loop."""
        return self.S("y")[self.plant.Output.names().index(self.plant.loops[i].pv)]

    def _followed(
        self, i: int, schedule: Schedule, c: law.Coefficients, memory: law.Memory, r: ca.SX
    ) -> tuple[law.Coefficients, law.Memory, list[ca.SX]]:
        """Return the gains at the scheduling variable, and the memory with which the change of gain moves nothing.

        A factor remembered as zero is that of a loop that has not run yet.
        """
        plant, loop, by = self.plant, self.plant.loops[i], schedule.variable
        value = r if by == SETPOINT else self.S("y")[plant.Output.names().index(by)]
        at = COEFFICIENTS * len(plant.loops) + schedule_rows(plant, i)
        K_c, T_i = factors(symbolic.rows(self.P("coefficients")[at : at + len(schedule.column)]), value)
        last = self.S("memory")[MEMORY * len(plant.loops) + scheduled(plant).index(loop)]
        before = law.scheduled(c, where(last > 0.0, last, K_c), T_i)
        now = law.scheduled(c, K_c, T_i)
        y_0 = plant.Output.quantities()[loop.pv].nominal
        return now, law.shifted(memory, before, now, r, self.measured(i), y_0), [K_c]

    def _memory(self, i: int) -> law.Memory:
        return law.Memory(*symbolic.rows(self.S("memory")[MEMORY * i : MEMORY * (i + 1)]))

    def limits(self, i: int) -> tuple[ca.SX, ca.SX]:
        """Return the bounds of a loop's setpoint."""
        limits = self.P("limits")
        return limits[LIMITS * i], limits[LIMITS * i + 1]

    def _actuator(self, loop: law.Loop) -> law.Actuator:
        plant = self.plant
        if loop.mv:
            q = plant.Input.quantities()[loop.mv]
            return law.Actuator(q.nominal, q.low, q.high, q.rate * plant.loop_period)
        slave = plant.slave(loop)
        nominal = plant.Output.quantities()[slave.pv].nominal
        return law.Actuator(nominal, *self.limits(plant.loops.index(slave)), float("inf"))

    def _reset(self, loop: law.Loop, memory: law.Memory, to: law.Actuator) -> ca.SX | None:
        if loop.mv:
            return None
        slave = self.plant.loops.index(self.plant.slave(loop))
        return law.held_back(self._memory(slave), clamp(memory.u, to.low, to.high), self.measured(slave))

    def _feedforward(self, i: int, d: ca.SX) -> ca.SX:
        plant = self.plant
        first = sum(len(loop.gains.disturbance) for loop in plant.loops[:i])
        total = ca.SX(0.0)
        for k, (name, _) in enumerate(plant.loops[i].gains.disturbance):
            q = plant.Disturbance.quantities()[name]
            total += self.P("feedforward")[first + k] * (d[plant.Disturbance.names().index(name)] - q.nominal)
        return total
