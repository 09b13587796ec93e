"""A building's figures are BOPTEST's, worked out from the recorded run, and do not depend on the control step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from controller.baselines import Pid
from controller.building import PEAKS, building
from controller.kpi import meaning
from controller.rollout import Run, rollout
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import layout
from plant_models.env.scenario import draw
from plant_models.env.substeps import judged
from plant_models.weather import tariff

HOUSE = get("heat_pump_house")
AREA = 192.0


@pytest.fixture(scope="module")
def run() -> Run:
    return rollout(Pid(HOUSE), draw(HOUSE, HOUSE.scenario(), 0, 8, "judging"))


def test_totals_are_those_of_the_measures_for_each_square_metre(run: Run) -> None:
    found = building(run)
    energy, _, discomfort = (run.sums["measures"][:, :, i] for i in range(3))
    np.testing.assert_allclose(found["ener"].values, energy.sum(axis=1) / AREA)
    np.testing.assert_allclose(found["emis"].values, 0.167 * energy.sum(axis=1) / AREA)
    np.testing.assert_allclose(found["tdis"].values, discomfort.sum(axis=1))
    np.testing.assert_allclose(found["cost, constant tariff"].values, 0.2535 * energy.sum(axis=1) / AREA)
    hours = 0.5 * np.arange(energy.shape[1])
    np.testing.assert_allclose(found["cost, dynamic tariff"].values, (tariff.day_night(hours) * energy).sum(axis=1) / AREA)
    charged = run.cost.sum(axis=1) - 0.5 * discomfort.sum(axis=1) + gained(run)
    np.testing.assert_allclose(found["cost, highly dynamic (synthetic) tariff"].values, charged / AREA, rtol=1e-9)


def gained(run: Run) -> Array:
    """What the stored heat is worth more at the end than at the start, in EUR."""
    x, p = run.path["x"].transpose(2, 0, 1), run.episodes.parameters.T[:, :, None]
    worth = HOUSE.stock(HOUSE.State.of(list(x)), HOUSE.Parameter.of(list(p)))
    return np.asarray(worth[:, -1] - worth[:, 0])


@pytest.mark.every
@pytest.mark.parametrize("name", ["chiller_plant", "data_hall"])
def test_a_carrier_may_be_counted_by_several_measures(name: str) -> None:
    plant = get(name)
    assert plant.building is not None
    run = rollout(Pid(plant), draw(plant, plant.scenario(), 0, 4, "judging"))
    at = [[each for each, _ in layout(plant, "setpoint").measures].index(m) for m in plant.building.carriers[0].measures]
    energy = run.sums["measures"][:, :, at].sum(axis=2)
    np.testing.assert_allclose(building(run)["ener"].values, energy.sum(axis=1) / plant.building.area)
    np.testing.assert_allclose(building(run)["pele"].values, 4.0 * energy.max(axis=1) / plant.building.area)


@pytest.mark.every
def test_a_peak_is_the_largest_quarter_of_an_hour(run: Run) -> None:
    """The same run with a supervisor every quarter of an hour has the bins as its decisions."""
    quarter = at(900.0)
    fine = rollout(Pid(quarter), draw(quarter, quarter.scenario(), 0, 8, "judging"))
    energy = fine.sums["measures"][:, :, 0]
    np.testing.assert_allclose(building(fine)["pele"].values, 4.0 * energy.max(axis=1) / AREA)
    halves = run.sums["measures"][:, :, 0]
    peaks = building(run)["pele"].values
    assert (peaks >= 2.0 * halves.max(axis=1) / AREA - 1e-12).all()
    assert (peaks <= 4.0 * halves.max(axis=1) / AREA).all()


@pytest.mark.every
def test_short_decisions_are_put_together_to_a_quarter_of_an_hour() -> None:
    short = at(300.0)
    run = rollout(Pid(short), draw(short, short.scenario(), 0, 4, "judging"))
    bins = run.sums["measures"][:, :, 0].reshape(4, -1, 3).sum(axis=2)
    np.testing.assert_allclose(building(run)["pele"].values, 4.0 * bins.max(axis=1) / AREA)


def at(decision: float) -> Plant:
    scenarios = tuple(replace(s, steps=336) for s in HOUSE.scenarios)
    return replace(HOUSE, decision=decision, leads=(1,), scenarios=scenarios)


def test_a_building_is_sampled_every_minute() -> None:
    assert HOUSE.loop_period / judged(HOUSE, HOUSE.scenario()) <= 60.0


def test_another_plant_has_none() -> None:
    plant = get("exothermic_cstr")
    assert building(rollout(Pid(plant), draw(plant, plant.scenario(), 0, 1, "judging"))) == {}


@pytest.mark.parametrize("name", [*PEAKS.values(), "tdis", "idis", "ener", "emis", "cost, constant tariff"])
def test_every_short_name_is_explained(name: str) -> None:
    assert meaning(name)
    assert not meaning("cost")


def test_a_figure_named_by_a_symbol_says_what_it_is_of() -> None:
    of = {"h_1": "level of tank 1", "v_1": "pump 1"}
    assert meaning("v_1 travel", of) == "pump 1: its moves, summed"
    assert meaning("h_1 settling, 2 %", of).startswith("level of tank 1: time until it stays within 2 %")
    assert meaning("IAE", of) == "absolute error, summed over time"
    assert not meaning("time beyond hot limit", of)
