"""Detached house of 192 m2 with floor heating by a modulating air-to-water heat pump.

    C_z dT_z/dt = UA_zw (T_w - T_z) + UA_zo (T_o - T_z) + UA_zf (T_f - T_z) + UA_zi (T_i - T_z) + A_z I_s + g_o q_occ
    C_w dT_w/dt = UA_zw (T_z - T_w) + UA_wo (T_o - T_w) + A_w I_s
    C_f dT_f/dt = UA_zf (T_z - T_f) + UA_fg (T_g - T_f) + A_f I_s + Q_c
    C_i dT_i/dt = UA_zi (T_z - T_i) + A_i I_s + (1 - g_o) q_occ
    P   = on (P_0 + P_1 y + P_2 y^2 + ... )        compressor power, polynomial in y, T_o and T_ret
    Q_c = on (Q_0 + Q_1 y + Q_2 y^2 + ... )        condenser heat, likewise
    T_ret = T_f + R_c Q_c                          return water

States: zone (operative), envelope, screed, internal mass. I_s falls on a south wall. q_occ is people's heat.
Assumed: the polynomials hold at the edge of their range beyond it; the machine starts smoothly over the first 5 % of y.
"""

from dataclasses import replace

import numpy as np

from plant_models.core.building import Building, Carrier
from plant_models.core.duty import Economic, Setback, commanded
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Measure, Plant, soft
from plant_models.core.quantity import ZERO_C, Reproduced, Source, quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.smooth import clamp, positive, ramp
from plant_models.core.vector import Expr, Vector
from plant_models.weather import calendar, outlook, tariff
from plant_models.weather.cities import Cities

CASE = Source(
    "BOPTEST test case bestest_hydronic_heat_pump: Blum et al., Building optimization testing framework (BOPTEST) for "
    "simulation-based benchmarking of control strategies in buildings, J. Building Performance Simulation 14(5), 2021",
    "10.1080/19401493.2021.1986574",
)
FIT = Source("fitted to 80 days of the BOPTEST emulator bestest_hydronic_heat_pump under random compressor signals")
OURS = Source("chosen here")
EMULATED = (
    "four heat capacities against the detailed emulator; checked on its weather file, which is not shipped: the test runs where "
    "SETPOINT_REFERENCE_DATA names its folder"
)


class State(Vector):
    T_z: Expr = quantity(294.15, "K", "zone temperature", low=291.15, high=297.15, valid=(223.15, 353.15), shown="degC")
    T_w: Expr = quantity(292.2, "K", "envelope temperature", low=278.15, high=303.15, valid=(223.15, 353.15), shown="degC")
    T_f: Expr = quantity(297.1, "K", "screed temperature", low=288.15, high=313.15, valid=(223.15, 373.15), shown="degC")
    T_i: Expr = quantity(294.23, "K", "mass temperature", low=288.15, high=300.15, valid=(223.15, 353.15), shown="degC")


class Input(Vector):
    y: Expr = quantity(0.164, "1", "compressor modulation", low=0.0, high=1.0, tag="HP-201", source=CASE)


class Disturbance(Vector):
    T_o: Expr = quantity(
        278.15, "K", "outdoor temperature", low=258.15, high=298.15, shown="degC", tag="TI-203", kind="weather", forecast=True
    )
    I_s: Expr = quantity(
        60.0, "W/m^2", "irradiance on the south wall", low=0.0, high=900.0, tag="RI-201", kind="weather", forecast=True
    )
    price: Expr = quantity(0.2535, "EUR/kWh", "electricity price", low=0.15, high=0.35, kind="price", forecast=True)
    q_occ: Expr = quantity(365.0, "W", "heat of the people at home", low=0.0, high=365.0, kind="schedule", measured=False)
    T_low: Expr = quantity(294.15, "K", "lower comfort limit", low=288.15, high=294.15, kind="limit", forecast=True, shown="degC")
    T_high: Expr = quantity(
        297.15, "K", "upper comfort limit", low=297.15, high=303.15, kind="limit", measured=False, shown="degC"
    )


