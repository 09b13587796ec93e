"""PC-Gym's published extraction case: the raffinate of the five-stage column follows setpoints by liquid and gas flow.

The balances are those of :mod:`plant_models.process_units.multistage_extraction`, whose second input is the ratio of the flows;
here, as at PC-Gym, it is the gas flow itself. At one decision an hour the column settles within each. Our controllers keep to a
narrower range of both flows than PC-Gym allows.
"""

from __future__ import annotations

import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop, setter
from plant_models.core.plant import Learning, Margin, Plant
from plant_models.core.quantity import quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.vector import Expr, Vector
from plant_models.process_units import multistage_extraction as column

SAMPLES, NOISE, MOVE = 60, 0.05, 0.1
"""Samples of the published sequence an hour apart, noise as a share of each reading, weight of the square of a scaled move."""
LEVELS = ((0.3, 15), (0.4, 30), (0.3, 15))
"""Setpoints of the raffinate in kg/m^3 and for how many samples."""
START = (0.55, 0.3, 0.45, 0.25, 0.4, 0.2, 0.35, 0.15, 0.25, 0.1)
"""X_1, Y_1, X_2 ... Y_5 in kg/m^3, as PC-Gym orders them."""
ORDER = ("X_1", "Y_1", "X_2", "Y_2", "X_3", "Y_3", "X_4", "Y_4", "X_5", "Y_5")
WEIGHT = 1e3
"""Our cost over PC-Gym's, which is so small that a search would take it for nothing."""
SPAN_L, SPAN_G = 495.0, 990.0
"""Ranges that PC-Gym scales moves by, in m^3/h."""


class Input(Vector):
    """What the controllers move."""

    L: Expr = quantity(130.0, "m^3/h", "liquid flow", low=100.0, high=250.0, tag="FV-101", source=column.PC_GYM)
    G: Expr = quantity(56.85, "m^3/h", "gas flow", low=20.0, high=200.0, tag="FV-501", source=column.PC_GYM)


class Output(Vector):
    """What the analysers of the five stages and the flow meter show."""

    X_1: Expr = quantity(0.5656, "kg/m^3", "solute in the liquid of stage 1", low=0.3, high=0.7, noise=0.5656 * NOISE)
    X_2: Expr = quantity(0.5219, "kg/m^3", "solute in the liquid of stage 2", low=0.2, high=0.7, noise=0.5219 * NOISE)
    X_3: Expr = quantity(0.4694, "kg/m^3", "solute in the liquid of stage 3", low=0.2, high=0.7, noise=0.4694 * NOISE)
    X_4: Expr = quantity(0.4105, "kg/m^3", "solute in the liquid of stage 4", low=0.2, high=0.6, noise=0.4105 * NOISE)
    X_5: Expr = quantity(0.35, "kg/m^3", "solute in the raffinate", low=0.1, high=0.6, tag="AI-501", noise=0.35 * NOISE)
    F_L: Expr = quantity(130.0, "m^3/h", "liquid flow", low=100.0, high=250.0, tag="FI-101")


def derivative(x: column.State, u: Input, d: column.Disturbance, p: column.Parameter) -> column.State:
    """Return the solute balances of both phases of the five stages."""
    return column.derivative(x, column.Input(L=u.L, S=u.G / u.L), d, p)


def outputs(x: column.State, u: Input, d: column.Disturbance, p: column.Parameter) -> Output:
    """Return what the analysers and the flow meter show."""
    return Output(X_1=x.X_1, X_2=x.X_2, X_3=x.X_3, X_4=x.X_4, X_5=x.X_5, F_L=u.L)


def margins(x: column.State, u: Input, d: column.Disturbance, p: column.Parameter) -> dict[str, Margin]:
    """Return nothing: the published case has no constraint."""
    return {}


def shown(x: Array, u: Array) -> Array:
    """Return our instruments' readings for PC-Gym's states, in its order, and the inputs."""
    return np.array([x[0], x[2], x[4], x[6], x[8], u[0]])


def _start(draw: Draw) -> dict[str, Array]:
    return {name: np.full(draw.n, value) for name, value in zip(ORDER, START, strict=True)}


def _random(draw: Draw) -> Signals:
    return Signals(targets={"X_5": draw.steps(0.3, 0.4, hold=(10, 25))}, initial=_start(draw))


PLANT = Plant(
    title="PC-Gym's extraction column",
    State=column.State,
    Input=Input,
    Disturbance=column.Disturbance,
    Parameter=column.Parameter,
    Output=Output,
    derivative=derivative,
    outputs=outputs,
    margins=margins,
    loops=(
        Loop(
            tag="AIC-501", pv="X_5", mv="G", low=0.25, high=0.45, authority=0.05,
            gains=Gains(K_c=-20.0, T_i=1.0, b=0.0, setpoint=-330.0),
        ),
        setter("FIC-101", pv="F_L", mv="L", low=100.0, high=250.0, authority=50.0),
    ),
    duty=Tracking(
        scales={"X_5": WEIGHT**-0.5},
        moves={"L": WEIGHT * MOVE * (75.0 / SPAN_L) ** 2, "G": WEIGHT * MOVE * (90.0 / SPAN_G) ** 2},
        sampled=True,
    ),
    scenarios=(Scenario("random", "random setpoints: learned and tuned on", SAMPLES - 1, _random, exact=True),),
    safe_action={"L": 130.0, "G": 56.85},
    time_unit="h",
    decision=1.0,
    loop_period=1.0,
    scale=1.0,
    worst=WEIGHT,
    learning=Learning(horizon=5.0, steps=300_000, parallel=64, spread=0.3),
    sources=(column.PC_GYM, column.INGHAM),
)  # fmt: skip
