"""What a move must keep in reserve: what moves lose, or as much of it as worst cases need, and never so much that none can."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from controller.baselines import Pid
from controller.safety import calibration
from controller.safety.calibration import Governed, Vain
from controller.safety.corners import Situations, enforced, scales
from controller.safety.evolution import Found
from controller.safety.field import Field
from controller.safety.governor import Calibration
from controller.safety.opponents import steered
from controller.safety.stress import alike, stressed
from controller.safety.worst_case import Space
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.env.scenario import draw
from tests.compiled import alone
from tests.safety import episodes, known


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


def as_it_was(plant: Plant, scenario: Scenario, known: Calibration, seed: int) -> Calibration:
    return known


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
    monkeypatch.setattr(calibration, "_hardened", as_it_was)
    found = calibration.calibrate(plant, plant.scenario(), n=32)
    assert len(asked) == min(enough, 2)
    np.testing.assert_allclose(found.slack, 4.0 * share * asked[0].slack, rtol=1e-12)


def test_where_less_would_need_margins_in_its_place_all_of_the_reserve_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    plant, tried = get("exothermic_cstr"), list[Array]()
    monkeypatch.setattr(calibration, "search", lambda *_: pytest.fail("searched"))
    monkeypatch.setattr(calibration, "_hardened", as_it_was)

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
    monkeypatch.setattr(calibration, "_hardened", as_it_was)
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


WORST, ATTACK = 2, 3
"""Episodes of the worst cases and of the attack below."""


def hardened(monkeypatch: pytest.MonkeyPatch, rooms: list[float], foreseen: list[float | None]) -> Calibration:
    """Return what comes of a reactor whose searches end with these rooms, and whose runs then show certificates given in vain.

    Those foresaw so much of the first margin; None: a run shows none.
    """
    plant, before, left, shown = get("exothermic_cstr"), known("exothermic_cstr"), iter(rooms), iter(foreseen)
    cases, after = episodes(plant, WORST), episodes(plant, ATTACK)

    def searched(space: Space, known: Calibration, seed: int, budget: int) -> Found:
        return Found(np.zeros((WORST, sum(space.sizes))), np.array([room := next(left), room]), budget)

    def ran(field: Field, moves: Array, known: Calibration, every: int) -> Governed:
        assert (field.n, every) == (len(moves), 1)
        margin = next(shown)
        met = Situations(None, np.zeros(1), None, None)  # type: ignore[arg-type]
        vain = [] if margin is None else [Vain(met, np.zeros(1), np.array([margin]), np.array([-0.1]))]
        return Governed(vain, np.zeros(2), 0.0)

    monkeypatch.setattr(Space, "cases", lambda _, points: (cases, np.zeros((len(points), 60, 2))))
    monkeypatch.setattr(calibration, "_attacked", lambda *_: (after, np.zeros((ATTACK, 60, 2))))
    monkeypatch.setattr(calibration, "search", searched)
    monkeypatch.setattr(calibration, "_governed", ran)
    found = calibration._hardened(plant, plant.scenario(), before, 0)
    assert (next(left, None), next(shown, 0.0)) == (None, 0.0)
    return found


ENOUGH, NOT_ENOUGH = calibration.ROOM, calibration.ROOM - 1e-9


def test_margins_stay_where_worst_cases_and_an_attack_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hardened(monkeypatch, [ENOUGH], [None]) is known("exothermic_cstr")


def test_margins_grow_until_worst_cases_and_an_attack_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a little more than certificates foresaw that were given in vain, which would then not have been given."""
    found = hardened(monkeypatch, [NOT_ENOUGH, ENOUGH, ENOUGH], [0.5, 0.75, None])
    assert found.margins[0] == pytest.approx(0.75, rel=1e-5)
    assert found.margins[0] > 0.75
    assert found.margins[1] == 0.0


def test_margins_that_do_not_help_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = calibration.HARDER
    assert hardened(monkeypatch, [NOT_ENOUGH] * rounds, [0.5 + k for k in range(rounds)]) is known("exothermic_cstr")


def test_an_attack_of_a_calibration_is_fitted_against_its_shield_on_tuning_episodes() -> None:
    plant, found = get("exothermic_cstr"), known("exothermic_cstr")
    drawn, moves = calibration._attacked(plant, plant.scenario(), found, 3)
    assert (len(drawn), moves.shape) == (calibration.ATTACKED, (calibration.ATTACKED, plant.scenario().steps, 2))
    np.testing.assert_array_equal(drawn.initial, draw(plant, plant.scenario(), 3, calibration.ATTACKED, "tuning").initial)
    assert 1 < len(np.unique(moves[:, 0], axis=0)) <= 8
