"""Promises that every plant file keeps; a new plant is tested by existing."""

from __future__ import annotations

from functools import partial
from typing import Any

import casadi as ca
import numpy as np
import pytest

from controller.baselines import Constant, Pid
from controller.benchmark import baselines, best_constant
from controller.rollout import returns
from plant_models.core.duty import Batch, Tracking
from plant_models.core.plant import Plant
from plant_models.derive import symbolic
from plant_models.derive.steady import nominal, nominal_equilibrium
from plant_models.env.scenario import CODES, Episodes, draw
from tests.contracts.every import UNITS, arguments, dressed, plain, plants, somewhere, steady, with_units


@plants
def test_balances_have_the_units_of_their_states_per_time(plant: Plant) -> None:
    rate = plant.derivative(*map(dressed, arguments(plant)))
    for name, q in plant.State.quantities().items():
        getattr(rate, name).to(f"({q.unit}) / {plant.time_unit}")


def everything(plant: Plant, x: Any, u: Any, d: Any, p: Any) -> dict[str, Any]:
    """All that a plant file computes at a point, by name."""
    found = {f"derivative {name}": value for name, value in zip(plant.State.names(), plant.derivative(x, u, d, p), strict=True)}
    found |= {f"output {name}": value for name, value in zip(plant.Output.names(), plant.outputs(x, u, d, p), strict=True)}
    found |= {f"margin {name}": margin.value for name, margin in plant.margins(x, u, d, p).items()}
    found |= {f"cost {name}": value for name, value in plant.cost(x, u, d, p).items()}
    found |= {f"measure {name}": measure.rate for name, measure in plant.measures(x, u, d, p).items()}
    return found | {"stock": plant.stock(x, p)}


def declared_units(plant: Plant) -> dict[str, str]:
    """The units in which plain numbers are meant, for all but margins, whose unit is their own."""
    money = "dimensionless" if plant.worth == "1" else plant.worth
    rate = "dimensionless" if isinstance(plant.duty, Tracking) else f"{money} / hour"
    units = {f"derivative {n}": f"({q.unit}) / {plant.time_unit}" for n, q in plant.State.quantities().items()}
    units |= {f"output {n}": "dimensionless" if q.unit == "1" else q.unit for n, q in plant.Output.quantities().items()}
    units |= {f"cost {name}": rate for name in plant.cost(*map(plain, arguments(plant)))}
    rates = plant.measures(*map(plain, arguments(plant)))
    return units | {f"measure {n}": f"({m.unit.replace(' ', ' * ')}) / hour" for n, m in rates.items()} | {"stock": money}


@plants
def test_numbers_with_and_without_units_agree_anywhere_in_range(plant: Plant) -> None:
    """At the nominal point a wrong unit may hide behind a term that is zero there; at random points it cannot."""
    rng, units = np.random.default_rng(0), declared_units(plant)
    for _ in range(16):
        point = somewhere(plant, rng)
        bare = everything(plant, *(vector(**values) for vector, values in zip(arguments(plant), point, strict=True)))
        united = everything(plant, *(with_units(v, values) for v, values in zip(arguments(plant), point, strict=True)))
        for name, value in bare.items():
            quantity = UNITS.Quantity(united[name])
            got = quantity.to(units[name]).magnitude if name in units else quantity.magnitude
            assert value == pytest.approx(got, rel=1e-9, abs=1e-12), name


