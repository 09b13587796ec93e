"""Whatever a policy does, the shell has a finding by the deadline, and one thread at most is lost to it."""

from __future__ import annotations

import inspect
import os
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from controller.safety.watchdog import Watchdog, checked
from plant_models.core.errors import BadInput

SEEN = np.array([0.5, -0.5], dtype=np.float32)
AMPLE, SHORT = 30.0, 0.02


@contextmanager
def watched(act: Callable[[Any], Any], deadline: float = AMPLE, **options: Any) -> Iterator[Watchdog]:
    watchdog = Watchdog(act, (2,), deadline, **options)
    try:
        yield watchdog
    finally:
        watchdog.close()


def policies() -> int:
    return sum(thread.name == "policy" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """A policy's thread ends soon after its watchdog is closed, so every test begins and ends with none."""
    yield
    until = time.monotonic() + AMPLE
    while policies() and time.monotonic() < until:
        time.sleep(0.005)
    assert not policies()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint8])
def test_real_numbers_in_time_are_handed_on_in_float64(dtype: Any) -> None:
    with watched(lambda seen: np.array([0, 1], dtype=dtype)) as watchdog:
        answer = watchdog.ask(SEEN)
    assert answer.finding == "in time"
    assert answer.action is not None
    assert answer.action.dtype == np.float64
    np.testing.assert_array_equal(answer.action, [0.0, 1.0])


class Masked(np.ndarray[Any, Any]):
    """An array that says another shape than it has."""

    @property
    def shape(self) -> Any:
        return (2,)


