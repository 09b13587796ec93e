"""NMPC in the whole benchmark: what ``benchmarks.control`` has kept of it, and its own time on every other scenario."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks import cells
from benchmarks.plants import SEARCH, judging, searched_by
from controller.baselines import Pid
from controller.campaign import SEARCHED
from controller.cell import SEGMENTS, Cell, Outcome
from controller.cell_store import KeptCell, keep
from controller.executor import Workers
from controller.kept import key, outcomes
from controller.rollout import rollout
from controller.scores import kpis
from controller.source import Source
from controller.standing import NMPC
from controller.store import Store
from plant_models.catalogue import get
from plant_models.core.plant import Plant

EPISODES = 100
"""Of which ``benchmarks.control`` keeps the first ones."""
ROOT = Path(__file__).parents[1]


def searched(store: Store, plants: Sequence[str], episodes: int, seconds: float) -> None:
    """Have NMPC run the first episodes of every scenario, no variant, until so many seconds are spent on one or all are done."""
    for name in plants:
        for scenario in get(name).scenarios:
            done, spent = 0, 0.0
            while done < episodes and spent < seconds:
                cell = Cell(Source(name, scenario=scenario.name), "none", NMPC, 0, done, SEARCHED)
                spent += sum(outcome.seconds for _, outcome, _ in outcomes(store, [cell], workers=Workers(1)))
                done += SEARCHED
            if done:
                print(f"NMPC, {name}, {scenario.name}: {done} episodes, {spent:.0f} s", file=sys.stderr)


def carry(store: Store, plant: Plant, commit: str) -> int:
    """Keep what ``benchmarks.control`` has of NMPC as cells, and return of how many episodes."""
    text, judged = _text(commit) + searched_by(plant), judging(plant, EPISODES)
    units = {name: kpi.unit for name, kpi in kpis(rollout(Pid(plant), judged[slice(1)])).items()}
    for first in range(0, EPISODES, SEARCHED):
        some = judged[slice(first, first + SEARCHED)]
        piece = cells.known(f"{plant.name}-nmpc-{first}", cells.fingerprint(some) + text)
        if piece is None:
            return first
        cell = Cell(Source(plant.name, scenario=plant.scenario().name), "none", NMPC, 0, first, SEARCHED)
        keep(store, KeptCell(key(cell), plant.name, _outcome(piece, units).as_json()))
    return EPISODES


def _outcome(piece: dict[str, Any], units: dict[str, str]) -> Outcome:
    """Return a piece as a cell's outcome; in which part of an episode its cost arose is not known."""
    figures = {name: tuple(values) for name, values in piece["kpis"].items()}
    unknown = tuple((np.nan,) * SEGMENTS for _ in piece["cost"])
    return Outcome(tuple(piece["cost"]), unknown, figures, {name: units[name] for name in figures}, piece["seconds"])


def _text(commit: str) -> str:
    return "".join(_module(module, commit) for module in SEARCH)


def _module(module: ModuleType, commit: str) -> str:
    path = Path(str(module.__file__)).relative_to(ROOT)
    if not commit:
        return (ROOT / path).read_text()
    return subprocess.run(["git", "show", f"{commit}:{path}"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
