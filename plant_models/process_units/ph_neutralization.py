"""Henson and Seborg's neutralization rig: acid, buffer and base meet in one stirred tank, and the base holds the pH.

    A h dW_a/dt = q_1 (W_a1 - W_a) + q_2 (W_a2 - W_a) + q_3 (W_a3 - W_a)     charge invariant
    A h dW_b/dt = q_1 (W_b1 - W_b) + q_2 (W_b2 - W_b) + q_3 (W_b3 - W_b)     carbonate invariant
    A dh/dt     = q_1 + q_2 + q_3 - C_v (h + z)^n                            level, free to find its place
    tau dpH_m/dt = pH - pH_m                                                 electrode
    0 = W_a + 10^(pH-14) - 10^-pH + W_b (1 + 2 10^(pH-pK_2)) / (1 + 10^(pK_1-pH) + 10^(pH-pK_2))     charge balance

W_a = [H+] - [OH-] - [HCO3-] - 2 [CO3--] and W_b = [H2CO3] + [HCO3-] + [CO3--], in mol/L. The slope of the titration curve, and
with it the gain of the plant, varies 28-fold over base flows of 10 to 22 mL/s, and 350-fold where the buffer fails.
Assumed: perfect mixing, equilibrium at once; pH by five halvings of [2, 12] and four Newton steps.
"""

import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Plant, soft
from plant_models.core.quantity import Reproduced, Source, quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.schedule import Schedule
from plant_models.core.smooth import positive
from plant_models.core.vector import Expr, Vector

BOOK = Source(
    "M. A. Henson, D. E. Seborg: Nonlinear Process Control, Prentice Hall, 1997, pp. 207-210; "
    "as given by M. Paluszek, S. Thomas: MATLAB Recipes, 2nd ed., Apress, 2020, chapter 10"
)
PAPER = Source(
    "M. A. Henson, D. E. Seborg: Adaptive nonlinear control of a pH neutralization process, "
    "IEEE Trans. Control Systems Technology 2(3), 1994, 169-182",
    "10.1109/87.317975",
)
LEVEL = Source(
    "M. Paluszek, S. Thomas: MATLAB Recipes, 2nd ed., Apress, 2020, chapter 10, program RHSpH: what keeps the level at 14 cm at "
    "the nominal flows, since Henson and Seborg's book leaves it out"
)
OURS = Source("chosen here: an electrode of 15 s; discharge between pH 4.5 and 10")
WATER = Source("ion product of water at 25 degC, as in the book")
LN_10 = float(np.log(10.0))
HALVINGS, NEWTON_STEPS = 5, 4


class State(Vector):
    W_a: Expr = quantity(-4.3603e-4, "mol/L", "charge invariant", low=-2.0e-3, high=1.0e-3, valid=(-0.04, 0.004))
    W_b: Expr = quantity(5.2763e-4, "mol/L", "carbonate invariant", low=0.0, high=2.0e-3, valid=(-1e-9, 0.04))
    h: Expr = quantity(14.0, "cm", "level", low=5.0, high=25.0, valid=(0.5, 60.0))
    pH_m: Expr = quantity(7.0258, "1", "pH shown by the electrode", low=3.0, high=11.0, valid=(0.0, 14.0))


class Input(Vector):
    q_3: Expr = quantity(15.6, "mL/s", "base flow", low=0.0, high=30.0, tag="FV-101", source=BOOK)


class Disturbance(Vector):
    q_1: Expr = quantity(16.6, "mL/s", "acid flow", low=15.1, high=18.1, tag="FI-102", source=BOOK)
    q_2: Expr = quantity(0.55, "mL/s", "buffer flow", low=0.0, high=2.0, measured=False, source=BOOK)


