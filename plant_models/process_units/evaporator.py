"""Newell and Lee's forced-circulation evaporator, run for money.

    rhoA dL_2/dt = F_1 - F_4 - F_p - F_o              liquor in the separator
    M dX_2/dt    = F_1 X_1 - (F_p + F_o) X_2          solute
    C dP_2/dt    = F_4 - F_5                          vapour
    T_2   = a_P P_2 + a_X X_2 + b_2                   liquor temperature
    T_3   = a_3 P_2 + b_3                             vapour temperature
    T_100 = a_100 P_100 + b_100                       steam temperature
    Q_100 = U_1 (F_1 + F_3) (T_100 - T_2)             steam heater
    F_4   = (Q_100 - c_p F_1 (T_2 - T_1)) / lambda    vapour boiled off
    F_100 = Q_100 / lambda_s                          steam
    Q_200 = UA_2 (T_3 - T_200) / (1 + UA_2 / (2 c_p F_200))    condenser
    F_5   = Q_200 / lambda                            condensate
    T_201 = T_200 + Q_200 / (c_p F_200)               cooling water leaving
    J     = 600 F_100 + 0.6 F_200 + 1.009 (F_p + F_3) + 0.2 F_1 - 4800 F_p    USD/h, flows in kg/min

Assumed: heater and condenser at steady state; as printed, the solute balance takes the holdup M as constant whatever the level.
Added to the book's equations, and without effect while the level is held at L_0: the head of liquor pushes the product a little,
F_p = F_2 (1 + s (L_2 - L_0)), so that the level is no pure integrator; an overflow F_o = k_o (L_2 - L_top)^3 begins at L_top;
below L_dry pump and heater run dry. X_min, a constant in the book, follows the grade of product in hand.
"""

from typing import NamedTuple

import numpy as np

from plant_models.core.duty import Economic, Held
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Measure, Plant, hard, soft
from plant_models.core.quantity import ZERO_C, Reproduced, Source, quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.smooth import positive, ramp
from plant_models.core.vector import Expr, Vector

BOOK = Source("R. B. Newell, P. L. Lee: Applied Process Control: A Case Study, 1989; as given by Kariwala et al. 2008")
PAPER = Source(
    "V. Kariwala, Y. Cao, S. Janardhanan: Local self-optimizing control with average loss minimization, "
    "Ind. Eng. Chem. Res. 47(4), 2008, 1150-1158",
    "10.1021/ie070897+",
)
ESCAPE = Source(
    "M. S. Govatsmark, S. Skogestad: Control structure selection for an evaporation process, "
    "European Symposium on Computer Aided Process Engineering 11, 2001, 657-662"
)
OURS = Source("chosen here: ten times what the last percent of concentration is worth; limits on the level half-way to its ends")
UNITS = Source("by definition")


class State(Vector):
    L_2: Expr = quantity(1.0, "m", "level in the separator", low=0.5, high=1.5, valid=(-0.5, 6.0))
    X_2: Expr = quantity(35.5, "%", "concentration of the product", low=33.0, high=38.0, valid=(0.5, 99.0))
    P_2: Expr = quantity(51.412311, "kPa", "operating pressure", low=40.0, high=80.0, valid=(1.0, 200.0))


class Input(Vector):
    F_2: Expr = quantity(1.33366831, "kg/min", "product flow", low=0.0, high=4.0, tag="FV-101", source=PAPER)
    F_3: Expr = quantity(24.7213771, "kg/min", "circulating flow", low=0.0, high=100.0, tag="P-102", source=PAPER)
    F_200: Expr = quantity(217.7391, "kg/min", "cooling water", low=0.0, high=400.0, tag="FV-103", source=PAPER)
    F_1: Expr = quantity(9.469045, "kg/min", "feed flow", low=0.0, high=20.0, rate=0.2, tag="FV-104", source=PAPER)
    P_100: Expr = quantity(400.0, "kPa", "steam pressure", low=0.0, high=400.0, tag="PV-105", source=PAPER)


