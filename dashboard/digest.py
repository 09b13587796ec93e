"""Every run's scores and figures summed up, kept while the dashboard runs; asked again, it reads only what came since."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Row, Select, case, func, literal, or_, select

from controller.liveness import alive
from controller.schema import EPISODE, EVENT, METRIC, RUN, TAG
from controller.store import Store
from dashboard.subject import is_subjects

Curve = tuple[float, ...]
OVERTAKEN = 30.0
"""Seconds for which a row may come to light after one with a higher number: a transaction takes its numbers before it ends."""
WITHIN = 1000
"""Numbers below the highest among which such rows are looked for."""


@dataclass(frozen=True)
class Figure:
    """One figure over the episodes of a run: how many had it, its mean, lowest, highest and last value."""

    n: int
    mean: float
    lowest: float
    highest: float
    last: float

    def extended(self, value: float) -> Figure:
        """With one more episode."""
        n = self.n + 1
        return Figure(n, self.mean + (value - self.mean) / n, min(self.lowest, value), max(self.highest, value), value)


class Watch:
    """Which rows of a table were read: all up to ``floor``, and above it those in ``near``; the highest is ``last``."""

    def __init__(self) -> None:
        self.floor, self.last = 0, 0
        self.near: set[int] = set()
        self._marks: deque[tuple[float, int]] = deque()

    def note(self, ids: Sequence[int], now: float) -> None:
        """Note rows as read at a time, in seconds of any one clock; what is old enough is settled."""
        if ids:
            self.near.update(ids)
            self.last = max(self.last, *ids)
            self._marks.append((now, self.last))
        settled = max(self.floor, self.last - WITHIN)
        while self._marks and now - self._marks[0][0] > OVERTAKEN:
            settled = max(settled, self._marks.popleft()[1])
        if settled > self.floor:
            self.floor, self.near = settled, {each for each in self.near if each > settled}


class Digest:
    """Scores by run, figures by run with their units by plant; safe for several threads; raises BadInput with the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._metrics, self._episodes = Watch(), Watch()
        self._scores: dict[str, list[float]] = {}
        self._figures: dict[str, dict[str, Figure]] = {}
        self._units: dict[str, dict[str, str]] = {}

    def refresh(self) -> None:
        """Read what came since the last time."""
        with self._lock:
            self._read_scores()
            self._read_episodes()

    def scores(self, run: str) -> Curve:
        """The run's scores on its validation scenarios, in the order they came."""
        return tuple(self._scores.get(run, ()))

    def figures(self, run: str) -> Mapping[str, Figure]:
        """The figures of the recorded episodes of the controller that the run is about."""
        return dict(self._figures.get(run, {}))

    def units(self, plant: str) -> Mapping[str, str]:
        """The units of a plant's figures."""
        return dict(self._units.get(plant, {}))

    def _read_scores(self) -> None:
        own = METRIC.c.key == literal("score/") + RUN.c.controller
        query = select(METRIC.c.id, METRIC.c.run, METRIC.c.value).join(RUN, METRIC.c.run == RUN.c.id).where(own)
        for row in self._unread(query, METRIC.c.id, self._metrics):
            if row.value is not None:
                self._scores.setdefault(row.run, []).append(float(row.value))

    def _read_episodes(self) -> None:
        fields = (EPISODE.c.id, EPISODE.c.run, EPISODE.c.plant, EPISODE.c.kpis)
        query = select(*fields).join(RUN, EPISODE.c.run == RUN.c.id).where(is_subjects())
        newest: dict[str, int] = {}
        for row in self._unread(query, EPISODE.c.id, self._episodes):
            newest[row.plant] = row.id
            figures = self._figures.setdefault(row.run, {})
            for name, value in row.kpis.items():
                if isinstance(value, (int, float)) and math.isfinite(value):
                    known = figures.get(name)
                    figures[name] = known.extended(value) if known else Figure(1, value, value, value, value)
        if newest:
            told = select(EPISODE.c.plant, EPISODE.c.kpi_units).where(EPISODE.c.id.in_(newest.values()))
            for row in self._store.rows(told):
                self._units.setdefault(row.plant, {}).update(row.kpi_units)

    def _unread(self, query: Select[Any], number: Column[int], watch: Watch) -> list[Row[Any]]:
        """The rows of a query that were not read yet, by their number."""
        late: set[int] = set()
        if watch.floor < watch.last:
            near = query.with_only_columns(number).where(number > watch.floor, number <= watch.last)
            late = {row.id for row in self._store.rows(near)} - watch.near
        new = or_(number > watch.last, number.in_(late)) if late else number > watch.last
        rows = self._store.rows(query.where(new).order_by(number))
        watch.note([row.id for row in rows], time.monotonic())
        return rows


def pulse(store: Store) -> str:
    """A short text that changes when any run, metric, episode, event or tag does, or a running process ends."""
    archived = func.sum(case((RUN.c.archived, 1), else_=0))
    counts = store.rows(select(RUN.c.status, func.count(), func.sum(RUN.c.step), archived).group_by(RUN.c.status))
    running = select(RUN.c.id, RUN.c.pid, RUN.c.host, RUN.c.heartbeat).where(RUN.c.status == "running")
    newest = [store.rows(select(func.max(table.c.id)))[0][0] for table in (EPISODE, EVENT)]
    tags = store.rows(select(func.count()).select_from(TAG))[0][0]
    lively = [(row.id, alive(row.pid, row.host, row.heartbeat)) for row in store.rows(running)]
    text = repr((sorted(tuple(row) for row in counts), newest, tags, lively))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
