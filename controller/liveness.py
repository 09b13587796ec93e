"""Whether a process that left its number and its machine in the store is still at work."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

HOST = socket.gethostname()
PROCESSES = Path("/proc")
STALE = 30.0
"""Seconds without a sign of life until what a process works on counts as stopped."""
SLACK = 2.0
"""Seconds by which clocks may differ where a process must be older than what it works on."""


def exists(pid: int) -> bool:
    """Whether this machine has the process; on Windows, where asking would end it, the heartbeat alone tells."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def beats(heartbeat: float) -> bool:
    """Whether the last sign of life, in seconds since 1970, is recent."""
    return time.time() - heartbeat <= STALE


def alive(pid: int, host: str, heartbeat: float) -> bool:
    """Whether a process gave a recent sign of life and, where it is one of this machine, is still there."""
    return beats(heartbeat) and (host != HOST or exists(pid))


def same(pid: int, since: float) -> bool:
    """Whether the process is there and was so at ``since``, in seconds since 1970: numbers of processes are given anew.

    Where a machine does not say when a process began, that it exists is all that can be told, and on Windows nothing.
    """
    if sys.platform == "win32" or not exists(pid):
        return False
    begun = started(pid)
    return begun is None or begun <= since + SLACK


def started(pid: int) -> float | None:
    """Return when a process began, in seconds since 1970; None where this machine does not say, or has no such process."""
    try:
        ticks = int((PROCESSES / str(int(pid)) / "stat").read_text().rpartition(")")[2].split()[19])
        booted = next(line for line in (PROCESSES / "stat").read_text().splitlines() if line.startswith("btime"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None
    return float(booted.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
