"""Van de Vusse reaction A -> B -> C, 2 A -> D in a stirred tank with a cooling jacket (Klatt and Engell's benchmark).

    dc_A/dt = F (c_A0 - c_A) - k_1 c_A - k_3 c_A^2                              mole balance on A
    dc_B/dt = -F c_B + k_1 c_A - k_2 c_B                                        mole balance on B
    dT/dt   = F (T_in - T) - (k_1 c_A dH_AB + k_2 c_B dH_BC + k_3 c_A^2 dH_AD) / (rho c_p)
              + K_w A_R (T_K - T) / (rho c_p V)                                 energy balance of the reactor
    dT_K/dt = (Q + K_w A_R (T - T_K)) / (m_K c_pK)                              energy balance of the jacket
    k_i     = k_i0 exp(-E_i/T)                                                  Arrhenius rates, E_i over the gas constant

F is the feed flow over the reactor's volume. At a given temperature B has a yield maximum over F: below it the gain from F
to c_B is positive behind a right half-plane zero, above it the gain is negative and the zero lies in the left half-plane.
The loops work above it, where F answers at once; the low stop of F lies beyond it, on the wrong side.
Assumed: perfect mixing, constant volume and density, one jacket temperature.
"""

import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Plant, hard
from plant_models.core.quantity import Reproduced, Source, quantity
from plant_models.core.scenario import Draw, Scenario, Signals
from plant_models.core.smooth import positive
from plant_models.core.vector import Expr, Vector

KLATT = Source(
    "Klatt, Engell: Gain-scheduling trajectory control of a continuous stirred tank reactor, "
    "Computers and Chemical Engineering 22 (1998) 491-502; rate constants, properties, tolerances and "
    "operating point as commonly quoted, checked against public implementations",
    "10.1016/S0098-1354(97)00261-5",
)
CHEN = Source(
    "Chen, Kremling, Allgoewer: Nonlinear predictive control of a benchmark CSTR, Proc. 3rd European Control Conference, "
    "Rome 1995, 3247-3252; operating point as commonly quoted, checked against public implementations"
)
OURS = Source("chosen here: above 117 degC the reactor on the feed of 104.9 degC would need heating")


class State(Vector):
    c_A: Expr = quantity(2.698, "mol/L", "concentration of A", low=1.5, high=4.0, valid=(0.0, 8.0))
    c_B: Expr = quantity(1.0341, "mol/L", "concentration of B", low=0.6, high=1.2, valid=(0.0, 8.0))
    T: Expr = quantity(383.15, "K", "reactor temperature", low=363.15, high=403.15, valid=(273.15, 473.15), shown="degC")
    T_K: Expr = quantity(379.82, "K", "jacket temperature", low=353.15, high=403.15, valid=(223.15, 473.15), shown="degC")


class Input(Vector):
    F: Expr = quantity(18.0, "1/h", "feed flow over volume", low=8.0, high=35.0, rate=600.0, tag="FV-101", source=CHEN)
    Q: Expr = quantity(-2887.0, "kJ/h", "heat given to the jacket", low=-9000.0, high=0.0, rate=2.0e5, tag="EV-101", source=CHEN)


class Disturbance(Vector):
    T_in: Expr = quantity(378.05, "K", "feed temperature", low=373.15, high=388.15, shown="degC", tag="TI-102")
    c_A0: Expr = quantity(5.1, "mol/L", "feed concentration of A", low=4.5, high=5.7, measured=False)


