"""A policy has to answer by a deadline: one that is late, breaks off or answers with no numbers becomes a finding.

The policy runs in one thread of its own, which costs some 0.02 ms a decision and neither a second interpreter nor a copy of the
policy. A thread cannot be ended, so a policy that never returns keeps it, and no other is started. Native code that holds the
interpreter's lock stops the shell as well, which the plant-side heartbeat has to notice: a policy of this package is NumPy on
small arrays, and only its weights are foreign. Foreign code belongs in a process, with ``act`` the call that asks it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from controller.safety.evidence import Finding
from plant_models.core.errors import BadInput
from plant_models.core.scenario import Array
from plant_models.env.scenario import Single

NUMBERS = "iuf"
"""Kinds of NumPy types that are real numbers."""
DAY = 86_400.0  # s
LONGEST = 200
"""Characters of what is told of an error."""


@dataclass(frozen=True)
class Answer:
    """What came of a decision; ``action`` is the policy's, float64 and finite, only where ``finding`` is ``in time``."""

    finding: Finding
    action: Array | None = None
    detail: str = ""


class Watchdog:
    """Has ``act`` answer observations with actions of a shape within ``deadline`` seconds of the monotonic clock.

    It is asked from one thread. After a decision that is late it answers ``late`` at once until the policy has returned, and what
    it then returns is dropped.

    Raises:
        BadInput: for a deadline that is not above zero or longer than a day.
    """

    def __init__(
        self,
        act: Callable[[Single], object],
        shape: tuple[int, ...],
        deadline: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0.0 < deadline <= DAY:
            raise BadInput(f"a deadline of {deadline:g} s; above 0 s and up to {DAY:g} s is allowed")
        self._act, self._shape, self._deadline, self._clock = act, shape, deadline, clock
        self._asked: queue.SimpleQueue[Single | None] = queue.SimpleQueue()
        self._answered: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._awaited = False
        threading.Thread(target=self._work, daemon=True, name="policy").start()

    def ask(self, observation: Single) -> Answer:
        """Return the policy's answer, at the latest at the deadline; raises nothing that the policy raised."""
        until = self._clock() + self._deadline
        if self._awaited and self._next(0.0) is None:
            return Answer("late", detail="still busy with an earlier decision")
        self._awaited = True
        self._asked.put(np.array(observation))
        answer = self._next(max(until - self._clock(), 0.0))
        if answer is None or self._clock() > until:
            return Answer("late", detail=f"no answer within {self._deadline:g} s")
        return answer

    def close(self) -> None:
        """Let the thread end once the policy has returned."""
        self._asked.put(None)

    def _next(self, seconds: float) -> Answer | None:
        try:
            answer = self._answered.get(timeout=seconds)
        except queue.Empty:
            return None
        self._awaited = False
        return answer

    def _work(self) -> None:
        while (observation := self._asked.get()) is not None:
            self._answered.put(self._answer(observation))

    def _answer(self, observation: Single) -> Answer:
        """Return what came of a decision; in the policy's thread, as an answer may run code of its own when it is looked at."""
        try:
            return checked(self._act(observation), self._shape)
        except BaseException as error:  # noqa: BLE001
            return Answer("raised", detail=_told(error))


def checked(given: object, shape: tuple[int, ...]) -> Answer:
    """Return what a policy gave as an answer: a copy of its own in float64, or what is wrong with it."""
    if type(given) is not np.ndarray:  # a subclass may say one shape and have another
        return Answer("wrong type", detail=f"{type(given).__name__} given, an array is allowed")
    if given.dtype.kind not in NUMBERS:
        return Answer("wrong type", detail=f"array of {given.dtype} given, real numbers are allowed")
    if given.shape != shape:
        return Answer("wrong shape", detail=f"shape {given.shape} given, {shape} is allowed")
    action = np.array(given, dtype=np.float64)
    if not np.isfinite(action).all():
        return Answer("not finite", detail=f"{np.count_nonzero(~np.isfinite(action))} of {action.size} numbers are not finite")
    return Answer("in time", action)


def _told(error: BaseException) -> str:
    """Return one line on an error, whose text is the policy's own and may break off as well."""
    try:
        return " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]
    except BaseException:  # noqa: BLE001
        return type(error).__name__[:LONGEST]
