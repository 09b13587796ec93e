"""One of the twin plants: its loops under the operator's hand, the controller that moves its setpoints, and its shield."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from controller.interface import Reading
from controller.live.alarms import STOPPED, UNCERTIFIED
from controller.live.driver import Answer, Driver
from controller.live.prescription import Change, Held, What, place, prescribed
from controller.panel import panel
from controller.safety.evidence import Request
from controller.safety.field import read, sent
from controller.safety.given import given
from controller.safety.governor import Calibration, Governor
from controller.safety.shell import Shell
from controller.safety.signal_limits import instruments
from controller.safety.state import State
from controller.safety.transfer import BLEND, blended
from controller.safety.watchdog import Answer as Heard
from plant_models.core.loop import Loop
from plant_models.core.scenario import Array
from plant_models.derive.layout import COMPLETE, FAILED, LIMITS, RUNNING, TRIPPED
from plant_models.env.lookahead import Command, safe_outputs
from plant_models.env.operated import Mode, OperatedPlant
from plant_models.env.scenario import Episodes, Single

STATUS = {RUNNING: "running", TRIPPED: "tripped", FAILED: "integration failed", COMPLETE: "complete"}


@dataclass(frozen=True)
class Face:
    """What a loop shows, in units: its mode, measurement, setpoint and output, and what an entry of a setpoint begins from.

    ``heard``: its slave listens to its output. ``by_hand``: the setpoint it is sent is the operator's.
    """

    tag: str
    mode: Mode
    pv: float
    setpoint: float
    asked: float
    output: float
    heard: bool
    by_hand: bool


class Twin:
    """A plant on one episode, which may be changed while it runs; :meth:`decide`, then :meth:`advance`, once a decision."""

    def __init__(self, episodes: Episodes, driver: Driver) -> None:
        self.driver, self.episodes, self._plant = driver, episodes, episodes.plant
        self.operated = OperatedPlant(episodes.plant, episodes)
        self._simulator = self.operated.simulator
        self._nothing = Answer(np.zeros((1, len(self._plant.acted)), dtype=np.float32), np.empty((0, 0)))
        self._base, self._dwell, self._begun = episodes, BLEND, False
        self._governor: Governor | None = None
        self._shell: Shell | None = None
        self._request: Request = "none"
        self._failing = False
        self.changes: tuple[Change, ...] = ()
        self.asked = self._nothing
        self.share, self.total, self.safe = 1.0, 0.0, False
        self.problem = ""
        self._margins, self._stood = self._simulator.S.read("lowest")[:, 0], False

    @property
    def decision(self) -> int:
        """The decision that the plant is at."""
        return int(self._simulator.k[0])

    @property
    def status(self) -> str:
        """Whether the plant runs."""
        return STATUS[float(self._simulator.S.read("status")[0, 0])]

    @property
    def over(self) -> bool:
        """Whether there is nothing left to decide."""
        return self.decision >= self.episodes.scenario.steps or self.status == "complete"

    def change(self, changes: tuple[Change, ...]) -> None:
        """Exchange what the operator has changed in the episode, from the present decision on."""
        self.changes = changes
        self.episodes = prescribed(self._base, changes)
        self._simulator.prescribe(self.episodes)

    def begin(self, what: What) -> None:
        """Let something hold from now on, in place of what held before of the same kind."""
        self.change((*self._ended(what), Change(self.decision, what)))

    def end(self, what: What) -> None:
        """Let something hold no longer."""
        self.change(self._ended(what))

    def _ended(self, what: What) -> tuple[Change, ...]:
        """Return the changes with those of the same kind and place as this one ended now."""
        now, like = self.decision, place(what)
        ended = (replace(c, until=now) if c.until is None and place(c.what) == like else c for c in self.changes)
        return tuple(change for change in ended if change.until is None or change.until > change.at)

    def standing(self) -> tuple[What, ...]:
        """Return what the operator has changed and still holds."""
        return tuple(change.what for change in self.changes if change.until is None)

    def drive(self, driver: Driver) -> None:
        """Hand the setpoints to another controller, which gets from the offsets it finds to its own over some decisions."""
        self.driver.close()
        self.driver, self._dwell, self.problem = driver, 0, ""

    @property
    def shielded(self) -> bool:
        """Whether there is a shield, at work or waiting."""
        return self._governor is not None

    @property
    def suspended(self) -> str:
        """Why the shield lets everything through: it knows the plant with all its loops in cascade."""
        taken = [face.tag for face in self.faces() if face.mode != "CAS" and self.operated.sent_to(face.tag)]
        return f"{', '.join(taken)} not in CAS" if taken else ""

    def shield(self, governor: Governor | None) -> None:
        """Put the plant behind a shield, or take it away."""
        self._governor, self._shell, self._begun = governor, None, False

    def supervise(self, known: Calibration | None) -> None:
        """Put the plant under a shell that knows this of it, in place of the shield alone, or take the shell away."""
        self._governor, self._begun, self._request = None, False, "none"
        self._shell = None if known is None else Shell(self._plant, known, instruments(self._plant), self._answered)

    def acknowledge(self) -> None:
        """Acknowledge what the shell waits for: a trip to be reset, or a policy that lost the plant too often."""
        self._request = "acknowledge"

    @property
    def supervised(self) -> tuple[str, str]:
        """Who has the plant, by the shell's modes, and why; both empty without a shell."""
        if self._shell is None:
            return "", ""
        if self.status == "tripped":
            return "TRIPPED", "the plant's own protection has stopped it"
        if self.suspended:
            return "MANUAL", f"{self.suspended}: in the operator's hands"
        return self._shell.state.mode, self._shell.state.reason

    def decide(self) -> None:
        """Ask the controller what it wants; the PID layer goes on alone where it has nothing to say."""
        if self.status != "running":
            self.asked = self._nothing
            return
        reading = Reading(self._simulator.observe(), partial(panel, self._simulator, self.episodes))
        try:
            self.asked, self._failing = self.driver.act(reading), False
        except Exception as error:  # noqa: BLE001 - what a controller does wrong, the plant must survive
            self.asked, self.problem, self._failing = self._nothing, str(error), True

    def advance(self) -> None:
        """Run one decision with what was asked for."""
        self._dwell += 1
        self.share, self.safe = 1.0, False
        free = self.status == "running" and not self.suspended
        if self._shell is not None and free:
            self._watched(self._shell)
        elif self._governor is not None and free:
            self._guarded(self._governor, self._blended())
        else:
            self._begun = False
            self.operated.step(self._blended())
        lost = self.status in ("tripped", "integration failed")
        self.total += self._plant.worst if lost else float(self._simulator.S.read("stage")[0, 0])

    def _blended(self) -> Single:
        return np.asarray(blended(np.nan_to_num(self.asked.action), self._offsets(), self._dwell), dtype=np.float32)

    def _watched(self, shell: Shell) -> None:
        """Run one decision of the shell, which begins anew with PID wherever it was away."""
        now = given(shell.shapes, read(self._simulator), self._simulator.sent, request=self._request)
        if not self._begun:
            self._simulator.E.write("manual", safe_outputs(self._plant))
            shell.state = State()
            shell.begin(now)
            self._begun = True
        record = shell.decide(now)
        self._request = "none"
        self.share, self.safe = -1.0 if record.share is None else record.share, record.sent.safe
        command = Command(np.array([record.sent.r]), np.array([record.sent.a]), np.array([record.sent.safe]))
        sent(self._simulator, command)

    def _answered(self, _used: Array) -> Heard:
        """What the controller wants, as the shell hears it."""
        if self._failing:
            return Heard("raised", detail=self.problem)
        return Heard("in time", np.asarray(self.asked.action, dtype=float))

    def _guarded(self, governor: Governor, action: Single) -> None:
        asked = Command(self._simulator.sent, action.astype(float), np.zeros(1, dtype=bool))
        reading = read(self._simulator)
        if not self._begun:
            self._simulator.E.write("manual", safe_outputs(self._plant))
            governor.begin(np.arange(1), reading, Command(asked.r, self._offsets(), asked.safe))
            self._begun = True
        made = governor.allow(governor.estimate(reading), asked)
        self.share, self.safe = float(made.share[0]), bool(made.sent.safe[0])
        sent(self._simulator, made.sent)

    def _offsets(self) -> Array:
        """Return the offsets that were applied last, as actions (1, actions)."""
        authority = np.array([[loop.authority for loop in self._plant.acted]])
        applied: Array = np.clip(self._simulator.S.read("v").T / authority, -1.0, 1.0)
        return applied

    def faces(self) -> tuple[Face, ...]:
        """Return what each loop shows."""
        held = {what.tag for what in self.standing() if isinstance(what, Held)}
        return tuple(self._face(loop, loop.tag in held) for loop in self._plant.loops)

    def _face(self, loop: Loop, by_hand: bool) -> Face:
        shown = self.operated.faceplate(loop.tag)
        sent_to = shown.mode == "CAS" and loop in self._plant.masters
        asked = self._sent(loop) if sent_to else shown.setpoint
        return Face(loop.tag, shown.mode, shown.pv, shown.setpoint, asked, shown.output, shown.heard, by_hand)

    def _sent(self, loop: Loop) -> float:
        """Return what a master loop is sent, within its limits."""
        i = self._plant.loops.index(loop)
        low, high = self._simulator.P.read("limits")[LIMITS * i : LIMITS * (i + 1), 0]
        return float(np.clip(self._simulator.sent[0, self._plant.masters.index(loop)], low, high))

    def disturbances(self) -> Array:
        """Return the disturbances as they are now, (disturbances,)."""
        now: Array = self.episodes.exogenous[0, self.decision, : len(self._plant.Disturbance.names())]
        return now

    def abnormal(self) -> Mapping[str, float]:
        """Return what alarms go by: margins, readings, and how plant and shield stand; a plant that stopped keeps its margins."""
        names, stopped = self._simulator.kernel.layout.margins, self.status in ("tripped", "integration failed")
        margins = self._margins if stopped and self._stood else self._simulator.S.read("lowest")[:, 0]
        self._margins, self._stood = margins, stopped
        found = {f"margin:{name}": float(value) for name, value in zip(names, margins, strict=True)}
        readings = self._simulator.S.read("y")[:, 0]
        found |= {f"range:{name}": float(y) for name, y in zip(self._plant.Output.names(), readings, strict=True)}
        return found | {STOPPED: float(stopped), UNCERTIFIED: float(self.share < 0.0)}

    def readings(self) -> Array:
        """Return what the instruments show, (outputs,)."""
        shown: Array = self._simulator.S.read("y")[:, 0]
        return shown

    def close(self) -> None:
        """Let go of the controller."""
        self.driver.close()