class Parameter(Vector):
    C_z: Expr = quantity(5.927e6, "J/K", "heat capacity of the zone", uncertain=0.05, source=FIT)
    C_w: Expr = quantity(1.070e7, "J/K", "heat capacity of the envelope", uncertain=0.05, source=FIT)
    C_f: Expr = quantity(1.154e7, "J/K", "heat capacity of the screed", uncertain=0.05, source=FIT)
    C_i: Expr = quantity(5.605e7, "J/K", "heat capacity of the internal mass", uncertain=0.05, source=FIT)
    UA_zw: Expr = quantity(582.0, "W/K", "zone to envelope", uncertain=0.05, source=FIT)
    UA_wo: Expr = quantity(120.4, "W/K", "envelope to outdoors", uncertain=0.05, source=FIT)
    UA_zo: Expr = quantity(163.0, "W/K", "zone to outdoors (windows, air)", uncertain=0.05, source=FIT)
    UA_zf: Expr = quantity(984.4, "W/K", "screed to zone", uncertain=0.05, source=FIT)
    UA_fg: Expr = quantity(50.0, "W/K", "screed to ground", uncertain=0.05, source=FIT)
    UA_zi: Expr = quantity(1609.0, "W/K", "zone to internal mass", uncertain=0.05, source=FIT)
    A_z: Expr = quantity(7.381, "m^2", "solar aperture of the zone", source=FIT)
    A_w: Expr = quantity(8.354, "m^2", "solar aperture of the envelope", source=FIT)
    A_f: Expr = quantity(5.64, "m^2", "solar aperture of the screed", source=FIT)
    A_i: Expr = quantity(2.03, "m^2", "solar aperture of the internal mass", source=FIT)
    g_o: Expr = quantity(0.981, "1", "share of people's heat that reaches the zone", source=FIT)
    R_c: Expr = quantity(2.244e-4, "K/W", "screed to return water", source=FIT)
    T_g: Expr = quantity(283.15, "K", "ground temperature", source=CASE)
    T_0: Expr = quantity(273.15, "K", "0 degC, where the polynomials' temperatures begin", source=Source("by definition"))
    P_0: Expr = quantity(1095.3, "W", "compressor power", source=FIT)
    P_1: Expr = quantity(1168.6, "W", "its y term", source=FIT)
    P_2: Expr = quantity(-96.39, "W", "its y^2 term", source=FIT)
    P_3: Expr = quantity(0.193, "W/K", "its T_o term", source=FIT)
    P_4: Expr = quantity(38.75, "W/K", "its y T_o term", source=FIT)
    P_5: Expr = quantity(-0.076, "W/K", "its T_ret term", source=FIT)
    P_6: Expr = quantity(27.13, "W/K", "its y T_ret term", source=FIT)
    P_7: Expr = quantity(-1.811, "W/K", "its y^2 T_o term", source=FIT)
    P_8: Expr = quantity(5.640, "W/K", "its y^2 T_ret term", source=FIT)
    Q_0: Expr = quantity(1026.7, "W", "condenser heat", source=FIT)
    Q_1: Expr = quantity(14318.0, "W", "its y term", source=FIT)
    Q_2: Expr = quantity(-2570.3, "W", "its y^2 term", source=FIT)
    Q_3: Expr = quantity(2.664, "W/K", "its T_o term", source=FIT)
    Q_4: Expr = quantity(483.84, "W/K", "its y T_o term", source=FIT)
    Q_5: Expr = quantity(2.912, "W/K", "its T_ret term", source=FIT)
    Q_6: Expr = quantity(-143.56, "W/K", "its y T_ret term", source=FIT)
    Q_7: Expr = quantity(-112.36, "W/K", "its y^2 T_o term", source=FIT)
    Q_8: Expr = quantity(48.17, "W/K", "its y^2 T_ret term", source=FIT)
    P_aux: Expr = quantity(530.7, "W", "fan 510.2 W and pump 20.5 W while running", source=CASE)
    y_on: Expr = quantity(0.05, "1", "modulation at which the machine has fully started", source=OURS)
    T_o_min: Expr = quantity(264.15, "K", "coldest outdoor temperature of the fit", source=FIT)
    T_o_max: Expr = quantity(294.65, "K", "warmest outdoor temperature of the fit", source=FIT)
    T_r_min: Expr = quantity(292.55, "K", "coldest return water of the fit", source=FIT)
    T_r_max: Expr = quantity(310.95, "K", "warmest return water of the fit", source=FIT)
    w: Expr = quantity(0.5, "EUR/(K h)", "price of discomfort", source=OURS)
    price_mean: Expr = quantity(0.2535, "EUR/kWh", "mean price, values stored heat", source=CASE)
    COP: Expr = quantity(2.7, "1", "heat per electricity at which stored heat is valued", source=OURS)
    kilo: Expr = quantity(1000.0, "W/kW", "watts in a kilowatt", source=Source("by definition"))
    hour: Expr = quantity(3600.0, "s/h", "seconds in an hour", source=Source("by definition"))


