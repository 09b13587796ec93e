"""What a move must keep in reserve: what moves lose, or as much of it as worst cases need, and never so much that none can."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from controller.baselines import Pid
from controller.safety import calibration
from controller.safety.calibration import Governed, Vain
from controller.safety.corners import enforced, scales
from controller.safety.evolution import Found
from controller.safety.field import Field
from controller.safety.governor import Calibration
from controller.safety.opponents import steered
from controller.safety.stress import alike, stressed
from controller.safety.worst_case import Space
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario
from tests.compiled import alone
from tests.safety import known


@pytest.mark.parametrize("name", [pytest.param(name, marks=alone(name)) for name in ("exothermic_cstr", "batch_crystallizer")])
def test_a_move_keeps_no_more_than_half_of_what_there_is_at_the_nominal_point(name: str) -> None:
    plant, found = get(name), known(name)
    at = enforced(plant)
    assert (found.slack[at] > 0.0).all()
    assert (found.slack <= 0.5 * scales(plant)).all()


@alone("batch_crystallizer")
def test_where_moves_lose_more_than_that_the_pid_layer_may_move_all_the_same() -> None:
    plant, found = get("batch_crystallizer"), known("batch_crystallizer")
    assert found.slack[0] == 0.5 * scales(plant)[0]
    told = stressed(alike(steered(Pid(plant))), found, plant, plant.scenario(), 64, 0)
    assert told.decided["full"] > 0.5
    assert told.violating == 0
    assert told.violating_unshielded > 0


@pytest.mark.parametrize(("enough", "share"), [(1, 0.25), (2, 0.5), (3, 1.0)])
def test_as_little_is_kept_as_leaves_the_worst_cases_room(monkeypatch: pytest.MonkeyPatch, enough: int, share: float) -> None:
    """The reserve is a quarter of what moves lose, or a half where worst cases need that, or all of it where they need more."""
    plant, asked = get("exothermic_cstr"), list[Calibration]()

    def searched(space: Space, known: Calibration, seed: int, budget: int) -> Found:
        asked.append(known)
        worst = calibration.ROOM if len(asked) == enough else calibration.ROOM - 1e-9
        return Found(np.zeros((1, 1)), np.array([worst]), budget)

    monkeypatch.setattr(calibration, "search", searched)
    monkeypatch.setattr(calibration, "_stricter", lambda kept, vain: kept)
    found = calibration.calibrate(plant, plant.scenario(), n=32)
    assert len(asked) == min(enough, 2)
    np.testing.assert_allclose(found.slack, 4.0 * share * asked[0].slack, rtol=1e-12)


def test_where_less_would_need_margins_in_its_place_all_of_the_reserve_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    plant, tried = get("exothermic_cstr"), list[Array]()
    monkeypatch.setattr(calibration, "search", lambda *_: pytest.fail("searched"))

    def wider(kept: Array, vain: list[Vain]) -> Array:
        tried.append(kept)
        return kept + 0.1

    monkeypatch.setattr(calibration, "_stricter", wider)
    found = calibration.calibrate(plant, plant.scenario(), n=32)
    rounds = calibration.ROUNDS - calibration.CORNERED
    assert len(tried) == rounds * (len(calibration.NEEDED) + 1)
    np.testing.assert_allclose(found.margins, 0.1 * rounds)


def test_where_nothing_would_be_certified_too_often_all_of_the_reserve_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """However well the worst cases do; nobody searches for them."""
    plant, tried = get("exothermic_cstr"), list[Array]()
    governed = calibration.governed

    def unsure(plant: Plant, scenario: Scenario, known: Calibration, seed: int, n: int) -> Governed:
        tried.append(known.slack)
        return replace(governed(plant, scenario, known, seed, n), uncertified=calibration.UNSURE + 1e-9)

    monkeypatch.setattr(calibration, "governed", unsure)
    monkeypatch.setattr(calibration, "_stricter", lambda kept, vain: kept)
    monkeypatch.setattr(calibration, "search", lambda *_: pytest.fail("searched"))
    found = calibration.calibrate(plant, plant.scenario(), n=32)
    np.testing.assert_allclose(found.slack, 4.0 * tried[calibration.CORNERED], rtol=1e-12)
    np.testing.assert_array_equal(found.slack, tried[-1])


@pytest.mark.parametrize("ended", [0, 5])
def test_what_governed_episodes_leave_uncertified_is_a_share_of_their_decisions(
    monkeypatch: pytest.MonkeyPatch, ended: int
) -> None:
    """Margins that nothing keeps leave every decision of plants that run without a certificate, none leave hardly any."""
    plant, found = get("exothermic_cstr"), known("exothermic_cstr")
    monkeypatch.setattr(Field, "running", property(lambda _: np.arange(8) >= ended))
    for margin, least, most in ((100.0, 1.0, 1.0), (0.0, 0.0, 0.01)):
        strict = replace(found, margins=np.full_like(found.margins, margin))
        assert least <= calibration.governed(plant, plant.scenario(), strict, 0, 8).uncertified <= most
