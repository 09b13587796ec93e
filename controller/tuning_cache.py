"""What tuning found before, kept by all that it depends on: the same question is answered at once."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from controller import pid_tuning, simc
from controller.pid_tuning import EPISODES, Tuning, current, scheduled, tune
from plant_models.core.duty import Held, Part, Reset, Setback
from plant_models.core.files import write_whole
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Plant
from plant_models.derive.identity import plant_hash
from plant_models.env.scenario import ARRAYS, draw

PACKAGES = ("numpy", "scipy", "numba", "casadi")


@dataclass(frozen=True)
class Answer:
    """The layer that the plant file carries and the one found, and whether that was known from before."""

    before: Tuning
    found: Tuning
    known: bool


def tuned(
    plant: Plant, seed: int = 0, generations: int = 100, episodes: int = EPISODES, fresh: bool = False,
    report: Callable[[int, float], None] = lambda generation, cost: None, folder: Path | None = None, layer: bool = True,
) -> Answer:  # fmt: skip
    """Tune a plant's PID layer, or answer from ``folder`` (the user's cache) what was found before; ``fresh`` computes anew.

    Without ``layer`` the schedule alone is tuned. A file that is damaged is written anew; a folder that cannot be written keeps
    nothing.
    """
    home = folder or Path(platformdirs.user_cache_dir("setpoint")) / "tuning"
    path = home / f"{_key(plant, seed, generations, episodes, layer)}.json"
    if not fresh and (kept := _read(plant, path)):
        return Answer(*kept, known=True)
    found = tune(plant, seed, generations, episodes, report, layer)
    before = current(plant, seed, episodes)
    with suppress(OSError):
        write_whole(path, json.dumps({"before": _as_json(before), "found": _as_json(found)}))
    return Answer(before, found, known=False)


def _key(plant: Plant, seed: int, generations: int, episodes: int, layer: bool) -> str:
    """The sha256 of plant, duty, tuning episodes, the tuner's own text and the packages that compute."""
    asked = f"{seed} {generations} {layer}"
    digest = hashlib.sha256(f"{plant_hash(plant)} {plant.scale!r} {plant.worst!r} {plant.duty!r} {asked}".encode())
    drawn = draw(plant, plant.scenario(), seed, episodes, "tuning")
    for name in ARRAYS:
        digest.update(np.ascontiguousarray(getattr(drawn, name)).tobytes())
    for module in (pid_tuning, simc):
        digest.update(inspect.getsource(module).encode())
    digest.update(repr([version(name) for name in PACKAGES]).encode())
    return digest.hexdigest()[:32]


def _as_json(tuning: Tuning) -> dict[str, Any]:
    schedules = [[loop.schedule.K_c, loop.schedule.T_i] if loop.schedule else None for loop in tuning.loops]
    return {
        "gains": [asdict(loop.gains) for loop in tuning.loops], "schedules": schedules, "advance": tuning.advance,
        "schedule": [{"kind": type(part).__name__, **asdict(part)} for part in tuning.schedule],
        "cost": tuning.cost, "sensitivity": tuning.sensitivity,
    }  # fmt: skip


def _read(plant: Plant, path: Path) -> tuple[Tuning, Tuning] | None:
    try:
        kept = json.loads(path.read_text())
        return _tuning(plant, kept["before"]), _tuning(plant, kept["found"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _tuning(plant: Plant, kept: dict[str, Any]) -> Tuning:
    loops = tuple(_loop(*parts) for parts in zip(plant.loops, kept["gains"], kept["schedules"], strict=True))
    schedule = tuple(_part(dict(part)) for part in kept["schedule"])
    if [(type(part), part.tag) for part in schedule] != [(type(part), part.tag) for part in scheduled(plant)]:
        raise ValueError("another schedule than the plant's")
    return Tuning(loops, int(kept["advance"]), schedule, float(kept["cost"]), float(kept["sensitivity"]))


def _part(kept: dict[str, Any]) -> Part:
    kinds: dict[str, type[Part]] = {kind.__name__: kind for kind in (Setback, Reset, Held)}
    kind = kinds[kept.pop("kind")]
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return kind(**given)


def _loop(loop: Loop, gains: dict[str, Any], exponents: list[float] | None) -> Loop:
    numbers = {name: float(value) for name, value in gains.items() if name != "disturbance"}
    fed = tuple((str(name), float(gain)) for name, gain in gains["disturbance"])
    found = replace(loop, gains=Gains(**numbers, disturbance=fed))
    if loop.schedule is None or exponents is None:
        return found
    K_c, T_i = exponents
    return replace(found, schedule=replace(loop.schedule, K_c=float(K_c), T_i=float(T_i)))
