"""Twins and controllers that tests of the live page operate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from controller.baselines import Pid
from controller.interface import Reading
from controller.live import commands as ask
from controller.live.case import Case
from controller.live.commands import TWINS
from controller.live.pair import Pair
from controller.live.workshop import Kept
from controller.safety.governor import Calibration, Governor
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.env.scenario import Single
from tests.safety import known

CASE = Case("exothermic_cstr", "tracking", 3)
SHORT = 400
"""Decisions of an episode that would be drawn for thousands; no test runs more."""
BOTH = TWINS


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw short episodes."""
    monkeypatch.setattr("controller.live.case.LONGEST", SHORT)


class Leaning(Pid):
    """Asks for half of its authority, always: a controller that differs from PID."""

    def act(self, reading: Reading) -> Single:
        """Lean."""
        return np.full((1, len(self.plant.acted)), 0.5, dtype=np.float32)


class Filling(Pid):
    """Asks for all of its authority, always."""

    def act(self, reading: Reading) -> Single:
        """Ask for all."""
        return np.ones((1, len(self.plant.acted)), dtype=np.float32)


class Shop(Kept):
    """A workshop with a policy of the test's own, and a shield that is calibrated already."""

    def __init__(self, case: Case = CASE) -> None:
        super().__init__(case, {"leaning": Leaning, "filling": Filling, "broken": _broken})

    def governor(self) -> Governor:
        """Return a shield from the tests' calibration."""
        plant = get(self.case.plant)
        return Governor(plant, 1, known(self.case.plant))

    def known(self) -> Calibration:
        """Return the tests' calibration."""
        return known(self.case.plant)


def _broken(plant: Plant) -> Any:
    class Broken(Pid):
        def act(self, reading: Reading) -> Single:
            """Fail."""
            raise ArithmeticError("no answer")

    return Broken(plant)


def pair(*controllers: str) -> Pair:
    return Pair(CASE, controllers or ("pid", "leaning"), Shop())


def run(pair: Pair, decisions: int = 1) -> None:
    for _ in range(decisions):
        pair.decide()
        pair.advance()


def face(pair: Pair, tag: str, twin: ask.Twin = "A") -> Any:
    return next(face for face in pair.twins[twin].faces() if face.tag == tag)
