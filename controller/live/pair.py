"""Twin plants on one episode, each under its own controller: what an operator does to them, and what came of it.

A pair is one thread's. Built from the same case and given the same commands before the same decisions, it does the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Protocol

import numpy as np

from controller.live import commands as ask
from controller.live.alarms import Alarm, acknowledged, alarms, judge, shelved
from controller.live.case import Case, drawn
from controller.live.commands import TWINS, Command, Logged
from controller.live.driver import Driver
from controller.live.prescription import Held, Stepped
from controller.live.ring import Ring
from controller.live.twin import Face, Twin
from controller.safety.governor import Calibration, Governor
from plant_models.core.errors import BadInput, UnknownName, unknown
from plant_models.core.fault import Sensor
from plant_models.core.loop import Loop
from plant_models.core.scenario import Array

KEPT = 4000
"""Samples that are kept for trends."""


class Workshop(Protocol):
    """Where controllers and shields come from; either may take its time, and raises BadInput where there is none."""

    def driver(self, name: str) -> Driver:
        """Return a controller of this name for one twin."""

    def governor(self) -> Governor:
        """Return a shield for one twin."""

    def known(self) -> Calibration:
        """Return what a shell knows of the plant."""


@dataclass(frozen=True)
class Columns:
    """What a sample holds, by the place of its first entry: outputs, setpoints and outputs of loops, disturbances, the rest."""

    y: int
    sp: int
    op: int
    d: int
    share: int
    cost: int
    count: int


class Pair:
    """Two plants on the same episode; :meth:`apply` commands between decisions, then :meth:`decide` and :meth:`advance`."""

    def __init__(self, case: Case, controllers: Sequence[str], workshop: Workshop) -> None:
        self.case, self.workshop = case, workshop
        self.episodes = drawn(case)
        self.plant = self.episodes.plant
        self.twins: dict[str, Twin] = {
            twin: Twin(self.episodes, workshop.driver(name)) for twin, name in zip(TWINS, controllers, strict=True)
        }
        self.alarms: dict[str, tuple[Alarm, ...]] = dict.fromkeys(TWINS, alarms(self.plant))
        self.columns = _columns(len(self.plant.Output.names()), len(self.plant.loops), len(self.plant.Disturbance.names()))
        self.rings: dict[str, Ring] = {twin: Ring(KEPT, self.columns.count) for twin in TWINS}
        self.log: tuple[Logged, ...] = ()
        self._keep()

    @property
    def decision(self) -> int:
        """The decision that both plants are at."""
        return self.twins["A"].decision

    @property
    def over(self) -> bool:
        """Whether the episode has come to its end."""
        return all(twin.over for twin in self.twins.values())

    def apply(self, command: Command) -> None:
        """Do what an operator asks, to all twins that it is for or to none.

        Raises:
            UnknownName: for a loop, disturbance, instrument, alarm or controller that there is not.
            BadInput: for what is out of range, or not allowed as the plant stands.
        """
        if not command.twins or any(twin not in TWINS for twin in command.twins):
            raise BadInput(f"twins {command.twins!r}: A, B or both allowed")
        self._check(command)
        self._do(command)
        self.log = (*self.log, Logged(self.decision, command))

    def decide(self) -> None:
        """Ask the controllers; this may take long, and changes nothing that is shown."""
        for twin in self.twins.values():
            twin.decide()

    def advance(self) -> None:
        """Run one decision."""
        for twin in self.twins.values():
            if not twin.over:
                twin.advance()
        for name, twin in self.twins.items():
            self.alarms[name] = judge(self.alarms[name], twin.abnormal(), self.decision)
        self._keep()

    def close(self) -> None:
        """Let go of the controllers."""
        for twin in self.twins.values():
            twin.close()

    def _keep(self) -> None:
        for name, twin in self.twins.items():
            faces = twin.faces()
            self.rings[name].append(np.concatenate([
                twin.readings(), [face.setpoint for face in faces], [face.output for face in faces],
                twin.disturbances(), [twin.share, twin.total],
            ]))  # fmt: skip

    def _asked(self, command: Command) -> list[Twin]:
        return [self.twins[name] for name in command.twins]

    def _loop(self, tag: str) -> Loop:
        known = {loop.tag: loop for loop in self.plant.loops}
        if tag not in known:
            raise UnknownName(unknown("loop", tag, known))
        return known[tag]

    @singledispatchmethod
    def _check(self, command: Command) -> None:
        """Refuse what cannot be done to each of the twins, before it is done to any."""

    @_check.register
    def _(self, command: ask.SetMode) -> None:
        self._loop(command.tag)
        if command.mode == "CAS" and not self.twins["A"].operated.sent_to(command.tag):
            raise BadInput(f"{command.tag}: nothing sends it a setpoint; AUTO or MAN allowed")

    @_check.register
    def _(self, command: ask.SetSetpoint) -> None:
        loop = self._loop(command.tag)
        for twin in self._asked(command):
            face, (low, high) = _face(twin, command.tag), twin.operated.limits(command.tag)[0]
            if face.mode == "MAN" or (face.mode == "CAS" and loop not in self.plant.masters):
                why = "it follows the measurement" if face.mode == "MAN" else "its master sends it"
                raise BadInput(f"{command.tag}: a setpoint given in {face.mode}, where {why}; put the loop in AUTO first")
            _within(command.tag, "setpoint", command.value, low, high)

    @_check.register
    def _(self, command: ask.SetOutput) -> None:
        loop = self._loop(command.tag)
        for twin in self._asked(command):
            face, (low, high) = _face(twin, command.tag), twin.operated.limits(command.tag)[1]
            if face.mode != "MAN":
                raise BadInput(f"{command.tag}: an output given in {face.mode}; put the loop in MAN first")
            if not face.heard:
                raise BadInput(f"{command.tag}: {loop.sp_of} is not in CAS and does not listen; put it in CAS first")
            _within(command.tag, "output", command.value, low, high)

    @_check.register
    def _(self, command: ask.Release) -> None:
        self._loop(command.tag)

    @_check.register
    def _(self, command: ask.Disturb) -> None:
        known = self.plant.Disturbance.quantities()
        if command.name not in known:
            raise UnknownName(unknown("disturbance", command.name, known))
        q, size = known[command.name], command.size
        reach = (q.high - q.low) if math.isfinite(q.high - q.low) else abs(q.nominal)
        _within(command.name, "step", size, -reach, reach)
        for twin in self._asked(command):
            old = sum(w.size for w in twin.standing() if isinstance(w, Stepped) and w.name == command.name)
            now = float(twin.disturbances()[list(known).index(command.name)]) - old
            _within(command.name, "value", now + size, *q.valid)

    @_check.register
    def _(self, command: ask.Inject) -> None:
        fault = command.fault
        name, known = (fault.output, self.plant.Output.names()) if isinstance(fault, Sensor) else (fault.input, self._valves())
        if name not in known:
            raise UnknownName(unknown("instrument" if isinstance(fault, Sensor) else "valve", name, known))
        if any(isinstance(value, float) and not math.isfinite(value) for value in vars(fault).values()):
            raise BadInput(f"{type(fault).__name__}: a size that is no number; give a finite one")

    @_check.register
    def _(self, command: ask.Acknowledge) -> None:
        self._known_alarm(command.alarm)

    @_check.register
    def _(self, command: ask.Shelve) -> None:
        self._known_alarm(command.alarm)

    def _known_alarm(self, name: str) -> None:
        known = [alarm.name for alarm in self.alarms["A"]]
        if name and name not in known:
            raise UnknownName(unknown("alarm", name, known))

    def _valves(self) -> list[str]:
        return [loop.mv for loop in self.plant.loops if loop.mv]

    @singledispatchmethod
    def _do(self, command: Command) -> None:
        raise BadInput(f"{type(command).__name__}: no command for twin plants")

    @_do.register
    def _(self, command: ask.SetMode) -> None:
        loop = self._loop(command.tag)
        for twin in self._asked(command):
            was = _face(twin, command.tag)
            twin.operated.set_mode(command.tag, command.mode)
            if loop in self.plant.masters and was.mode != command.mode:
                local = Held(command.tag, _face(twin, command.tag).setpoint)
                (twin.begin if command.mode == "AUTO" else twin.end)(local)

    @_do.register
    def _(self, command: ask.SetSetpoint) -> None:
        loop = self._loop(command.tag)
        for twin in self._asked(command):
            if _face(twin, command.tag).mode == "AUTO":
                twin.operated.set_setpoint(command.tag, command.value)
            if loop in self.plant.masters:
                twin.begin(Held(command.tag, command.value))

    @_do.register
    def _(self, command: ask.SetOutput) -> None:
        for twin in self._asked(command):
            twin.operated.set_output(command.tag, command.value)

    @_do.register
    def _(self, command: ask.Release) -> None:
        for twin in self._asked(command):
            twin.end(Held(command.tag, 0.0))

    @_do.register
    def _(self, command: ask.Disturb) -> None:
        for twin in self._asked(command):
            (twin.begin if command.size else twin.end)(Stepped(command.name, command.size))

    @_do.register
    def _(self, command: ask.Inject) -> None:
        for twin in self._asked(command):
            twin.begin(command.fault)

    @_do.register
    def _(self, command: ask.Mend) -> None:
        for twin in self._asked(command):
            for what in twin.standing():
                if not isinstance(what, Held | Stepped) and command.place in vars(what).values():
                    twin.end(what)

    @_do.register
    def _(self, command: ask.Swap) -> None:
        drivers = [self.workshop.driver(command.controller) for _ in command.twins]
        for twin, driver in zip(self._asked(command), drivers, strict=True):
            twin.drive(driver)

    @_do.register
    def _(self, command: ask.Shield) -> None:
        governors = [self.workshop.governor() if command.on else None for _ in command.twins]
        for twin, governor in zip(self._asked(command), governors, strict=True):
            twin.shield(governor)

    @_do.register
    def _(self, command: ask.Supervise) -> None:
        known = self.workshop.known() if command.on else None
        for twin in self._asked(command):
            twin.supervise(known)

    @_do.register
    def _(self, command: ask.Acknowledge) -> None:
        for name in command.twins:
            self.twins[name].acknowledge()
            wanted = [command.alarm in ("", alarm.name) for alarm in self.alarms[name]]
            pairs = zip(self.alarms[name], wanted, strict=True)
            self.alarms[name] = tuple(acknowledged(alarm) if chosen else alarm for alarm, chosen in pairs)

    @_do.register
    def _(self, command: ask.Shelve) -> None:
        for name in command.twins:
            self.alarms[name] = tuple(
                shelved(alarm, self.decision, command.decisions) if alarm.name == command.alarm else alarm
                for alarm in self.alarms[name]
            )


def replayed(case: Case, controllers: Sequence[str], workshop: Workshop, log: Sequence[Logged], decisions: int) -> Pair:
    """Return a pair that has run so many decisions with the same commands before the same ones."""
    pair = Pair(case, controllers, workshop)
    for at in range(decisions + 1):
        for logged in log:
            if logged.decision == at:
                pair.apply(logged.command)
        if at < decisions:
            pair.decide()
            pair.advance()
    return pair


def history(pair: Pair) -> Mapping[str, Array]:
    """Return all samples that are kept of each twin."""
    return {name: ring.after(-1).rows for name, ring in pair.rings.items()}


def _face(twin: Twin, tag: str) -> Face:
    return next(face for face in twin.faces() if face.tag == tag)


def _within(name: str, what: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise BadInput(f"{name}: {what} {value:g} given; {low:g} to {high:g} allowed")


def _columns(outputs: int, loops: int, disturbances: int) -> Columns:
    sp = outputs
    op = sp + loops
    d = op + loops
    share = d + disturbances
    return Columns(0, sp, op, d, share, share + 1, share + 2)
