"""Twin plants under an operator: what commands do, that the same log does the same, alarms, faults, and a clock that keeps up."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controller.baselines import Pid
from controller.interface import Reading
from controller.live import commands as ask
from controller.live.alarms import Alarm, acknowledged, judged, shelved
from controller.live.case import Case, drawn, lengthened
from controller.live.clock import Clock
from controller.live.commands import TWINS
from controller.live.driver import Inline
from controller.live.pair import Pair, history, replayed
from controller.live.prescription import Change, Held, Stepped, fitted, prescribed
from controller.live.ring import Ring
from controller.live.session import Session, period_of
from controller.live.sessions import Sessions
from controller.live.workshop import Kept
from controller.liveness import exists
from controller.safety.governor import Calibration, Governor
from controller.safety.state import State
from controller.safety.supervisor import DWELL
from plant_models.catalogue import get
from plant_models.core.errors import BadInput, UnknownName
from plant_models.core.fault import Bias, Drift, Dropout, Jammed, Noise, Spike, Stiction, Stuck
from plant_models.core.plant import Plant
from plant_models.derive.layout import HELD
from plant_models.env.scenario import Single
from tests.safety import known

CASE = Case("exothermic_cstr", "tracking", 3)
SHORT = 400
"""Decisions of an episode that would be drawn for thousands; no test runs more."""
BOTH = TWINS


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw short episodes."""
    monkeypatch.setattr("controller.live.case.LONGEST", SHORT)


class Leaning(Pid):
    """Asks for half of its authority, always: a controller that differs from PID."""

    def act(self, reading: Reading) -> Single:
        """Lean."""
        return np.full((1, len(self.plant.acted)), 0.5, dtype=np.float32)


class Filling(Pid):
    """Asks for all of its authority, always."""

    def act(self, reading: Reading) -> Single:
        """Ask for all."""
        return np.ones((1, len(self.plant.acted)), dtype=np.float32)


class Shop(Kept):
    """A workshop with a policy of the test's own, and a shield that is calibrated already."""

    def __init__(self, case: Case = CASE) -> None:
        super().__init__(case, {"leaning": Leaning, "filling": Filling, "broken": _broken})

    def governor(self) -> Governor:
        """Return a shield from the tests' calibration."""
        plant = get(self.case.plant)
        return Governor(plant, 1, known(self.case.plant))

    def known(self) -> Calibration:
        """Return the tests' calibration."""
        return known(self.case.plant)


def _broken(plant: Plant) -> Any:
    class Broken(Pid):
        def act(self, reading: Reading) -> Single:
            """Fail."""
            raise ArithmeticError("no answer")

    return Broken(plant)


def pair(*controllers: str) -> Pair:
    return Pair(CASE, controllers or ("pid", "leaning"), Shop())


def run(pair: Pair, decisions: int = 1) -> None:
    for _ in range(decisions):
        pair.decide()
        pair.advance()


def face(pair: Pair, tag: str, twin: ask.Twin = "A") -> Any:
    return next(face for face in pair.twins[twin].faces() if face.tag == tag)


def test_twins_under_the_same_controller_are_the_same_and_under_another_are_not() -> None:
    same, other = pair("pid", "pid"), pair()
    run(same, 20), run(other, 20)
    a, b = history(same).values()
    assert np.array_equal(a, b)
    assert not np.array_equal(*history(other).values())
    assert same.twins["A"].total > 0.0


@pytest.mark.slow
def test_a_twin_left_alone_is_the_plant_of_the_benchmark() -> None:
    """The drawn episode under PID costs what a roll-out says it costs."""
    from controller.rollout import rollout

    case = Case("heat_pump_house", "", 0)
    twins = Pair(case, ("pid", "pid"), Kept(case, {}))
    run(twins, 40)
    plant = get(case.plant)
    from plant_models.env.scenario import draw

    judged = rollout(Pid(plant), draw(plant, plant.scenario(), 0, 1, "judging"))
    assert twins.twins["A"].total == pytest.approx(judged.cost[0, :40].sum(), rel=2e-3)


