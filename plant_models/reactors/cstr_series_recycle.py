"""Two stirred tanks in series with recycle, exothermic parallel reactions of A, held at their unstable steady state.

    V_1 dc_1/dt = F_0 (c_0 - c_1) + F_r (c_2 - c_1) - V_1 sum r_i(T_1, c_1)                      A in the first tank
    V_1 dT_1/dt = F_0 (T_0 - T_1) + F_r (T_2 - T_1) - V_1 sum dH_i r_i(T_1, c_1) / (rho c_p) + Q_1 / (rho c_p)
    V_2 dc_2/dt = F_1 (c_1 - c_2) + F_3 (c_3 - c_2) - V_2 sum r_i(T_2, c_2)                      A in the second tank
    V_2 dT_2/dt = F_1 (T_1 - T_2) + F_3 (T_3 - T_2) - V_2 sum dH_i r_i(T_2, c_2) / (rho c_p) + Q_2 / (rho c_p)
    r_i(T, c)   = k_i exp(-E_i/(R T)) c,  i = 1, 2, 3                                             A -> B, A -> U, A -> W
    F_1         = F_0 + F_r

Fresh A enters both tanks; of what leaves the second one F_r returns to the first. Q_1 and Q_2 are given by jackets.
The first tank makes more heat with temperature than its flows carry away: without control it ignites or goes out.
Assumed: perfect mixing, constant volumes and heat capacities, instant separation, no dead time in the recycle.
"""

import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Plant, hard, trip
from plant_models.core.quantity import Reproduced, Source, quantity
from plant_models.core.scenario import Draw, Scenario, Signals
from plant_models.core.smooth import positive
from plant_models.core.vector import Expr, Vector

PAPER = Source(
    "Sun, El-Farra: Quasi-decentralized model-based networked control of process systems, "
    "Computers and Chemical Engineering 32 (2008) 2016-2029, two tanks with recycle; numbers as commonly quoted"
)
OURS = Source("chosen here: jackets that move each tank by tens of kelvins, limits below ignition")


class State(Vector):
    c_1: Expr = quantity(1.7702, "kmol/m^3", "concentration of A in the first tank", low=1.4, high=2.2, valid=(0.0, 6.0))
    T_1: Expr = quantity(457.94, "K", "temperature of the first tank", low=440.0, high=480.0, valid=(150.0, 950.0))
    c_2: Expr = quantity(1.7519, "kmol/m^3", "concentration of A in the second tank", low=1.4, high=2.2, valid=(0.0, 6.0))
    T_2: Expr = quantity(415.46, "K", "temperature of the second tank", low=395.0, high=435.0, valid=(150.0, 950.0))


class Input(Vector):
    Q_1: Expr = quantity(0.0, "kJ/h", "heat to the first tank", low=-4.0e5, high=4.0e5, rate=4.0e7, tag="EV-101", source=OURS)
    Q_2: Expr = quantity(0.0, "kJ/h", "heat to the second tank", low=-4.0e5, high=4.0e5, rate=4.0e7, tag="EV-201", source=OURS)


class Disturbance(Vector):
    T_0: Expr = quantity(300.0, "K", "temperature of the first feed", low=285.0, high=315.0, tag="TI-102")
    T_3: Expr = quantity(300.0, "K", "temperature of the second feed", low=290.0, high=310.0, tag="TI-202")
    c_0: Expr = quantity(4.0, "kmol/m^3", "concentration of A in the first feed", low=3.6, high=4.4, measured=False)
    c_3: Expr = quantity(2.0, "kmol/m^3", "concentration of A in the second feed", low=1.9, high=2.1, measured=False)


