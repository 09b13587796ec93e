"""Cells of a long benchmark: each is computed once and kept, so that a run that was cut off goes on where it stopped.

A cell is a JSON file in the user's data folder, named by what it holds and by the sha256 of everything its content depends on.
What is no JSON, such as a trained policy, has a folder of that name beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import platformdirs

from plant_models.core.files import write_whole
from plant_models.derive.identity import plant_hash
from plant_models.env.scenario import Episodes


def kept(name: str, depends: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return a cell's content, computed where it is not there yet."""
    found = known(name, depends)
    if found is None:
        found = compute()
        write_whole(_path(name, depends), json.dumps(found))
    return found


def known(name: str, depends: str) -> dict[str, Any] | None:
    """Return a cell's content, None where it is not there yet or damaged."""
    try:
        found: dict[str, Any] = json.loads(_path(name, depends).read_text())
    except (OSError, ValueError):
        return None
    return found


def beside(name: str, depends: str) -> Path:
    """Return the folder for what belongs to a cell and is no JSON."""
    return folder() / f"{name}-{hashlib.sha256(depends.encode()).hexdigest()[:16]}"


def _path(name: str, depends: str) -> Path:
    return beside(name, depends).with_suffix(".json")


def folder() -> Path:
    """Return where cells are kept."""
    return Path(platformdirs.user_data_dir("setpoint")) / "benchmarks"


def fingerprint(episodes: Episodes) -> str:
    """Return what identifies episodes: the plant's closed loop, and every number that was drawn."""
    drawn = (episodes.exogenous, episodes.parameters, episodes.forecasts, episodes.noise)
    digest = hashlib.sha256(plant_hash(episodes.plant).encode())
    for part in drawn:
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def text(*modules: ModuleType) -> str:
    """Return the source text of modules that a cell's content depends on."""
    return "".join(Path(str(module.__file__)).read_text() for module in modules)
