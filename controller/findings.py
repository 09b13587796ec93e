"""Runs a benchmark's cells and says what came of them: standings, figures over all cases, episodes worth looking at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from controller.campaign import SEARCHED, Plan
from controller.cell import SHIELD, Cell, Outcome, ran_of
from controller.executor import Workers
from controller.kept import key, known, outcomes
from controller.methods import ALGORITHMS
from controller.named import SEARCHING
from controller.overall import Overall, Trade, overall, trade, uncounted
from controller.provenance import provenance
from controller.recording import episode_record
from controller.records import EpisodeRecord
from controller.scores import kpis
from controller.source import Source
from controller.standing import NMPC, PID, Compared, Standing, compared
from controller.store import Store
from controller.variants import Variant
from plant_models.derive.identity import plant_hash


@dataclass(frozen=True)
class Findings:
    """What a benchmark found, and where it comes from: ``computed`` of the cells ran now, the others were kept."""

    cases: tuple[Compared, ...]
    notes: tuple[str, ...]
    computed: int
    cells: int
    seconds: float
    seed: int

    @cached_property
    def standings(self) -> list[Standing]:
        """Return one row for each controller in each case."""
        return [case.standing(label) for case in self.cases for label in case.shown()]

    def by_plant(self) -> dict[str, Findings]:
        """Return the part of each plant."""
        names = dict.fromkeys(case.case.plant.name for case in self.cases)
        return {name: replace(self, cases=tuple(c for c in self.cases if c.case.plant.name == name)) for name in names}

    @cached_property
    def overall(self) -> list[Overall]:
        """Return every controller but PID over all cases; nothing where PID did not run."""
        return overall(self.cases)

    @cached_property
    def trades(self) -> list[Trade]:
        """Return what cost is paid with, in every case of an economic plant without a variant."""
        found = [trade(case) for case in self.cases if case.case.variant == "none"]
        return [each for each in found if each is not None]

    def provenance(self) -> dict[str, Any]:
        """Return what a reader needs to repeat the benchmark."""
        plants = {case.case.plant.name: plant_hash(case.case.plant) for case in self.cases}
        cells = [cell for case in self.cases for sample in case.samples.values() for cell in sample.cells]
        policies = {_run_of(cell.policy): cell.digest for cell in cells if cell.policy}
        return provenance() | {
            "plants": plants, "policies": policies, "seed": self.seed, "split": "judging", "cells": self.cells,
            "computed_now": self.computed, "wall_seconds": self.seconds,
            "cell_seconds": sum(s.seconds for case in self.cases for s in case.samples.values()),
        }  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return everything but the episodes."""
        return {
            "plants": {name: _summary(case) for name, case in _first(self.cases).items()},
            "overall": {each.label: each.as_json() for each in self.overall},
            "standings": [each.as_json() for each in self.standings],
            "costs": [
                {"case": case.case.title, "controller": label, "cost": case.samples[label].cost.tolist()}
                for case in self.cases for label in case.shown()
            ],
            "trades": {each.title: each.as_json() for each in self.trades},
            "notes": list(self.notes), "provenance": self.provenance(),
        }  # fmt: skip


def _run_of(policy: str) -> str:
    """Return the name of the run that a policy's folder stands in, or its own: a report is handed on."""
    folder = Path(policy)
    return (folder.parent.name if folder.name == "policy" else "") or folder.name


def found(
    plan: Plan, store: Store, seed: int, again: bool = False, run: str = "", workers: Workers | None = None,
    report: Callable[[int, int, str], None] = lambda done, total, text: None,
) -> Findings:  # fmt: skip
    """Compute every cell that is not kept, keep it at once, and return what came of all; ``report`` hears of each."""
    begun, results, computed = time.perf_counter(), list[tuple[Cell, Outcome]](), 0
    for cell, outcome, before in outcomes(store, plan.cells, again, run, workers):
        results.append((cell, outcome))
        computed += not before
        report(len(results), len(plan.cells), f"{cell.source.name} {cell.variant} {cell.label}")
    order = {cell: i for i, cell in enumerate(plan.cells)}
    results.sort(key=lambda result: order[result[0]])
    results += _searched(store, plan.cells)
    seconds = time.perf_counter() - begun
    cases = tuple(compared(results))
    return Findings(cases, (*plan.notes, *uncounted(cases)), computed, len(plan.cells), seconds, seed)


