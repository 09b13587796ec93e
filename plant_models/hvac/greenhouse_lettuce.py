"""Greenhouse with lettuce: pipes heat, vents dry and cool, carbon dioxide feeds; the crop's growth pays for all of it.

    dX_d/dt       = c_ab phi_ph - c_rd X_d 2^(t/10 - 2.5)                             dry weight of the crop
    c_cap dX_c/dt = -phi_ph + c_rc X_d 2^(t/10 - 2.5) + U_c - (U_v + c_l)(X_c - V_c)  carbon dioxide
    c_q   dT/dt   = U_q - (c_qv U_v + c_ou)(T - T_o) + c_rad V_rad                    heat
    c_cap dX_h/dt = phi_tr - (U_v + c_l)(X_h - V_h)                                   water vapour
    phi_ph = (1 - exp(-c_pl X_d)) a b / (a + b),  a = c_ph V_rad,  b = g(t) (X_c - c_G)   photosynthesis
    g      = -c_1 t^2 + c_2 t - c_3                                                   conductance of the leaves
    phi_tr = (1 - exp(-c_pl X_d)) c_tr (c_v1 / (c_R T) exp(c_v2 t / (t + c_v3)) - X_h)   transpiration

All are for a square metre of ground; t is T in degC.
Assumed: one well-mixed air, no condensation, screens or lamps; below 3 and above 42 degC the leaves are closed (g is positive).
"""

from dataclasses import replace

import numpy as np

from plant_models.core.duty import Economic, Held, Setback, commanded
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Measure, Plant, soft, trip
from plant_models.core.quantity import ZERO_C, Reproduced, Source, quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.schedule import Schedule
from plant_models.core.smooth import positive
from plant_models.core.vector import Expr, Vector
from plant_models.weather import outlook
from plant_models.weather.cities import Cities

MODEL = Source(
    "van Henten: Sensitivity analysis of an optimal control problem in greenhouse climate management, Biosystems Engineering "
    "85(3), 2003, 355-364, notation table, as given by Katzin's GreenLight 2.0.5 (van_henten_2003)",
    "10.1016/S1537-5110(03)00068-0",
)
PRICES = Source(
    "van Henten 2003 (see the model) in guilders: 6.35e-9 Hfl/J, 0.42 Hfl/kg and 16 Hfl/kg of dry weight, at 2.20371 Hfl/EUR",
    "10.1016/S1537-5110(03)00068-0",
)
RANGES = Source(
    "Mallick, Airaldi, Dabiri, Sun, De Schutter: Reinforcement learning-based model predictive control for greenhouse climate "
    "control, Smart Agricultural Technology 10, 2025 (code SamuelMallick/mpcrl-greenhouse, greenhouse/model.py)"
)
GREENLIGHT = Source("Katzin: GreenLight 2.0.5, models/van_henten_2003 (Clear BSD licence), run with its set points and weather")
OURS = Source("chosen here")


class State(Vector):
    X_d: Expr = quantity(0.1, "kg/m^2", "dry weight of the crop", low=0.0, high=0.4, valid=(0.0, 3.0))
    X_c: Expr = quantity(1.2e-3, "kg/m^3", "carbon dioxide", low=5.0e-4, high=3.0e-3, valid=(5.2e-5, 2.0e-2))
    T: Expr = quantity(288.15, "K", "air temperature", low=278.15, high=303.15, valid=(243.15, 333.15), shown="degC")
    X_h: Expr = quantity(0.010262, "kg/m^3", "water vapour", low=0.003, high=0.025, valid=(0.0, 0.2))


class Input(Vector):
    U_q: Expr = quantity(64.856, "W/m^2", "heating", low=0.0, high=150.0, rate=0.1, tag="TV-401", source=RANGES)
    U_v: Expr = quantity(4.0718e-4, "m/s", "ventilation", low=0.0, high=7.5e-3, rate=2.5e-5, tag="TV-402", source=RANGES)
    U_c: Expr = quantity(2.3145e-7, "kg/(m^2 s)", "dosing of carbon dioxide", low=0.0, high=1.2e-6, tag="AV-403", source=RANGES)