class Parameter(Vector):
    A: Expr = quantity(207.0, "cm^2", "cross-section of the tank", source=BOOK)
    z: Expr = quantity(11.5, "cm", "drop from the tank's bottom to the outlet", source=BOOK)
    n: Expr = quantity(0.607, "1", "exponent of the outlet", source=BOOK)
    C_v: Expr = quantity(4.586078, "mL/s", "outlet flow at a head of h_1", uncertain=0.05, source=LEVEL)
    h_1: Expr = quantity(1.0, "cm", "head at which the outlet gives C_v", source=BOOK)
    W_a1: Expr = quantity(3.0e-3, "mol/L", "charge invariant of the acid", uncertain=0.05, source=BOOK)
    W_a2: Expr = quantity(-3.0e-2, "mol/L", "charge invariant of the buffer", source=BOOK)
    W_a3: Expr = quantity(-3.05e-3, "mol/L", "charge invariant of the base", uncertain=0.05, source=BOOK)
    W_b1: Expr = quantity(0.0, "mol/L", "carbonate invariant of the acid", source=BOOK)
    W_b2: Expr = quantity(3.0e-2, "mol/L", "carbonate invariant of the buffer", source=BOOK)
    W_b3: Expr = quantity(5.0e-5, "mol/L", "carbonate invariant of the base", source=BOOK)
    K_1: Expr = quantity(10.0**-6.35, "mol/L", "first dissociation of carbonic acid, pK 6.35", source=BOOK)
    K_2: Expr = quantity(10.0**-10.25, "mol/L", "second dissociation of carbonic acid, pK 10.25", source=BOOK)
    K_w: Expr = quantity(1.0e-14, "mol^2/L^2", "ion product of water", source=WATER)
    c: Expr = quantity(1.0, "mol/L", "concentration at which pH is zero", source=Source("by definition"))
    tau: Expr = quantity(15.0, "s", "time constant of the electrode", uncertain=0.2, source=OURS)
    pH_mid: Expr = quantity(7.0, "1", "where the search for the pH begins", source=OURS)
    pH_reach: Expr = quantity(5.0, "1", "how far it searches to either side", source=OURS)
    residual: Expr = quantity(1.0e-9, "mol/L", "imbalance of charge within which the search's sign is smooth", source=OURS)
    pH_min: Expr = quantity(4.5, "1", "lowest pH for discharge", source=OURS)
    pH_max: Expr = quantity(10.0, "1", "highest pH for discharge", source=OURS)
    w: Expr = quantity(1.0, "1", "charge for each pH beyond the limits", source=OURS)


class Output(Vector):
    pH: Expr = quantity(7.0258, "1", "pH", low=3.0, high=11.0, tag="AI-101", noise=0.02)
    h: Expr = quantity(14.0, "cm", "level", low=5.0, high=25.0, tag="LI-103", noise=0.05)


def charge(pH: Expr, W_a: Expr, W_b: Expr, p: Parameter) -> tuple[Expr, Expr]:
    """Return the imbalance of charge at a pH and its slope over the pH, in mol/L."""
    acid = p.c * np.exp(-LN_10 * pH)
    base, first, second = p.K_w / acid, acid / p.K_1, p.K_2 / acid
    shares = 1.0 + first + second
    imbalance = W_a + base - acid + W_b * (1.0 + 2.0 * second) / shares
    slope = LN_10 * (base + acid + W_b * (first + second + 4.0 * first * second) / shares**2)
    return imbalance, slope


