"""SIMC on plants that ramp or run away: Skogestad's integrating rule, and a refusal where he has none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from controller.pid_tuning import Tuner
from controller.simc import Integrating, fit_ramp, simc, simc_layer
from plant_models.catalogue import get
from plant_models.core.duty import Tracking
from plant_models.core.errors import BadInput
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Plant
from plant_models.core.quantity import quantity
from plant_models.core.scenario import Draw, Scenario, Signals
from plant_models.core.vector import Expr, Vector
from plant_models.derive.linear import Robustness
from plant_models.derive.steady import nominal_equilibrium
from plant_models.env.start import Settings


class State(Vector):
    h: Expr = quantity(1.0, "m", "level", low=0.0, high=2.0)
    q: Expr = quantity(5.0, "m^3/h", "flow through the valve", low=0.0, high=10.0)
    T: Expr = quantity(300.0, "K", "temperature of a reaction that feeds itself", low=290.0, high=310.0)


class Input(Vector):
    v: Expr = quantity(5.0, "m^3/h", "valve", low=0.0, high=10.0)
    T_c: Expr = quantity(300.0, "K", "jacket", low=280.0, high=320.0)


class Disturbance(Vector):
    q_in: Expr = quantity(5.0, "m^3/h", "feed", low=0.0, high=10.0)


class Parameter(Vector):
    A: Expr = quantity(4.0, "m^2", "cross section")
    tau: Expr = quantity(0.1, "h", "time constant of the valve")
    k: Expr = quantity(3.0, "1/h", "rate at which the reaction feeds itself")


class Output(Vector):
    h: Expr = quantity(1.0, "m", "level", low=0.0, high=2.0)
    T: Expr = quantity(300.0, "K", "temperature", low=290.0, high=310.0)


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    return State(h=(d.q_in - x.q) / p.A, q=(u.v - x.q) / p.tau, T=p.k * (x.T - 300.0) + 5.0 * (u.T_c - 300.0))


LEVEL = Loop(tag="LIC-1", pv="h", mv="v", low=0.2, high=1.8, gains=Gains(K_c=-1.0, T_i=1.0, disturbance=(("q_in", 0.0),)))
HEAT = Loop(tag="TIC-2", pv="T", mv="T_c", low=290.0, high=310.0, gains=Gains(K_c=2.0, T_i=1.0))


def held(draw: Draw) -> Signals:
    return Signals(targets={"h": np.full((draw.n, draw.count), 1.0)})


def tank(*loops: Loop) -> Plant:
    return Plant(
        title="Tank", State=State, Input=Input, Disturbance=Disturbance, Parameter=Parameter, Output=Output,
        derivative=derivative, outputs=lambda x, u, d, p: Output(h=x.h, T=x.T), margins=lambda x, u, d, p: {},
        loops=loops, duty=Tracking(scales={"h": 0.1}),
        scenarios=(Scenario("hold", "hold the level", 5, held),),
        safe_action={"v": 5.0}, time_unit="h", decision=0.05, loop_period=0.01, scale=1.0, worst=1.0,
        learning=Learning(horizon=10.0, steps=1000),
    )  # fmt: skip


def test_integrating_gains_are_skogestads() -> None:
    """Skogestad 2003, table 1 with tau_c = theta: K_c = 1 / (2 k' theta), T_i = 8 theta."""
    gains = simc(Integrating(k=0.5, theta=2.0), delay=0.0)
    assert (gains.K_c, gains.T_i) == pytest.approx((0.5, 16.0))


def test_a_ramp_is_fitted_by_its_asymptote() -> None:
    t = np.arange(1, 501) * 0.01
    found = fit_ramp(np.where(t > 0.3, 2.0 * (t - 0.3), 0.0), 0.01)
    assert (found.k, found.theta) == pytest.approx((2.0, 0.3), rel=1e-6)


def test_a_level_gets_the_integrating_rule() -> None:
    """k' = -1/A by the balance; the valve's lag of 0.1 h and one sample of 0.01 h are the delay."""
    (loop,) = simc_layer(tank(LEVEL))
    theta = 0.1 + 0.01
    assert loop.gains.K_c == pytest.approx(-4.0 / (2.0 * theta), rel=0.02)
    assert loop.gains.T_i == pytest.approx(8.0 * theta, rel=0.02)
    assert loop.gains.setpoint == 0.0
    assert loop.gains.disturbance == (("q_in", pytest.approx(1.0, rel=0.02)),)


def test_a_level_so_tuned_is_robust() -> None:
    """The other state runs away unseen, so the peak is taken of the plant with its temperature held."""
    plant = tank(LEVEL, HEAT)
    held_by = (*simc_layer(tank(LEVEL)), HEAT)
    settings = Settings.of(plant, held_by, 0)
    assert Robustness(plant, nominal_equilibrium(plant)).peak(settings.coefficients, settings.limits) < 2.0


def test_what_runs_away_is_refused_in_one_line() -> None:
    with pytest.raises(
        BadInput, match=r"what TIC-2 moves runs away on its own \(pole at 3 1/h\), for which SIMC has no rule"
    ) as info:
        simc_layer(tank(LEVEL, HEAT))
    assert "\n" not in str(info.value)


def test_what_another_loop_stabilises_is_tuned() -> None:
    """A level that the temperature drives can be tuned once the temperature is held by its own loop."""
    plant = tank(LEVEL)
    coupled = replace(plant, derivative=lambda x, u, d, p: replace(derivative(x, u, d, p), q=(u.v + x.T - 300.0 - x.q) / p.tau))
    assert simc_layer(coupled)[0].gains.K_c < 0.0


def test_tuning_starts_from_the_plant_file_where_simc_has_no_rule() -> None:
    plant = get("cstr_series_recycle")
    with pytest.raises(BadInput, match="runs away"):
        simc_layer(plant)
    assert Tuner(plant, episodes=1).start == plant.loops


def test_a_feed_forward_is_left_as_it_is_where_nothing_static_would_balance_it() -> None:
    """On the evaporator the product flow does not change the concentration in the end: the level would."""
    loop = get("evaporator").loops[0]
    assert simc_layer(get("evaporator"))[0].gains.disturbance == loop.gains.disturbance
