"""Adversaries do what they are named for: they swing at the resonance, find the edge of true plants, and fit their attack."""

from __future__ import annotations

import numpy as np
import pytest

from controller.baselines import Pid
from controller.rollout import rollout
from controller.safety.adversaries import channels, command, path, vertices
from controller.safety.attack import KNOTS, PERIODS, SEQUENCES, attack, courses, resonance, sequences
from controller.safety.evolution import least
from controller.safety.field import Field
from controller.safety.opponents import along, edge_seeking, in_turn, nearest, steered
from controller.safety.trial import Trial, smallest, trial
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.scenario import Episodes, draw

N = 24


@pytest.fixture(scope="module")
def plant() -> Plant:
    return get("exothermic_cstr")


@pytest.fixture(scope="module")
def drawn(plant: Plant) -> Episodes:
    return draw(plant, plant.scenario(), 5, N, "tuning")


def reached(plant: Plant, found: Trial) -> float:
    return float(smallest(plant, found.lowest).mean())


def test_commands_span_all_setpoints_and_the_whole_authority() -> None:
    plant = get("quadruple_tank")
    sent = command(plant, np.array([[1.0] * channels(plant), [-1.0] * channels(plant)]))
    assert sent.r[0].tolist() == [loop.high for loop in plant.masters]
    assert sent.r[1].tolist() == [loop.low for loop in plant.masters]
    assert np.abs(sent.a).min() == 1.0
    assert not sent.safe.any()


def test_a_bang_bang_swings_once_in_a_period_from_either_end() -> None:
    moves = path("bang-bang", 64, 24, 2, 6, np.random.default_rng(0))
    assert set(np.unique(moves)) == {-1.0, 1.0}
    turns = (np.diff(moves[:, :, 0], axis=1) != 0.0).sum(axis=1)
    assert set(turns.tolist()) <= {7, 8}
    assert len(np.unique(moves[:, 0], axis=0)) == 4


def test_the_resonance_is_the_period_that_brings_plants_farthest(plant: Plant) -> None:
    found = resonance(plant, plant.scenario(), 3)
    episodes = draw(plant, plant.scenario(), 3, 32, "tuning")
    farness = {period: reached(plant, trial(along("bang-bang", period, 3), episodes, None)) for period in PERIODS}
    assert found == min(farness, key=lambda period: farness[period])
    assert farness[found] < farness[2] - 0.1


def test_the_edge_is_sought_on_the_true_plants(plant: Plant, drawn: Episodes) -> None:
    field = Field(plant, drawn)
    corners = vertices(channels(plant), 8, np.random.default_rng(0))
    assert sorted(map(tuple, corners)) == [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)]
    tried = np.repeat(corners[:, None], N, axis=1)
    before = field.simulator.S.data.copy()
    chosen = nearest(field, tried, 6)
    assert np.array_equal(field.simulator.S.data, before)
    each = np.stack([smallest(plant, field.held(command(plant, moves), None, 6)) for moves in tried])
    taken = smallest(plant, field.held(command(plant, chosen), None, 6))
    assert np.array_equal(taken, each.min(axis=0))


def test_edge_seeking_comes_nearer_than_random_moves(plant: Plant, drawn: Episodes) -> None:
    sought = reached(plant, trial(edge_seeking(6, 0), drawn, None))
    assert sought < reached(plant, trial(along("random", 1, 0), drawn, None))


@pytest.mark.every
def test_with_many_channels_edge_seeking_keeps_its_last_choice_among_eight() -> None:
    plant = get("batch_crystallizer")
    drawn = draw(plant, plant.scenario(), 0, 4, "tuning")
    field, send = Field(plant, drawn), edge_seeking(2, 0).begin(drawn, 0)
    assert send(field, 0).r.shape == (4, len(plant.masters))
    assert len(vertices(6, 8, np.random.default_rng(0))) == 8


def test_sequences_are_taken_in_turn_across_lots(plant: Plant, drawn: Episodes) -> None:
    moves = np.linspace(-1.0, 1.0, 3)[:, None, None] * np.ones((3, plant.scenario().steps, channels(plant)))
    field = Field(plant, drawn)
    whole, part = in_turn("s", moves).begin(drawn, 0)(field, 0), in_turn("s", moves).begin(drawn[slice(2)], 10)(field, 0)
    assert np.array_equal(whole.a[10:12], part.a)
    assert len(np.unique(whole.a[:3], axis=0)) == 3


def test_courses_hold_each_knot_equally_long() -> None:
    knots = np.arange(4.0).reshape(1, 4, 1)
    assert courses(knots, 8).ravel().tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert courses(knots, 6).ravel().tolist() == [0, 0, 1, 2, 2, 3]


def test_cma_es_finds_the_least_of_a_bowl_and_keeps_the_best_first() -> None:
    def bowl(points: Array) -> Array:
        return np.asarray(((points - 0.3) ** 2).sum(axis=1))

    found = least(bowl, 4, 60, 10, 1, 5)
    assert found.values[0] < 1e-4
    assert np.array_equal(found.values, np.sort(found.values))
    assert np.array_equal(found.values, bowl(found.points))
    assert np.abs(found.points).max() <= 1.0
    assert found.tried == 600
    assert np.array_equal(found.points, least(bowl, 4, 60, 10, 1, 5).points)


def test_the_attack_comes_nearer_than_its_first_generation(plant: Plant) -> None:
    scenario = plant.scenario()
    early, late = (attack(scenario, sequences(plant, scenario, None, 1, generations)) for generations in (1, 12))
    fitted_on = draw(plant, scenario, 1, SEQUENCES, "tuning")
    assert reached(plant, trial(late, fitted_on, None)) < reached(plant, trial(early, fitted_on, None)) - 0.05


def test_the_attack_changes_at_its_knots_only(plant: Plant, drawn: Episodes) -> None:
    send, field = attack(plant.scenario(), sequences(plant, plant.scenario(), None, 1, 1)).begin(drawn, 0), Field(plant, drawn)
    sent = np.stack([send(field, k).r[0] for k in range(plant.scenario().steps)])
    assert len(np.unique(sent, axis=0)) <= KNOTS


def test_the_pid_layer_without_a_shield_does_what_it_always_does(plant: Plant, drawn: Episodes) -> None:
    lowest = trial(steered(Pid(plant)), drawn, None).lowest
    assert lowest == pytest.approx(rollout(Pid(plant), drawn).lowest, rel=1e-12)


def test_only_what_moves_setpoints_can_be_governed(plant: Plant) -> None:
    with pytest.raises(BadInput, match="level 'direct'"):
        steered(Pid(plant, level="direct"))