class Parameter(Vector):
    k_10: Expr = quantity(1.287e12, "1/h", "frequency factor of A -> B", uncertain=0.031, source=KLATT)
    k_20: Expr = quantity(1.287e12, "1/h", "frequency factor of B -> C", uncertain=0.031, source=KLATT)
    k_30: Expr = quantity(9.043e9, "L/(mol h)", "frequency factor of 2 A -> D", uncertain=0.03, source=KLATT)
    E_1: Expr = quantity(9758.3, "K", "activation energy of A -> B over gas constant", source=KLATT)
    E_2: Expr = quantity(9758.3, "K", "activation energy of B -> C over gas constant", source=KLATT)
    E_3: Expr = quantity(8560.0, "K", "activation energy of 2 A -> D over gas constant", source=KLATT)
    dH_AB: Expr = quantity(4.2, "kJ/mol", "heat of reaction of A -> B", uncertain=0.56, source=KLATT)
    dH_BC: Expr = quantity(-11.0, "kJ/mol", "heat of reaction of B -> C", uncertain=0.17, source=KLATT)
    dH_AD: Expr = quantity(-41.85, "kJ/mol", "heat of reaction of 2 A -> D", uncertain=0.034, source=KLATT)
    rho: Expr = quantity(0.9342, "kg/L", "density", source=KLATT)
    c_p: Expr = quantity(3.01, "kJ/(kg K)", "heat capacity of the reactor's content", uncertain=0.013, source=KLATT)
    K_w: Expr = quantity(4032.0, "kJ/(h m^2 K)", "heat transfer coefficient to the jacket", uncertain=0.03, source=KLATT)
    A_R: Expr = quantity(0.215, "m^2", "area of the jacket", source=KLATT)
    V: Expr = quantity(10.0, "L", "reactor volume", source=KLATT)
    m_K: Expr = quantity(5.0, "kg", "mass of coolant in the jacket", uncertain=0.02, source=KLATT)
    c_pK: Expr = quantity(2.0, "kJ/(kg K)", "heat capacity of the coolant", uncertain=0.025, source=KLATT)
    T_max: Expr = quantity(390.15, "K", "hard limit, 117 degC", source=OURS)
    w_hot: Expr = quantity(0.1, "1/K", "charge for each kelvin above the hard limit", source=OURS)


class Output(Vector):
    c_B: Expr = quantity(1.0341, "mol/L", "concentration of B", low=0.6, high=1.2, tag="AI-101", noise=0.001)
    T: Expr = quantity(383.15, "K", "reactor temperature", low=363.15, high=403.15, shown="degC", tag="TI-101", noise=0.05)
    T_K: Expr = quantity(379.82, "K", "jacket temperature", low=353.15, high=403.15, shown="degC", tag="TI-103", noise=0.05)


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the two mole and the two energy balances."""
    r_1 = p.k_10 * np.exp(-p.E_1 / x.T) * x.c_A
    r_2 = p.k_20 * np.exp(-p.E_2 / x.T) * x.c_B
    r_3 = p.k_30 * np.exp(-p.E_3 / x.T) * x.c_A**2
    heat = r_1 * p.dH_AB + r_2 * p.dH_BC + r_3 * p.dH_AD
    exchanged = p.K_w * p.A_R * (x.T - x.T_K)
    return State(
        c_A=u.F * (d.c_A0 - x.c_A) - r_1 - r_3,
        c_B=-u.F * x.c_B + r_1 - r_2,
        T=u.F * (d.T_in - x.T) - heat / (p.rho * p.c_p) - exchanged / (p.rho * p.c_p * p.V),
        T_K=(u.Q + exchanged) / (p.m_K * p.c_pK),
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the analyser and the thermometers show."""
    return Output(c_B=x.c_B, T=x.T, T_K=x.T_K)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distance to the hard limit."""
    return {"hot": hard(p.T_max - x.T)}


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return the charge for running above the hard limit."""
    return {"hot": p.w_hot * positive(x.T - p.T_max)}


def _tracking(draw: Draw) -> Signals:
    """Change the grade every quarter of an hour, each episode at a temperature of its own."""
    return Signals(
        targets={"c_B": draw.steps(0.9, 1.08, hold=(8, 16))},
        references={"TIC-101": np.repeat(draw.uniform(380.15, 385.15)[:, None], draw.count, axis=1)},
        disturbances={"T_in": draw.wander(378.05, 0.8, memory=20.0), "c_A0": draw.wander(5.1, 0.06, memory=30.0)},
        initial={"c_A": draw.uniform(2.4, 2.8), "c_B": draw.uniform(0.98, 1.06), "T": draw.uniform(381.15, 385.15)},
    )


