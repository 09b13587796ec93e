"""The worst cases that were found for a plant, kept so that every later shield meets them too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import platformdirs

from controller.safety.governor import Calibration
from controller.safety.worst_case import KEPT, Space, met
from plant_models.core.files import write_whole
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario


def place(plant: Plant, scenario: Scenario, seed: int, folder: Path | None = None) -> Path:
    """Return the file of a plant's worst cases, in ``folder`` or the user's data folder."""
    home = folder or Path(platformdirs.user_data_dir("setpoint")) / "stress"
    return home / f"{plant.name}-{scenario.name}-{seed}.json"


def read(path: Path, space: Space) -> Array:
    """Return the points that are kept, (points, size); none where there is no file, or it was made for another search."""
    size = sum(space.sizes)
    try:
        points = np.array(json.loads(path.read_text())["points"], dtype=float).reshape(-1, size)
    except (OSError, ValueError, TypeError, KeyError):
        return np.empty((0, size))
    return points if np.isfinite(points).all() and (np.abs(points) <= 1.0).all() else np.empty((0, size))


def keep(path: Path, space: Space, points: Array, known: Calibration) -> Array:
    """Keep the worst of these points and those kept before, as this shield fares with them; return them, worst first."""
    together = np.unique(np.concatenate([read(path, space), points]), axis=0)
    nearness = met(space, together, known).nearest(space.base.plant)
    order = np.argsort(nearness, kind="stable")[:KEPT]
    kept = {
        "plant": space.base.plant.name,
        "scenario": space.base.scenario.name,
        "smallest margins, of the nominal": nearness[order].tolist(),
    }
    write_whole(path, json.dumps(kept | {"points": together[order].tolist()}))
    return together[order]