class Output(Vector):
    T_z: Expr = quantity(294.15, "K", "zone temperature", low=291.15, high=297.15, shown="degC", tag="TI-201", noise=0.05)
    T_ret: Expr = quantity(
        298.15, "K", "return water temperature", low=288.15, high=313.15, shown="degC", tag="TI-202", noise=0.1
    )


def heat_pump(y: Expr, T_o: Expr, T_f: Expr, p: Parameter) -> tuple[Expr, Expr]:
    """Return electric power and condenser heat in W; the return water's dependence on the heat is solved for."""
    t_o = clamp(T_o, p.T_o_min, p.T_o_max) - p.T_0
    t_f = clamp(T_f, p.T_r_min, p.T_r_max) - p.T_0
    on = ramp(y, 0.0 * p.y_on, p.y_on)
    heat = p.Q_0 + p.Q_1 * y + p.Q_2 * y**2 + (p.Q_3 + p.Q_4 * y + p.Q_7 * y**2) * t_o
    slope = p.Q_5 + p.Q_6 * y + p.Q_8 * y**2
    Q_c = on * (heat + slope * t_f) / (1.0 - on * slope * p.R_c)
    t_r = clamp(T_f + p.R_c * Q_c, p.T_r_min, p.T_r_max) - p.T_0
    power = p.P_0 + p.P_1 * y + p.P_2 * y**2 + (p.P_3 + p.P_4 * y + p.P_7 * y**2) * t_o
    return on * (power + (p.P_5 + p.P_6 * y + p.P_8 * y**2) * t_r + p.P_aux), Q_c


def envelope(x: State, Q_c: Expr, d: Disturbance, p: Parameter) -> State:
    """Return the heat balances of the building for a given condenser heat."""
    return State(
        T_z=(
            p.UA_zw * (x.T_w - x.T_z) + p.UA_zo * (d.T_o - x.T_z) + p.UA_zf * (x.T_f - x.T_z)
            + p.UA_zi * (x.T_i - x.T_z) + p.A_z * d.I_s + p.g_o * d.q_occ
        ) / p.C_z,
        T_w=(p.UA_zw * (x.T_z - x.T_w) + p.UA_wo * (d.T_o - x.T_w) + p.A_w * d.I_s) / p.C_w,
        T_f=(p.UA_zf * (x.T_z - x.T_f) + p.UA_fg * (p.T_g - x.T_f) + p.A_f * d.I_s + Q_c) / p.C_f,
        T_i=(p.UA_zi * (x.T_z - x.T_i) + p.A_i * d.I_s + (1.0 - p.g_o) * d.q_occ) / p.C_i,
    )  # fmt: skip


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the heat balances with the heat pump running at its modulation."""
    _, Q_c = heat_pump(u.y, d.T_o, x.T_f, p)
    return envelope(x, Q_c, d, p)


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the room sensor and the return-water sensor show."""
    _, Q_c = heat_pump(u.y, d.T_o, x.T_f, p)
    return Output(T_z=x.T_z, T_ret=x.T_f + p.R_c * Q_c)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distances to the comfort limits."""
    return {"cold": soft(x.T_z - d.T_low), "warm": soft(d.T_high - x.T_z)}


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return electricity and discomfort in EUR/h."""
    power, _ = heat_pump(u.y, d.T_o, x.T_f, p)
    return {"electricity": d.price * power / p.kilo, "discomfort": p.w * _discomfort(x, d)}


