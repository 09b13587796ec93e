"""Promises that every plant file keeps; a new plant is tested by existing."""

from __future__ import annotations

import casadi as ca
import numpy as np
import pytest

from controller.baselines import Constant, Pid
from controller.benchmark import best_constant
from controller.rollout import returns
from plant_models.core.plant import Economic, Plant, Tracking
from plant_models.derive import symbolic
from plant_models.derive.steady import nominal, nominal_equilibrium
from plant_models.env.scenario import CODES, draw
from tests.contracts.every import UNITS, arguments, dressed, plain, plants


@plants
def test_balances_have_the_units_of_their_states_per_time(plant: Plant) -> None:
    rate = plant.derivative(*map(dressed, arguments(plant)))
    for name, q in plant.State.quantities().items():
        getattr(rate, name).to(f"({q.unit}) / {plant.time_unit}")


@plants
def test_plain_numbers_and_united_numbers_agree(plant: Plant) -> None:
    united, bare = plant.derivative(*map(dressed, arguments(plant))), plant.derivative(*map(plain, arguments(plant)))
    for name, q in plant.State.quantities().items():
        got = getattr(united, name).to(f"({q.unit}) / {plant.time_unit}").magnitude
        assert getattr(bare, name) == pytest.approx(got, rel=1e-6, abs=1e-9), name


@plants
def test_outputs_have_their_declared_units(plant: Plant) -> None:
    shown, bare = plant.outputs(*map(dressed, arguments(plant))), plant.outputs(*map(plain, arguments(plant)))
    for name, q in plant.Output.quantities().items():
        got = getattr(shown, name).to("dimensionless" if q.unit == "1" else q.unit).magnitude
        assert getattr(bare, name) == pytest.approx(got, rel=1e-9), name


@plants
def test_margins_and_costs_are_consistent_with_and_without_units(plant: Plant) -> None:
    at, bare = tuple(map(dressed, arguments(plant))), tuple(map(plain, arguments(plant)))
    for name, margin in plant.margins(*at).items():
        assert plant.margins(*bare)[name].value == pytest.approx(margin.value.magnitude), name
    unit = f"{plant.duty.currency} / hour" if isinstance(plant.duty, Economic) else "dimensionless"
    for name, rate in plant.cost(*at).items():
        assert plant.cost(*bare)[name] == pytest.approx(UNITS.Quantity(rate).to(unit).magnitude), name


@plants
def test_measures_accumulate_to_their_unit_in_an_hour(plant: Plant) -> None:
    at, bare = tuple(map(dressed, arguments(plant))), tuple(map(plain, arguments(plant)))
    for name, measure in plant.measures(*at).items():
        an_hour = (measure.rate * UNITS.Quantity(1.0, "hour")).to(measure.unit.replace(" ", " * ")).magnitude
        assert plant.measures(*bare)[name].rate == pytest.approx(an_hour, abs=1e-9), name


@plants
def test_stock_is_money_where_the_duty_is(plant: Plant) -> None:
    if not isinstance(plant.duty, Economic):
        assert plant.stock(plain(plant.State), plain(plant.Parameter)) == 0.0
        return
    worth = plant.stock(dressed(plant.State), dressed(plant.Parameter)).to(plant.duty.currency).magnitude
    assert plant.stock(plain(plant.State), plain(plant.Parameter)) == pytest.approx(worth)


@plants
def test_floats_arrays_and_symbols_agree(plant: Plant) -> None:
    rng = np.random.default_rng(0)
    bounds = [(q.low, q.high) for q in plant.State.quantities().values()]
    batch = np.array([rng.uniform(low, high, 32) for low, high in bounds])
    rest = tuple(map(plain, arguments(plant)[1:]))
    many = np.stack([np.broadcast_to(row, (32,)) for row in plant.derivative(plant.State.of(list(batch)), *rest)])
    f = symbolic.function(plant, symbolic.derivative, "f")
    for i in range(32):
        one = np.array(list(plant.derivative(plant.State.of([float(v) for v in batch[:, i]]), *rest)), dtype=float)
        traced = f(batch[:, i], *(nominal(v) for v in arguments(plant)[1:])).full().ravel()
        np.testing.assert_allclose(one, many[:, i], rtol=1e-12)
        np.testing.assert_allclose(traced, one, rtol=1e-10, atol=1e-14)