def test_the_same_log_does_the_same_to_the_last_digit() -> None:
    twins = pair()
    orders: dict[int, list[ask.Command]] = {
        5: [ask.SetSetpoint(BOTH, "AIC-101", 0.9)],
        8: [ask.Disturb(BOTH, "T_f", 2.0), ask.Swap(("A",), "leaning")],
        12: [ask.Inject(BOTH, Dropout("T", 0.5, 0.2)), ask.Inject(("A",), Spike("c_A", 0.01, 0.2))],
        18: [ask.Mend(BOTH, "T"), ask.SetMode(("A",), "TIC-101", "MAN")],
        19: [ask.SetOutput(("A",), "TIC-101", 301.0)],
        24: [ask.SetMode(("A",), "TIC-101", "CAS"), ask.Release(BOTH, "AIC-101"), ask.Acknowledge(BOTH)],
    }
    for k in range(30):
        for command in orders.get(k, []):
            twins.apply(command)
        run(twins)
    again = replayed(CASE, ("pid", "leaning"), Shop(), twins.log, 30)
    for name, rows in history(twins).items():
        assert np.array_equal(rows, history(again)[name], equal_nan=True)
    assert twins.alarms == again.alarms
    assert not np.array_equal(rows, history(replayed(CASE, ("pid", "leaning"), Shop(), twins.log[1:], 30))[name], equal_nan=True)


def test_a_setpoint_in_cascade_is_what_is_sent_and_what_is_judged_and_a_release_gives_it_back() -> None:
    twins = pair()
    run(twins, 3)
    programme = face(twins, "AIC-101").asked
    twins.apply(ask.SetSetpoint(BOTH, "AIC-101", 0.91))
    assert face(twins, "AIC-101").asked == 0.91
    assert face(twins, "AIC-101").by_hand
    assert face(twins, "AIC-101").mode == "CAS"
    run(twins, 30)
    assert face(twins, "AIC-101").pv == pytest.approx(0.91, abs=0.01)
    assert twins.twins["A"].episodes.exogenous[0, 20:40, twins.twins["A"].episodes.targets()] == pytest.approx(0.91)
    twins.apply(ask.Release(BOTH, "AIC-101"))
    assert not face(twins, "AIC-101").by_hand
    base = drawn(CASE)
    assert face(twins, "AIC-101").asked == base.exogenous[0, 33 + base.plant.advance, base.references()]
    assert programme != 0.91


def test_modes_are_taken_without_a_bump_and_the_output_is_the_operators_in_manual() -> None:
    twins = pair()
    run(twins, 10)
    before = face(twins, "TIC-101").output
    twins.apply(ask.SetMode(("A",), "TIC-101", "MAN"))
    run(twins)
    assert face(twins, "TIC-101").output == pytest.approx(before, abs=1e-9)
    assert face(twins, "TIC-101", "B").mode == "CAS"
    twins.apply(ask.SetOutput(("A",), "TIC-101", before + 1.0))
    run(twins, 5)
    assert face(twins, "TIC-101").output == before + 1.0
    assert not face(twins, "AIC-101").heard


REFUSED: list[tuple[ask.Command, str]] = [
    (ask.SetSetpoint(BOTH, "AIC-101", 2.0), "0.8 to 0.95 allowed"),
    (ask.SetSetpoint(BOTH, "AIC-101", math.nan), "0.8 to 0.95 allowed"),
    (ask.SetSetpoint(BOTH, "TIC-101", 320.0), "its master sends it"),
    (ask.SetOutput(BOTH, "TIC-101", 300.0), "put the loop in MAN"),
    (ask.SetMode(BOTH, "TIC-999", "MAN"), "did you mean 'TIC-101'"),
    (ask.Disturb(BOTH, "T_f", math.inf), "allowed"),
    (ask.Disturb(BOTH, "nothing", 1.0), "unknown disturbance"),
    (ask.Inject(BOTH, Bias("T_c", 1.0)), "unknown instrument"),
    (ask.Inject(BOTH, Bias("T", math.nan)), "finite"),
    (ask.Inject(BOTH, Jammed("T", 0.0)), "unknown valve"),
    (ask.Swap(BOTH, "nobody"), "unknown controller"),
    (ask.Acknowledge(BOTH, "nothing"), "unknown alarm"),
    (ask.SetMode((), "TIC-101", "MAN"), "A, B or both"),
]


