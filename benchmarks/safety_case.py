"""What is measured of a plant behind its shield, and what each kept part of it depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import exact, verdicts
from benchmarks.cells import fingerprint, kept, text
from benchmarks.fuzz import EPISODES, LIMITED, STEPS
from controller.safety import (
    adversaries,
    attack,
    certifier,
    corners,
    estimator,
    evolution,
    field,
    governor,
    opponents,
    shield,
    stress,
    trial,
    worst_case,
)
from controller.safety.governor import Calibration
from controller.safety.trial import hard
from controller.safety.worst_case import BUDGET
from plant_models.core.plant import Plant
from plant_models.derive import foresight
from plant_models.env import lookahead, simulator
from plant_models.env.scenario import draw

MODULES = (
    adversaries, attack, certifier, corners, estimator, evolution, field, governor, opponents, shield, stress, trial, worst_case,
    foresight, lookahead, simulator, exact, verdicts,
)  # fmt: skip


@dataclass(frozen=True)
class Sizes:
    """How much is done for each plant and adversary.

    Judging ``episodes``, those of the ``nominal`` plant, generations of the fitted attack, ``states`` that CVODES judges, and
    ``decisions`` that are timed, and the episodes in which worse cases are searched for. Of learning the ``share`` of the plant's
    training steps, and the episodes in which controllers are ``compared``. Of the shell the ``fuzzed`` episodes, their decisions
    and calls of the limiter, and the ``seconds`` after which no further mutant is run.
    """

    episodes: int = 3000
    nominal: int = 120
    generations: int = 30
    states: int = 1667
    decisions: int = 5000
    search: int = BUDGET
    share: float = 1.0
    compared: int = 100
    fuzzed: tuple[int, int, int] = (EPISODES, STEPS, LIMITED)
    seconds: float = 36_000.0


@dataclass(frozen=True)
class Case:
    """A plant with what its shield knows, and the sizes of what is measured."""

    plant: Plant
    known: Calibration
    sizes: Sizes

    def cell(self, what: str, compute: Callable[[], dict[str, Any]], *sizes: int, beside: str = "") -> dict[str, Any]:
        """Return a part of the plant's row, computed where it is not kept yet; it depends on these sizes and what is beside."""
        return kept(f"{self.plant.name}-safety-{what}", f"{_depends(self.plant, self.known)} {sizes}{beside}", compute)


def _depends(plant: Plant, known: Calibration) -> str:
    digest = hashlib.sha256(repr((known.horizon, plant.safe_action, hard(plant))).encode())
    for part in (*vars(known.gain).values(), *vars(known.spread).values(), known.signs, known.margins, known.slack):
        digest.update(np.ascontiguousarray(part).tobytes())
    return fingerprint(draw(plant, plant.scenario(), 0, 2, "judging")) + digest.hexdigest() + text(*MODULES)
