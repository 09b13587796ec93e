"""End a run's process on request, as its own terminal would: only on this machine, and only if it is that very process."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from controller.liveness import HOST
from controller.records import RunRecord
from plant_models.core.errors import BadInput

SLACK = 2.0
"""Seconds by which clocks may differ where a process must be older than its run."""
_PROCESSES = Path("/proc")


def stop(run: RunRecord) -> str:
    """Interrupt a run's process, or terminate one that was started deaf to interrupts; return what was sent.

    A training that is interrupted keeps what it recorded and its checkpoints.

    Raises:
        BadInput: for a run that is over, one on another machine, or where its process is not there any more.
    """
    if run.status != "running":
        raise BadInput(f"run {run.id}: {run.status} already; only a run that is running can be stopped")
    if run.host != HOST:
        raise BadInput(f"run {run.id}: runs on {run.host}; stop it there with `kill -INT {run.pid}`")
    begun = started(run.pid)
    if begun is None or begun > run.started + SLACK or run.pid == os.getpid():
        raise BadInput(f"run {run.id}: process {run.pid} is not (any more) the one that began it; look at it on this machine")
    chosen = signal.SIGTERM if _deaf(run.pid) else signal.SIGINT
    try:
        os.kill(run.pid, chosen)
    except OSError as error:
        raise BadInput(f"run {run.id}: process {run.pid} cannot be signalled ({error.strerror}); stop it as its user") from error
    return chosen.name


def started(pid: int) -> float | None:
    """Return when a process began, in seconds since 1970; None where this machine does not say, or has no such process."""
    try:
        ticks = int((_PROCESSES / str(int(pid)) / "stat").read_text().rpartition(")")[2].split()[19])
        booted = next(line for line in (_PROCESSES / "stat").read_text().splitlines() if line.startswith("btime"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None
    return float(booted.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")


def _deaf(pid: int) -> bool:
    """Whether a process ignores interrupts, as one does that a shell put into the background."""
    for line in (_PROCESSES / str(pid) / "status").read_text().splitlines():
        if line.startswith("SigIgn:"):
            return bool(int(line.split()[1], 16) >> (signal.SIGINT - 1) & 1)
    return False
