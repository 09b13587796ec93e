"""PC-Gym's published four-tank case: the levels of the upper tanks follow setpoints by the voltages of two pumps.

    A_1 dh_1/dt = -q_1 + q_3 + gamma_1 k_1 v_1        A_3 dh_3/dt = -q_3 + (1 - gamma_2) k_2 v_2
    A_2 dh_2/dt = -q_2 + q_4 + gamma_2 k_2 v_2        A_4 dh_4/dt = -q_4 + (1 - gamma_1) k_1 v_1
    q_i = a_i sqrt(2 g h_i)

Johansson's equations with PC-Gym's numbers, which are those of a plant of 1 m^2 a tank. The lower tanks are not asked about.
"""

from __future__ import annotations

import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Margin, Plant
from plant_models.core.quantity import quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.vector import Expr, Vector
from plant_models.process_units.quadruple_tank import PAPER

SAMPLES, SPAN, NOISE, MOVE, HORIZON = 60, 0.6, 0.05, 0.1, 1000.0
"""Samples of the published sequence, range in m that errors are scaled by, noise as a share of each reading, weight of the square
of a scaled move, and the seconds that the samples span."""
LOWEST, HIGHEST = 0.1, 10.0
PUBLISHED: Array = np.repeat([[0.5, 0.2], [0.1, 0.3]], 30, axis=0)
"""Setpoints of h_3 and h_4 in m by sample."""
START = {"h_1": 0.141, "h_2": 0.112, "h_3": 0.072, "h_4": 0.42}


class State(Vector):
    """Four levels."""

    h_1: Expr = quantity(0.3936, "m", "level in tank 1", low=0.0, high=0.6, valid=(-0.01, 5.0))
    h_2: Expr = quantity(0.4068, "m", "level in tank 2", low=0.0, high=0.6, valid=(-0.01, 5.0))
    h_3: Expr = quantity(0.3, "m", "level in tank 3", low=0.0, high=0.6, valid=(-0.01, 5.0))
    h_4: Expr = quantity(0.25, "m", "level in tank 4", low=0.0, high=0.6, valid=(-0.01, 5.0))


class Input(Vector):
    """What the controllers move."""

    v_1: Expr = quantity(8.142, "V", "voltage of pump 1", low=LOWEST, high=HIGHEST, tag="P-101")
    v_2: Expr = quantity(6.385, "V", "voltage of pump 2", low=LOWEST, high=HIGHEST, tag="P-102")


class Disturbance(Vector):
    """A flow that the published case does not have."""

    q_3: Expr = quantity(0.0, "m^3/s", "outside flow into tank 3", low=0.0, high=1e-3, measured=False)


class Parameter(Vector):
    """PC-Gym's numbers."""

    A: Expr = quantity(1.0, "m^2", "cross-section of every tank")
    a_1: Expr = quantity(0.0035, "m^2", "outlet of tank 1")
    a_2: Expr = quantity(0.0030, "m^2", "outlet of tank 2")
    a_3: Expr = quantity(0.0020, "m^2", "outlet of tank 3")
    a_4: Expr = quantity(0.0025, "m^2", "outlet of tank 4")
    k_1: Expr = quantity(0.00085, "m^3/(V s)", "flow of pump 1 per volt")
    k_2: Expr = quantity(0.00095, "m^3/(V s)", "flow of pump 2 per volt")
    gamma_1: Expr = quantity(0.2, "1", "share of pump 1 that goes to tank 1")
    gamma_2: Expr = quantity(0.2, "1", "share of pump 2 that goes to tank 2")
    g: Expr = quantity(9.81, "m/s^2", "gravity")
    h_s: Expr = quantity(1e-4, "m", "level below which outflow is laminar, so that a tank can run empty")


class Output(Vector):
    """What the four level sensors show."""

    h_1: Expr = quantity(0.3936, "m", "level in tank 1", low=0.0, high=0.6, tag="LI-101", noise=0.3 * NOISE)
    h_2: Expr = quantity(0.4068, "m", "level in tank 2", low=0.0, high=0.6, tag="LI-102", noise=0.3 * NOISE)
    h_3: Expr = quantity(0.3, "m", "level in tank 3", low=0.0, high=0.6, tag="LI-103", noise=0.3 * NOISE)
    h_4: Expr = quantity(0.25, "m", "level in tank 4", low=0.0, high=0.6, tag="LI-104", noise=0.25 * NOISE)


def outflow(a: Expr, h: Expr, p: Parameter) -> Expr:
    """Return the flow through an outlet ``a`` under a level ``h``, in m^3/s."""
    return a * np.sqrt(2.0 * p.g) * h / np.sqrt(np.sqrt(h**2 + p.h_s**2))


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the four volume balances."""
    from_3, from_4 = outflow(p.a_3, x.h_3, p), outflow(p.a_4, x.h_4, p)
    return State(
        h_1=(-outflow(p.a_1, x.h_1, p) + from_3 + p.gamma_1 * p.k_1 * u.v_1) / p.A,
        h_2=(-outflow(p.a_2, x.h_2, p) + from_4 + p.gamma_2 * p.k_2 * u.v_2) / p.A,
        h_3=(-from_3 + (1.0 - p.gamma_2) * p.k_2 * u.v_2 + d.q_3) / p.A,
        h_4=(-from_4 + (1.0 - p.gamma_1) * p.k_1 * u.v_1) / p.A,
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the level sensors show."""
    return Output(h_1=x.h_1, h_2=x.h_2, h_3=x.h_3, h_4=x.h_4)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return nothing: the published case has no constraint."""
    return {}


def shown(x: Array, u: Array) -> Array:
    """Return our instruments' readings for PC-Gym's states."""
    return x[:4]


def _random(draw: Draw) -> Signals:
    return Signals(
        targets={"h_3": draw.steps(0.1, 0.5, hold=(15, 35)), "h_4": draw.steps(0.2, 0.3, hold=(15, 35))},
        initial={name: np.full(draw.n, value) for name, value in START.items()},
    )


PLANT = Plant(
    title="PC-Gym's four tanks",
    State=State,
    Input=Input,
    Disturbance=Disturbance,
    Parameter=Parameter,
    Output=Output,
    derivative=derivative,
    outputs=outputs,
    margins=margins,
    loops=(
        Loop(
            tag="LIC-103", pv="h_3", mv="v_2", low=0.05, high=0.6, authority=0.2,
            gains=Gains(K_c=30.0, T_i=150.0, b=1.0, setpoint=11.0),
        ),
        Loop(
            tag="LIC-104", pv="h_4", mv="v_1", low=0.05, high=0.6, authority=0.2,
            gains=Gains(K_c=30.0, T_i=150.0, b=1.0, setpoint=16.0),
        ),
    ),
    duty=Tracking(scales={"h_3": SPAN, "h_4": SPAN}, moves={"v_1": 0.25 * MOVE, "v_2": 0.25 * MOVE}, sampled=True),
    scenarios=(Scenario("random", "random setpoints: learned and tuned on", SAMPLES - 1, _random, exact=True),),
    safe_action={"v_1": LOWEST, "v_2": LOWEST},
    time_unit="s",
    decision=HORIZON / SAMPLES,
    loop_period=HORIZON / SAMPLES,
    scale=0.02,
    worst=4.0,
    learning=Learning(horizon=20.0, steps=600_000, parallel=64, spread=0.5),
    sources=(PAPER,),
)  # fmt: skip
