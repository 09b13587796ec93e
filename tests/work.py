"""What the tests of the executor have done elsewhere: functions at a module's top, as every worker needs them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def doubled(number: int) -> tuple[int, int, str]:
    """Return twice the number, the process that found it, and the threads it was allowed."""
    time.sleep(0.01)
    return 2 * number, os.getpid(), os.environ["OMP_NUM_THREADS"]


def once_deadly(given: tuple[int, str]) -> int:
    """Return twice the number; whoever is the first to come with a folder dies of it."""
    number, folder = given
    if folder:
        try:
            Path(folder).mkdir()
        except FileExistsError:
            return 2 * number
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def deadly(number: int) -> int:
    """Never return."""
    os._exit(number)


def failing(number: int) -> int:
    """Raise."""
    raise ValueError(f"not {number}")


def slow(seconds: float) -> int:
    """Return the process, late."""
    time.sleep(seconds)
    return os.getpid()


def dawdle(_: object) -> None:
    """Take a minute over anything."""
    time.sleep(60.0)
