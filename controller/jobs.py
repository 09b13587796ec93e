"""Commands that were started for somebody who does not wait for them, such as a user of the dashboard."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, update

from controller.liveness import HOST, beats, exists, same
from controller.schema import JOB
from controller.store import Store, insert_once, one_at_a_time
from controller.written import MOMENT, Kinds, sound
from plant_models.core.errors import BadInput, UnknownName

State = Literal["waiting", "running", "completed", "failed", "stopped"]
NEVER = 300.0
"""Seconds after which a job whose process has not begun never will."""
_OPEN = ("waiting", "running")
_KINDS: Kinds = {"created": MOMENT, "started": MOMENT, "heartbeat": MOMENT, "finished": MOMENT, "command": list}
_JOB_ID = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True)
class Job:
    """A command (its arguments after ``setpoint``), its process, its run once it has one, and its log's path.

    Times are seconds since 1970; ``code`` is the exit code. One whose process has gone without a word, or never came, reads as
    stopped.
    """

    id: str
    kind: str
    command: tuple[str, ...]
    state: State
    pid: int | None
    host: str
    created: float
    started: float | None
    heartbeat: float
    finished: float | None
    code: int | None
    run: str | None
    log: str


def enter(store: Store, kind: str, command: Sequence[str], log: str, most: int | None = None) -> str:
    """Enter a job that waits for its process, and return its id, such as ``job-train-7f3a9c``.

    Raises:
        BadInput: where ``most`` jobs of this machine wait or run already.
    """
    now, name = time.time(), re.sub(r"[^a-z0-9]+", "-", kind.lower())[:16]
    row: dict[str, object] = {"kind": kind, "command": list(command), "state": "waiting", "host": HOST}
    row |= {"created": now, "heartbeat": now, "log": log}
    with store.transaction() as connection:
        one_at_a_time(connection)  # or two would take the last place
        if most is not None and (count := _busy(store, connection)) >= most:
            raise BadInput(f"{count} jobs wait or run: allowed are {most}, one a processor; wait, or stop one")
        while not insert_once(connection, JOB, row | {"id": (job := f"job-{name}-{secrets.token_hex(3)}")}):
            continue
    return job


def begin(store: Store, job: str, pid: int) -> None:
    """Say that a process of this machine works on the job; raises UnknownName."""
    now = time.time()
    _alter(store, job, state="running", pid=pid, host=HOST, started=now, heartbeat=now)


def beat(store: Store, job: str) -> None:
    """Say that the job is alive; raises UnknownName."""
    _alter(store, job, heartbeat=time.time())


def attach(store: Store, job: str, run: str) -> None:
    """Say which run the job records; raises UnknownName for either."""
    _alter(store, job, run=run)


def end(store: Store, job: str, state: State, code: int | None = None) -> None:
    """Close the job with how it ended and its exit code; raises UnknownName."""
    now = time.time()
    _alter(store, job, state=state, code=code, finished=now, heartbeat=now)


def find(store: Store, job: str) -> Job:
    """Return a job by its id; raises UnknownName."""
    rows = store.rows(select(JOB).where(JOB.c.id == job)) if _JOB_ID.fullmatch(job) else []
    if not rows:
        raise UnknownName(f"job {job[:64]!r}: not in the store")
    return _job(store, rows[0])


def jobs(store: Store, limit: int = 200) -> list[Job]:
    """Return the newest jobs, newest first."""
    return [_job(store, row) for row in store.rows(select(JOB).order_by(JOB.c.created.desc(), JOB.c.id).limit(limit))]


def _busy(store: Store, connection: Connection) -> int:
    """How many jobs of this machine wait or run."""
    rows = connection.execute(select(JOB).where(JOB.c.host == HOST, JOB.c.state.in_(_OPEN))).all()
    return sum(_job(store, row).state in _OPEN for row in rows)


def _alter(store: Store, job: str, **changes: object) -> None:
    with store.transaction(str(changes.get("run", ""))) as connection:
        if connection.execute(update(JOB).where(JOB.c.id == job).values(**changes)).rowcount == 0:
            raise UnknownName(f"job {job[:64]!r}: not in the store")


def _job(store: Store, row: Row[Any]) -> Job:
    fields = sound(store, row, _KINDS)._asdict()
    never = row.state == "waiting" and time.time() - float(row.created) > NEVER
    lost = never or (row.state == "running" and not _alive(row))
    return Job(**fields | {"command": tuple(row.command), "state": "stopped" if lost else row.state})


def _alive(row: Row[Any]) -> bool:
    """On this machine a process that is gone ends the wait for signs of life, and the one that began it makes up for them."""
    beating = beats(float(row.heartbeat))
    if row.host == HOST and row.pid is not None:
        return exists(row.pid) if beating else same(row.pid, float(row.started))
    return beating