@plants
def test_every_parameter_names_its_source(plant: Plant) -> None:
    assert [name for name, q in plant.Parameter.quantities().items() if q.source is None] == []


@plants
def test_every_output_has_a_tag(plant: Plant) -> None:
    assert [name for name, q in plant.Output.quantities().items() if not q.tag] == []


@plants
def test_nominal_point_keeps_every_margin(plant: Plant) -> None:
    for name, margin in plant.margins(*map(plain, arguments(plant))).items():
        assert margin.value >= 0.0, name


@plants
def test_nominal_state_is_close_to_an_equilibrium(plant: Plant) -> None:
    away = np.abs(nominal_equilibrium(plant) - nominal(plant.State))
    spans = np.array([q.high - q.low for q in plant.State.quantities().values()])
    assert (away <= 0.01 * spans).all(), away / spans


@plants
def test_safe_action_lies_within_the_inputs(plant: Plant) -> None:
    for name, value in plant.safe_action.items():
        q = plant.Input.quantities()[name]
        assert q.low <= value <= q.high


@plants
def test_loops_hold_their_nominal_point(plant: Plant) -> None:
    for loop in plant.loops:
        assert loop.low <= plant.Output.quantities()[loop.pv].nominal <= loop.high, loop.tag


@plants
def test_episodes_repeat_and_are_a_prefix_of_more(plant: Plant) -> None:
    few, many = (draw(plant, plant.scenario(), 3, n, "judging") for n in (5, 20))
    for name in ("exogenous", "noise", "forecasts", "initial", "parameters"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many[slice(0, 5)], name))
    later = draw(plant, plant.scenario(), 3, 4, "judging", first=15)
    np.testing.assert_array_equal(later.exogenous, many[slice(15, 19)].exogenous)


@plants
def test_training_tuning_and_judging_differ(plant: Plant) -> None:
    drawn = [draw(plant, plant.scenario(), 0, 2, split).exogenous for split in CODES]
    assert not any(np.array_equal(a, b) for i, a in enumerate(drawn) for b in drawn[i + 1 :])


@plants
def test_every_scenario_prescribes_finite_signals(plant: Plant) -> None:
    for scenario in plant.scenarios:
        episodes = draw(plant, scenario, 0, 8, "training")
        for name in ("exogenous", "forecasts", "initial", "parameters"):
            assert np.isfinite(getattr(episodes, name)).all(), (scenario.name, name)


@plants
def test_pid_beats_the_best_constant_setpoint(plant: Plant) -> None:
    episodes = draw(plant, plant.scenario(), 0, 32, "judging")
    saved = returns(best_constant(plant), episodes) - returns(Pid(plant), episodes)
    if isinstance(plant.duty, Tracking):
        assert saved.mean() - 2.0 * saved.std() / np.sqrt(len(saved)) > 0.0
    else:
        assert saved.mean() > 0.0


@plants
def test_tracking_rewards_are_of_order_one(plant: Plant) -> None:
    if isinstance(plant.duty, Tracking):
        episodes = draw(plant, plant.scenario(), 0, 64, "tuning")
        reward = -returns(Pid(plant), episodes).mean() / plant.scale / plant.scenario().steps
        assert -3.0 <= reward <= -0.3


@plants
def test_every_scenario_is_held_by_the_pid_layer(plant: Plant) -> None:
    for scenario in plant.scenarios:
        episodes = draw(plant, scenario, 0, 16, "judging")
        assert returns(Pid(plant), episodes).max() < plant.worst * scenario.steps


@plants
def test_best_constant_is_found_inside_the_setpoint_range(plant: Plant) -> None:
    constant = best_constant(plant)
    assert isinstance(constant, Constant)
    assert plant.masters[0].low <= constant.setpoints[0] <= plant.masters[0].high


def test_clamp_lets_nan_through_on_symbols() -> None:
    from plant_models.core.smooth import clamp

    x = ca.SX.sym("x")
    f = ca.Function("f", [x], [clamp(x, 280.0, 320.0)])
    assert np.isnan(float(f(np.nan)))
    assert np.isnan(clamp(float("nan"), 280.0, 320.0))
    assert np.isnan(clamp(np.array([np.nan]), 280.0, 320.0)).all()
    assert [float(f(v)) for v in (0.0, 300.0, 1e9)] == [280.0, 300.0, 320.0]
