"""NMPC on the very episodes on which a training is watched, kept by all that it depends on: what is known costs nothing."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import platformdirs

from controller import foresight, liveliness, nmpc
from controller.baselines import Pid
from controller.interface import Reading
from controller.nmpc import Nmpc, decisions
from controller.rollout import returns
from controller.tuning_cache import PACKAGES
from plant_models.core.errors import SetpointError
from plant_models.derive import observer, prediction, shooting
from plant_models.derive.identity import plant_hash
from plant_models.derive.layout import Level
from plant_models.env.scenario import ARRAYS, Episodes, Single

BUDGET, FEWEST = 4000, 4
"""Decisions of NMPC that are made at most, and episodes that are run in any case."""
LONGEST = 600.0
"""Seconds that NMPC may take for them."""
MODULES = (nmpc, foresight, liveliness, observer, prediction, shooting)


class TooSlow(SetpointError):
    """NMPC on this plant takes longer than a training is worth waiting for."""


@dataclass(frozen=True)
class Yardstick:
    """NMPC's mean return on the episodes, higher is better: PID's on all, and what NMPC is ahead of it on the first ``ran``.

    ``horizon`` in decisions, ``seconds`` that it took.
    """

    score: float
    ahead: float
    ran: int
    episodes: int
    horizon: int
    seconds: float


def known(episodes: Episodes, folder: Path | None = None) -> Yardstick | None:
    """Return what is known from before of these episodes, and None where nothing is; a damaged file counts as nothing."""
    try:
        kept = json.loads(_path(episodes, folder).read_text())
        ran, drawn, horizon = (int(kept[name]) for name in ("ran", "episodes", "horizon"))
        return Yardstick(float(kept["score"]), float(kept["ahead"]), ran, drawn, horizon, float(kept["seconds"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def yardstick(
    episodes: Episodes, report: Callable[[int, int], None] = lambda done, total: None, folder: Path | None = None,
    longest: float = LONGEST,
) -> Yardstick:  # fmt: skip
    """Run NMPC on as many of the episodes as the budget allows, or answer from ``folder`` (the user's cache).

    Raises:
        TooSlow: where it takes longer than ``longest`` seconds, as soon as that is foreseen.
    """
    before = known(episodes, folder)
    if before is not None:
        return before
    plant, some = episodes.plant, _first(episodes)
    watched, begun = _Watched(Nmpc(plant), len(some), some.scenario.steps, report, longest), time.perf_counter()
    costs, pid = returns(watched, some), returns(Pid(plant), episodes)
    ahead = float((pid[: len(some)] - costs).mean()) / plant.scale
    score = float(-pid.mean()) / plant.scale + ahead
    found = Yardstick(score, ahead, len(some), len(episodes), decisions(episodes), time.perf_counter() - begun)
    _keep(_path(episodes, folder), found)
    return found


def _first(episodes: Episodes) -> Episodes:
    """Return those that the budget of decisions allows."""
    return episodes[slice(max(FEWEST, BUDGET // episodes.scenario.steps))]


@dataclass
class _Watched:
    """NMPC, stopped where its last searches foretell too long a run; the first ones, which begin from nothing, do not count."""

    nmpc: Nmpc
    plants: int
    steps: int
    report: Callable[[int, int], None]
    longest: float
    name: str = "nmpc"
    level: Level = "setpoint"
    _done: int = 0
    _spent: float = 0.0

    def plan(self, episodes: Episodes) -> Episodes:
        return self.nmpc.plan(episodes)

    def act(self, reading: Reading) -> Single:
        action, before = self.nmpc.act(reading), self._spent
        self._done += 1
        self._spent = sum(solve.seconds for solve in self.nmpc.solves)
        foretold = self._spent + (self.steps - self._done) * (self._spent - before)
        if self._spent > self.longest or (self._done > 1 and foretold > self.longest):
            stated = f"about {foretold:.0f} s for {self.plants} episodes, {self.longest:.0f} s allowed"
            raise TooSlow(f"{self.nmpc.plant.name}: NMPC is too slow to be compared with ({stated}); left out")
        self.report(self._done, self.steps)
        return action


def _path(episodes: Episodes, folder: Path | None) -> Path:
    home = folder or Path(platformdirs.user_cache_dir("setpoint")) / "yardsticks"
    return home / f"{identity(episodes, BUDGET, FEWEST)}.json"


def identity(episodes: Episodes, *more: object) -> str:
    """Return the sha256 of plant, duty, loops, episodes, horizon, ``more``, NMPC's own text and the packages that compute."""
    plant = episodes.plant
    asked = (plant.scale, plant.worst, plant.duty, episodes.loops, decisions(episodes), *more)
    digest = hashlib.sha256(f"{plant_hash(plant)} {asked!r}".encode())
    for name in ARRAYS:
        digest.update(np.ascontiguousarray(getattr(episodes, name)).tobytes())
    for module in MODULES:
        digest.update(inspect.getsource(module).encode())
    digest.update(repr([version(name) for name in PACKAGES]).encode())
    return digest.hexdigest()[:32]


def _keep(path: Path, found: Yardstick) -> None:
    """Write the file whole; a folder that cannot be written keeps nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(found), file)
        os.replace(temporary, path)
    except OSError:
        return