def test_what_cannot_be_done_is_refused_and_changes_nothing() -> None:
    twins = pair()
    run(twins, 2)
    faces = [twin.faces() for twin in twins.twins.values()]
    for command, words in REFUSED:
        with pytest.raises(BadInput, match=words):
            twins.apply(command)
    assert [twin.faces() for twin in twins.twins.values()] == faces
    assert twins.log == ()


def test_a_disturbance_is_stepped_for_both_and_taken_back() -> None:
    twins, still = pair("pid", "pid"), pair("pid", "pid")
    run(twins, 5), run(still, 5)
    twins.apply(ask.Disturb(("A",), "T_f", 4.0))
    assert twins.twins["A"].disturbances()[0] - still.twins["A"].disturbances()[0] == pytest.approx(4.0)
    run(twins, 3), run(still, 3)
    assert face(twins, "TIC-101").output < face(still, "TIC-101").output - 0.5
    assert np.array_equal(history(twins)["B"], history(still)["B"])
    twins.apply(ask.Disturb(("A",), "T_f", 0.0))
    assert twins.twins["A"].disturbances()[0] == still.twins["A"].disturbances()[0]


def test_a_jammed_valve_stands_still_until_it_is_mended() -> None:
    twins = pair()
    run(twins, 5)
    twins.apply(ask.Inject(("A",), Jammed("T_c", 0.0)))
    stood = float(twins.twins["A"].operated.simulator.S.read("u")[0, 0])
    run(twins, 4)
    assert float(twins.twins["A"].operated.simulator.S.read("u")[0, 0]) == stood
    assert face(twins, "TIC-101").output != pytest.approx(stood, abs=1e-3)
    twins.apply(ask.Mend(("A",), "T_c"))
    run(twins)
    assert float(twins.twins["A"].operated.simulator.S.read("u")[0, 0]) != stood


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Bias("T", 2.0), lambda rows: np.full_like(rows, 2.0)),
        (Drift("T", 3.0), lambda rows: 3.0 * (26.0 / 300.0) * np.arange(1, len(rows) + 1)),
        (Stuck("T", 0.0), lambda rows: np.full_like(rows, HELD)),
    ],
)
def test_an_instrument_errs_by_what_the_operator_says_from_then_on(fault: Any, expected: Callable[[Any], Any]) -> None:
    base = replace(drawn(CASE), noise=np.zeros_like(drawn(CASE).noise))
    loops = base.plant.loops_per_decision
    noise = prescribed(base, [Change(10, fault, 20)]).noise[0, :, base.plant.Output.names().index("T")]
    failing = noise[10 * loops + 1 : 20 * loops + 1]
    assert failing == pytest.approx(expected(failing), rel=1e-5)
    assert not noise[: 10 * loops + 1].any()
    assert not noise[20 * loops + 1 :].any()


def test_noise_grows_by_a_factor_and_a_valve_sticks_within_its_band() -> None:
    base = drawn(CASE)
    changed = prescribed(base, [Change(10, Noise("T", 5.0)), Change(10, Stiction("T_c", 0.7))])
    assert changed.noise[0, 60:, 1] == pytest.approx(5.0 * base.noise[0, 60:, 1], rel=1e-5)
    assert changed.noise[0, 60:, 2] == pytest.approx(0.7)


def test_changes_end_where_they_say_and_later_ones_hold() -> None:
    base = drawn(CASE)
    changes = [Change(4, Stepped("T_f", 2.0), 9), Change(6, Held("AIC-101", 0.9))]
    changed = prescribed(base, changes).exogenous[0] - base.exogenous[0]
    assert changed[4:9, 0] == pytest.approx(2.0)
    assert not changed[9:, 0].any()
    assert prescribed(base, changes).exogenous[0, 6:, base.references()] == pytest.approx(0.9)


