"""The PID layer of a plant on symbols: what each loop reads, its law, and what it moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import casadi as ca

from plant_models.core import loop as law
from plant_models.core.plant import Plant
from plant_models.core.schedule import SETPOINT, factors
from plant_models.core.smooth import clamp, where
from plant_models.derive import symbolic
from plant_models.derive.layout import COEFFICIENTS, LIMITS, MEMORY, Level, schedule_rows, scheduled

Block: TypeAlias = Callable[[str], ca.SX]


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
        plant = self.plant
        u = symbolic.rows(self.S("u"))
        commands = {loop.tag: self.E("r")[i] for i, loop in enumerate(plant.masters)}
        memories, setpoints, bases, used = [], [], [], []
        for i, loop in enumerate(plant.loops):
            low, high = self._limits(i)
            base = clamp(commands[loop.tag], low, high)
            setpoint = self._supervised(loop, base, low, high)
            memory, factor = self._pid(i, setpoint, d)
            if loop.authority:
                bases.append(base)
            setpoints.append(setpoint)
            memories += list(memory)
            used += factor
            if loop.mv:
                u[plant.Input.names().index(loop.mv)] = memory.u
            else:
                commands[loop.sp_of] = memory.u
        writes = {"memory": ca.vertcat(*memories, *used), "sp": ca.vertcat(*setpoints)}
        return ca.vertcat(*u), writes | ({"base": ca.vertcat(*bases)} if bases else {})

    def _supervised(self, loop: law.Loop, base: ca.SX, low: ca.SX, high: ca.SX) -> ca.SX:
        if not loop.authority:
            return base
        v = self.S("v")[self.plant.acted.index(loop)]
        return clamp(v if self.level == "absolute" else base + v, low, high)

    def _pid(self, i: int, setpoint: ca.SX, d: ca.SX) -> tuple[law.Memory, list[ca.SX]]:
        """Return the loop's memory after one period and, where its gains are scheduled, the factor used on ``K_c``."""
        plant, loop = self.plant, self.plant.loops[i]
        q = plant.Output.quantities()[loop.pv]
        y = self.S("y")[plant.Output.names().index(loop.pv)]
        c = law.Coefficients(*symbolic.rows(self.P("coefficients")[COEFFICIENTS * i : COEFFICIENTS * (i + 1)]))
        to = self._actuator(loop)
        memory, factor = self._memory(i), list[ca.SX]()
        if loop.schedule:
            c, memory, factor = self._followed(i, c, memory, setpoint, y)
        after = law.pid(c, memory, setpoint, y, q.nominal, self._feedforward(i, d), to, self._reset(loop, memory, to))
        return after, factor

    def _followed(
        self, i: int, c: law.Coefficients, memory: law.Memory, r: ca.SX, y: ca.SX
    ) -> tuple[law.Coefficients, law.Memory, list[ca.SX]]:
        """Return the gains at the scheduling variable, and the memory with which the change of gain moves nothing.

        A factor remembered as zero is that of a loop that has not run yet.
        """
        plant, loop = self.plant, self.plant.loops[i]
        assert loop.schedule is not None
        by = loop.schedule.variable
        value = r if by == SETPOINT else self.S("y")[plant.Output.names().index(by)]
        at = COEFFICIENTS * len(plant.loops) + schedule_rows(plant, i)
        column = symbolic.rows(self.P("coefficients")[at : at + len(loop.schedule.column)])
        K_c, T_i = factors(column, value)
        last = self.S("memory")[MEMORY * len(plant.loops) + scheduled(plant).index(loop)]
        before = law.scheduled(c, where(last > 0.0, last, K_c), T_i)
        now = law.scheduled(c, K_c, T_i)
        return now, law.shifted(memory, before, now, r, y, plant.Output.quantities()[loop.pv].nominal), [K_c]

    def _memory(self, i: int) -> law.Memory:
        return law.Memory(*symbolic.rows(self.S("memory")[MEMORY * i : MEMORY * (i + 1)]))

    def _limits(self, i: int) -> tuple[ca.SX, ca.SX]:
        limits = self.P("limits")
        return limits[LIMITS * i], limits[LIMITS * i + 1]

    def _actuator(self, loop: law.Loop) -> law.Actuator:
        plant = self.plant
        if loop.mv:
            q = plant.Input.quantities()[loop.mv]
            return law.Actuator(q.nominal, q.low, q.high, q.rate * plant.loop_period)
        slave = [other.tag for other in plant.loops].index(loop.sp_of)
        nominal = plant.Output.quantities()[plant.loops[slave].pv].nominal
        return law.Actuator(nominal, *self._limits(slave), float("inf"))

    def _reset(self, loop: law.Loop, memory: law.Memory, to: law.Actuator) -> ca.SX | None:
        if loop.mv:
            return None
        slave = [other.tag for other in self.plant.loops].index(loop.sp_of)
        pv = self.S("y")[self.plant.Output.names().index(self.plant.loops[slave].pv)]
        return law.held_back(self._memory(slave), clamp(memory.u, to.low, to.high), pv)

    def _feedforward(self, i: int, d: ca.SX) -> ca.SX:
        plant = self.plant
        first = sum(len(loop.gains.disturbance) for loop in plant.loops[:i])
        total = ca.SX(0.0)
        for k, (name, _) in enumerate(plant.loops[i].gains.disturbance):
            q = plant.Disturbance.quantities()[name]
            total += self.P("feedforward")[first + k] * (d[plant.Disturbance.names().index(name)] - q.nominal)
        return total
