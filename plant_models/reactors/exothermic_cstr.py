"""Exothermic stirred tank A -> B with a cooling jacket, on its cold branch below ignition.

    dc_A/dt = q/V (c_f - c_A) - r                                              mole balance on A
    dT/dt   = q/V (T_f - T) + (-dH) r / (rho c_p) + UA (T_c - T) / (rho c_p V)   energy balance
    r       = k_0 exp(-E_R/T) c_A                                              Arrhenius rate

Assumed: perfect mixing, constant volume and density, one jacket temperature that follows its command at once.
"""

import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Plant, hard, trip
from plant_models.core.quantity import Reproduced, Source, quantity
from plant_models.core.scenario import Draw, Scenario, Signals
from plant_models.core.smooth import positive
from plant_models.core.vector import Expr, Vector

BOOK = Source("Seborg, Edgar, Mellichamp, Doyle: Process Dynamics and Control, 4th ed., Wiley 2016, Example 2.5 and Table 2.3")
APMONITOR = Source(
    "APMonitor (Hedengren), nonlinear CSTR after Henson and Seborg: the steady state with which its published programs begin"
)
OURS = Source("chosen here: the cold branch stays below 333 K, ignition lies above 340 K")


class State(Vector):
    c_A: Expr = quantity(0.877, "mol/L", "concentration of A", low=0.8, high=0.95, valid=(0.0, 1.5))
    T: Expr = quantity(324.5, "K", "reactor temperature", low=310.0, high=340.0, valid=(250.0, 650.0))


class Input(Vector):
    T_c: Expr = quantity(300.0, "K", "jacket temperature", low=290.0, high=310.0, rate=10.0, tag="TV-101", source=OURS)


class Disturbance(Vector):
    T_f: Expr = quantity(350.0, "K", "feed temperature", low=344.0, high=356.0, tag="TI-102")
    c_f: Expr = quantity(1.0, "mol/L", "feed concentration of A", low=0.97, high=1.03, measured=False)


class Parameter(Vector):
    q: Expr = quantity(100.0, "L/min", "feed flow", source=BOOK)
    V: Expr = quantity(100.0, "L", "reactor volume", source=BOOK)
    rho: Expr = quantity(1000.0, "g/L", "density", source=BOOK)
    c_p: Expr = quantity(0.239, "J/(g K)", "heat capacity", source=BOOK)
    dH: Expr = quantity(-5.0e4, "J/mol", "heat of reaction", source=BOOK)
    E_R: Expr = quantity(8750.0, "K", "activation energy over gas constant", source=BOOK)
    k_0: Expr = quantity(7.2e10, "1/min", "frequency factor", uncertain=0.05, source=BOOK)
    UA: Expr = quantity(5.0e4, "J/(min K)", "heat transfer to the jacket", uncertain=0.05, source=BOOK)
    T_max: Expr = quantity(333.0, "K", "hard limit, below ignition", source=OURS)
    T_trip: Expr = quantity(340.0, "K", "high-high temperature trip", source=OURS)
    w_hot: Expr = quantity(0.1, "1/K", "charge for each kelvin above the hard limit", source=OURS)


class Output(Vector):
    c_A: Expr = quantity(0.877, "mol/L", "concentration of A", low=0.8, high=0.95, tag="AI-101", noise=0.001)
    T: Expr = quantity(324.5, "K", "reactor temperature", low=310.0, high=340.0, tag="TI-101", noise=0.1)


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the mole and the energy balance."""
    r = p.k_0 * np.exp(-p.E_R / x.T) * x.c_A
    heat_capacity = p.rho * p.c_p
    return State(
        c_A=p.q / p.V * (d.c_f - x.c_A) - r,
        T=p.q / p.V * (d.T_f - x.T) - p.dH * r / heat_capacity + p.UA * (u.T_c - x.T) / (heat_capacity * p.V),
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the analyser and the thermometer show."""
    return Output(c_A=x.c_A, T=x.T)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distances to the hard limit and to the trip."""
    return {"hot": hard(p.T_max - x.T), "runaway": trip(p.T_trip - x.T)}


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return the charge for running above the hard limit."""
    return {"hot": p.w_hot * positive(x.T - p.T_max)}


def _tracking(draw: Draw) -> Signals:
    return Signals(
        targets={"c_A": draw.steps(0.85, 0.92, hold=(10, 25))},
        disturbances={"T_f": draw.wander(350.0, 1.5, memory=20.0), "c_f": draw.wander(1.0, 0.004, memory=40.0)},
        initial={"c_A": draw.uniform(0.86, 0.90), "T": draw.uniform(321.0, 327.0)},
    )


def _disturbed(draw: Draw) -> Signals:
    """Hold the target while the feed steps in temperature and composition."""
    return Signals(
        targets={"c_A": np.full((draw.n, draw.count), 0.877)},
        disturbances={"T_f": draw.steps(345.0, 355.0, hold=(15, 25)), "c_f": draw.steps(0.98, 1.02, hold=(15, 25))},
    )