def test_any_valve_may_fail_and_the_plant_is_the_same_plant() -> None:
    from plant_models.derive.identity import plant_hash

    plant = get("quadruple_tank")
    assert {fault.input for fault in fitted(plant).faults if isinstance(fault, Stiction)} >= {loop.mv for loop in plant.loops}
    assert fitted(plant).scenario().name == plant.scenario().name
    assert plant_hash(fitted(plant)) is not None
    assert lengthened(plant, plant.scenario()).steps > plant.scenario().steps
    assert lengthened(get("heat_pump_house"), get("heat_pump_house").scenario()).steps == get("heat_pump_house").scenario().steps


def test_a_controller_that_takes_over_moves_no_setpoint_at_once() -> None:
    twins = pair("pid", "pid")
    run(twins, 20)
    before = twins.twins["A"].operated.simulator.S.read("v")[0, 0]
    twins.apply(ask.Swap(("A",), "leaning"))
    run(twins)
    after = twins.twins["A"].operated.simulator.S.read("v")[0, 0]
    assert 0.0 < after - before < 0.2
    run(twins, 20)
    assert twins.twins["A"].operated.simulator.S.read("v")[0, 0] == pytest.approx(1.5)


def test_a_controller_that_fails_leaves_the_plant_to_pid_and_says_so() -> None:
    twins = pair("pid", "broken")
    run(twins, 10)
    assert twins.twins["B"].problem == "no answer"
    assert np.array_equal(*history(twins).values())


@pytest.mark.slow
def test_the_shield_keeps_the_limit_that_setpoints_beyond_it_cross_and_is_repeated() -> None:
    case = Case("quadruple_tank", "", 0)
    twins = Pair(case, ("filling", "filling"), Shop(case))
    twins.apply(ask.Shield(("B",), True))
    for loop in twins.plant.masters:
        twins.apply(ask.SetSetpoint(BOTH, loop.tag, loop.high))
    run(twins, 60)
    raised = {name: max(alarm.raised for alarm in twins.alarms[name] if alarm.name.startswith("margin")) for name in TWINS}
    assert raised["A"] > 0
    assert raised["B"] == 0
    assert history(twins)["B"][:, twins.columns.share].min() < 1.0
    again = replayed(case, ("filling", "filling"), Shop(case), twins.log, 60)
    assert np.array_equal(history(twins)["B"], history(again)["B"], equal_nan=True)
    twins.apply(ask.SetMode(("B",), twins.plant.loops[0].tag, "MAN"))
    assert twins.twins["B"].suspended == f"{twins.plant.loops[0].tag} not in CAS"


@pytest.mark.slow
def test_under_the_shell_a_twin_says_who_has_it_and_is_repeated() -> None:
    twins = pair("pid", "leaning")
    assert twins.twins["B"].supervised == ("", "")
    twins.apply(ask.Supervise(("B",), True))
    run(twins)
    assert twins.twins["B"].supervised == ("BACKUP", State().reason)
    modes = set()
    for _ in range(DWELL + 60):
        run(twins)
        modes.add(twins.twins["B"].supervised[0])
    assert modes >= {"BACKUP", "AUTO"}
    again = replayed(CASE, ("pid", "leaning"), Shop(), twins.log, twins.decision)
    assert np.array_equal(history(twins)["B"], history(again)["B"], equal_nan=True)
    twins.apply(ask.Swap(("B",), "broken"))
    run(twins)
    assert twins.twins["B"].supervised[0] == "BACKUP"
    assert "broken off" in twins.twins["B"].supervised[1]
    twins.apply(ask.SetMode(("B",), "TIC-101", "MAN"))
    assert twins.twins["B"].supervised == ("MANUAL", "TIC-101 not in CAS: in the operator's hands")
    twins.apply(ask.Supervise(("B",), False))
    assert twins.twins["B"].supervised == ("", "")


ALARM = Alarm("level", "level high", "m", 1, low=-math.inf, high=10.0, deadband=1.0, on_delay=2, off_delay=2)


def stages(values: list[float], alarm: Alarm = ALARM) -> list[str]:
    found = []
    for k, value in enumerate(values):
        alarm = judged(alarm, value, k)
        found.append(alarm.stage)
    return found