class Disturbance(Vector):
    X_1: Expr = quantity(5.0, "%", "concentration of the feed", low=4.75, high=5.25, tag="AI-106")
    T_1: Expr = quantity(313.15, "K", "feed temperature", low=305.15, high=321.15, shown="degC", tag="TI-107")
    T_200: Expr = quantity(298.15, "K", "cooling water temperature", low=293.15, high=303.15, shown="degC", tag="TI-108")
    X_min: Expr = quantity(35.0, "%", "specification of the product", low=35.0, high=36.0, kind="limit", forecast=True)


class Parameter(Vector):
    rhoA: Expr = quantity(20.0, "kg/m", "liquor for each metre of level", source=BOOK)
    M: Expr = quantity(20.0, "kg", "holdup of the solute balance", source=BOOK)
    C: Expr = quantity(4.0, "kg/kPa", "vapour for each kilopascal", source=BOOK)
    a_P: Expr = quantity(0.5616, "K/kPa", "liquor temperature over pressure", source=BOOK)
    a_X: Expr = quantity(0.3126, "K/%", "liquor temperature over concentration", source=BOOK)
    b_2: Expr = quantity(ZERO_C + 48.43, "K", "liquor temperature at zero pressure and concentration", source=BOOK)
    a_3: Expr = quantity(0.507, "K/kPa", "vapour temperature over pressure", source=BOOK)
    b_3: Expr = quantity(ZERO_C + 55.0, "K", "vapour temperature at zero pressure", source=BOOK)
    a_100: Expr = quantity(0.1538, "K/kPa", "steam temperature over pressure", source=BOOK)
    b_100: Expr = quantity(ZERO_C + 90.0, "K", "steam temperature at zero pressure", source=BOOK)
    U_1: Expr = quantity(0.16, "kW min/(kg K)", "heat transfer of the heater over flow", uncertain=0.05, source=BOOK)
    UA_2: Expr = quantity(6.84, "kW/K", "heat transfer of the condenser", uncertain=0.05, source=BOOK)
    c_p: Expr = quantity(0.07, "kW min/(kg K)", "heat capacity of feed and cooling water", source=BOOK)
    lamda: Expr = quantity(38.5, "kW min/kg", "latent heat of the vapour", source=BOOK)
    lamda_s: Expr = quantity(36.6, "kW min/kg", "latent heat of the steam", source=BOOK)
    s: Expr = quantity(0.02, "1/m", "product flow over level, relative", source=OURS)
    L_0: Expr = quantity(1.0, "m", "level at which F_2 is the product flow", source=BOOK)
    L_dry: Expr = quantity(0.4, "m", "level below which pump and heater run dry", source=OURS)
    L_top: Expr = quantity(2.0, "m", "level of the overflow", source=OURS)
    k_o: Expr = quantity(3.0, "kg/(min m^3)", "overflow one metre above it", source=OURS)
    c_100: Expr = quantity(600.0, "USD min/(h kg)", "price of steam", source=PAPER)
    c_200: Expr = quantity(0.6, "USD min/(h kg)", "price of cooling water", source=PAPER)
    c_pump: Expr = quantity(1.009, "USD min/(h kg)", "price of pumping", source=PAPER)
    c_1: Expr = quantity(0.2, "USD min/(h kg)", "price of feed", source=PAPER)
    c_2: Expr = quantity(4800.0, "USD min/(h kg)", "price of product", source=PAPER)
    X_0: Expr = quantity(35.0, "%", "concentration at which liquor in hand is valued", source=PAPER)
    P_min: Expr = quantity(40.0, "kPa", "lowest pressure", source=PAPER)
    P_max: Expr = quantity(80.0, "kPa", "highest pressure", source=PAPER)
    L_min: Expr = quantity(0.5, "m", "lowest level", source=OURS)
    L_max: Expr = quantity(1.5, "m", "highest level", source=OURS)
    w_X: Expr = quantity(2000.0, "USD/(h %)", "charge for product below specification", source=OURS)
    w_P: Expr = quantity(200.0, "USD/(h kPa)", "charge for pressure beyond its limits", source=OURS)
    w_L: Expr = quantity(2000.0, "USD/(h m)", "charge for level beyond its limits", source=OURS)
    hour: Expr = quantity(60.0, "min/h", "minutes in an hour", source=UNITS)


