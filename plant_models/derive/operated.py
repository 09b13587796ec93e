"""The PID layer under an operator's hand: every loop in manual, in automatic or in cascade, without a bump between them.

MAN: the output is the operator's, and the setpoint follows the measurement. AUTO: the setpoint is the operator's. CAS: it is what
master loop, hierarchy and supervisor send. A master whose slave does not listen follows what the slave does instead.

Source: Astrom and Hagglund, Advanced PID Control, ISA, 2006, sections 3.6 and 13.5 (tracking, bumpless transfer).
"""

from __future__ import annotations

from dataclasses import dataclass

import casadi as ca

from plant_models.core import loop as law
from plant_models.core.smooth import clamp, where
from plant_models.derive.layout import AUTO, CAS, MAN
from plant_models.derive.pid_layer import LoopPart, PidLayer

UNHEARD = 4.0
"""Added to a mode that is remembered, where the loop's slave did not listen."""
PASSING = 0.05
"""A loop whose gain is a smaller share of its setpoint feed-forward passes its setpoint on and has nothing to integrate with."""


@dataclass(frozen=True)
class OperatedLayer:
    """A PID layer with the rows ``mode``, ``manual`` and ``local`` of what a decision is given, and ``was`` of the state."""

    layer: PidLayer

    def run(self, d: ca.SX) -> tuple[ca.SX, dict[str, ca.SX]]:
        """Return the inputs after one period of all loops, masters first, and what else is written."""
        unheard = self._unheard()
        u, writes = self.layer.passed(d, self._setpoint, lambda i, part: self._memory(i, part, unheard[i]))
        return u, writes | {"was": self.layer.E("mode") + UNHEARD * ca.vertcat(*unheard)}

    def _in(self, i: int, mode: float) -> ca.SX:
        return self.layer.E("mode")[i] == mode

    def _slave(self, i: int) -> int | None:
        plant = self.layer.plant
        return plant.loops.index(plant.slave(plant.loops[i])) if plant.loops[i].sp_of else None

    def _unheard(self) -> list[ca.SX]:
        """Return for each loop whether its output reaches nothing: its slave is not in cascade, or is itself not heard."""
        unheard = [ca.SX(0.0) for _ in self.layer.plant.loops]
        for i in reversed(range(len(unheard))):
            slave = self._slave(i)
            if slave is not None:
                unheard[i] = ca.logic_or(ca.logic_not(self._in(slave, CAS)), unheard[slave])
        return unheard

    def _setpoint(self, i: int, remote: ca.SX) -> ca.SX:
        low, high = self.layer.limits(i)
        own = where(self._in(i, AUTO), self.layer.E("local")[i], self.layer.measured(i))
        return where(self._in(i, CAS), remote, clamp(own, low, high))

    def _memory(self, i: int, part: LoopPart, unheard: ca.SX) -> law.Memory:
        """Return the memory after one period; a loop that takes over begins with the output that it finds."""
        last = part.memory
        changed = self.layer.S("was")[i] != self.layer.E("mode")[i] + UNHEARD * unheard
        begun = part.run(_either(changed, self._kept(i, part, last.u), last))
        return _either(ca.logic_or(unheard, self._in(i, MAN)), self._kept(i, part, self._forced(i, part, unheard)), begun)

    def _forced(self, i: int, part: LoopPart, unheard: ca.SX) -> ca.SX:
        """Return the output of a loop that is in manual, or that its slave does not hear."""
        to, last = part.to, part.memory.u
        manual = clamp(clamp(self.layer.E("manual")[i], to.low, to.high), last - to.step, last + to.step)
        slave = self._slave(i)
        return manual if slave is None else where(unheard, self._setpoint(slave, self.layer.measured(slave)), manual)

    def _kept(self, i: int, part: LoopPart, u: ca.SX) -> law.Memory:
        """Return the memory with which the law continues from an output; one that passes its setpoint on keeps its integral."""
        gains = self.layer.plant.loops[i].gains
        memory = part.aligned(u)
        if abs(gains.K_c) > PASSING * abs(gains.setpoint):
            return memory
        return memory._replace(integral=part.memory.integral)


def _either(condition: ca.SX, yes: law.Memory, no: law.Memory) -> law.Memory:
    return law.Memory(*(where(condition, a, b) for a, b in zip(yes, no, strict=True)))
