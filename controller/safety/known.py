"""What the shell knows of a plant, kept by all that it depends on: a plant is calibrated once."""

from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from controller.safety import (
    adversaries,
    attack,
    calibration,
    certifier,
    corners,
    estimator,
    evolution,
    field,
    governor,
    learning_gain,
    losses,
    opponents,
    shield,
    trial,
    worst_case,
)
from controller.safety.calibration import calibrate
from controller.safety.corners import Spread
from controller.safety.estimator import Gain
from controller.safety.governor import Calibration
from controller.safety.trial import check_hard, hard
from plant_models.core.errors import BadInput
from plant_models.core.files import write_whole
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario
from plant_models.derive import foresight, twin
from plant_models.derive.identity import plant_hash
from plant_models.env import lookahead, simulator, start, substeps
from plant_models.env.scenario import ARRAYS, draw

MODULES = (
    foresight,
    adversaries,
    attack,
    calibration,
    certifier,
    corners,
    estimator,
    evolution,
    field,
    governor,
    learning_gain,
    lookahead,
    losses,
    opponents,
    shield,
    simulator,
    start,
    substeps,
    trial,
    twin,
    worst_case,
)

TEXT = "".join(inspect.getsource(module) for module in MODULES)
"""What is imported, not what a file says later on."""


def check(plant: Plant, scenario: Scenario) -> None:
    """Refuse what no shield can keep, or look ahead of.

    Raises:
        BadInput: for a plant without hard limits, and for a scenario with other settings of the loops than the plant's, by which
            the shield looks ahead.
    """
    check_hard(plant)
    if scenario.loops:
        fitting = ", ".join(each.name for each in plant.scenarios if not each.loops)
        raise BadInput(
            f"scenario {scenario.name!r} of {plant.name}: its loops are set otherwise than those a shield looks ahead by; "
            f"allowed with a shield: {fitting}"
        )


def calibrated(plant: Plant, scenario: Scenario, folder: Path | None = None) -> Calibration:
    """Return what the shell knows of a plant in a scenario: from ``folder`` (the user's cache), or found now and kept there."""
    path = _path(plant, scenario, folder)
    known = _read(path)
    if known is None:
        known = calibrate(plant, scenario)
        _keep(path, known)
    return known


def found(plant: Plant, scenario: Scenario, folder: Path | None = None) -> Calibration | None:
    """Return what is kept of a plant in a scenario; None where it has not been calibrated, or has changed since."""
    return _read(_path(plant, scenario, folder))


def _path(plant: Plant, scenario: Scenario, folder: Path | None) -> Path:
    home = folder or Path(platformdirs.user_cache_dir("setpoint")) / "safety"
    return home / f"{plant.name}-{_key(plant, scenario)}.json"


def _key(plant: Plant, scenario: Scenario) -> str:
    told = f"{plant_hash(plant)} {hard(plant)} {scenario.name} {scenario.steps} {plant.safe_action!r}"
    digest = hashlib.sha256(told.encode())
    drawn = draw(plant, scenario, 0, 1, "tuning")
    for name in ARRAYS:
        digest.update(np.ascontiguousarray(getattr(drawn, name)).tobytes())
    digest.update(TEXT.encode())
    return digest.hexdigest()[:24]


def _as_json(known: Calibration) -> dict[str, Any]:
    return {
        "K": known.gain.K.tolist(), "surprise": known.gain.surprise.tolist(), "states": known.spread.states.tolist(),
        "disturbances": known.spread.disturbances.tolist(), "parameters": known.spread.parameters.tolist(),
        "signs": known.signs.tolist(), "horizon": known.horizon, "margins": known.margins.tolist(), "slack": known.slack.tolist(),
    }  # fmt: skip


def _digest(kept: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> Calibration | None:
    """Return what a file holds; None where it is missing, or is not to the last digit what was written."""
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
        if kept.pop("sha256") != _digest(kept):
            return None
        K, surprise, states, disturbances, parameters, signs, margins, slack = (
            np.array(kept[name], dtype=float)
            for name in ("K", "surprise", "states", "disturbances", "parameters", "signs", "margins", "slack")
        )
        return Calibration(
            Gain(K, surprise), Spread(states, disturbances, parameters), signs, int(kept["horizon"]), margins, slack
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _keep(path: Path, known: Calibration) -> None:
    kept = _as_json(known)
    try:
        write_whole(path, json.dumps(kept | {"sha256": _digest(kept)}))
    except OSError:
        return