class Disturbance(Vector):
    V_rad: Expr = quantity(6.9846, "W/m^2", "global irradiance", low=0.0, high=900.0, tag="RI-405", kind="weather", forecast=True)
    T_o: Expr = quantity(
        278.15, "K", "outdoor temperature", low=258.15, high=298.15, shown="degC", tag="TI-406", kind="weather", forecast=True
    )
    V_h: Expr = quantity(0.0055, "kg/m^3", "water vapour outdoors", low=0.0, high=0.02, tag="MI-407", kind="weather")


class Parameter(Vector):
    c_ab: Expr = quantity(0.544, "1", "dry weight from assimilated carbon dioxide", uncertain=0.05, source=MODEL)
    c_rd: Expr = quantity(2.65e-7, "1/s", "maintenance respiration at 25 degC", uncertain=0.05, source=MODEL)
    c_rc: Expr = quantity(4.87e-7, "1/s", "carbon dioxide respired at 25 degC", uncertain=0.05, source=MODEL)
    c_pl: Expr = quantity(53.0, "m^2/kg", "effective canopy surface", uncertain=0.05, source=MODEL)
    c_ph: Expr = quantity(3.55e-9, "kg/J", "light use efficiency", uncertain=0.05, source=MODEL)
    c_1: Expr = quantity(5.11e-6, "m/(s K^2)", "leaf conductance, square term", source=MODEL)
    c_2: Expr = quantity(2.3e-4, "m/(s K)", "its linear term", source=MODEL)
    c_3: Expr = quantity(6.29e-4, "m/s", "its constant", source=MODEL)
    g_min: Expr = quantity(1.0e-6, "m/s", "conductance of closed leaves", source=OURS)
    c_G: Expr = quantity(5.2e-5, "kg/m^3", "compensation point of carbon dioxide", source=MODEL)
    c_cap: Expr = quantity(4.1, "m", "air volume over ground area", source=MODEL)
    c_q: Expr = quantity(3.0e4, "J/(m^2 K)", "heat capacity", uncertain=0.05, source=MODEL)
    c_qv: Expr = quantity(1290.0, "J/(m^3 K)", "heat capacity of air", source=MODEL)
    c_ou: Expr = quantity(6.1, "W/(m^2 K)", "heat loss through the cover", uncertain=0.05, source=MODEL)
    c_rad: Expr = quantity(0.2, "1", "share of the sun that heats the air", uncertain=0.05, source=MODEL)
    c_l: Expr = quantity(7.5e-5, "m/s", "leakage", uncertain=0.05, source=MODEL)
    c_tr: Expr = quantity(3.6e-3, "m/s", "mass transfer from the leaves", uncertain=0.05, source=MODEL)
    c_v1: Expr = quantity(9348.0, "J kg/(m^3 kmol)", "saturation in the leaves", source=MODEL)
    c_v2: Expr = quantity(17.4, "1", "its exponent", source=MODEL)
    c_v3: Expr = quantity(239.0, "K", "its temperature in degC", source=MODEL)
    c_v4: Expr = quantity(10998.0, "J kg/(m^3 kmol)", "saturation in the air", source=MODEL)
    c_R: Expr = quantity(8314.0, "J/(kmol K)", "gas constant", source=MODEL)
    V_c: Expr = quantity(7.2e-4, "kg/m^3", "carbon dioxide outdoors", source=MODEL)
    T_0: Expr = quantity(273.15, "K", "0 degC", source=Source("by definition"))
    T_Q: Expr = quantity(10.0, "K", "warming that doubles respiration", source=MODEL)
    q_ref: Expr = quantity(2.5, "1", "25 degC over that warming", source=MODEL)
    T_min: Expr = quantity(279.65, "K", "least temperature, 6.5 degC", source=MODEL)
    T_max: Expr = quantity(313.15, "K", "greatest temperature, 40 degC", source=MODEL)
    RH_max: Expr = quantity(0.9, "1", "greatest relative humidity", source=MODEL)
    T_frost: Expr = quantity(273.15, "K", "temperature at which the crop is lost", source=OURS)
    A: Expr = quantity(1.0e4, "m^2", "ground area, one hectare", source=OURS)
    e_q: Expr = quantity(2.8815e-9, "EUR/J", "price of heat", source=PRICES)
    e_c: Expr = quantity(0.19059, "EUR/kg", "price of carbon dioxide", source=PRICES)
    e_d: Expr = quantity(7.2605, "EUR/kg", "price of lettuce, by dry weight", source=PRICES)
    w_T: Expr = quantity(5.0, "EUR/(K h)", "charge for each kelvin outside the range", source=OURS)
    w_RH: Expr = quantity(1000.0, "EUR/h", "charge for humidity above its limit", source=OURS)
    hour: Expr = quantity(3600.0, "s/h", "seconds in an hour", source=Source("by definition"))
    kilo: Expr = quantity(1000.0, "W/kW", "watts in a kilowatt", source=Source("by definition"))