@plants
def test_floats_arrays_and_symbols_agree_anywhere_in_range(plant: Plant) -> None:
    rng, n = np.random.default_rng(1), 32
    points = [somewhere(plant, rng) for _ in range(n)]
    stacked = [{name: np.array([point[i][name] for point in points]) for name in points[0][i]} for i in range(4)]
    many = everything(plant, *(vector(**values) for vector, values in zip(arguments(plant), stacked, strict=True)))
    s = symbolic.Symbols.of(plant)
    traced = symbolic.apply(plant, partial(everything, plant), s.x, s.u, s.d, s.p)
    f = ca.Function("f", [s.x, s.u, s.d, s.p], [ca.vertcat(*(ca.SX(value) for value in traced.values()))])
    for i, point in enumerate(points):
        one = everything(plant, *(vector(**values) for vector, values in zip(arguments(plant), point, strict=True)))
        batched = [np.broadcast_to(value, (n,))[i] for value in many.values()]
        symbols = f(*(np.array(list(values.values())) for values in point)).full().ravel()
        np.testing.assert_allclose(batched, list(one.values()), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(symbols, list(one.values()), rtol=1e-10, atol=1e-12)


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


@steady
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
def test_every_scenario_prescribes_finite_signals_in_range(plant: Plant) -> None:
    """Disturbances may leave the range that scales them by a quarter of it; setpoints, targets and states have hard bounds."""
    for scenario in plant.scenarios:
        for split in CODES:
            episodes = draw(plant, scenario, 0, 8, split)
            for name in ("exogenous", "noise", "forecasts", "initial", "parameters"):
                assert np.isfinite(getattr(episodes, name)).all(), (scenario.name, name)
            for name, q in plant.Disturbance.quantities().items():
                found, beyond = episodes.disturbance(name), 0.25 * (q.high - q.low)
                assert q.low - beyond <= found.min(), (scenario.name, name)
                assert found.max() <= q.high + beyond, (scenario.name, name)
            for i, q in enumerate(plant.State.quantities().values()):
                assert ((episodes.initial[:, i] > q.valid[0]) & (episodes.initial[:, i] < q.valid[1])).all()
            _check_setpoints(plant, episodes)


def _check_setpoints(plant: Plant, episodes: Episodes) -> None:
    masters = [loop for loop in episodes.loops if loop.tag in {master.tag for master in plant.masters}]
    for i, loop in enumerate(masters):
        sent = episodes.exogenous[:, :, episodes.references()][:, :, i]
        assert ((sent >= loop.low) & (sent <= loop.high)).all(), loop.tag
    judged = episodes.exogenous[:, :, episodes.targets()]
    ranges = np.array([(loop.low, loop.high) for loop in masters if loop.pv in plant.targets])
    assert not judged.size or ((judged >= ranges[:, 0]) & (judged <= ranges[:, 1])).all()


@plants
def test_everything_that_is_scaled_declares_a_finite_range(plant: Plant) -> None:
    for vector in (plant.State, plant.Input, plant.Disturbance, plant.Output):
        assert [name for name, q in vector.quantities().items() if not np.isfinite(q.high - q.low)] == []
    assert [name for name, q in plant.State.quantities().items() if not np.isfinite(q.valid).all()] == []


@plants
def test_limit_lines_name_an_output_and_what_bounds_it(plant: Plant) -> None:
    for limit in plant.limits:
        assert limit.output in plant.Output.names()
        assert limit.bound in (*plant.Parameter.names(), *plant.Disturbance.names())


@plants
def test_pid_beats_its_floor(plant: Plant) -> None:
    """The floor: the best constant setpoints, or a batch's published recipe; without a calendar, money has no such floor."""
    episodes = draw(plant, plant.scenario(), 0, 32, "judging")
    saved = returns(baselines(plant)[0], episodes) - returns(Pid(plant), episodes)
    if isinstance(plant.duty, Tracking):
        assert saved.mean() - 2.0 * saved.std() / np.sqrt(len(saved)) > 0.0
    elif isinstance(plant.duty, Batch) or plant.duty.schedule:
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


@steady
def test_best_constant_is_found_inside_the_setpoint_range(plant: Plant) -> None:
    constant = best_constant(plant)
    assert isinstance(constant, Constant)
    for loop, setpoint in zip(plant.masters, constant.setpoints, strict=True):
        assert loop.low <= setpoint <= loop.high


@plants
def test_every_protocol_has_a_scenario(plant: Plant) -> None:
    assert {scenario.protocol for scenario in plant.scenarios} == {"tracking", "disturbance", "boundary"}


@plants
def test_every_plant_reproduces_a_published_number(plant: Plant) -> None:
    assert plant.reproduced