def _searched(store: Store, cells: Sequence[Cell]) -> list[tuple[Cell, Outcome]]:
    """Return what is kept of NMPC on the first of the same episodes where it is not run: the scale needs it."""
    asked = {(cell.source, cell.variant) for cell in cells if cell.controller == NMPC}
    pids = [cell for cell in cells if cell.controller == PID and not cell.shield and (cell.source, cell.variant) not in asked]
    found: list[tuple[Cell, Outcome]] = []
    ended: set[tuple[Source, Variant]] = set()
    for cell in pids:
        for first in range(cell.first, cell.first + cell.count - SEARCHED + 1, SEARCHED):
            case, wanted = (cell.source, cell.variant), replace(cell, controller=NMPC, first=first, count=SEARCHED)
            before = {} if case in ended or first % SEARCHED else known(store, {wanted: key(wanted)})
            found += before.items()
            if not before:  # they are computed one after the other
                ended.add(case)
    return found


def _first(cases: Sequence[Compared]) -> dict[str, Compared]:
    """Return each plant's first case."""
    first: dict[str, Compared] = {}
    for case in cases:
        first.setdefault(case.case.plant.name, case)
    return first


def _summary(case: Compared) -> dict[str, Any]:
    """Return a plant's first case as the browser's pages read a comparison."""
    rows = {label: case.standing(label) for label in case.shown()}
    return {
        "plant": case.case.plant.name, "scenario": case.case.scenario, "units": dict(next(iter(rows.values())).units),
        "episodes": max(row.episodes for row in rows.values()), "controllers": {k: dict(row.kpis) for k, row in rows.items()},
        "against_pid": {k: row.saved.as_json() for k, row in rows.items() if row.saved is not None},
    }  # fmt: skip


def telling(findings: Findings) -> Iterator[tuple[str, dict[str, EpisodeRecord]]]:
    """Yield for each plant's first case the episode in which a controller costs most, and its median one, PID's beside it.

    That controller, named first, is the first trained one, else the first but PID; with it goes its row behind the shield.
    """
    for case in _first(findings.cases).values():
        labels = [label for label in case.shown() if label.removesuffix(SHIELD) not in SEARCHING]
        trained = [label for label in labels if label.removesuffix(SHIELD) in ALGORITHMS]
        others = [label for label in labels if label != PID]
        judged = next(iter((*trained, *others, *labels)), "")
        if not judged:
            continue
        order = np.argsort(case.samples[judged].cost.mean(axis=0))
        for words, e in (("worst", int(order[-1])), ("median", int(order[len(order) // 2]))):
            beside = [label for label in (judged, PID, judged + SHIELD) if label in labels]
            yield f"{case.case.title}: {words} episode", {label: _record(case, label, e) for label in beside}


def _record(case: Compared, label: str, e: int) -> EpisodeRecord:
    """Run one episode of a controller again, that of its first policy, and return all that was recorded."""
    cell = case.samples[label].cells[0]
    number = cell.first + e
    run = ran_of(replace(cell, first=number, count=1))
    figures = kpis(run)
    numbers, units = ({k: float(v.values[0]) for k, v in figures.items()}, {k: v.unit for k, v in figures.items()})
    record = episode_record(run, label, 0, cell.seed, numbers, units)
    variant = "" if case.case.variant == "none" else f", {case.case.variant}"
    return replace(record, scenario=f"{case.case.scenario}{variant} {number + 1}")