def _disturbed(draw: Draw) -> Signals:
    """Hold the target while the feed steps in temperature and composition."""
    return Signals(
        targets={"c_B": np.full((draw.n, draw.count), 0.98)},
        disturbances={"T_in": draw.steps(374.15, 384.15, hold=(12, 20)), "c_A0": draw.steps(4.8, 5.5, hold=(12, 20))},
    )


def _maximum(draw: Draw) -> Signals:
    """Ask for as much as the reactor yields, on either side of what it can give at the usual temperature."""
    return Signals(
        targets={"c_B": draw.steps(1.05, 1.1, hold=(15, 25))},
        disturbances={"T_in": draw.wander(378.05, 0.8, memory=20.0), "c_A0": draw.wander(5.1, 0.06, memory=30.0)},
    )


LOOPS = (
    Loop(
        tag="AIC-101", pv="c_B", mv="F", low=0.8, high=1.12, authority=0.06,
        gains=Gains(K_c=-60.6, T_i=0.0114, T_d=0.00195, b=0.0),
    ),
    Loop(
        tag="TIC-101", pv="T", mv="Q", low=373.15, high=389.15, authority=5.0,
        gains=Gains(K_c=2786.0, T_i=0.177, T_d=0.006, b=0.342, setpoint=7.3, disturbance=(("T_in", -638.0),)),
    ),
)  # fmt: skip

_STATES = (
    ("concentration of A", "mol/L"),
    ("concentration of B", "mol/L"),
    ("temperature", "degC"),
    ("jacket temperature", "degC"),
)


def _reproduced(point: str, source: Source, rows: tuple[tuple[float, float, float], ...]) -> tuple[Reproduced, ...]:
    """Return what is claimed at an operating point from rows of published value, ours, and half of the last digit quoted."""
    return tuple(
        Reproduced(
            what=f"{what} at {point}", published=published, ours=ours, unit=unit, tolerance=half / published, source=source,
            remark="half of the last digit commonly quoted",
        )
        for (what, unit), (published, ours, half) in zip(_STATES, rows, strict=True)
    )  # fmt: skip


PLANT = Plant(
    title="Van de Vusse reactor",
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
    duty=Tracking(scales={"c_B": 0.05}, moves={"F": 0.002, "Q": 0.002}),
    scenarios=(
        Scenario("tracking", "targets of B in steps up to the yield maximum, feed wandering", 60, _tracking),
        Scenario("disturbance", "feed temperature and concentration in steps", 60, _disturbed, protocol="disturbance"),
        Scenario("boundary", "targets on both sides of the yield maximum", 60, _maximum, protocol="boundary"),
    ),
    safe_action={"F": 20.0, "Q": -9000.0},
    time_unit="h",
    decision=0.025,
    loop_period=0.005,
    scale=0.05,
    worst=500.0,
    limits=(Limit("T", "T_max", "high"),),
    preview=3,
    advance=1,
    learning=Learning(horizon=12.0, steps=1_000_000),
    sources=(KLATT, CHEN),
    reproduced=(
        *_reproduced(
            "F 14.19 1/h, Q -1113.5 kJ/h, feed 104.9 degC", CHEN,
            ((2.14, 2.14021, 5e-3), (1.09, 1.0903, 5e-3), (114.2, 114.191, 0.05), (112.9, 112.9066, 0.05)),
        ),
        *_reproduced(
            "F 18.83 1/h, Q -4495.7 kJ/h, feed 130 degC", KLATT,
            ((1.235, 1.234827, 5e-4), (0.9, 0.900007, 5e-4), (134.14, 134.1404, 5e-3), (128.95, 128.9543, 5e-3)),
        ),
    ),
)  # fmt: skip
