"""The process that runs one job: ``python -m dashboard.jobs.work JOB``, with the store's address in SETPOINT_STORE.

It outlives the dashboard that started it. It starts the command, writes what it prints into the job's log, says every few
seconds that the job is alive, and records how it ended. An interrupt is passed on, so that a training keeps its checkpoint.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select

from controller.jobs import Job, State, attach, beat, begin, end, find
from controller.liveness import HOST
from controller.schema import RUN
from controller.store import Store, open_store
from plant_models.core.errors import BadInput

STORE = "SETPOINT_STORE"
BEAT = 2.0
"""Seconds between signs of life."""
TRIES = 20
"""Times that a busy store, which each time waits for long itself, is told how a job stands."""


def work(store: Store, job: Job) -> int:
    """Run the job's command to its end and return its exit code."""
    with Path(job.log).open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "setpoint", *job.command], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    stopped = _pass_on(child)
    _insist(lambda: begin(store, job.id, os.getpid()))
    run = ""
    while child.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(BEAT)
        with suppress(BadInput):  # a store that is busy now is asked again
            beat(store, job.id)
            run = run or _recorded(store, job, child.pid)
    state: State = "stopped" if stopped else "failed" if child.returncode else "completed"
    _insist(lambda: _recorded(store, job, child.pid))
    _insist(lambda: end(store, job.id, state, child.returncode))
    return child.returncode


def _insist(tell: Callable[[], object]) -> None:
    """Tell the store, again and again where another program keeps it busy: what is not told now never is."""
    for _ in range(TRIES):
        with suppress(BadInput):
            tell()
            return
        time.sleep(BEAT)
    tell()


def _pass_on(child: subprocess.Popen[bytes]) -> list[int]:
    """Hand interrupts to the command; the list holds those that came."""
    came: list[int] = []

    def hand_on(number: int, _frame: object) -> None:
        came.append(number)
        child.send_signal(signal.SIGINT)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, hand_on)
    return came


def _recorded(store: Store, job: Job, pid: int) -> str:
    """Attach the newest run that the command's process records, and return its id, empty without one."""
    mine = (RUN.c.pid == pid) & (RUN.c.host == HOST) & (RUN.c.started >= job.created)
    rows = store.rows(select(RUN.c.id).where(mine).order_by(RUN.c.started.desc()).limit(1))
    if not rows:
        return ""
    attach(store, job.id, rows[0].id)
    return str(rows[0].id)


if __name__ == "__main__":
    opened = open_store(os.environ.get(STORE) or None)
    sys.exit(work(opened, find(opened, sys.argv[1])))