class Parameter(Vector):
    F_0: Expr = quantity(4.998, "m^3/h", "flow of the first feed", source=PAPER)
    F_3: Expr = quantity(30.0, "m^3/h", "flow of the second feed", source=PAPER)
    F_r: Expr = quantity(34.998, "m^3/h", "recycle flow", source=PAPER)
    V_1: Expr = quantity(1.0, "m^3", "volume of the first tank", source=PAPER)
    V_2: Expr = quantity(3.0, "m^3", "volume of the second tank", source=PAPER)
    R: Expr = quantity(8.314, "kJ/(kmol K)", "gas constant", source=PAPER)
    k_1: Expr = quantity(3.0e6, "1/h", "frequency factor of A -> B", uncertain=0.05, source=PAPER)
    k_2: Expr = quantity(3.0e5, "1/h", "frequency factor of A -> U", uncertain=0.05, source=PAPER)
    k_3: Expr = quantity(3.0e5, "1/h", "frequency factor of A -> W", uncertain=0.05, source=PAPER)
    E_1: Expr = quantity(5.0e4, "kJ/kmol", "activation energy of A -> B", source=PAPER)
    E_2: Expr = quantity(7.53e4, "kJ/kmol", "activation energy of A -> U", source=PAPER)
    E_3: Expr = quantity(7.53e4, "kJ/kmol", "activation energy of A -> W", source=PAPER)
    dH_1: Expr = quantity(-5.0e4, "kJ/kmol", "heat of reaction of A -> B", source=PAPER)
    dH_2: Expr = quantity(-5.2e4, "kJ/kmol", "heat of reaction of A -> U", source=PAPER)
    dH_3: Expr = quantity(-5.4e4, "kJ/kmol", "heat of reaction of A -> W", source=PAPER)
    rho: Expr = quantity(1000.0, "kg/m^3", "density", source=PAPER)
    c_p: Expr = quantity(0.231, "kJ/(kg K)", "heat capacity", source=PAPER)
    T_max: Expr = quantity(475.0, "K", "hard limit of the first tank", source=OURS)
    T_trip: Expr = quantity(500.0, "K", "high-high temperature trip of the first tank", source=OURS)
    w_hot: Expr = quantity(0.1, "1/K", "charge for each kelvin above the hard limit", source=OURS)


class Output(Vector):
    c_2: Expr = quantity(1.7519, "kmol/m^3", "concentration of A in the product", low=1.4, high=2.2, tag="AI-201", noise=0.001)
    T_1: Expr = quantity(457.94, "K", "temperature of the first tank", low=440.0, high=480.0, tag="TI-101", noise=0.1)
    T_2: Expr = quantity(415.46, "K", "temperature of the second tank", low=395.0, high=435.0, tag="TI-201", noise=0.1)


