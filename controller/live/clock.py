"""When the next decision is due: a plant's own time, paused, stepped, or run so many times as fast as the real one."""

from __future__ import annotations

import math
from collections import deque

from plant_models.core.errors import BadInput

SPEEDS = (1.0, 10.0, 100.0, 1000.0, 10000.0, math.inf)
"""Plant time over real time; the last is as fast as the computer is."""
LATE = 1.0
"""Seconds that a clock may be behind and still catches up; beyond, it has been slowed down."""
LOOKED_BACK, LEAST = 3.0, 4
"""Seconds over which the pace is measured, and the decisions that are looked at however long ago they were."""


class Clock:
    """A clock whose decisions take ``period`` seconds of plant time; ``now`` is a monotonic time in seconds."""

    def __init__(self, period: float, speed: float, now: float) -> None:
        self.period, self.running, self.steps = period, False, 0
        self.slowed = 0
        """Decisions by which the plants are behind what the speed asked for."""
        self._made: deque[float] = deque(maxlen=4096)
        self.set_speed(speed, now)

    def set_speed(self, speed: float, now: float) -> None:
        """Run so many times as fast as real time; raises BadInput for a speed that is none of ``SPEEDS``."""
        if speed not in SPEEDS:
            raise BadInput(f"speed {speed:g}: one of {', '.join(f'{known:g}' for known in SPEEDS)} allowed")
        self.speed = speed
        self._due = now + self._apart

    def run(self, now: float) -> None:
        """Go on; the next decision is due one period from now."""
        self.running, self.steps, self._due = True, 0, now + self._apart
        self._made.clear()

    def pause(self) -> None:
        """Stop before the next decision."""
        self.running, self.steps = False, 0

    def step(self) -> None:
        """Make one decision and stop; each call asks for one more."""
        self.steps = 1 + (0 if self.running else self.steps)
        self.running = False

    def left(self, now: float) -> float:
        """Return the seconds until the next decision is due, 0 where it is, infinity where none will be."""
        if self.steps:
            return 0.0
        return max(0.0, self._due - now) if self.running else math.inf

    def made(self, now: float) -> None:
        """Note that a decision has been made."""
        self._made.append(now)
        if self.steps:
            self.steps -= 1
            return
        self._due += self._apart
        if now - self._due > LATE:
            if self._apart:
                self.slowed += int((now - self._due) / self._apart)
            self._due = now

    def pace(self, now: float) -> float:
        """Return the speed that is reached, 0 while paused."""
        made = list(self._made)
        recent = [at for i, at in enumerate(made) if now - at < LOOKED_BACK or i >= len(made) - LEAST]
        if not self.running or len(recent) < 2:
            return 0.0
        return self.period * (len(recent) - 1) / max(recent[-1] - recent[0], 1e-9)

    @property
    def _apart(self) -> float:
        return 0.0 if math.isinf(self.speed) else self.period / self.speed