class Output(Vector):
    T: Expr = quantity(288.15, "K", "air temperature", low=278.15, high=303.15, shown="degC", tag="TI-401", noise=0.1)
    RH: Expr = quantity(0.8, "1", "relative humidity", low=0.4, high=1.0, tag="MI-404", noise=0.01)
    X_c: Expr = quantity(1.2e-3, "kg/m^3", "carbon dioxide", low=5.0e-4, high=3.0e-3, tag="AI-403", noise=2.0e-5)
    X_d: Expr = quantity(0.1, "kg/m^2", "dry weight of the crop", low=0.0, high=0.4, tag="WI-408", noise=0.002)


def _saturated(c_v: Expr, T: Expr, p: Parameter) -> Expr:
    """Return the vapour in kg/m3 that air at ``T`` in K holds, for the leaves' or the air's ``c_v``."""
    t = T - p.T_0
    return c_v / (p.c_R * T) * np.e ** (p.c_v2 * t / (t + p.c_v3))


def humidity(X_h: Expr, T: Expr, p: Parameter) -> Expr:
    """Return the relative humidity of air with ``X_h`` in kg/m3 at ``T`` in K."""
    return X_h / _saturated(p.c_v4, T, p)


def photosynthesis(x: State, V_rad: Expr, p: Parameter) -> Expr:
    """Return the gross assimilation of carbon dioxide in kg/(m2 s)."""
    t = x.T - p.T_0
    g = -p.c_1 * t**2 + p.c_2 * t - p.c_3
    light = p.c_ph * V_rad
    supply = (p.g_min + positive(g - p.g_min)) * (x.X_c - p.c_G)
    return (1.0 - np.exp(-p.c_pl * x.X_d)) * light * supply / (light + supply)


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the balances of dry weight, carbon dioxide, heat and water vapour."""
    phi_ph = photosynthesis(x, d.V_rad, p)
    warmth = 2.0 ** ((x.T - p.T_0) / p.T_Q - p.q_ref)
    phi_tr = (1.0 - np.exp(-p.c_pl * x.X_d)) * p.c_tr * (_saturated(p.c_v1, x.T, p) - x.X_h)
    air = u.U_v + p.c_l
    return State(
        X_d=p.c_ab * phi_ph - p.c_rd * x.X_d * warmth,
        X_c=(-phi_ph + p.c_rc * x.X_d * warmth + u.U_c - air * (x.X_c - p.V_c)) / p.c_cap,
        T=(u.U_q - (p.c_qv * u.U_v + p.c_ou) * (x.T - d.T_o) + p.c_rad * d.V_rad) / p.c_q,
        X_h=(phi_tr - air * (x.X_h - d.V_h)) / p.c_cap,
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the measuring box in the crop shows, and the weighed samples."""
    return Output(T=x.T, RH=humidity(x.X_h, x.T, p), X_c=x.X_c, X_d=x.X_d)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distances to what the crop bears."""
    return {
        "cold": soft(x.T - p.T_min),
        "hot": soft(p.T_max - x.T),
        "humid": soft(p.RH_max - humidity(x.X_h, x.T, p)),
        "frost": trip(x.T - p.T_frost),
    }


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return heat, carbon dioxide and the charges for a bad climate in EUR/h."""
    outside = positive(p.T_min - x.T) + positive(x.T - p.T_max)
    return {
        "heat": p.e_q * u.U_q * p.A * p.hour,
        "carbon dioxide": p.e_c * u.U_c * p.A * p.hour,
        "temperature": p.w_T * outside,
        "humidity": p.w_RH * positive(humidity(x.X_h, x.T, p) - p.RH_max),
    }


