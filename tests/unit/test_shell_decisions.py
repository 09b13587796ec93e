"""One decision of the shell at a time: when drift is drift, how a policy is brought in, and what is written down of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from controller.safety.fault_trial import EARNED
from controller.safety.field import Field
from controller.safety.given import Given, given
from controller.safety.ne107 import TESTS, Reason
from controller.safety.record import Record
from controller.safety.shell import DRIFTING, Shell
from controller.safety.signal_limits import instruments
from controller.safety.state import State
from controller.safety.supervisor import CERTIFICATES, DWELL
from controller.safety.transfer import BLEND
from controller.safety.watchdog import Answer
from plant_models.catalogue import get
from tests.safety import episodes, known

CSTR, TANKS = get("exothermic_cstr"), get("quadruple_tank")
LATE = Answer("late", detail="0.5 s")
EARNING = State(mode="BACKUP", dwell=DWELL, full=CERTIFICATES)
"""In the next decision the policy has the plant back."""


def answering(action: float) -> Answer:
    return Answer("in time", np.array([[action]]))


def shell(answer: Answer, state: State = EARNED) -> tuple[Shell, Given]:
    """Return a shell that has begun on a reactor, its shield certifying whatever comes, and what its next decision is given."""
    whole, field = known(CSTR.name), Field(CSTR, episodes(CSTR, 1))
    lenient = replace(whole, margins=np.full(2, -1e3), slack=np.zeros(2), signs=whole.signs[:1])
    made = Shell(CSTR, lenient, instruments(CSTR), lambda _: answer, state)
    now = given(made.shapes, field.read(), field.simulator.sent)
    made.begin(now)
    return made, now


def decided(answer: Answer, state: State = EARNED) -> Record:
    made, now = shell(answer, state)
    return made.decide(now)


def drifting(reason: Reason, decisions: int) -> bool:
    """Return whether it is drift that one instrument has failed one test for so many decisions in a row."""
    made, _ = shell(answering(0.0))
    lasted = np.zeros((1, len(CSTR.Output.names()), TESTS), dtype=np.intp)
    lasted[0, 0, reason - 1] = decisions
    made._memory = replace(made._memory, lasted=lasted)
    return made._drift()


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason])
def test_drift_is_a_departure_one_way_for_twenty_decisions_and_nothing_else(reason: Reason) -> None:
    """Of one instrument, high or low; whatever else an instrument does has its own words."""
    one_way = reason in (Reason.READS_HIGH, Reason.READS_LOW)
    assert DRIFTING == 20
    assert (drifting(reason, 19), drifting(reason, 20), drifting(reason, 1000)) == (False, one_way, one_way)


@pytest.mark.parametrize("dwell", [0, 3, BLEND - 2, BLEND - 1, BLEND, 100])
def test_a_policy_in_charge_goes_its_way_to_what_it_asks_for_by_its_dwell(dwell: int) -> None:
    record = decided(answering(0.12), State(mode="AUTO", dwell=dwell))
    assert (record.mode, record.share) == ("AUTO", 1.0)
    assert record.sent.a[0] == pytest.approx(0.12 / max(BLEND - dwell, 1), rel=1e-12)
    assert record.action == (0.12,)


def test_a_policy_that_takes_over_begins_with_the_first_step_from_what_it_finds() -> None:
    record = decided(answering(0.12), EARNING)
    assert (record.mode, record.sent.a[0]) == ("AUTO", pytest.approx(0.12 / BLEND, rel=1e-12))


@pytest.mark.parametrize("answer", [LATE, Answer("not finite", detail="NaN")])
def test_where_the_policy_gives_no_answer_no_share_of_its_move_is_certified_and_what_was_safe_stays(answer: Answer) -> None:
    record = decided(answer)
    assert (record.finding, record.action, record.detail) == (answer.finding, (), answer.detail)
    assert (record.share, record.mode, record.sent.a) == (0.0, "BACKUP", (0.0,))
    assert record.sent.r == record.given.r
    assert any(answer.detail in line for line in record.words)


def test_a_shell_begins_where_it_is_told_to_or_with_the_pid_layer() -> None:
    whole, field = known(CSTR.name), Field(CSTR, episodes(CSTR, 1))
    fresh = Shell(CSTR, whole, instruments(CSTR), lambda _: answering(0.5))
    assert fresh.state == State()
    fresh.begin(given(fresh.shapes, field.read(), field.simulator.sent))
    assert fresh.decide(given(fresh.shapes, field.read(), field.simulator.sent)).mode == "BACKUP"
    assert decided(answering(0.0)).mode == "AUTO"


def test_a_shell_that_nobody_has_begun_holds_the_nominal_setpoint() -> None:
    made, field = Shell(CSTR, known(CSTR.name), instruments(CSTR), lambda _: answering(1.0)), Field(CSTR, episodes(CSTR, 1))
    record = made.decide(given(made.shapes, field.read(), field.simulator.sent))
    assert (record.mode, record.sent.r, record.sent.a) == ("BACKUP", (CSTR.Output.quantities()["c_A"].nominal,), (0.0,))


def test_what_is_written_down_is_of_every_instrument_and_every_valve() -> None:
    made, now = shell(answering(0.0))
    jammed = replace(now, u=(now.u[0] + 30.0,))
    records = [made.decide(jammed) for _ in range(3)]
    assert [len(record.statuses) for record in records] == [len(CSTR.Output.names()) + len(CSTR.Input.names())] * 3
    assert records[0].statuses[0] == "good"
    assert (records[1].statuses[-1], records[2].statuses[-1]) == ("good", "failure")
    assert (records[1].mode, records[2].mode) == ("AUTO", "BACKUP")
    blind = made.decide(replace(now, y=(np.nan, *now.y[1:])))
    assert blind.statuses[0] == "failure"
    assert "not a number" in blind.words[0]


def test_a_reason_names_every_loop_that_the_policy_moves() -> None:
    made = Shell(TANKS, known(TANKS.name), instruments(TANKS), lambda _: LATE)
    assert made._settings.loops == ", ".join(loop.tag for loop in TANKS.acted) == "LIC-101, LIC-102"
