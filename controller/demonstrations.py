"""What NMPC would do where a clone of it gets: kept by all that it depends on, and computed once for all training seeds.

A clone errs, and its errors lead it to where its teacher never was. So what is done here differs from what NMPC wants, by chance
and alike from decision to decision; what is kept is what it wants there (M. Laskey, J. Lee, R. Fox, A. Dragan, K. Goldberg, DART:
Noise injection for robust imitation learning, CoRL 2017).
"""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from controller.interface import Reading
from controller.nmpc import Nmpc
from controller.rollout import rollout
from controller.yardstick import identity
from plant_models.core.files import write_whole
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.kernel import kernel
from plant_models.derive.layout import Level
from plant_models.env.mixture import mixture
from plant_models.env.scenario import Episodes, Single, draw

BUDGET, FEWEST, PIECE = 2000, 8, 6
"""Decisions of NMPC in all, episodes in any case, and those that are kept together: a run cut off goes on at the next piece."""
USUAL = 1.0
"""Standard deviation of the perturbations where the plant declares none, in its first spreads of exploration."""
MEMORY = 0.8
"""Correlation of perturbations from decision to decision."""


@dataclass
class _Perturbed:
    """NMPC whose actions are off by chance, with a standard deviation of ``reach`` of their half range.

    It notes what it was shown, what NMPC wanted, and whether a search had found that; first axis: decisions, then episodes.
    """

    teacher: Nmpc
    reach: float
    rng: np.random.Generator
    seen: list[Single] = field(default_factory=list)
    wanted: list[Single] = field(default_factory=list)
    found: list[NDArray[np.bool_]] = field(default_factory=list)
    name: str = "nmpc, perturbed"
    _off: Array | None = None

    @property
    def level(self) -> Level:
        return self.teacher.level

    def plan(self, episodes: Episodes) -> Episodes:
        return self.teacher.plan(episodes)

    def act(self, reading: Reading) -> Single:
        action = self.teacher.act(reading)
        self.seen.append(reading.observation.copy())
        self.wanted.append(action)
        self.found.append(np.array([solve.used for solve in self.teacher.solves[-len(action) :]]))
        return np.clip(action + self._next(action.shape), -1.0, 1.0).astype(np.float32)

    def _next(self, shape: tuple[int, ...]) -> Array:
        drawn: Array = self.rng.normal(size=shape)
        self._off = drawn if self._off is None else MEMORY * self._off + np.sqrt(1.0 - MEMORY**2) * drawn
        perturbation: Array = self.reach * self._off
        return perturbation


def demonstrations(
    plant: Plant, level: Level, scenario: str = "", tell: Callable[[str], None] = lambda note: None, folder: Path | None = None
) -> tuple[Single, Single]:
    """Return observations, (samples, entries), and the actions NMPC wants there, (samples, actions), on training episodes.

    Several scenarios share the episodes equally. Each piece comes from ``folder`` (the user's cache) or is computed now and kept
    there; ``tell`` hears how long that takes. Left out are decisions without a course found or on a plant that stands still, and
    episodes that tripped or failed.
    """
    todo, found = _pieces(plant, scenario), []
    for k, some in enumerate(todo):
        path, entries = _path(some, level, folder), len(kernel(plant, level).observation.features)
        known, begun = _read(path, entries), time.perf_counter()
        if known is None:
            if not k:
                tell(f"NMPC demonstrates {sum(map(len, todo))} episodes of {plant.name}: once, some minutes ...")
            known = _demonstrated(some, level, k)
            _keep(path, *known)
            left = (time.perf_counter() - begun) * (len(todo) - k - 1)
            tell(f"NMPC has demonstrated {sum(map(len, todo[: k + 1]))} episodes of {plant.name}, about {left:.0f} s are left")
        found.append(known)
    seen, wanted = zip(*found, strict=True)
    return np.concatenate(seen), np.concatenate(wanted)


def _pieces(plant: Plant, scenario: str) -> list[Episodes]:
    """Return the training episodes of each scenario, cut into pieces."""
    chosen = mixture(plant, scenario)
    count = max(FEWEST, BUDGET // plant.scenario().steps) // len(chosen)
    drawn = [draw(plant, each, 0, max(1, count), "training") for each in chosen]
    return [part[slice(first, first + PIECE)] for part in drawn for first in range(0, len(part), PIECE)]


def reach(plant: Plant) -> float:
    """Return the standard deviation of the perturbations, as a share of the action's half range."""
    return plant.learning.demonstrated or USUAL * plant.learning.spread


def _demonstrated(some: Episodes, level: Level, k: int) -> tuple[Single, Single]:
    teacher = _Perturbed(Nmpc(some.plant, level), reach(some.plant), np.random.default_rng(k))
    run = rollout(teacher, some)
    moves = (np.diff(run.path["x"], axis=1) != 0.0).any(axis=2).T
    sound = np.stack(teacher.found) & moves & ~(run.tripped | run.failed)
    return np.stack(teacher.seen)[sound], np.stack(teacher.wanted)[sound]


def _path(some: Episodes, level: Level, folder: Path | None) -> Path:
    home = folder or Path(platformdirs.user_cache_dir("setpoint")) / "demonstrations"
    return home / f"{some.plant.name}-{identity(some, level, reach(some.plant), MEMORY)}.npz"


def _read(path: Path, entries: int) -> tuple[Single, Single] | None:
    """Return what a file holds; None where it is missing, damaged, or of another shape."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            seen, wanted = kept["seen"], kept["wanted"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    fits = seen.shape == (len(wanted), entries) and wanted.ndim == 2 and seen.dtype == wanted.dtype == np.float32
    return (seen, wanted) if fits and np.isfinite(seen).all() and np.isfinite(wanted).all() else None


def _keep(path: Path, seen: Single, wanted: Single) -> None:
    """Write the file whole; a folder that cannot be written keeps nothing."""
    buffer = io.BytesIO()
    np.savez(buffer, seen=seen, wanted=wanted)
    try:
        write_whole(path, buffer.getvalue())
    except OSError:
        return