ODD: dict[str, tuple[Any, str]] = {
    "nan": (np.array([np.nan, 0.0]), "not finite"),
    "inf": (np.array([0.0, -np.inf], dtype=np.float32), "not finite"),
    "too large": (np.array([0.0, 1.0], dtype=np.longdouble) * np.finfo(np.longdouble).max, "not finite"),
    "short": (np.zeros(1), "wrong shape"),
    "long": (np.zeros((1, 2)), "wrong shape"),
    "scalar": (np.array(0.5), "wrong shape"),
    "objects": (np.array([0.5, None], dtype=object), "wrong type"),
    "numbers as objects": (np.array([0.5, 0.5], dtype=object), "wrong type"),
    "text": (np.array(["0.5", "0.5"]), "wrong type"),
    "complex": (np.array([0.5j, 0.5]), "wrong type"),
    "truth": (np.array([True, False]), "wrong type"),
    "dates": (np.array(["2000", "2001"], dtype="datetime64[Y]"), "wrong type"),
    "list": ([0.5, 0.5], "wrong type"),
    "none": (None, "wrong type"),
    "masked": (np.ma.masked_array([0.5, 0.5], mask=[True, False]), "wrong type"),
    "subclass": (np.zeros(3).view(Masked), "wrong type"),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_what_is_no_action_is_a_finding_in_one_line(kind: str) -> None:
    given, finding = ODD[kind]
    if kind == "too large" and np.finfo(np.longdouble).max <= np.finfo(float).max:
        pytest.skip("long doubles are doubles here")
    with watched(lambda seen: given) as watchdog:
        answer = watchdog.ask(SEEN)
    assert (answer.finding, answer.action) == (finding, None)
    assert answer.detail
    assert "\n" not in answer.detail


class Unspeakable(Exception):
    """An error whose text breaks off too."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


ERRORS = {
    "ZeroDivisionError: by zero": ZeroDivisionError("by\nzero"),
    "SystemExit: 1": SystemExit(1),
    "KeyboardInterrupt: ": KeyboardInterrupt(),
    "MemoryError: ": MemoryError(),
    "Unspeakable": Unspeakable(),
    "ValueError: " + "x" * 188: ValueError("x" * 10_000),
}


@pytest.mark.parametrize("told", ERRORS)
def test_an_error_is_a_finding_and_the_next_decision_is_as_good_as_any(told: str) -> None:
    errors = [ERRORS[told]]

    def act(seen: Any) -> Any:
        if errors:
            raise errors.pop()
        return seen

    with watched(act) as watchdog:
        answer = watchdog.ask(SEEN)
        assert (answer.finding, answer.action, answer.detail) == ("raised", None, told.strip())
        assert watchdog.ask(SEEN).finding == "in time"


def test_an_answer_that_runs_code_when_it_is_looked_at_does_so_in_the_policys_thread() -> None:
    class Liar:
        @property
        def __class__(self) -> Any:
            raise RuntimeError("looked at")

    with watched(lambda seen: Liar()) as watchdog:
        assert watchdog.ask(SEEN).finding in ("wrong type", "raised")


def test_neither_side_can_change_what_the_other_holds() -> None:
    kept: list[Any] = []

    def act(seen: Any) -> Any:
        seen[:] = 9.0
        kept.append(np.zeros(2))
        return kept[-1]

    given = SEEN.copy()
    with watched(act) as watchdog:
        answer = watchdog.ask(given)
    np.testing.assert_array_equal(given, SEEN)
    kept[0][:] = np.nan
    np.testing.assert_array_equal(answer.action, [0.0, 0.0])


def test_a_late_decision_returns_at_the_deadline_and_its_answer_is_dropped() -> None:
    release, asked = threading.Event(), list[float]()

    def act(seen: Any) -> Any:
        asked.append(float(seen[0]))
        if len(asked) == 1:
            release.wait(AMPLE)
        return np.full(2, float(seen[0]))

    with watched(act, SHORT) as watchdog:
        begun = time.monotonic()
        assert watchdog.ask(np.array([1.0, 1.0], dtype=np.float32)).finding == "late"
        assert SHORT <= time.monotonic() - begun < 50 * SHORT
        release.set()
        for _ in range(1000):
            answer = watchdog.ask(np.array([2.0, 2.0], dtype=np.float32))
            if answer.finding == "in time":
                break
            time.sleep(0.005)
    np.testing.assert_array_equal(answer.action, [2.0, 2.0])
    assert set(asked) == {1.0, 2.0}


def test_a_decision_that_never_returns_costs_one_thread_and_later_ones_do_not_wait_for_it() -> None:
    release = threading.Event()
    with watched(lambda seen: release.wait(AMPLE), SHORT) as watchdog:
        findings = [watchdog.ask(SEEN).finding for _ in range(500)]
        assert policies() == 1
        begun = time.monotonic()
        answer = watchdog.ask(SEEN)
        assert time.monotonic() - begun < AMPLE / 2
        assert answer.detail == "still busy with an earlier decision"
        release.set()
    assert set(findings) == {"late"}


def test_a_policy_that_computes_without_end_does_not_hold_up_the_shell() -> None:
    release = threading.Event()

    def act(seen: Any) -> Any:
        while not release.is_set():
            pass
        return seen

    with watched(act, SHORT) as watchdog:
        begun = time.monotonic()
        assert watchdog.ask(SEEN).finding == "late"
        assert time.monotonic() - begun < 50 * SHORT
        release.set()


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1e6

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("took", "finding"), [(0.0, "in time"), (AMPLE, "in time"), (AMPLE * 1.0001, "late")])
def test_an_answer_that_arrives_after_the_deadline_is_late_and_the_next_is_not(took: float, finding: str) -> None:
    clock, spent = Clock(), [took, 0.0]

    def act(seen: Any) -> Any:
        clock.now += spent.pop(0)
        return seen

    with watched(act, AMPLE, clock=clock) as watchdog:
        assert watchdog.ask(SEEN).finding == finding
        assert watchdog.ask(SEEN).finding == "in time"


def test_a_step_of_the_wall_clock_has_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    assert inspect.signature(Watchdog).parameters["clock"].default is time.monotonic
    steps = iter([3600.0, -3600.0] * 50)
    monkeypatch.setattr(time, "time", lambda: 1.7e9 + next(steps, 0.0))
    with watched(lambda seen: seen) as watchdog:
        assert {watchdog.ask(SEEN).finding for _ in range(20)} == {"in time"}


@pytest.mark.skipif(os.name != "posix" or not sysconfig.get_config_var("HAVE_SEM_TIMEDWAIT"), reason="no timed semaphores here")
def test_the_interpreter_waits_by_the_monotonic_clock() -> None:
    assert sysconfig.get_config_var("HAVE_SEM_CLOCKWAIT") or os.uname().sysname != "Linux"


@pytest.mark.parametrize("deadline", [0.0, -1.0, float("nan"), float("inf"), 86_400.1])
def test_a_deadline_that_is_none_is_refused_and_no_thread_begins(deadline: float) -> None:
    with pytest.raises(BadInput, match="deadline"):
        Watchdog(lambda seen: seen, (2,), deadline)
    assert policies() == 0


def test_a_day_is_a_deadline() -> None:
    with watched(lambda seen: seen, 86_400.0) as watchdog:
        assert watchdog.ask(SEEN).finding == "in time"


def test_an_answer_is_checked_by_itself() -> None:
    assert checked(np.zeros((3, 2)), (3, 2)).finding == "in time"
    assert checked(np.zeros((2, 3)), (3, 2)).finding == "wrong shape"
    assert checked(np.array([0.0, np.nan, np.inf]), (3,)).detail == "2 of 3 numbers are not finite"
