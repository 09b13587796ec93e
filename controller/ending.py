"""End a run's process on request, as its own terminal would: only on this machine, and only if it is that very process."""

from __future__ import annotations

import os
import signal

from controller.liveness import HOST, PROCESSES, same, started
from controller.records import RunRecord
from plant_models.core.errors import BadInput


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
    if started(run.pid) is None or not same(run.pid, run.started) or run.pid == os.getpid():
        raise BadInput(f"run {run.id}: process {run.pid} is not (any more) the one that began it; look at it on this machine")
    chosen = signal.SIGTERM if _deaf(run.pid) else signal.SIGINT
    try:
        os.kill(run.pid, chosen)
    except OSError as error:
        raise BadInput(f"run {run.id}: process {run.pid} cannot be signalled ({error.strerror}); stop it as its user") from error
    return chosen.name


def _deaf(pid: int) -> bool:
    """Whether a process ignores interrupts, as one does that a shell put into the background."""
    for line in (PROCESSES / str(pid) / "status").read_text().splitlines():
        if line.startswith("SigIgn:"):
            return bool(int(line.split()[1], 16) >> (signal.SIGINT - 1) & 1)
    return False