def test_an_alarm_waits_for_its_delay_and_goes_beyond_its_deadband() -> None:
    assert stages([9.0, 11.0, 11.0]) == ["normal", "normal", "unacknowledged"]
    assert stages([11.0, 9.5, 11.0, 9.5]) == ["normal"] * 4
    up = ["normal", "unacknowledged"]
    assert stages([11.0, 11.0, 9.5, 9.5, 9.5]) == [*up, *["unacknowledged"] * 3]
    assert stages([11.0, 11.0, 8.9, 8.9]) == [*up, "unacknowledged", "returned"]
    assert stages([math.nan, math.nan]) == up


def test_acknowledging_and_returning_in_either_order_ends_in_normal() -> None:
    raised = judged(judged(ALARM, 11.0, 0), 11.0, 1)
    seen = acknowledged(raised)
    assert seen.stage == "acknowledged"
    assert judged(judged(seen, 5.0, 2), 5.0, 3).stage == "normal"
    gone = judged(judged(raised, 5.0, 2), 5.0, 3)
    assert gone.stage == "returned"
    assert acknowledged(gone).stage == "normal"
    assert judged(judged(gone, 11.0, 4), 11.0, 5).stage == "unacknowledged"


def test_a_shelved_alarm_is_quiet_and_comes_back_when_its_time_is_over() -> None:
    quiet = shelved(judged(judged(ALARM, 11.0, 0), 11.0, 1), 1, 3)
    assert quiet.stage == "shelved"
    assert judged(quiet, 11.0, 3).stage == "shelved"
    assert judged(quiet, 11.0, 4).stage == "unacknowledged"
    assert shelved(quiet, 2, 0).stage == "unacknowledged"


def test_a_ring_gives_only_what_was_not_seen_and_forgets_the_oldest() -> None:
    ring = Ring(4, 1)
    for k in range(6):
        ring.append(np.array([float(k)]))
    assert ring.after(-1).first == 2
    assert ring.after(4)[1].tolist() == [[5.0]]
    assert ring.after(5).rows.shape == (0, 1)
    assert ring.after(999).first == 2


def test_a_clock_keeps_its_pace_catches_up_and_says_where_it_cannot() -> None:
    clock = Clock(10.0, 100.0, 0.0)
    assert clock.left(0.0) == math.inf
    clock.run(0.0)
    assert clock.left(0.04) == pytest.approx(0.06)
    now = 0.0
    for k in range(1, 30):
        now = 0.1 * k + (0.5 if k == 10 else 0.0)
        clock.made(now)
    assert clock.slowed == 0
    clock.made(now + 5.0)
    assert clock.slowed > 40
    clock.pause()
    clock.step(), clock.step()
    assert clock.left(9.0) == 0.0
    clock.made(9.0), clock.made(9.1)
    assert clock.left(9.2) == math.inf
    with pytest.raises(BadInput, match="10000"):
        clock.set_speed(3.0, 0.0)


@pytest.fixture
def session() -> Iterator[Session]:
    begun = Session(CASE, ("pid", "leaning"), Shop(), 100.0)
    yield begun
    begun.end()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_session_carries_out_orders_at_once_and_publishes_what_came_of_them(session: Session) -> None:
    assert session.order(ask.SetSetpoint(BOTH, "AIC-101", 0.9))
    assert session.view().twins["B"].faces[0].asked == 0.9
    with pytest.raises(BadInput, match="master sends it"):
        session.order(ask.SetSetpoint(BOTH, "TIC-101", 320.0))
    session.step()
    until(lambda: session.view().decision == 1)
    assert session.samples("A", 0).rows.shape[0] == 1
    assert [logged.decision for logged in session.log] == [0]


def test_no_step_is_lost_at_a_hundred_times_real_time(session: Session) -> None:
    session.run()
    began = time.monotonic()
    time.sleep(1.5)
    made, due = session.view().decision, (time.monotonic() - began) * 100.0 / period_of(session.plant)
    session.pause()
    assert due - 2.0 <= made + session.view().slowed <= due + 1.0
    assert session.samples("A", -1).rows.shape[0] == session.view().decision + 1


