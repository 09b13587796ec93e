"""The dashboard's only way to data: the run store and the plant cards."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Protocol

from controller import events, tags
from controller.historian import Historian
from controller.records import EpisodeRecord, EpisodeRow, MetricRow, RunRecord
from controller.store import Store, check
from dashboard.access import Access
from dashboard.digest import Digest, pulse
from dashboard.live.desk import Desk
from dashboard.verdict import Standing, Verdict, standings, verdicts
from plant_models.core.errors import BadInput, UnknownName

Card = Mapping[str, Any]
"""What ``plant_models.derive.card.card`` says of a plant."""


KEPT = 12
"""Episodes with their signals that are kept at hand: those of one comparison."""


LOOKED_AT = 300
"""The newest runs among which those to compare are sought."""


class Plants(Protocol):
    """Where plant cards come from."""

    def names(self) -> Sequence[str]:
        """Every plant's name."""

    def card(self, name: str) -> Card:
        """One plant's card; raises UnknownName."""


class CataloguePlants:
    """The catalogue's plants, imported when first asked for, since tracing a plant takes a moment."""

    def names(self) -> Sequence[str]:
        """Every plant's name."""
        return tuple(importlib.import_module("plant_models.catalogue").usable())

    def card(self, name: str) -> Card:
        """One plant's card; raises UnknownName."""
        card: Card = importlib.import_module("plant_models.derive.card").card(name)
        return card


MOST_RUNS = 10_000  # the newest; a browser shows no more of them at once


class Case(NamedTuple):
    """What two controllers must share to be compared."""

    plant: str
    scenario: str
    seed: int


