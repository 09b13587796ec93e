"""Cells that are done, each kept under all that its numbers depend on: a benchmark goes on where it stopped."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import numpy as np

from controller import (
    baselines,
    benchmark,
    building,
    cell,
    comfort,
    foresight,
    liveliness,
    named,
    nmpc,
    policy,
    reference,
    rollout,
    scores,
    variants,
)
from controller.cell import Cell, Outcome, episodes_of, run
from controller.cell_store import KeptCell, forget, keep, kept
from controller.executor import Workers, compute
from controller.named import SEARCHING
from controller.safety import known as known_shield
from controller.store import Store
from controller.tuning_cache import PACKAGES
from plant_models.derive import decision, observer, prediction, shooting, slopes
from plant_models.derive.identity import plant_hash
from plant_models.env import simulator, substeps
from plant_models.env.scenario import ARRAYS, Episodes

MUCH = 64
"""Cells of controllers that do not search, beyond which more than one process computes."""
MODULES = (
    baselines, benchmark, building, cell, comfort, named, policy, rollout, scores, variants, simulator, substeps,
)  # fmt: skip
SEARCH = (nmpc, foresight, liveliness, reference, observer, slopes, decision, prediction, shooting)
"""Modules that only what searches depends on."""


def outcomes(
    store: Store, cells: Iterable[Cell], again: bool = False, run_id: str = "", workers: Workers | None = None
) -> Iterator[tuple[Cell, Outcome, bool]]:
    """Yield what came of every cell, and whether it was kept: what is kept is not computed, unless ``again``.

    Without ``workers`` it is this process, or where there is much to do as many as there are processors.
    """
    keys = {cell: key(cell) for cell in cells}
    if again:
        forget(store, keys.values())
    before = known(store, keys)
    for one, outcome in before.items():
        yield one, outcome, True
    missing = {name: one for one, name in keys.items() if one not in before}
    for name, outcome in compute(missing, run, workers or Workers(0 if _much(missing.values()) else 1)):
        one = missing[name]
        keep(store, KeptCell(name, _plant(one), outcome.as_json(), run=run_id or None))
        yield one, outcome, False


def _much(cells: Collection[Cell]) -> bool:
    """Whether it is worth to begin other processes, which takes seconds."""
    return len(cells) > MUCH or any(cell.controller in SEARCHING for cell in cells)


def known(store: Store, keys: Mapping[Cell, str]) -> dict[Cell, Outcome]:
    """Return what came of those cells that are kept, given their keys; what cannot be read counts as not kept."""
    found = kept(store, keys.values())
    read = {cell: _read(found[name]) for cell, name in keys.items() if name in found}
    return {cell: outcome for cell, outcome in read.items() if outcome is not None}


def _read(cell: KeptCell) -> Outcome | None:
    try:
        return Outcome.of_json(cell.result)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def key(one: Cell) -> str:
    """Return under what a cell is kept: the plant's name, and the sha256 of all that its numbers depend on."""
    asked = f"{one.controller} {one.digest} {one.shield}"
    text = _text(MODULES) + (_text(SEARCH) if one.controller in SEARCHING else "") + (known_shield.TEXT if one.shield else "")
    digest = hashlib.sha256("\n".join((asked, _drawn(_episodes(one)), text, _versions())).encode())
    return f"{_plant(one)[:60]}-{digest.hexdigest()[:32]}"


def _plant(one: Cell) -> str:
    return one.source.name or Path(str(one.source.file)).stem


def _episodes(one: Cell) -> Cell:
    """Return a cell of the same episodes, whoever runs them."""
    return replace(one, controller="pid", policy="", digest="", shield=False)


@lru_cache(maxsize=512)
def _drawn(one: Cell) -> str:
    """Return what identifies the episodes of a cell, and what they are judged by."""
    plant, scenario = one.source.case()
    episodes = episodes_of(one, plant, scenario)
    return identity(episodes)


def identity(episodes: Episodes) -> str:
    """Return what identifies episodes: the closed loop, what it is judged by, and every number that was drawn."""
    plant = episodes.plant
    judged_by = (plant.duty, plant.scale, plant.worst, plant.learning.horizon, episodes.loops, episodes.scenario.faults)
    written = inspect.getsource(sys.modules[plant.derivative.__module__])
    found = hashlib.sha256(f"{plant_hash(plant)} {judged_by!r} {written}".encode())
    for name in ARRAYS:
        found.update(np.ascontiguousarray(getattr(episodes, name)).tobytes())
    return found.hexdigest()


@cache
def _text(modules: tuple[ModuleType, ...]) -> str:
    return "".join(inspect.getsource(module) for module in modules)


@cache
def _versions() -> str:
    return repr([version(name) for name in PACKAGES])
