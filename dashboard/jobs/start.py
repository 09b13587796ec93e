"""Start and stop jobs: processes of their own, which go on when the dashboard ends."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from platformdirs import user_data_path

from controller import jobs
from controller.liveness import HOST
from controller.store import Store
from dashboard.jobs.work import STORE
from plant_models.core.errors import BadInput
from plant_models.core.files import check_room

TAIL = 64 * 1024
"""Bytes of a log's end that are shown."""


def logs_folder() -> Path:
    """Return the folder that holds the logs of this user's jobs."""
    return user_data_path("setpoint", appauthor=False) / "jobs"


def start(store: Store, command: tuple[str, ...]) -> str:
    """Start a command that records into the same store, and return the job's id.

    Raises:
        BadInput: where as many jobs wait or run as this machine has processors, or their logs cannot be written.
    """
    folder = logs_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_room(folder)
    except OSError as error:
        raise BadInput(f"the folder of logs {folder}: cannot be written ({error.strerror}); make it writable") from error
    log = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}.log"
    job = jobs.enter(store, command[0], command, str(log), os.cpu_count() or 1)
    address = store.engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard.jobs.work", job], env=os.environ | {STORE: address}, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    threading.Thread(target=process.wait, daemon=True, name=job).start()  # a process that nobody waits for stays listed
    return job


def stop(store: Store, name: str) -> None:
    """Interrupt a job, so that what it has is kept.

    Raises:
        UnknownName: where there is no such job.
        BadInput: where it does not run, or runs elsewhere.
    """
    job = jobs.find(store, name)
    if job.state != "running" or job.pid is None:
        raise BadInput(f"job {job.id}: {job.state}, there is nothing to stop")
    if job.host != HOST:
        raise BadInput(f"job {job.id}: runs on {job.host}; stop it there")
    if job.id not in _command_of(job.pid):
        raise BadInput(f"job {job.id}: its process has ended")
    os.kill(job.pid, signal.SIGINT)


def _command_of(pid: int) -> str:
    """The command line of a process of this machine, empty without one: a number alone may long be another's."""
    return subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout


def tail(job: jobs.Job) -> str:
    """Return the end of a job's log, of jobs that this machine and user started; empty without one."""
    path = Path(job.log)
    if job.host != HOST or path.parent != logs_folder() or not path.is_file():
        return ""
    with path.open("rb") as log:
        log.seek(max(path.stat().st_size - TAIL, 0))
        text = log.read().decode(errors="replace")
    return "\n".join(part.rsplit("\r", 1)[-1] for part in text.splitlines())
