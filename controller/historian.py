"""The historian: records runs, metrics and episodes while others read them.

SQLite in write-ahead mode lets any number of readers follow one writer without making it wait; every call here is one
short transaction that begins with its write.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from controller.liveness import HOST, alive
from controller.records import EpisodeRecord, EpisodeRow, Json, Kind, MetricRow, RunRecord, Signal, Status, pack, plain, unpack
from controller.schema import EPISODE, METRIC, RUN
from controller.store import insert_once, open_store
from controller.written import MOMENT, NUMBER, Kinds, sound
from plant_models.core.errors import BadInput, UnknownName

BEAT = 5.0  # s between signs of life
_LISTED = [EPISODE.c[name] for name in ("id", "run", "plant", "controller", "scenario", "seed", "outcome", "kpis", "kpi_units")]
_RUN_ID = re.compile(r"[a-z0-9-]{1,64}")
_SCORE = (*NUMBER, type(None))
_RUN_KINDS: Kinds = {
    "config": dict, "result": dict, "versions": dict, "seed": int, "step": int, "score": _SCORE, "best": _SCORE,
    "started": MOMENT, "finished": MOMENT, "heartbeat": MOMENT,
}  # fmt: skip
_EPISODE_KINDS: Kinds = {"kpis": dict, "kpi_units": dict, "seed": int}


class Interrupted(KeyboardInterrupt):
    """The user interrupted a run, under whose id, the text, what was recorded is kept."""


class Historian:
    """The run store at ``url`` (a database URL or a file; default: the user's own); raises BadInput if unusable."""

    def __init__(self, url: str | None = None) -> None:
        self.store = open_store(url)
        self._controllers: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where the store is, with a password hidden."""
        return self.store.url

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of the database."""
        self.close()

    # -- writing ------------------------------------------------------------------------------------------------------

    def start(
        self, kind: Kind, plant: str, controller: str, seed: int, config: Mapping[str, Any], versions: Mapping[str, Any]
    ) -> str:
        """Enter a run and return its id, such as ``exothermic-cstr-ppo-7f3a9c``."""
        now = time.time()
        row = {"kind": kind, "plant": plant, "controller": controller, "seed": int(seed), "status": "running"}
        row |= {"config": plain(config), "result": {}, "versions": plain(versions), "step": 0}
        row |= {"started": now, "heartbeat": now, "pid": os.getpid(), "host": HOST}
        with self.store.transaction() as connection:
            while not insert_once(connection, RUN, row | {"id": (run := _slug(plant, controller))}):
                continue  # of a thousand runs of one name, two meet in one case of thirty
        return run

    def metrics(self, run: str, step: int, values: Mapping[str, float]) -> None:
        """Log numbers at an environment step; the controller's own score also becomes the run's, ``score/best`` its best."""
        rows = [{"run": run, "step": int(step), "key": key, "value": plain(float(value))} for key, value in values.items()]
        controller = self._controller_of(run)
        with self.store.transaction(run) as connection:
            if rows:
                connection.execute(insert(METRIC), rows)
            _alter(connection, run, heartbeat=time.time(), step=int(step), **_scores(values, controller))

    def episode(self, run: str, record: EpisodeRecord) -> int:
        """Store an episode and return its number; raises BadInput where its shapes do not fit."""
        row = {name: vars(record)[name] for name in ("plant", "controller", "scenario", "seed", "outcome", "time_unit")}
        row |= {"run": run, "kpis": plain(record.kpis), "kpi_units": plain(record.kpi_units)}
        row |= {"signals": [asdict(signal) for signal in record.signals], "samples": len(record.time), "block": pack(record)}
        with self.store.transaction(run) as connection:
            return int(connection.execute(insert(EPISODE).values(**row).returning(EPISODE.c.id)).scalar_one())

    def heartbeat(self, run: str) -> None:
        """Say that the run is alive."""
        with self.store.transaction(run) as connection:
            _alter(connection, run, heartbeat=time.time())

    def finish(self, run: str, status: Status, result: Mapping[str, Any] | None = None) -> None:
        """Close a run with its status and result."""
        now = time.time()
        with self.store.transaction(run) as connection:
            _alter(connection, run, status=status, result=plain(result or {}), finished=now, heartbeat=now)

    @contextmanager
    def run(
        self, kind: Kind, plant: str, controller: str, seed: int, config: Mapping[str, Any], versions: Mapping[str, Any]
    ) -> Iterator[str]:
        """A run that stays alive while the block works; it ends completed, failed (with the error) or stopped."""
        run = self.start(kind, plant, controller, seed, config, versions)
        done = threading.Event()
        beat = threading.Thread(target=self._beat, args=(run, done), daemon=True, name=f"heartbeat-{run}")
        beat.start()
        status: Status = "completed"
        result: dict[str, Any] = {}
        try:
            yield run
        except Exception as error:
            status, result = "failed", {"error": f"{type(error).__name__}: {error}"}
            raise
        except KeyboardInterrupt as error:
            status = "stopped"
            raise Interrupted(run) from error
        except BaseException:
            status = "stopped"
            raise
        finally:
            done.set()
            beat.join()
            self._settle(run, status, result)

    def _beat(self, run: str, done: threading.Event) -> None:
        while not done.wait(BEAT):
            try:
                self.heartbeat(run)
            except BadInput:
                continue  # the run itself meets the same trouble at its next write, and reports it

    def _settle(self, run: str, status: Status, result: Mapping[str, Any]) -> None:
        """Close what the block did not close itself; a failure always shows, whatever it had closed."""
        with self.store.transaction(run) as connection:
            now, row = time.time(), RUN.c.id == run
            unclosed = row if status == "failed" else row & RUN.c.finished.is_(None)
            changes: dict[str, Any] = {"status": status, "finished": now, "heartbeat": now}
            if result:
                changes["result"] = plain(result)
            connection.execute(update(RUN).where(unclosed).values(**changes))

    # -- reading ------------------------------------------------------------------------------------------------------

    def runs(
        self,
        *,
        plant: str | None = None,
        kind: Kind | None = None,
        controller: str | None = None,
        status: Status | None = None,
        limit: int | None = None,
    ) -> list[RunRecord]:
        """Runs, newest first: all of them, or the newest ``limit``, of which those that run may turn out to have stopped."""
        query = select(RUN).order_by(RUN.c.started.desc(), RUN.c.id).limit(limit)
        for column, wanted in ((RUN.c.plant, plant), (RUN.c.kind, kind), (RUN.c.controller, controller)):
            query = query if wanted is None else query.where(column == wanted)
        if status is not None:  # one that was killed stands as running
            query = query.where(RUN.c.status.in_(("running", "stopped") if status == "stopped" else (status,)))
        records = [self._record(row) for row in self.store.rows(query)]
        return [record for record in records if status in (None, record.status)]

    def find(self, run: str) -> RunRecord:
        """One run by its id; raises UnknownName."""
        rows = self.store.rows(select(RUN).where(RUN.c.id == run)) if _RUN_ID.fullmatch(run) else []
        if not rows:
            raise UnknownName(f"run {run[:64]!r}: not in the store; `setpoint runs` lists what it holds")
        return self._record(rows[0])

    def metrics_after(self, run: str, after: int = 0, limit: int = 100_000) -> list[MetricRow]:
        """The run's metrics logged after row ``after``, in the order they came."""
        columns = (METRIC.c.id, METRIC.c.step, METRIC.c.key, METRIC.c.value)
        query = select(*columns).where(METRIC.c.run == run, METRIC.c.id > after).order_by(METRIC.c.id).limit(limit)
        return [MetricRow(row.id, row.step, row.key, _number(row.value)) for row in self.store.rows(query)]

    def last_metrics(self, run: str, keys: Sequence[str]) -> dict[str, float]:
        """Return the newest value of each of these metrics that the run has."""
        newest = select(func.max(METRIC.c.id)).where(METRIC.c.run == run, METRIC.c.key.in_(keys)).group_by(METRIC.c.key)
        query = select(METRIC.c.key, METRIC.c.value).where(METRIC.c.id.in_(newest))
        return {row.key: _number(row.value) for row in self.store.rows(query)}

    def episodes(self, run: str) -> list[EpisodeRow]:
        """The run's episodes with their scores, without their signals."""
        return self._episode_rows(select(*_LISTED).where(EPISODE.c.run == run).order_by(EPISODE.c.id))

    def controllers_of(self, runs: Sequence[str], plant: str = "") -> dict[str, set[str]]:
        """Return the controllers of each run's episodes, of one plant where it is named."""
        found: dict[str, set[str]] = {}
        query = select(EPISODE.c.run, EPISODE.c.controller).where(EPISODE.c.run.in_(list(runs)))
        for row in self.store.rows((query.where(EPISODE.c.plant == plant) if plant else query).distinct()):
            found.setdefault(row.run, set()).add(row.controller)
        return found

    def newest_episodes(self, limit: int) -> list[EpisodeRow]:
        """The newest episodes of all runs, newest first, without their signals."""
        return self._episode_rows(select(*_LISTED).order_by(EPISODE.c.id.desc()).limit(limit))

    def _episode_rows(self, query: Select[Any]) -> list[EpisodeRow]:
        rows = [sound(self.store, row, _EPISODE_KINDS) for row in self.store.rows(query)]
        return [EpisodeRow(**{**row._asdict(), "kpis": _numbers(row.kpis)}) for row in rows]

    def read_episode(self, episode: int) -> EpisodeRecord:
        """One episode with its signals; raises UnknownName, and BadInput for a damaged block."""
        rows = self.store.rows(select(EPISODE).where(EPISODE.c.id == episode)) if 0 < episode < 2**63 else []
        if not rows:
            raise UnknownName(f"episode {episode}: not in the store; open its run to see what it holds")
        row = sound(self.store, rows[0], _EPISODE_KINDS)
        signals = tuple(Signal(**signal) for signal in row.signals)
        clock, values = unpack(row.block, len(signals), row.samples)
        return EpisodeRecord(
            row.plant, row.controller, row.scenario, row.seed, _numbers(row.kpis), row.outcome,
            clock, row.time_unit, signals, values, row.kpi_units,
        )  # fmt: skip

    # -- inside -------------------------------------------------------------------------------------------------------

    def _controller_of(self, run: str) -> str:
        """The run's controller, asked for once."""
        if run not in self._controllers:
            self._controllers[run] = self.find(run).controller
        return self._controllers[run]

    def _record(self, row: Row[Any]) -> RunRecord:
        fields = sound(self.store, row, _RUN_KINDS)._asdict()
        lost = row.status == "running" and not alive(row.pid, row.host, row.heartbeat)
        fields.update(score=_number(row.score), best=_number(row.best), status="stopped" if lost else row.status)
        return RunRecord(**fields)


def _alter(connection: Connection, run: str, **changes: object) -> None:
    if connection.execute(update(RUN).where(RUN.c.id == run).values(**changes)).rowcount == 0:
        raise UnknownName(f"run {run!r}: not in the store; start one first")


def _slug(plant: str, controller: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", f"{plant}-{controller}".lower()).strip("-")
    return f"{name[:57].strip('-')}-{secrets.token_hex(3)}".strip("-")


def _scores(values: Mapping[str, float], controller: str) -> dict[str, Json]:
    """The run's own columns: its controller's last score, and the best."""
    keys = {"score": f"score/{controller}", "best": "score/best"}
    return {column: plain(float(values[key])) for column, key in keys.items() if key in values}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _numbers(values: Mapping[str, float | None]) -> dict[str, float]:
    return {key: _number(value) for key, value in values.items()}
