"""What a trial counts, what an outcome tells of it, and where no table would tell anything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from controller.ground import Ground, validation, warnings
from controller.safety import corpus
from controller.safety.adversaries import PATHS
from controller.safety.calibration import UNSURE
from controller.safety.field import Field, unmoved
from controller.safety.governor import Calibration, Governor
from controller.safety.helpless import helpless
from controller.safety.known import calibrated
from controller.safety.opponents import along
from controller.safety.stress import ADVERSARIES, adversary, alike, nominal, outcome, stressed
from controller.safety.trial import DOOMED, Trial, check_hard, hard, joined, smallest, trial
from controller.safety.worst_case import Space, met, reaches, search, unhurried
from controller.statistics import upper95
from plant_models.catalogue import get, names
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.env.scenario import draw


@pytest.fixture(scope="module")
def plant() -> Plant:
    return get("exothermic_cstr")


@pytest.fixture(scope="module")
def known(plant: Plant) -> Calibration:
    return calibrated(plant, plant.scenario())


def counted(lowest: list[list[float]], failed: tuple[bool, ...] = (False, False)) -> Trial:
    n = len(lowest)
    decided = np.tile(np.array([6, 1, 2, 1]), (n, 1))
    return Trial(np.array(lowest), decided, np.array([False] * n), np.array(failed))


def test_the_bound_is_clopper_and_pearsons() -> None:
    assert upper95(0, 3000) == pytest.approx(1.0 - 0.05 ** (1.0 / 3000), rel=1e-9)
    assert upper95(0, 3000) == pytest.approx(3.0 / 3000, rel=2e-3)
    assert upper95(3, 100) == pytest.approx(0.0757, abs=1e-4)
    assert upper95(7, 7) == 1.0


def test_only_hard_limits_count_and_what_is_no_number_is_a_violation(plant: Plant) -> None:
    assert hard(plant).tolist() == [True, False]
    assert counted([[0.0, -1.0], [-1e-9, 5.0]]).violating(plant).tolist() == [False, True]
    assert counted([[np.nan, 5.0], [np.inf, 5.0]]).violating(plant).tolist() == [True, False]
    assert counted([[1.0, 1.0], [1.0, 1.0]], (True, False)).violating(plant).tolist() == [True, False]


def test_margins_of_different_units_are_compared_by_their_nominal_ones(plant: Plant) -> None:
    lowest = np.array([[8.5, 15.5], [4.25, 15.5], [8.5, -15.5], [np.nan, 1.0]])
    assert smallest(plant, lowest).tolist() == [1.0, 0.5, -1.0, DOOMED]


def test_what_failed_is_beyond_every_limit_whatever_its_margins(plant: Plant) -> None:
    ran = counted([[8.5, 15.5], [4.25, 15.5], [-8.5, 15.5]], (True, False, False))
    assert ran.nearest(plant).tolist() == [DOOMED, 0.5, -1.0]


def test_an_outcome_tells_both_sides(plant: Plant) -> None:
    found = outcome(plant, "max", counted([[0.5, 3.0], [0.25, 1.0]]), counted([[-1.0, 3.0], [-2.0, -1.0]]))
    assert (found.episodes, found.violating, found.violating_unshielded) == (2, 0, 2)
    assert found.smallest == {"hot": 0.25}
    assert found.decided == {"full": 0.6, "partial": 0.1, "held": 0.2, "uncertified": 0.1}
    assert found.interventions == pytest.approx(0.4)
    assert found.as_json()["upper95"] == upper95(0, 2)


def test_lots_are_joined_in_order() -> None:
    together = joined([counted([[1.0, 2.0], [3.0, 4.0]]), counted([[5.0, 6.0], [7.0, 8.0]])])
    assert together.lowest[:, 0].tolist() == [1.0, 3.0, 5.0, 7.0]
    assert together.decided.shape == (4, 4)


def test_the_shield_keeps_what_a_bang_bang_breaks(plant: Plant, known: Calibration) -> None:
    told = list[int]()
    opposed = adversary("bang-bang", plant, plant.scenario(), known, 0, 1)
    found = stressed(opposed, known, plant, plant.scenario(), 48, 0, told.append)
    assert found.violating == 0
    assert found.violating_unshielded > 12
    assert 0.0 < found.interventions < 0.5
    assert found.smallest["hot"] > 0.0
    assert told == [48]


def test_a_trial_leaves_the_counts_of_plants_without_a_shield_empty(plant: Plant) -> None:
    drawn = draw(plant, plant.scenario(), 0, 4, "judging")
    bare = trial(along("random", 1, 0), drawn, None)
    assert bare.decided.sum() == 0
    assert bare.lowest.shape == (4, 2)


def test_every_decision_of_a_running_plant_is_counted_once(plant: Plant, known: Calibration) -> None:
    drawn = draw(plant, plant.scenario(), 0, 8, "judging")
    assert trial(along("random", 1, 0), drawn, known).decided.sum(axis=1).tolist() == [plant.scenario().steps] * 8


def test_lots_draw_what_one_lot_would(plant: Plant, known: Calibration, monkeypatch: pytest.MonkeyPatch) -> None:
    opposed = alike(along("max", 1, 0))
    whole = stressed(opposed, known, plant, plant.scenario(), 10, 0)
    monkeypatch.setattr("controller.safety.stress.TOGETHER", 4)
    assert stressed(opposed, known, plant, plant.scenario(), 10, 0) == whole


def test_nominal_episodes_have_neither_mismatch_nor_noise(plant: Plant) -> None:
    drawn = draw(plant, plant.scenario(), 0, 4, "judging")
    plain = nominal(drawn)
    assert np.array_equal(plain.parameters, np.tile(list(plant.Parameter.nominal()), (4, 1)))
    assert not plain.noise.any()
    assert np.array_equal(plain.exogenous, drawn.exogenous)


def test_there_are_six_adversaries(plant: Plant, known: Calibration) -> None:
    assert (*PATHS, "edge-seeking", "CMA-ES") == ADVERSARIES
    names_ = [adversary(name, plant, plant.scenario(), known, 0, 1).shielded.name for name in ADVERSARIES]
    assert tuple(names_) == ADVERSARIES


def test_a_shield_that_certifies_nothing_is_told_before_a_policy_learns_behind_it(plant: Plant, known: Calibration) -> None:
    parts, strict = (validation(plant),), replace(known, margins=known.margins + 1e3)
    assert warnings(Ground(parts, known)) == warnings(Ground(parts, None)) == []
    (told,) = warnings(Ground(parts, strict))
    expected = "in 100 % of what the PID layer does the shield can certify nothing: there it cannot say that any limit is kept"
    assert told == helpless(1.0) == expected
    assert helpless(UNSURE) == ""


def test_a_plant_without_hard_limits_is_refused_and_told_which_have_some() -> None:
    with pytest.raises(BadInput, match=r"office_vav has no hard limit .* exothermic_cstr"):
        check_hard(get("office_vav"))
    having = [name for name in names() if hard(get(name)).any()]
    assert len(having) == 15
    for name in having:
        check_hard(get(name))


@pytest.fixture(scope="module")
def space(plant: Plant) -> Space:
    return Space.of(plant, plant.scenario(), 0)


def test_worst_cases_stay_within_what_is_declared(plant: Plant, space: Space) -> None:
    points = np.random.default_rng(0).choice([-1.0, 1.0], (20, sum(space.sizes)))
    episodes, moves = space.cases(points)
    spread = np.array([q.uncertain for q in plant.Parameter.quantities().values()])
    nominal_ones = np.array(list(plant.Parameter.nominal()))
    assert (np.abs(episodes.parameters / nominal_ones - 1.0) <= spread + 1e-12).all()
    drawn = draw(plant, plant.scenario(), 0, 256, "tuning")
    assert (episodes.initial >= drawn.initial.min(axis=0)).all()
    assert (episodes.initial <= drawn.initial.max(axis=0)).all()
    d, usual = episodes.exogenous[:, :, :2], drawn.exogenous[:, :, :2]
    assert (d >= usual.min(axis=(0, 1)) - 1e-12).all()
    for lag in (1, 5):
        assert (np.abs(d[:, lag:] - d[:, :-lag]) <= np.abs(usual[:, lag:] - usual[:, :-lag]).max(axis=(0, 1)) + 1e-9).all()
    assert np.ptp(d, axis=1).max() > 0.0
    assert set(np.unique(moves)) == {-1.0, 1.0}


def test_paths_are_followed_no_faster_than_their_reach() -> None:
    path, reach = np.array([0.0, 10.0, 10.0, 10.0, 0.0]).reshape(1, 5, 1), np.array([[3.0], [4.0]])
    assert unhurried(path, reach).ravel().tolist() == [0.0, 3.0, 4.0, 7.0, 4.0]
    assert reaches(path).ravel().tolist() == [10.0, 10.0, 10.0, 10.0]


def test_the_search_finds_worse_than_chance_and_the_corpus_keeps_it(
    plant: Plant, known: Calibration, space: Space, tmp_path: Path
) -> None:
    told = list[int]()
    found = search(space, known, 0, 192, told.append)
    assert told == [64, 128, 192]
    chance = np.random.default_rng(0).uniform(-1.0, 1.0, (64, sum(space.sizes)))
    assert found.values[0] < smallest(plant, met(space, chance, known).lowest).min()
    path = corpus.place(plant, plant.scenario(), 0, tmp_path)
    points = corpus.keep(path, space, found.points, known)
    assert np.array_equal(points, found.points)
    assert np.array_equal(corpus.read(path, space), points)
    again = corpus.keep(path, space, chance, known)
    assert len(again) == len(points)
    assert smallest(plant, met(space, again, known).lowest).mean() <= found.values.mean()


@pytest.mark.parametrize("text", ["", "{}", '{"points": [[1.0, 2.0]]}', '{"points": [["a"]]}', '{"points": 5}'])
def test_a_corpus_that_does_not_fit_is_left_alone(space: Space, tmp_path: Path, text: str) -> None:
    path = tmp_path / "corpus.json"
    path.write_text(text)
    assert corpus.read(path, space).shape == (0, sum(space.sizes))
    far = json.dumps({"points": [[2.0] * sum(space.sizes)]})
    path.write_text(far)
    assert len(corpus.read(path, space)) == 0


def test_a_standing_goes_on_showing_what_it_showed_when_the_decision_is_made(plant: Plant, known: Calibration) -> None:
    drawn = draw(plant, plant.scenario(), 0, 4, "judging")
    field, governor = Field(plant, drawn), Governor(plant, 4, known)
    reading = field.read()
    governor.begin(np.arange(4), reading, unmoved(field))
    standing = governor.estimate(reading)
    before = standing.x.copy()
    governor.allow(standing, unmoved(field))
    assert np.array_equal(standing.x, before)