def reactions(T: Expr, c: Expr, p: Parameter) -> tuple[Expr, Expr]:
    """Return how fast A is consumed and heat is released by the three reactions, per volume."""
    r_1 = p.k_1 * np.exp(-p.E_1 / (p.R * T)) * c
    r_2 = p.k_2 * np.exp(-p.E_2 / (p.R * T)) * c
    r_3 = p.k_3 * np.exp(-p.E_3 / (p.R * T)) * c
    return r_1 + r_2 + r_3, -p.dH_1 * r_1 - p.dH_2 * r_2 - p.dH_3 * r_3


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the mole and the energy balance of either tank."""
    consumed_1, heat_1 = reactions(x.T_1, x.c_1, p)
    consumed_2, heat_2 = reactions(x.T_2, x.c_2, p)
    F_1, heat_capacity = p.F_0 + p.F_r, p.rho * p.c_p
    return State(
        c_1=(p.F_0 * (d.c_0 - x.c_1) + p.F_r * (x.c_2 - x.c_1)) / p.V_1 - consumed_1,
        T_1=(p.F_0 * (d.T_0 - x.T_1) + p.F_r * (x.T_2 - x.T_1)) / p.V_1 + (heat_1 + u.Q_1 / p.V_1) / heat_capacity,
        c_2=(F_1 * (x.c_1 - x.c_2) + p.F_3 * (d.c_3 - x.c_2)) / p.V_2 - consumed_2,
        T_2=(F_1 * (x.T_1 - x.T_2) + p.F_3 * (d.T_3 - x.T_2)) / p.V_2 + (heat_2 + u.Q_2 / p.V_2) / heat_capacity,
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the analyser and the thermometers show."""
    return Output(c_2=x.c_2, T_1=x.T_1, T_2=x.T_2)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the first tank's distances to the hard limit and to the trip."""
    return {"hot": hard(p.T_max - x.T_1), "runaway": trip(p.T_trip - x.T_1)}


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return the charge for running above the hard limit."""
    return {"hot": p.w_hot * positive(x.T_1 - p.T_max)}


def _tracking(draw: Draw) -> Signals:
    """Change the product's residue of A and the first tank's temperature in steps, each in its own time."""
    return Signals(
        targets={"c_2": draw.steps(1.69, 1.81, hold=(35, 60)), "T_1": draw.steps(453.0, 462.0, hold=(60, 100))},
        disturbances={
            "T_0": draw.wander(300.0, 3.0, memory=90.0), "T_3": draw.wander(300.0, 1.5, memory=90.0),
            "c_0": draw.wander(4.0, 0.06, memory=135.0), "c_3": draw.wander(2.0, 0.01, memory=135.0),
        },
        initial={"c_1": draw.uniform(1.74, 1.8), "T_1": draw.uniform(456.0, 460.0), "T_2": draw.uniform(412.0, 419.0)},
    )  # fmt: skip


def _disturbed(draw: Draw) -> Signals:
    """Hold the published steady state while both feeds step in temperature and composition."""
    return Signals(
        targets={"c_2": np.full((draw.n, draw.count), 1.7519), "T_1": np.full((draw.n, draw.count), 457.94)},
        disturbances={
            "T_0": draw.steps(288.0, 312.0, hold=(35, 65)), "T_3": draw.steps(292.0, 308.0, hold=(35, 65)),
            "c_0": draw.steps(3.75, 4.25, hold=(35, 65)), "c_3": draw.steps(1.95, 2.05, hold=(35, 65)),
        },
    )  # fmt: skip


def _hot(draw: Draw) -> Signals:
    """Ask for more conversion with the first tank close to its hard limit."""
    return Signals(
        targets={"c_2": draw.steps(1.61, 1.69, hold=(35, 65)), "T_1": draw.steps(466.0, 470.0, hold=(60, 100))},
        disturbances={"T_0": draw.wander(300.0, 3.0, memory=90.0), "c_0": draw.wander(4.0, 0.06, memory=135.0)},
        initial={"c_1": draw.uniform(1.66, 1.72), "T_1": draw.uniform(463.0, 467.0), "T_2": draw.uniform(416.0, 420.0)},
    )


LOOPS = (
    Loop(
        tag="AIC-201", pv="c_2", sp_of="TIC-201", low=1.4, high=2.1, authority=0.05,
        gains=Gains(K_c=-557.0, T_i=0.02827, b=0.142, setpoint=-130.3),
    ),
    Loop(
        tag="TIC-101", pv="T_1", mv="Q_1", low=445.0, high=474.0, authority=4.0,
        gains=Gains(K_c=1.304e5, T_i=0.03538, b=0.075, setpoint=1733.0, disturbance=(("T_0", -740.0),)),
    ),
    Loop(
        tag="TIC-201", pv="T_2", mv="Q_2", low=395.0, high=435.0,
        gains=Gains(K_c=8.904e4, T_i=0.01777, T_d=0.00172, b=0.588, setpoint=2939.0, disturbance=(("T_3", -7508.0),)),
    ),
)  # fmt: skip
"""Tuned as the other plants are, from gains that stabilise the first tank: SIMC needs a stable step response."""

PLANT = Plant(
    title="Two stirred tanks with recycle",
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
    duty=Tracking(scales={"c_2": 0.03, "T_1": 5.0}, moves={"Q_1": 0.1, "Q_2": 0.1}),
    scenarios=(
        Scenario("tracking", "conversion and temperature targets in steps, feeds wandering", 150, _tracking),
        Scenario("disturbance", "feed temperatures and concentrations in steps", 150, _disturbed, protocol="disturbance"),
        Scenario("boundary", "more conversion, the first tank close to its hard limit", 150, _hot, protocol="boundary"),
    ),
    safe_action={"Q_1": -4.0e5, "Q_2": -4.0e5},
    time_unit="h",
    decision=0.004,
    loop_period=0.001,
    scale=0.15,
    worst=5000.0,
    limits=(Limit("T_1", "T_max", "high"), Limit("T_1", "T_trip", "high")),
    preview=10,
    advance=8,
    learning=Learning(horizon=15.0, steps=1_000_000),
    sources=(PAPER,),
    reproduced=tuple(
        Reproduced(what=what, published=published, ours=ours, unit=unit, tolerance=half / published, source=PAPER,
                   remark="half of the last digit commonly quoted; the open-loop unstable one of three steady states")
        for what, published, ours, unit, half in (
            ("steady concentration of A in the first tank", 1.77, 1.7702, "kmol/m^3", 0.005),
            ("steady temperature of the first tank", 457.9, 457.943, "K", 0.05),
            ("steady concentration of A in the second tank", 1.75, 1.7519, "kmol/m^3", 0.005),
            ("steady temperature of the second tank", 415.5, 415.458, "K", 0.05),
        )
    ),
)  # fmt: skip