def _boundary(draw: Draw) -> Signals:
    """Ask for as much conversion as the hard limit allows, where the reactor is about to ignite."""
    return Signals(
        targets={"c_A": draw.steps(0.825, 0.85, hold=(15, 25))},
        disturbances={"T_f": draw.wander(350.0, 1.5, memory=20.0)},
        initial={"c_A": draw.uniform(0.86, 0.88), "T": draw.uniform(323.0, 326.0)},
    )


def _unstable(draw: Draw) -> Signals:
    """Hold the saddle at T_c 300 K, with the limits raised above it."""
    return Signals(
        targets={"c_A": draw.steps(0.49, 0.51, hold=(20, 30))},
        disturbances={"T_f": draw.wander(350.0, 0.5, memory=20.0)},
        initial={"c_A": draw.uniform(0.495, 0.505), "T": draw.uniform(349.5, 350.5)},
        parameters={"T_max": np.full(draw.n, 362.0), "T_trip": np.full(draw.n, 368.0)},
    )


LOOPS = (
    Loop(
        tag="AIC-101", pv="c_A", sp_of="TIC-101", low=0.8, high=0.95,
        gains=Gains(K_c=-330.2, T_i=7.517, T_d=0.3464, b=0.886, setpoint=-133.5),
    ),
    Loop(
        tag="TIC-101", pv="T", mv="T_c", low=314.0, high=331.0, authority=3.0,
        gains=Gains(K_c=0.7377, T_i=0.7691, b=0.0426, setpoint=0.4243, disturbance=(("T_f", -0.3083),)),
    ),
)  # fmt: skip

SADDLE = (
    Loop(
        tag="AIC-101", pv="c_A", sp_of="TIC-101", low=0.3, high=0.95,
        gains=Gains(K_c=-20.84, T_i=26.6, T_d=0.314, setpoint=-67.6),
    ),
    Loop(
        tag="TIC-101", pv="T", mv="T_c", low=314.0, high=358.0, authority=3.0,
        gains=Gains(K_c=1.751, T_i=1.866, T_d=0.1459, disturbance=(("T_f", -0.3083),)),
    ),
)  # fmt: skip
"""Settings for the unstable scenario: a tight temperature loop first of all, since the open loop runs away."""

PLANT = Plant(
    title="Exothermic stirred tank",
    State=State,
    Input=Input,
    Disturbance=Disturbance,
    Parameter=Parameter,
    Output=Output,
    derivative=derivative,
    outputs=outputs,
    margins=margins,
    cost=cost,
    loops=LOOPS,
    duty=Tracking(scales={"c_A": 0.03}, moves={"T_c": 0.01}),
    scenarios=(
        Scenario("tracking", "concentration targets in steps, feed temperature wandering", 60, _tracking),
        Scenario("disturbance", "feed temperature and concentration in steps", 60, _disturbed, protocol="disturbance"),
        Scenario("boundary", "targets close to the hard temperature limit", 60, _boundary, protocol="boundary"),
        Scenario(
            "unstable", "hold the open-loop unstable middle state", 60, _unstable, exact=True, loops=SADDLE, protocol="boundary"
        ),
    ),
    safe_action={"T_c": 290.0},
    time_unit="min",
    decision=26.0 / 60.0,
    loop_period=26.0 / 300.0,
    scale=0.05,
    worst=25.0,
    limits=(Limit("T", "T_max", "high"), Limit("T", "T_trip", "high")),
    preview=3,
    advance=2,
    learning=Learning(horizon=10.0, steps=800_000),
    sources=(BOOK,),
    reproduced=(
        Reproduced(
            what="cold steady temperature at T_c 300 K", published=324.475443431599, ours=324.475443431599, unit="K",
            tolerance=1e-10, source=APMONITOR, remark="printed with fifteen digits",
        ),
        Reproduced(
            what="cold steady concentration at T_c 300 K", published=0.87725294608097, ours=0.87725294608097, unit="mol/L",
            tolerance=1e-10, source=APMONITOR, remark="printed with fourteen digits",
        ),
        Reproduced(
            what="middle steady temperature at T_c 300 K", published=350.0, ours=350.006, unit="K", tolerance=1.5e-4,
            source=BOOK, remark="the book's nominal point, half of the last printed digit",
        ),
        Reproduced(
            what="middle steady concentration at T_c 300 K", published=0.5, ours=0.499918, unit="mol/L", tolerance=1e-3,
            source=BOOK, remark="the book's nominal point, printed with one digit",
        ),
        Reproduced(
            what="hot steady temperature at T_c 300 K", published=369.705, ours=369.705, unit="K", tolerance=1e-6, source=BOOK,
            remark="not found in print: the root of the book's steady heat balance in one unknown", kind="check",
        ),
    ),
)  # fmt: skip