def measures(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Measure]:
    """Return electric energy, heat and discomfort as rates."""
    power, Q_c = heat_pump(u.y, d.T_o, x.T_f, p)
    return {
        "electric energy": Measure(power / p.kilo, "kWh"),
        "heat": Measure(Q_c / p.kilo, "kWh"),
        "discomfort": Measure(_discomfort(x, d), "K h"),
    }


def _discomfort(x: State, d: Disturbance) -> Expr:
    return positive(d.T_low - x.T_z) + positive(x.T_z - d.T_high)


def stock(x: State, p: Parameter) -> Expr:
    """Return the value of the stored heat in EUR, against 0 degC."""
    heat = p.C_z * (x.T_z - p.T_0) + p.C_w * (x.T_w - p.T_0) + p.C_f * (x.T_f - p.T_0) + p.C_i * (x.T_i - p.T_0)
    return p.price_mean * heat / (p.kilo * p.hour * p.COP)


CITIES = Cities(trained=("sand_point_ak", "greensboro_nc", "golden_co"), judged=("sterling_va",))
SEASON = (-92.0, 75.0)
"""First and last day on which a week may begin: October to mid-March, counted from 1 January."""
MIDWINTER = (-10.0, 35.0)
FORECAST_LEVEL = "medium"
AT_HOME = (ZERO_C + 20.0, ZERO_C + 22.0)
"""Lower comfort limits while people are at home."""
SCHEDULE = (
    Setback(tag="TIC-201", by="T_low", within=AT_HOME, occupied=ZERO_C + 21.11, empty=ZERO_C + 19.69, lead=18),
)  # fmt: skip
RULE = (Setback(tag="TIC-201", by="T_low", within=AT_HOME, occupied=ZERO_C + 21.0, empty=ZERO_C + 15.0),)


def _week(draw: Draw, season: tuple[float, float] = SEASON) -> Signals:
    first_day = np.floor(draw.uniform(*season))
    weekday = draw.rng.integers(0, 7, (draw.n, 1))
    hours = 24.0 * first_day[:, None] + draw.period / 3600.0 * np.arange(draw.count)
    T_o, I_s, forecasts = _weather(draw, hours)
    T_low, T_high = calendar.comfort_band(hours, weekday)
    T_z = draw.uniform(ZERO_C + 20.0, ZERO_C + 22.5)
    return Signals(
        references=commanded(SCHEDULE, {"T_low": T_low}),
        disturbances={
            "T_o": T_o, "I_s": I_s, "q_occ": calendar.internal_gains(hours, weekday), "T_low": T_low, "T_high": T_high,
            "price": tariff.day_ahead(draw.rng, hours, weekday[:, 0]),
        },
        forecasts=forecasts,
        initial={"T_z": T_z, "T_i": T_z, "T_w": T_z - 0.15 * (T_z - T_o[:, 0]), "T_f": T_z + draw.uniform(1.0, 6.0)},
    )  # fmt: skip


def _frost(draw: Draw) -> Signals:
    """Run near the limit of the heat pump: a mid-winter week in a house that loses a fifth more heat."""
    nominal = Parameter.nominal()
    losses = {name: np.full(draw.n, 1.2 * value) for name, value in (("UA_zo", nominal.UA_zo), ("UA_wo", nominal.UA_wo))}
    return replace(_week(draw, MIDWINTER), parameters=losses)