class Data:
    """Everything pages read, and in ``access`` what they may change; raises BadInput where a store or plant cannot be read."""

    def __init__(self, store: Historian, plants: Plants, access: Access) -> None:
        self.access = access
        self._store = store
        self._plants = plants
        self._card = lru_cache(maxsize=None)(plants.card)
        self._episode = lru_cache(maxsize=KEPT)(store.read_episode)

    @cached_property
    def live(self) -> Desk:
        """Where live sessions are started and found."""
        return Desk(self.runs)

    @cached_property
    def store_name(self) -> str:
        """Where the store is, for people: a file's path, or an address without its password."""
        return self._store.url.removeprefix("sqlite:///")

    @property
    def store(self) -> Store:
        """The database itself, for what stands beside the runs: jobs, tags, events."""
        return self._store.store

    def check(self) -> None:
        """Raise BadInput where the store cannot be read, or a newer version of the software has changed it meanwhile."""
        check(self._store.store)

    def runs(self) -> list[RunRecord]:
        """The newest runs, newest first."""
        return self._store.runs(limit=MOST_RUNS)

    def pulse(self) -> str:
        """A short text that changes when anything does that a list of runs shows."""
        return pulse(self._store.store)

    @cached_property
    def digest(self) -> Digest:
        """Scores and figures of every run, summed up; ``refresh`` it before use."""
        return Digest(self._store.store)

    def tags(self) -> dict[str, tuple[str, ...]]:
        """The tags of every run that has one."""
        return tags.of_runs(self._store.store)

    def tag(self, run: str, tag: str, *, on: bool) -> None:
        """Tag a run or take the tag away; raises BadInput unless the dashboard is an operator's."""
        self.access.require_operator("tag a run")
        (tags.add if on else tags.remove)(self._store.store, run, tag)

    def archive(self, run: str, archived: bool) -> None:
        """Put a run away or take it out again; raises BadInput unless the dashboard is an operator's."""
        self.access.require_operator("archive a run")
        tags.archive(self._store.store, run, archived)

    def journal(self, limit: int) -> list[events.Event]:
        """The newest alarms and events of all runs that somebody should see, newest first."""
        return events.events(self._store.store, limit=limit, lowest=events.UNSEEN - 1)

    def said(self, run: str) -> list[events.Event]:
        """What a run, and whoever operated it, said of it, oldest first."""
        return events.events(self._store.store, run)[::-1]

    def last_said(self, run: str) -> int:
        """The number of the last thing that was said of a run, 0 before the first."""
        return next((event.id for event in events.events(self._store.store, run, limit=1)), 0)

    def run(self, name: str) -> RunRecord:
        """One run; raises UnknownName."""
        return self._store.find(name)

    def metrics(self, run: str, after: int = 0) -> list[MetricRow]:
        """The run's metrics after the last row that was read."""
        return self._store.metrics_after(run, after)

    def last_metrics(self, run: str, keys: Sequence[str]) -> dict[str, float]:
        """The newest value of each of these metrics that the run has."""
        return self._store.last_metrics(run, keys)

    def episodes(self, run: str) -> list[EpisodeRow]:
        """The run's episodes, without their signals."""
        return self._store.episodes(run)

    def episode(self, number: int) -> EpisodeRecord:
        """One episode with its signals, which never change; raises UnknownName."""
        return self._episode(number)

    def plant_names(self) -> Sequence[str]:
        """Every plant's name."""
        return self._plants.names()

    def card(self, name: str) -> Card:
        """One plant's card; raises UnknownName."""
        if name not in self.plant_names():
            raise UnknownName(f"plant {name[:64]!r}: unknown; the plants are {', '.join(self.plant_names())}")
        return self._card(name)

    def meanings(self, plant: str) -> dict[str, str]:
        """What each disturbance, input and output of a plant is; nothing of a plant that is not in the catalogue."""
        vectors = self.card(plant)["vectors"] if plant in self.plant_names() else {}
        return {str(q["name"]): str(q["meaning"]) for key in ("disturbances", "inputs", "outputs") for q in vectors.get(key, ())}

    def cost_unit(self, plant: str) -> str:
        """The unit in which a plant's cost is counted; none for a plant that is not in the catalogue."""
        duty = self.card(plant).get("duty", {}) if plant in self.plant_names() else {}
        return str(duty.get("unit", duty.get("currency", "")))

    def rival(self, plant: str) -> RunRecord | None:
        """The newest run that holds PPO and PID on the same episodes of a plant."""
        compared = (run for run in self.runs() if run.kind in ("benchmark", "demo"))
        found = [run for run in compared if plant == run.plant or plant in run.result.get("plants", ())][:LOOKED_AT]
        held = self._store.controllers_of([run.id for run in found], plant)
        return next((run for run in found if {"pid", "ppo"} <= held.get(run.id, set())), None)

    def comparable(self, newest: int = 30) -> list[RunRecord]:
        """Recent runs that hold episodes of at least two controllers, newest first."""
        found = [run for run in self.runs() if run.kind in ("benchmark", "demo", "train")][:LOOKED_AT]
        held = self._store.controllers_of([run.id for run in found])
        return [run for run in found if len(held.get(run.id, ())) > 1][:newest]

    def standings(self, runs: Sequence[RunRecord] | None = None) -> list[Standing]:
        """The newest comparison of controllers for each plant, among ``runs`` where they were read already."""
        found: dict[str, Standing] = {}
        for run in self.runs() if runs is None else runs:
            for standing in standings(run):
                found.setdefault(standing.plant, standing)
        return [found[plant] for plant in sorted(found)]

    def offenders(self, limit: int, among: int = 400) -> list[EpisodeRow]:
        """The newest episodes that crossed a hard limit, tripped, or could not be integrated, of the ``among`` newest."""
        newest = self._store.newest_episodes(among)
        return [row for row in newest if row.outcome != "completed" or row.kpis.get("hard-limit violations", 0.0) > 0][:limit]

    def verdicts(self, runs: Sequence[RunRecord] | None = None) -> list[Verdict]:
        """The newest comparison of PPO with PID for each plant, among ``runs`` where they were read already."""
        found: dict[str, Verdict] = {}
        for run in self.runs() if runs is None else runs:
            for verdict in verdicts(run):
                found.setdefault(verdict.plant, verdict)
        return [found[plant] for plant in sorted(found)]


def open_data(url: str | None, plants: Plants | None = None, access: Access | None = None) -> Data:
    """The store at ``url`` with the catalogue's plants, or those given; raises BadInput for a store that cannot be used."""
    return Data(Historian(url), plants or CataloguePlants(), access or Access())


def cases(episodes: Sequence[EpisodeRow]) -> dict[Case, list[EpisodeRow]]:
    """Episodes by what they were run on, in the order they came."""
    grouped: dict[Case, list[EpisodeRow]] = {}
    for row in episodes:
        grouped.setdefault(Case(row.plant, row.scenario, row.seed), []).append(row)
    return grouped


def headline(row: EpisodeRow) -> tuple[str, float]:
    """The figure that an episode is judged by and its value, lower is better; no name where it has none."""
    if "cost" in row.kpis:
        return "cost", row.kpis["cost"]
    return ("return", -row.kpis["return"]) if "return" in row.kpis else ("", math.nan)


def ranked(rows: Sequence[EpisodeRow]) -> list[EpisodeRow]:
    """Episodes from the best to the worst; one that did not end as it should is worse than any."""
    return sorted(rows, key=lambda row: (row.outcome != "completed", math.isnan(headline(row)[1]), headline(row)[1]))


def whole_number(text: str) -> int:
    """An integer from a URL; raises BadInput."""
    if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 20:
        raise BadInput(f"{text[:40]!r}: not a whole number")
    return int(text)
