"""Closed loops by CVODES are those of the kernel, in the field and in a corner, and verdicts count what they say."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from benchmarks.exact import corner, real
from benchmarks.verdicts import judged
from controller.safety.adversaries import channels, command
from controller.safety.corners import varied
from controller.safety.field import Field, unmoved
from controller.safety.governor import Calibration, Governor
from controller.safety.opponents import along
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.env.lookahead import Command, Lookahead
from plant_models.env.scenario import Episodes, draw
from tests import safety

N, DECISIONS = 6, 5


@pytest.fixture(scope="module", params=["exothermic_cstr", "batch_crystallizer"])
def plant(request: pytest.FixtureRequest) -> Plant:
    return get(request.param)


@pytest.fixture(scope="module")
def known(plant: Plant) -> Calibration:
    return safety.known(plant.name)


def moved(plant: Plant, share: float) -> Command:
    return command(plant, np.full((N, channels(plant)), share))


def test_the_true_plant_by_cvodes_is_the_field(plant: Plant) -> None:
    field = Field(plant, draw(plant, plant.scenario(), 0, N, "judging"))
    for _ in range(4):
        field.command(moved(plant, 0.4))
    sent, then = moved(plant, -0.5), moved(plant, 0.5)
    by_kernel = field.held(sent, then, DECISIONS)
    for e in range(N):
        assert real(field, e, sent, then, DECISIONS, DECISIONS) == pytest.approx(by_kernel[e], rel=1e-5, abs=1e-6)


def test_a_corner_by_cvodes_is_what_the_shield_foresees(plant: Plant, known: Calibration) -> None:
    field, governor = Field(plant, draw(plant, plant.scenario(), 0, N, "judging")), Governor(plant, N, known)
    reading = field.read()
    governor.begin(np.arange(N), reading, unmoved(field))
    standing = varied(plant, governor.estimate(reading), known.signs, known.spread, governor.phase)
    sent = moved(plant, 0.2)
    foreseen = Lookahead(plant).hold(standing, sent, None, DECISIONS).lowest
    for v in range(len(known.signs)):
        assert corner(plant, standing, 1, v, sent, None, DECISIONS) == pytest.approx(foreseen[1, v], rel=1e-3, abs=1e-3)


@pytest.fixture(scope="module")
def tanks() -> tuple[Plant, Calibration, Episodes]:
    plant = get("quadruple_tank")
    drawn = draw(plant, replace(plant.scenario(), steps=4), 0, 16, "judging")
    return plant, safety.known(plant.name), drawn


def test_a_shield_that_believes_everything_is_found_out(tanks: tuple[Plant, Calibration, Episodes]) -> None:
    _, known, drawn = tanks
    wrong = replace(known, margins=np.full_like(known.margins, -1e9))
    found = judged(along("max", 1, 0), drawn, wrong, 6, 0)
    assert (found.states, found.certified, found.refused, found.false_unsafe) == (6, 6, 0, 0)
    assert found.false_safe >= 3


def test_a_shield_that_believes_nothing_is_found_out(tanks: tuple[Plant, Calibration, Episodes]) -> None:
    _, known, drawn = tanks
    wrong = replace(known, margins=np.full_like(known.margins, 1e9))
    assert astuple(judged(along("min", 1, 0), drawn, wrong, 6, 0)) == (6, 0, 6, 0, 6)


def test_a_calibrated_shield_is_not_wrong(known: Calibration, plant: Plant) -> None:
    drawn = draw(plant, plant.scenario(), 0, 16, "judging")
    found = judged(along("random", 1, 0), drawn, known, 6, 0)
    assert (found.states, found.false_safe) == (6, 0)
    assert found.certified + found.refused >= 6