def _at_home(draw: Draw) -> Signals:
    """Keep everybody at home for three days that the calendar calls empty: heat that no forecast knows of."""
    signals = _week(draw)
    days = draw.period / 86400.0 * np.arange(draw.count)
    first = np.floor(draw.uniform(0.0, 4.0))[:, None]
    home = (days >= first) & (days < first + 3.0)
    gains = np.where(home, 365.0, signals.disturbances["q_occ"])
    return replace(signals, disturbances={**signals.disturbances, "q_occ": gains})


def _weather(draw: Draw, hours: Array) -> tuple[Array, Array, dict[str, Array]]:
    """Return outdoor temperature, wall irradiance and their forecasts, each episode in one of the split's cities."""
    T_o, I_s, ghi = (np.empty(hours.shape) for _ in range(3))
    for here, year, now in CITIES.weather(draw, hours):
        T_o[here], I_s[here], ghi[here] = now.dry_bulb, year.on_surface(now), now.ghi
    step = draw.period / 3600.0
    return (
        T_o,
        I_s,
        {
            "T_o": outlook.temperature(draw.rng, T_o, draw.leads, step, FORECAST_LEVEL),
            "I_s": outlook.irradiance(draw.rng, I_s, ghi, draw.leads, step, FORECAST_LEVEL),
        },
    )


PLANT = Plant(
    title="Heat-pump house",
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
            tag="TIC-201", pv="T_z", mv="y", low=ZERO_C + 15.0, high=ZERO_C + 25.0, authority=2.5,
            gains=Gains(K_c=12.83, T_i=22369.0, T_d=537.4, b=0.9971, setpoint=0.03335),
        ),
    ),
    duty=Economic(unit="EUR", stock="stored heat", schedule=SCHEDULE, rule=RULE),
    scenarios=(
        Scenario("week", "a week of the heating season, day-ahead prices, forecasts with error", 336, _week),
        Scenario("at home", "a week with everybody at home for three days, unannounced", 336, _at_home, protocol="disturbance"),
        Scenario("frost", "a mid-winter week in a house that loses a fifth more heat", 336, _frost, protocol="boundary"),
    ),
    safe_action={"y": 0.0},
    time_unit="s",
    decision=1800.0,
    loop_period=300.0,
    scale=0.15,
    worst=20.0,
    limits=(Limit("T_z", "T_low", "low"), Limit("T_z", "T_high", "high")),
    leads=(1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24),
    learning=Learning(horizon=70.0, steps=2_000_000, rollout=128, spread=0.3),
    building=Building(
        area=192.0, zones=1, thermal="discomfort",
        carriers=(
            Carrier(
                measures=("electric energy",), kind="electricity", emission=0.167, tariffs=tariff.household(), source=CASE,
            ),
        ),
    ),
    sources=(CASE,),
    reproduced=(
        Reproduced(
            what="energy of the peak-heat period under the embedded PI", published=3.478, ours=3.4266, unit="kWh/m^2",
            tolerance=0.03, source=CASE, remark=EMULATED,
        ),
        Reproduced(
            what="its cost at the constant tariff", published=0.8817, ours=0.8686, unit="EUR/m^2",
            tolerance=0.03, source=CASE, remark=EMULATED,
        ),
        Reproduced(
            what="its peak electric power", published=0.01891, ours=0.018487, unit="kW/m^2",
            tolerance=0.03, source=CASE, remark=EMULATED,
        ),
        Reproduced(
            what="RMSE of the zone temperature after a free run of 24 h, 30 unseen days", published=0.104, ours=0.1339, unit="K",
            tolerance=0.45, source=FIT, kind="check",
            remark="the fit's own figure, in no publication, with its emulator's irradiance; ours takes it from DNI, DHI and GHI",
        ),
    ),
)  # fmt: skip
