"""The shell around one plant: at each decision whatever a policy, an operator or an instrument says becomes a safe command.

    read -> validate signals -> estimate -> ask the policy -> blend and limit -> shield -> supervise -> command by mode -> record

What comes in need not be trusted in any part; what goes out is finite and in bounds, and leaves a record from which the decision
can be repeated. In AUTO and FILTERED the shield's decision on the policy's proposal is sent, in BACKUP its decision on what was
last safe, in MANUAL its decision on the operator's command, in TRIPPED the plant's safe action.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from controller.safety import valves
from controller.safety.evidence import Evidence
from controller.safety.given import Given, Numbers, Shapes, as_reading, nominal, stood_in
from controller.safety.governor import Calibration, Governor
from controller.safety.instrument import Instruments
from controller.safety.ne107 import Reason
from controller.safety.proposal import Reach, by_hand, on_the_way, stopped, wanted
from controller.safety.record import Record, Sent
from controller.safety.report import answered, readings, shielded, tags_of, told, unheard, worst
from controller.safety.shield import UNCERTIFIED, Decision
from controller.safety.signals import Findings, begin, validate
from controller.safety.state import POLICY, State
from controller.safety.supervisor import Settings, supervise
from controller.safety.trips import crossed, trip_margins
from controller.safety.watchdog import Answer
from plant_models.core.plant import SECONDS, Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command, Standing

READS_HIGH, READS_LOW = int(Reason.READS_HIGH), int(Reason.READS_LOW)
DRIFTING = 20
"""Decisions in a row with a residual one way, from which it is drift: an estimate that settles departs for ten."""

Ask = Callable[[Array], Answer]
"""``ask(used)``: the policy's answer, its observation built with these values (1, outputs) of the readings."""


@dataclass(frozen=True)
class Found:
    """What one decision rests on: what came and what is gone by, how the plant stands, what the policy wants and may."""

    given: Given
    now: Given
    missing: tuple[str, ...]
    expected: tuple[Array, Array]
    signals: Findings
    standing: Standing
    answer: Answer
    proposed: Command
    would: Decision
    trips: dict[str, float]