def measures(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Measure]:
    """Return heat, carbon dioxide and growth as rates."""
    growth = derivative(x, u, d, p).X_d
    return {
        "heat": Measure(u.U_q * p.A / p.kilo, "kWh"),
        "carbon dioxide": Measure(u.U_c * p.A * p.hour, "kg"),
        "growth, dry": Measure(growth * p.A * p.hour, "kg"),
    }


def stock(x: State, p: Parameter) -> Expr:
    """Return what the standing crop is worth in EUR."""
    return p.e_d * p.A * x.X_d


CITIES = Cities(trained=("sand_point_ak", "greensboro_nc", "golden_co"), judged=("sterling_va",))
SEASON = (-92.0, 105.0)
"""First and last day on which a week may begin: October to mid-April, counted from 1 January."""
MIDWINTER = (-20.0, 45.0)
SPRING = (75.0, 140.0)
DAYLIGHT = (10.01, 1500.0)
"""Irradiance in W/m2 at which it is day for the climate computer (Mallick et al. 2025)."""
SCHEDULE = (
    Setback(tag="TIC-401", by="V_rad", within=DAYLIGHT, occupied=ZERO_C + 10.0, empty=ZERO_C + 7.0),
    Setback(tag="MIC-404", by="V_rad", within=DAYLIGHT, occupied=0.885, empty=0.935),
    Setback(tag="AIC-403", by="V_rad", within=DAYLIGHT, occupied=2.75e-3, empty=2.0e-3),
)
RULE = (
    Setback(tag="TIC-401", by="V_rad", within=DAYLIGHT, occupied=ZERO_C + 15.0, empty=ZERO_C + 10.0),
    Held(tag="MIC-404", value=0.7),
)
"""The schedule is the best on 48 tuning weeks, found one after the other. The rule heats and vents at published limits,
chosen to be held and not to pay; of carbon dioxide only an upper limit is published. 2.75e-3 kg/m3 is van Henten's."""


def _week(draw: Draw, season: tuple[float, float] = SEASON) -> Signals:
    first_day = np.floor(draw.uniform(*season))
    hours = 24.0 * first_day[:, None] + draw.period / 3600.0 * np.arange(draw.count)
    disturbances, forecasts = _weather(draw, hours)
    T = draw.uniform(ZERO_C + 9.0, ZERO_C + 15.0)
    return Signals(
        references=commanded(SCHEDULE, disturbances),
        disturbances=disturbances,
        forecasts=forecasts,
        initial={
            "X_d": 0.003 * (0.25 / 0.003) ** draw.uniform(0.0, 1.0),
            "X_c": draw.uniform(7.0e-4, 1.0e-3),
            "T": T,
            "X_h": draw.uniform(0.6, 0.85) * _saturated(Parameter.nominal().c_v4, T, Parameter.nominal()),
        },
    )


def _frost(draw: Draw) -> Signals:
    """Run near the limit of the heating: a mid-winter week under a cover that loses a third more heat."""
    return replace(_week(draw, MIDWINTER), parameters={"c_ou": np.full(draw.n, 1.33 * Parameter.nominal().c_ou)})


def _spring(draw: Draw) -> Signals:
    """Let strong sun, which comes and goes with the clouds, work on a full-grown crop that transpires much."""
    signals = _week(draw, SPRING)
    return replace(signals, initial={**signals.initial, "X_d": draw.uniform(0.1, 0.3)})