class Output(Vector):
    L_2: Expr = quantity(1.0, "m", "level in the separator", low=0.5, high=1.5, tag="LI-102", noise=0.005)
    X_2: Expr = quantity(35.5, "%", "concentration of the product", low=33.0, high=38.0, tag="AI-101", noise=0.05)
    P_2: Expr = quantity(51.412311, "kPa", "operating pressure", low=40.0, high=80.0, tag="PI-103", noise=0.1)
    F_1: Expr = quantity(9.469045, "kg/min", "feed flow", low=5.0, high=15.0, tag="FI-104", noise=0.02)
    P_100: Expr = quantity(400.0, "kPa", "steam pressure", low=300.0, high=420.0, tag="PI-105", noise=1.0)
    F_100: Expr = quantity(9.434194, "kg/min", "steam flow", low=5.0, high=20.0, tag="FI-109", noise=0.02)
    T_201: Expr = quantity(
        318.69945, "K", "cooling water leaving", low=308.15, high=333.15, shown="degC", tag="TI-110", noise=0.1
    )


class Streams(NamedTuple):
    """What follows from state, inputs and disturbances at once: flows in kg/min, heat in kW, temperatures in K."""

    F_4: Expr
    F_5: Expr
    F_100: Expr
    Q_100: Expr
    Q_200: Expr
    T_2: Expr
    T_3: Expr
    T_100: Expr
    T_201: Expr


def streams(x: State, u: Input, d: Disturbance, p: Parameter) -> Streams:
    """Return the streams of heater, separator and condenser."""
    T_2 = p.a_P * x.P_2 + p.a_X * x.X_2 + p.b_2
    T_3 = p.a_3 * x.P_2 + p.b_3
    T_100 = p.a_100 * u.P_100 + p.b_100
    Q_100 = wet(x, p) * p.U_1 * (u.F_1 + u.F_3) * (T_100 - T_2)
    # both divided out of UA_2 / (1 + UA_2 / (2 c_p F_200)), so that the water may be shut off
    rise = p.UA_2 * (T_3 - d.T_200) / (p.UA_2 + 2.0 * p.c_p * u.F_200)
    Q_200 = 2.0 * p.c_p * u.F_200 * rise
    return Streams(
        F_4=(Q_100 - p.c_p * u.F_1 * (T_2 - d.T_1)) / p.lamda, F_5=Q_200 / p.lamda, F_100=Q_100 / p.lamda_s,
        Q_100=Q_100, Q_200=Q_200, T_2=T_2, T_3=T_3, T_100=T_100, T_201=d.T_200 + 2.0 * rise,
    )  # fmt: skip


def wet(x: State, p: Parameter) -> Expr:
    """Return 1 where there is liquor for pump and heater, falling to 0 as the separator runs empty."""
    return ramp(x.L_2, 0.0 * p.L_dry, p.L_dry)


def product_flow(x: State, u: Input, p: Parameter) -> Expr:
    """Return the product flow in kg/min."""
    return wet(x, p) * u.F_2 * (1.0 + p.s * (x.L_2 - p.L_0))