class Shell:
    """Runs one plant; :meth:`begin` an episode, then :meth:`decide` once a decision and send what it says.

    ``ask`` has the policy answer; ``state`` is where the supervisor stands at the beginning.
    """

    def __init__(self, plant: Plant, known: Calibration, signals: Instruments, ask: Ask, state: State | None = None) -> None:
        self.plant, self.instruments, self.shapes = plant, signals, Shapes.of(plant)
        self.state = State() if state is None else state
        self._ask, self._governor = ask, Governor(plant, 1, known)
        self._settings = Settings(", ".join(loop.tag for loop in plant.acted), plant.decision * SECONDS[plant.time_unit])
        self._reach = Reach.of(plant)
        self._last, self._memory, self._valves = nominal(plant, self.shapes), begin(signals, 1), valves.unwatched(plant)

    def begin(self, given: Given) -> None:
        """Begin with what the first decision is given; what the hierarchy sends then counts as safe until found otherwise."""
        self._last, _ = stood_in(nominal(self.plant, self.shapes), given)
        self._memory, self._valves = begin(self.instruments, 1), valves.unwatched(self.plant)
        r = np.array([self._last.r])
        self._sent = Command(r, np.zeros_like(self._reach.authority), np.zeros(1, dtype=bool))
        with np.errstate(all="ignore"):
            self._governor.begin(np.arange(1), as_reading(self._last, self._memory.last), self._sent)

    def decide(self, given: Given) -> Record:
        """Return what to send the plant in this decision, and why; it is expected to be sent."""
        # Whatever overflows on the way is no certificate.
        with np.errstate(all="ignore"):
            found, before = self._found(given), self.state
            evidence = self._evidence(found)
            self.state = supervise(self._settings, before, evidence)
            made = self._made(found, taken_over=before.mode not in POLICY)
        self._sent = made.sent
        return self._record(found, evidence, made)

    def _found(self, given: Given) -> Found:
        now, missing = stood_in(self._last, given)
        self._last, self._valves = now, valves.watched(self.plant, self._valves, now)
        expected = self._governor.expected
        self._memory, signals = validate(self.instruments, self._memory, np.array([now.y]), np.array([now.age]), *expected)
        standing = self._governor.estimate(as_reading(now, signals.used))
        answer = self._ask(signals.used)
        proposed = self._proposed(now, answer)
        return Found(
            given, now, missing, expected, signals, standing, answer, proposed, self._governor.would(standing, proposed),
            trip_margins(self.plant, standing, signals.used),
        )  # fmt: skip

    def _proposed(self, now: Given, answer: Answer) -> Command:
        """Return what the policy asks for, blended where it has just taken over; what was last safe where it asks for nothing."""
        if answer.action is None:
            return self._governor.safe
        asked = wanted(now, answer.action)
        in_charge = self.state.mode in POLICY
        return on_the_way(self._reach, now, self._sent, asked, self.state.dwell + 1) if in_charge else asked

    def _evidence(self, found: Found) -> Evidence:
        share = float(found.would.share[0])
        status, tag = worst(tags_of(self.plant, self.instruments), self._statuses(found), found.missing)
        margin = crossed(found.trips)
        certified = (share if found.answer.finding == "in time" else 0.0) if share != UNCERTIFIED else None
        return Evidence(
            status=status, answer=found.answer.finding, share=certified, drift=self._drift(), within=not margin,
            request=found.now.request, tag=tag, margin=margin,
        )  # fmt: skip

    def _statuses(self, found: Found) -> tuple[int, ...]:
        return (*found.signals.status[0].tolist(), *self._valves.statuses.tolist())

    def _drift(self) -> bool:
        """Return whether an instrument has departed from the model one way for so long that chance is no explanation."""
        return bool((self._memory.lasted[..., [READS_HIGH - 1, READS_LOW - 1]] >= DRIFTING).any())

    def _made(self, found: Found, taken_over: bool) -> Decision:
        """Return the decision of the mode, which the governor then expects to be sent."""
        governor, standing, mode = self._governor, found.standing, self.state.mode
        if mode == "TRIPPED":
            return governor.take(standing, stopped(governor.safe, found.would))
        if mode == "MANUAL":
            return governor.allow(standing, by_hand(found.now, self._sent))
        if mode == "BACKUP":
            return governor.allow(standing, governor.safe)
        if taken_over:
            return governor.allow(standing, on_the_way(self._reach, found.now, self._sent, found.proposed, 1))
        return governor.take(standing, found.would)

    def _record(self, found: Found, evidence: Evidence, made: Decision) -> Record:
        sent, (expected, spread) = made.sent, found.expected
        return Record(
            decision=self.state.decision, given=found.given, expected=_row(expected), spread=_row(spread),
            used=_row(found.signals.used), statuses=tuple(told(status) for status in self._statuses(found)),
            finding=found.answer.finding, action=() if found.answer.action is None else _row(found.answer.action),
            detail=found.answer.detail, share=evidence.share, trips=tuple(found.trips.values()), mode=self.state.mode,
            sent=Sent(_row(sent.r), _row(sent.a), bool(sent.safe[0])), reason=self.state.reason, words=self._words(found, made),
        )  # fmt: skip

    def _words(self, found: Found, made: Decision) -> tuple[str, ...]:
        tripped = self.state.mode == "TRIPPED"
        lines = shielded(self.plant, made, self.state.mode == "MANUAL")
        return (
            *readings(self.instruments, found.signals.status[0], found.signals.reason[0]),
            *valves.said(self.plant, self._valves), *unheard(found.missing), *answered(found.answer),
            *(() if tripped else lines),
        )  # fmt: skip


def _row(of_one: Array) -> Numbers:
    return tuple(of_one[0].tolist())