def test_a_session_runs_as_fast_as_it_can_and_stays_open_to_orders(session: Session) -> None:
    session.speed(math.inf)
    session.run()
    until(lambda: session.view().decision > 40)
    assert session.order(ask.SetSetpoint(BOTH, "AIC-101", 0.87))
    session.pause()
    assert not session.view().running
    log, decisions = session.log, session.view().decision
    again = replayed(CASE, ("pid", "leaning"), Shop(), log, decisions)
    assert np.array_equal(again.rings["B"].after(-1).rows, session.samples("B", -1).rows, equal_nan=True)


def test_what_takes_long_to_build_is_built_beside_the_clock(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    monkeypatch.setattr(session._workshop, "preparation", lambda name, count: ("a controller", lambda: free.wait(10.0)))
    monkeypatch.setattr("controller.live.session.PATIENCE", 0.05)
    assert not session.order(ask.Swap(("A",), "leaning"))
    assert session.view().preparing == ("a controller",)
    session.step()
    until(lambda: session.view().decision == 1)
    free.set()
    until(lambda: session.view().twins["A"].controller == "leaning")
    assert [logged.decision for logged in session.log] == [1]
    assert session.view().preparing == ()


def test_sessions_are_bounded_found_by_name_and_end() -> None:
    sessions = Sessions(most=1)
    name = sessions.begin(lambda: Session(CASE, ("pid", "pid"), Shop()))
    with pytest.raises(BadInput, match="1 may"):
        sessions.begin(lambda: Session(CASE, ("pid", "pid"), Shop()))
    assert sessions.get(name).alive
    sessions.end(name)
    with pytest.raises(UnknownName, match="ended"):
        sessions.get(name)
    assert sessions.all() == {}


def test_sessions_that_only_begin_count_too() -> None:
    sessions, said = Sessions(most=1), list[str]()

    def make() -> Session:
        with pytest.raises(BadInput) as refused:
            sessions.begin(make)
        said.append(str(refused.value))
        raise BadInput("no plant")

    for _ in range(2):  # one that comes to nothing gives its place back
        with pytest.raises(BadInput, match="no plant"):
            sessions.begin(make)
    assert said == ["1 live sessions run already, 1 may; end one of them first"] * 2


def test_what_is_built_after_a_session_has_ended_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    workshop, closed = Kept(CASE, {}), list[str]()

    class Late(Inline):
        def close(self) -> None:
            closed.append(self.name)

    monkeypatch.setattr(workshop, "_made", lambda name: Late(name, Pid(workshop._plant), workshop._episodes))
    workshop.close()
    workshop._build("nmpc", 1)
    assert closed == ["nmpc"]


def test_a_session_that_nobody_watches_pauses_and_then_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.live.session.UNWATCHED", 0.2)
    begun = Session(CASE, ("pid", "pid"), Shop(), 100.0)
    begun.run()
    time.sleep(0.6)
    assert not begun.view().running
    monkeypatch.setattr("controller.live.session.FORGOTTEN", 0.0)
    until(lambda: not begun.alive)


@pytest.mark.slow
def test_a_program_ends_at_once_though_a_shield_is_being_calibrated(tmp_path: Path) -> None:
    """Calibrating takes minutes; Ctrl-C on the dashboard must not wait for it."""
    code = (
        "import multiprocessing, time\n"
        "from controller.live import commands as ask\n"
        "from controller.live.case import Case\n"
        "from controller.live.session import Session\n"
        "from controller.live import workshop\n"
        "from controller.live.workshop import Kept\n"
        "from tests.work import dawdle\n"
        "workshop._calibrated = dawdle\n"
        "case = Case('exothermic_cstr', 'tracking', 3)\n"
        "session = Session(case, ('pid', 'pid'), Kept(case, {}))\n"
        "assert not session.order(ask.Shield(('A',), True))\n"
        "while not (children := multiprocessing.active_children()):\n"
        "    time.sleep(0.05)\n"
        "print(children[0].pid, flush=True)\n"
    )
    where = {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=os.environ | where) as program:
        assert program.stdout is not None
        calibrating = int(program.stdout.readline())
        try:
            assert program.wait(20.0) == 0
        finally:
            program.kill()
    assert not exists(calibrating)