def solve_pH(W_a: Expr, W_b: Expr, p: Parameter) -> Expr:
    """Return the pH at which the charges balance: the imbalance rises with the pH, so halve first, then use its slope."""
    pH, step = p.pH_mid, 0.5 * p.pH_reach
    for _ in range(HALVINGS):
        imbalance, _ = charge(pH, W_a, W_b, p)
        # a sign that is smooth within the residual, so that linear models need no case
        pH = pH - step * imbalance / np.sqrt(imbalance**2 + p.residual**2)
        step = 0.5 * step
    for _ in range(NEWTON_STEPS):
        imbalance, slope = charge(pH, W_a, W_b, p)
        pH = pH - imbalance / slope
    return pH


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the balances of both invariants and of the volume, and the electrode's lag."""
    volume = p.A * x.h
    return State(
        W_a=(d.q_1 * (p.W_a1 - x.W_a) + d.q_2 * (p.W_a2 - x.W_a) + u.q_3 * (p.W_a3 - x.W_a)) / volume,
        W_b=(d.q_1 * (p.W_b1 - x.W_b) + d.q_2 * (p.W_b2 - x.W_b) + u.q_3 * (p.W_b3 - x.W_b)) / volume,
        h=(d.q_1 + d.q_2 + u.q_3 - p.C_v * ((x.h + p.z) / p.h_1) ** p.n) / p.A,
        pH_m=(solve_pH(x.W_a, x.W_b, p) - x.pH_m) / p.tau,
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the electrode and the level sensor show."""
    return Output(pH=x.pH_m, h=x.h)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distances to the limits of discharge."""
    return {"acid": soft(x.pH_m - p.pH_min), "alkaline": soft(p.pH_max - x.pH_m)}


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return the charge for what may not be discharged."""
    return {"discharge": p.w * (positive(p.pH_min - x.pH_m) + positive(x.pH_m - p.pH_max))}


def _flow(draw: Draw, mean: float, sd: float, low: float, high: float) -> Array:
    return np.clip(draw.wander(mean, sd, memory=15.0), low, high)


def _tracking(draw: Draw) -> Signals:
    return Signals(
        targets={"pH": draw.steps(6.0, 8.5, hold=(12, 24))},
        disturbances={"q_1": _flow(draw, 16.6, 0.3, 15.1, 18.1), "q_2": _flow(draw, 0.55, 0.1, 0.2, 1.2)},
    )


def _disturbed(draw: Draw) -> Signals:
    """Hold pH 7 while acid and buffer step, the buffer between little and four times as much."""
    return Signals(
        targets={"pH": np.full((draw.n, draw.count), 7.0)},
        disturbances={"q_1": draw.steps(15.1, 18.1, hold=(12, 24)), "q_2": draw.steps(0.2, 2.0, hold=(12, 24))},
    )


def _unbuffered(draw: Draw) -> Signals:
    """Lose most of the buffer, so that the titration curve becomes steep around neutral."""
    return Signals(
        targets={"pH": draw.steps(6.5, 8.0, hold=(15, 30))},
        disturbances={"q_1": _flow(draw, 16.6, 0.2, 15.1, 18.1), "q_2": draw.steps(0.05, 0.25, hold=(15, 30))},
    )


LOOPS = (
    Loop(
        tag="AIC-101", pv="pH", mv="q_3", low=4.0, high=10.0, authority=1.0,
        gains=Gains(K_c=23.15, T_i=33.72, T_d=5.313, b=0.34, setpoint=0.8275, disturbance=(("q_1", 1.221),)),
        schedule=Schedule(
            variable="pH", at=(4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0), inverse_gain=(1.07, 0.4, 1.46, 1.04, 0.232, 0.518, 3.23),
            K_c=0.445, T_i=0.413,
        ),
    ),
)  # fmt: skip
"""The titration curve is fourteen times as steep at pH 8 as at pH 10: the gains follow the pH."""

STEEP = (
    Loop(
        tag="AIC-101", pv="pH", mv="q_3", low=4.0, high=10.0, authority=1.0,
        gains=Gains(K_c=3.5, T_i=60.0, T_d=6.0, b=0.7, setpoint=0.25, disturbance=(("q_1", 0.97),)),
    ),
)  # fmt: skip
"""Settings for the rig without buffer, where the everyday ones would oscillate: best of a grid on tuning episodes."""

REPRODUCED = (
    Reproduced(
        what="pH of the printed steady invariants", published=7.0, ours=7.0016, unit="1", tolerance=0.001, source=BOOK,
        remark="the invariants are printed in three digits",
    ),
    Reproduced(
        what="steady pH at the nominal flows", published=7.0, ours=7.0258, unit="1", tolerance=0.005, source=BOOK,
        remark="the printed flows and concentrations mix to -4.36e-4 mol/L, not quite to the printed -4.32e-4",
    ),
    Reproduced(
        what="steady charge invariant", published=-4.32e-4, ours=-4.3603e-4, unit="mol/L", tolerance=0.01, source=BOOK,
        remark="the printed flows and concentrations do not mix to it exactly",
    ),
    Reproduced(
        what="steady carbonate invariant", published=5.28e-4, ours=5.2763e-4, unit="mol/L", tolerance=0.001, source=BOOK,
        remark="half of the last printed digit",
    ),
    Reproduced(
        what="outlet coefficient for a level of 14 cm at the nominal flows", published=4.5860777, ours=4.5860778, unit="mL/s",
        tolerance=2.2e-8, source=LEVEL, remark="one unit of the last printed digit",
    ),
)  # fmt: skip


PLANT = Plant(
    title="pH neutralization",
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
    duty=Tracking(scales={"pH": 0.5}, moves={"q_3": 0.02}),
    scenarios=(
        Scenario("tracking", "targets in steps, acid and buffer flows wandering", 90, _tracking),
        Scenario("disturbance", "acid and buffer flows in steps", 90, _disturbed, protocol="disturbance"),
        Scenario("unbuffered", "the buffer fails: a steep titration curve", 90, _unbuffered, loops=STEEP, protocol="boundary"),
    ),
    safe_action={"q_3": 0.0},
    time_unit="s",
    decision=20.0,
    loop_period=5.0,
    scale=0.06,
    worst=250.0,
    limits=(Limit("pH", "pH_min", "low"), Limit("pH", "pH_max", "high")),
    preview=3,
    advance=1,
    learning=Learning(horizon=10.0, steps=1_000_000),
    sources=(BOOK, PAPER),
    reproduced=REPRODUCED,
)