def overflow(x: State, p: Parameter) -> Expr:
    """Return the liquor lost over the top in kg/min."""
    return p.k_o * positive(x.L_2 - p.L_top) ** 3


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the balances of liquor, solute and vapour."""
    s, drawn = streams(x, u, d, p), product_flow(x, u, p) + overflow(x, p)
    return State(
        L_2=(u.F_1 - s.F_4 - drawn) / p.rhoA,
        X_2=(u.F_1 * d.X_1 - drawn * x.X_2) / p.M,
        P_2=(s.F_4 - s.F_5) / p.C,
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the instruments show."""
    s = streams(x, u, d, p)
    return Output(L_2=x.L_2, X_2=x.X_2, P_2=x.P_2, F_1=u.F_1, P_100=u.P_100, F_100=s.F_100, T_201=s.T_201)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distances to the specification and to the limits of pressure and level."""
    return {
        "off-spec": soft(x.X_2 - d.X_min),
        "pressure low": hard(x.P_2 - p.P_min),
        "pressure high": hard(p.P_max - x.P_2),
        "level low": hard(x.L_2 - p.L_min),
        "level high": hard(p.L_max - x.L_2),
    }


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return the published cost by terms, and the charges for what lies beyond the limits, in USD/h."""
    s, F_p = streams(x, u, d, p), product_flow(x, u, p)
    return {
        "steam": p.c_100 * s.F_100,
        "cooling water": p.c_200 * u.F_200,
        "pumping": p.c_pump * (F_p + u.F_3),
        "feed": p.c_1 * u.F_1,
        "product": -p.c_2 * F_p,
        "off-spec": p.w_X * positive(d.X_min - x.X_2),
        "pressure": p.w_P * (positive(p.P_min - x.P_2) + positive(x.P_2 - p.P_max)),
        "level": p.w_L * (positive(p.L_min - x.L_2) + positive(x.L_2 - p.L_max)),
    }


def measures(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Measure]:
    """Return product, steam and lack of concentration as rates."""
    s = streams(x, u, d, p)
    return {
        "product": Measure(product_flow(x, u, p) * p.hour, "kg"),
        "steam": Measure(s.F_100 * p.hour, "kg"),
        "off-spec": Measure(positive(d.X_min - x.X_2), "% h"),
    }


def stock(x: State, p: Parameter) -> Expr:
    """Return what the liquor in hand brings in USD: its solute sold at specification, less steam to boil off the rest."""
    product = p.M * x.X_2 / p.X_0
    steam = p.lamda / p.lamda_s * (p.rhoA * x.L_2 - product)
    return (p.c_2 * product - p.c_100 * steam) / p.hour


BACK_OFF = 0.06
"""How far above the specification the concentration is held, in %: least cost on tuning episodes."""
RULE = (Held(tag="AIC-101", value=35.5), Held(tag="PIC-103", value=51.412), Held(tag="FIC-104", value=9.469))
"""The published optimum, for the published disturbances; steam comes as the boiler house allows."""
PRESSURES = np.linspace(41.0, 79.0, 77)


def optimum(d: Disturbance, X_2: Array, P_100: Array) -> tuple[Array, Array]:
    """Return the feed flow in kg/min and the pressure in kPa that cost least at steady state.

    At a given pressure all terms are straight lines in F_1 but the cooling water, k F_1 / (D - q F_1); so the best feed flow is
    where (D - q F_1)^2 = D k c_200 / gain. The pressure is the best of a fine grid. Shapes as the arguments'.
    """
    p, X_2 = Parameter.nominal(), X_2[..., None]
    X_1, T_1, T_200 = (np.asarray(value)[..., None] for value in (d.X_1, d.T_1, d.T_200))
    product = X_1 / X_2
    T_2 = p.a_P * PRESSURES + p.a_X * X_2 + p.b_2
    heat = p.lamda * (1.0 - product) + p.c_p * (T_2 - T_1)
    circulation = heat / (p.U_1 * (p.a_100 * P_100[..., None] + p.b_100 - T_2)) - 1.0
    gain = p.c_2 * product - p.c_100 * heat / p.lamda_s - p.c_pump * (product + circulation) - p.c_1
    q, D = p.lamda * (1.0 - product), p.UA_2 * (p.a_3 * PRESSURES + p.b_3 - T_200)
    k = q * p.UA_2 / (2.0 * p.c_p)
    F_1 = (D - np.sqrt(p.c_200 * k * D / np.maximum(gain, 1.0))) / q
    profit = gain * F_1 - p.c_200 * k * F_1 / (D - q * F_1)
    best = profit.argmax(axis=-1)[..., None]
    return np.take_along_axis(F_1, best, axis=-1)[..., 0], PRESSURES[best[..., 0]]


