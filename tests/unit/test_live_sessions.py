"""Sessions: orders beside a running clock, how many there may be, and how they end."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from controller.baselines import Pid
from controller.live import commands as ask
from controller.live.driver import Inline
from controller.live.pair import replayed
from controller.live.session import Session, period_of
from controller.live.sessions import Sessions
from controller.live.workshop import Kept
from controller.liveness import exists
from plant_models.core.errors import BadInput, UnknownName
from tests.live import BOTH, CASE, Shop, run, short  # noqa: F401 - short is for every test


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
