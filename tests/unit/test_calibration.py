"""What a move must keep in reserve: what moves lose, or as much of it as worst cases need, and never so much that none can."""

from __future__ import annotations

from collections.abc import Callable
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

ROOM, SHORT = calibration.ROOM, calibration.ROOM - 1e-9
"""Room enough in worst cases, and a little less."""
SLOW, ALONE = pytest.mark.slow, alone("batch_crystallizer")


@pytest.mark.parametrize(
    "name",
    [pytest.param("exothermic_cstr", marks=alone("exothermic_cstr")), pytest.param("batch_crystallizer", marks=[SLOW, ALONE])],
)
def test_a_move_keeps_no_more_than_half_of_what_there_is_at_the_nominal_point(name: str) -> None:
    plant, found = get(name), known(name)
    at = enforced(plant)
    assert (found.slack[at] > 0.0).all()
    assert (found.slack <= 0.5 * scales(plant)).all()


@SLOW
@ALONE
def test_where_moves_lose_more_than_that_the_pid_layer_may_move_all_the_same() -> None:
    plant, found = get("batch_crystallizer"), known("batch_crystallizer")
    assert found.slack[0] == 0.5 * scales(plant)[0]
    told = stressed(alike(steered(Pid(plant))), found, plant, plant.scenario(), 64, 0)
    assert told.decided["full"] > 0.5
    assert told.violating == 0
    assert told.violating_unshielded > 0


def as_it_was(space: Space, known: Calibration, found: Found, seed: int) -> Calibration:
    return known


def told(*rooms: float) -> tuple[Callable[..., Found], list[Calibration]]:
    """Return a search that ends with these rooms, one after the other, and the calibrations that it was asked about."""
    asked = list[Calibration]()

    def searched(space: Space, known: Calibration, seed: int, budget: int) -> Found:
        asked.append(known)
        return Found(np.zeros((1, 1)), np.array([rooms[len(asked) - 1]]), budget)

    return searched, asked


@pytest.mark.parametrize(
    ("rooms", "share"),
    [((ROOM,), 0.25), ((SHORT, ROOM), 0.5), ((SHORT, SHORT, ROOM), 1.0), ((SHORT, SHORT, SHORT), 0.25),
     ((0.0, SHORT, SHORT), 0.5), ((0.0, 0.0, SHORT), 1.0), ((0.0, 0.0, -0.1), 0.25), ((-0.1, 0.0, -0.1), 0.5),
     ((-0.1, -0.1, -0.1), 1.0)],
)  # fmt: skip
def test_as_little_is_kept_as_leaves_the_worst_cases_room(
    monkeypatch: pytest.MonkeyPatch, rooms: tuple[float, ...], share: float
) -> None:
    """A quarter of what moves lose, or a half; all of it only where worst cases keep more room with it, or none with less."""
    plant = get("exothermic_cstr")
    searched, asked = told(*rooms)
    monkeypatch.setattr(calibration, "search", searched)
    monkeypatch.setattr(calibration, "_stricter", lambda kept, vain: kept)
    monkeypatch.setattr(calibration, "_hardened", as_it_was)
    found = calibration.calibrate(plant, plant.scenario(), n=32)
    assert len(asked) == len(rooms)
    np.testing.assert_allclose(found.slack, 4.0 * share * asked[0].slack, rtol=1e-12)


def test_where_less_would_need_margins_in_its_place_all_of_the_reserve_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    plant, tried = get("exothermic_cstr"), list[Array]()
    searched, asked = told(ROOM)
    monkeypatch.setattr(calibration, "search", searched)
    monkeypatch.setattr(calibration, "_hardened", as_it_was)

    def wider(kept: Array, vain: list[Vain]) -> Array:
        tried.append(kept)
        return kept + 0.1

    monkeypatch.setattr(calibration, "_stricter", wider)
    found = calibration.calibrate(plant, plant.scenario(), n=32)
    rounds = calibration.ROUNDS - calibration.CORNERED
    assert len(tried) == rounds * (len(calibration.NEEDED) + 1)
    np.testing.assert_allclose(found.margins, 0.1 * rounds)
    assert asked == [found]