def _operated(draw: Draw, X_1: Array, T_1: Array, T_200: Array, grades: tuple[float, float] = (35.0, 36.0)) -> Signals:
    """Send the setpoints of the optimum, solved again at every sample for the disturbances measured then.

    Steam comes at the pressure the boiler house allows; a dearer grade is begun one sample before it is due.
    """
    X_min = draw.steps(*grades, hold=(48, 96))
    X_2 = np.maximum(X_min, np.append(X_min[:, 1:], X_min[:, -1:], axis=1)) + BACK_OFF
    P_100 = np.minimum(draw.wander(394.0, 4.0, memory=24.0), 400.0)
    F_1, P_2 = optimum(Disturbance(X_1=X_1, T_1=T_1, T_200=T_200, X_min=X_min), X_2, P_100)
    return Signals(
        references={"AIC-101": X_2, "PIC-103": P_2, "FIC-104": F_1, "PIC-105": P_100},
        disturbances={"X_1": X_1, "T_1": T_1, "T_200": T_200, "X_min": X_min},
    )


def _near(draw: Draw, mean: float, sd: float, memory: float, reach: float) -> Array:
    return np.clip(draw.wander(mean, sd, memory), mean - reach, mean + reach)


def _day(draw: Draw) -> Signals:
    return _operated(
        draw, _near(draw, 5.0, 0.1, 48.0, 0.25), _near(draw, ZERO_C + 40.0, 3.0, 48.0, 8.0),
        _near(draw, ZERO_C + 25.0, 2.0, 72.0, 5.0),
    )  # fmt: skip


def _steps(draw: Draw) -> Signals:
    """Change feed tanks and cooling towers: everything that disturbs steps over its whole published range."""
    return _operated(
        draw, draw.steps(4.75, 5.25, hold=(24, 48)), draw.steps(ZERO_C + 32.0, ZERO_C + 48.0, hold=(24, 48)),
        draw.steps(ZERO_C + 20.0, ZERO_C + 30.0, hold=(24, 48)),
    )  # fmt: skip


def _thin(draw: Draw) -> Signals:
    """Feed so thin, and water so cold, that the cheapest pressure is the lowest allowed."""
    return _operated(
        draw, draw.steps(4.75, 4.85, hold=(24, 48)), _near(draw, ZERO_C + 36.0, 1.0, 48.0, 4.0),
        _near(draw, ZERO_C + 21.0, 0.5, 72.0, 1.0), grades=(35.0, 35.2),
    )  # fmt: skip


LOOPS = (
    Loop(
        tag="AIC-101", pv="X_2", mv="F_2", low=34.0, high=38.0, authority=0.3,
        gains=Gains(K_c=-0.572, T_i=2.413, T_d=0.0267, b=0.3128, disturbance=(("X_1", 0.3738),)),
    ),
    Loop(tag="LIC-102", pv="L_2", mv="F_3", low=0.5, high=1.5, gains=Gains(K_c=-28.0, T_i=8.0)),
    Loop(
        tag="PIC-103", pv="P_2", mv="F_200", low=41.0, high=79.0, authority=8.0,
        gains=Gains(K_c=-40.0, T_i=60.0, b=0.0, disturbance=(("T_200", 3.0),)),
    ),
    Loop(tag="FIC-104", pv="F_1", mv="F_1", low=5.0, high=15.0, authority=1.5, gains=Gains(K_c=0.01, T_i=100.0, setpoint=1.0)),
    Loop(tag="PIC-105", pv="P_100", mv="P_100", low=340.0, high=400.0, gains=Gains(K_c=0.01, T_i=100.0, setpoint=1.0)),
)  # fmt: skip
"""Concentration by product and level by circulation: the circulation does not move the concentration, so neither waits for the
other. Feed flow and steam pressure follow their setpoints at once, by feed-forward. Gains for least cost on tuning episodes of a
day; peak sensitivity 1.34.
"""