def _weather(draw: Draw, hours: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the weather and its forecasts, each episode in one of the split's cities."""
    T_o, V_rad, RH = (np.empty(hours.shape) for _ in range(3))
    for here, _, now in CITIES.weather(draw, hours):
        T_o[here], V_rad[here], RH[here] = now.dry_bulb, now.ghi, now.relative_humidity
    p = Parameter.nominal()
    step = draw.period / 3600.0
    return (
        {"T_o": T_o, "V_rad": V_rad, "V_h": RH / 100.0 * _saturated(p.c_v4, T_o, p)},
        {
            "T_o": outlook.temperature(draw.rng, T_o, draw.leads, step, "medium"),
            "V_rad": outlook.irradiance(draw.rng, V_rad, V_rad, draw.leads, step, "medium"),
        },
    )


PLANT = Plant(
    title="Lettuce greenhouse",
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
    loops=(
        Loop(
            tag="TIC-401", pv="T", mv="U_q", low=ZERO_C + 7.0, high=ZERO_C + 25.0, authority=4.0,
            gains=Gains(K_c=29.13, T_i=9049.0, T_d=505.7, b=0.5179, setpoint=3.77),
        ),
        Loop(
            tag="MIC-404", pv="RH", sp_of="TIC-402", low=0.6, high=0.95, authority=0.1,
            gains=Gains(K_c=64.04, T_i=1342.0, T_d=14.0, b=0.04888, setpoint=24.62),
        ),
        Loop(
            tag="TIC-402", pv="T", mv="U_v", low=ZERO_C + 5.0, high=ZERO_C + 24.0,
            gains=Gains(K_c=-2.992e-4, T_i=15580.0, T_d=443.3, b=0.9551, setpoint=-3.328e-4),
            schedule=Schedule(
                variable="T", at=(ZERO_C + 9.5, ZERO_C + 11.0, ZERO_C + 13.0, ZERO_C + 15.0),
                inverse_gain=(4.94, 2.78, 1.56, 1.0), K_c=0.7,
            ),
        ),
        Loop(
            tag="AIC-403", pv="X_c", mv="U_c", low=5.0e-4, high=2.75e-3, authority=8.0e-4,
            gains=Gains(K_c=4.61e-3, T_i=938.5, T_d=83.7, b=0.5875, setpoint=7.023e-5),
        ),
    ),
    duty=Economic(unit="EUR", stock="standing crop", schedule=SCHEDULE, rule=RULE, source=RANGES),
    scenarios=(
        Scenario("week", "a week of the heating season, crop of any age, forecasts with error", 336, _week),
        Scenario("spring", "a week of strong sun and clouds over a full-grown crop", 336, _spring, protocol="disturbance"),
        Scenario("frost", "a mid-winter week under a cover that loses a third more heat", 336, _frost, protocol="boundary"),
    ),
    # enough heat for a dark day that is 20 K colder, vents nearly shut
    safe_action={"U_q": 120.0, "U_v": 1.0e-3, "U_c": 0.0},
    time_unit="s",
    decision=1800.0,
    loop_period=300.0,
    scale=10.0,
    worst=200.0,
    limits=(Limit("T", "T_min", "low"), Limit("T", "T_max", "high"), Limit("RH", "RH_max", "high")),
    leads=(1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48),
    learning=Learning(horizon=48.0, steps=1_500_000, rollout=128, spread=0.3, paired=10.0),
    sources=(MODEL,),
    reproduced=(
        Reproduced(
            what="dry weight after 50 days from 20 October 2009 at Bleiswijk, windows and pipes by GreenLight's rule",
            published=0.101648, ours=0.101648, unit="kg/m^2", tolerance=0.002, source=GREENLIGHT, kind="program",
            remark="its default absolute tolerance of 1e-3 exceeds the states and lets the run diverge: 1e-10 was used",
        ),
    ),
)  # fmt: skip