def test_where_nothing_would_be_certified_too_often_all_of_the_reserve_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """However well the worst cases do; with less nobody searches for them."""
    plant, tried = get("exothermic_cstr"), list[Array]()
    governed = calibration.governed

    def unsure(plant: Plant, scenario: Scenario, known: Calibration, seed: int, n: int) -> Governed:
        tried.append(known.slack)
        return replace(governed(plant, scenario, known, seed, n), uncertified=calibration.UNSURE + 1e-9)

    monkeypatch.setattr(calibration, "governed", unsure)
    searched, asked = told(ROOM)
    monkeypatch.setattr(calibration, "_stricter", lambda kept, vain: kept)
    monkeypatch.setattr(calibration, "search", searched)
    monkeypatch.setattr(calibration, "_hardened", as_it_was)
    found = calibration.calibrate(plant, plant.scenario(), n=32)
    np.testing.assert_allclose(found.slack, 4.0 * tried[calibration.CORNERED], rtol=1e-12)
    np.testing.assert_array_equal(found.slack, tried[-1])
    assert asked == [found]


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
    cases, after, space = episodes(plant, WORST), episodes(plant, ATTACK), Space.of(plant, plant.scenario(), 0)

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
    found = calibration._hardened(space, before, searched(space, before, 0, 0), 0)
    assert (next(left, None), next(shown, 0.0)) == (None, 0.0)
    return found


def test_margins_stay_where_worst_cases_and_an_attack_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hardened(monkeypatch, [ROOM], [None]) is known("exothermic_cstr")


def test_margins_grow_until_worst_cases_and_an_attack_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a little more than certificates foresaw that were given in vain, which would then not have been given."""
    found = hardened(monkeypatch, [SHORT, ROOM, ROOM], [0.5, 0.75, None])
    assert found.margins[0] == pytest.approx(0.75, rel=1e-5)
    assert found.margins[0] > 0.75
    assert found.margins[1] == 0.0


def test_margins_that_do_not_help_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = calibration.HARDER
    assert hardened(monkeypatch, [SHORT] * rounds, [0.5 + k for k in range(rounds)]) is known("exothermic_cstr")


@pytest.mark.parametrize(("room", "grown"), [(SHORT, True), (0.0, True), (-1e-9, False)])
def test_where_no_certificate_was_in_vain_margins_stay_as_far_as_they_grew_or_go_back(
    monkeypatch: pytest.MonkeyPatch, room: float, grown: bool
) -> None:
    """A limit that is crossed without any certificate is not kept by margins, and nothing more is tried."""
    found = hardened(monkeypatch, [-0.3, room], [0.5, None])
    assert (found.margins[0] > 0.5) == grown
    assert (found is known("exothermic_cstr")) == (not grown)


def test_margins_grow_by_no_more_than_a_share_of_what_there_is_at_the_nominal_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much a certificate foresaw that was in vain."""
    found, step = hardened(monkeypatch, [-0.1, -0.1, ROOM], [50.0, 50.0, None]), scales(get("exothermic_cstr"))[0]
    assert found.margins[0] == pytest.approx(2.0 * calibration.GROWTH * step)


def test_an_attack_of_a_calibration_is_fitted_against_its_shield_on_tuning_episodes() -> None:
    plant, found = get("exothermic_cstr"), known("exothermic_cstr")
    drawn, moves = calibration._attacked(plant, plant.scenario(), found, 3)
    assert (len(drawn), moves.shape) == (calibration.ATTACKED, (calibration.ATTACKED, plant.scenario().steps, 2))
    np.testing.assert_array_equal(drawn.initial, draw(plant, plant.scenario(), 3, calibration.ATTACKED, "tuning").initial)
    assert 1 < len(np.unique(moves[:, 0], axis=0)) <= 8