BASE = Input(F_2=2.0, F_3=50.0, F_200=208.0, F_1=10.0, P_100=194.7)
"""The book's base case, which makes product of 25 %; the prices came later."""


def _published(at: str, what: str, published: float, ours: float, unit: str, digit: float, remark: str) -> Reproduced:
    source = BOOK if at == "base case" else PAPER
    return Reproduced(
        what=f"{what} at the {at}", published=published, ours=ours, unit=unit, tolerance=digit / abs(published), source=source,
        remark=remark,
    )  # fmt: skip


FLAT = "the optimum is flat: the last printed digit is the solver's"
REPRODUCED = (
    *(
        _published("optimum", what, published, ours, unit, 0.002, FLAT)
        for what, published, ours, unit in (
            ("J", -582.233, -582.2331, "USD/h"), ("F_1", 9.469, 9.4690, "kg/min"), ("F_2", 1.334, 1.3337, "kg/min"),
            ("F_3", 24.721, 24.7212, "kg/min"), ("F_4", 8.135, 8.1353, "kg/min"), ("X_2", 35.5, 35.5, "%"),
            ("P_2", 51.412, 51.4118, "kPa"), ("T_2", 88.400, 88.4001, "degC"), ("T_3", 81.066, 81.0658, "degC"),
            ("F_100", 9.434, 9.4342, "kg/min"), ("P_100", 400.0, 400.0, "kPa"), ("T_100", 151.520, 151.520, "degC"),
            ("Q_100", 345.292, 345.2917, "kW"), ("F_200", 217.738, 217.7391, "kg/min"), ("T_201", 45.550, 45.5495, "degC"),
            ("Q_200", 313.210, 313.2106, "kW"),
        )
    ),
    *(
        _published("base case", what, published, ours, unit, 0.11, "printed to a tenth at most, from rounded inputs")
        for what, published, ours, unit in (
            ("X_2", 25.0, 25.0, "%"), ("P_2", 50.5, 50.505, "kPa"), ("T_2", 84.6, 84.609, "degC"),
            ("T_3", 80.6, 80.606, "degC"), ("T_201", 46.1, 46.154, "degC"), ("F_100", 9.3, 9.268, "kg/min"),
            ("Q_200", 307.9, 308.0, "kW"),
        )
    ),
)  # fmt: skip


PLANT = Plant(
    title="Forced-circulation evaporator",
    State=State,
    Input=Input,
    Disturbance=Disturbance,
    Parameter=Parameter,
    Output=Output,
    derivative=derivative,
    outputs=outputs,
    margins=margins,
    cost=cost,
    measures=measures,
    stock=stock,
    loops=LOOPS,
    duty=Economic(unit="USD", stock="liquor in the separator", rule=RULE, source=PAPER),
    scenarios=(
        Scenario("day", "a day, feed and cooling water wandering", 288, _day),
        Scenario("feed changes", "a day, feed and cooling water in steps", 288, _steps, protocol="disturbance"),
        Scenario("thin feed", "a day of thin feed and cold water, at the lowest pressure", 288, _thin, protocol="boundary"),
    ),
    # run on at the usual rates: the feed shuts slowly, so that without steam and product it would fill the separator
    safe_action={"F_2": 1.3337, "F_3": 24.7214, "F_200": 217.7391, "F_1": 9.469, "P_100": 400.0},
    time_unit="min",
    decision=5.0,
    loop_period=0.5,
    scale=50.0,
    worst=10_000.0,
    limits=(Limit("X_2", "X_min", "low"), Limit("P_2", "P_min", "low"), Limit("P_2", "P_max", "high")),
    leads=(1, 2, 3),
    learning=Learning(horizon=40.0, steps=1_200_000, rollout=64, paired=10.0),
    sources=(BOOK, PAPER, ESCAPE),
    reproduced=REPRODUCED,
)
