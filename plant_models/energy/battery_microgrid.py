"""House with a 4 kW photovoltaic array, a 6.4 kWh battery and a limited grid connection under a time-of-use tariff.

    dE/dt = eta P_charge - P_discharge/eta - k_E E                             energy stored
    dP_m/dt = (P_x - P_m)/tau_m                                                demand meter, on which the grid limit is judged
    P_x   = P_pv - P_l + P_discharge - P_charge - P_cut                        power to the grid
    P_cut = what of that exceeds the feed-in limit                             curtailment
    P_charge    <= P_max (C - E)/(C - E_t) above E_t                           constant voltage near full
    P_discharge <= P_max E/E_e below E_e                                       cut-off near empty
    df/dt = k_t S_sigma + S_d(delta) (P_in + P_out)/(2 delta C) S_sigma(1/2), all times S_T     ageing
    S_d   = 1/(k_1 delta^k_2 + k_3), S_sigma = exp(k_s (sigma - 1/2)), S_T = exp(k_T (T_b - T_r) T_r/T_b)
    L     = 1 - a exp(-b f) - (1 - a) exp(-f)                                  capacity lost

P_in and P_out are powers at the cells, sigma = E/C. Wear costs the battery's price for f_end, at which a fifth is lost.
Assumed: every cycle counts with the depth delta of a daily one (Xu's count of half cycles looks back, a cost cannot); the
battery stands indoors; inverter and meter are immediate. The array's power comes from the weather by PVWatts.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from plant_models.core.duty import Economic, Setback, commanded
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Margin, Measure, Plant, soft
from plant_models.core.quantity import Reproduced, Source, quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.smooth import clamp, positive
from plant_models.core.vector import Expr, Vector
from plant_models.weather import calendar, outlook
from plant_models.weather.cities import Cities

AGEING = Source(
    "Xu, Oudalov, Ulbig, Andersson, Kirschen: Modeling of lithium-ion battery degradation for cell life assessment, IEEE Trans. "
    "Smart Grid 9 (2018) 1131-1140, lithium manganese oxide cells",
    "10.1109/TSG.2016.2578950",
)
PVWATTS = Source("Dobos: PVWatts version 5 manual, NREL/TP-6A20-62641, 2014", "10.2172/1158421")
SAM = Source("NREL's PVWatts version 5 as Pvwattsv5 of PySAM 7.1.1, run on the bundled year with this array in an open rack")
HOUSE = Source(
    "CityLearn 2022 challenge, building 1 (Nweye, Sankaranarayanan, Nagy: The CityLearn challenge 2022, Texas Data Repository "
    "2023): array 4 kW, battery 6.4 kWh and 5 kW, round trip 0.9, load 10 583 kWh a year, prices 0.21 to 0.54 USD/kWh",
    "10.18738/T8/0YLJ6Q",
)
CITYLEARN = Source("CityLearn, its battery's default capacity_power_curve: full power up to 0.8 of the charge, a fifth at full")
OURS = Source("chosen here")
TARIFF = Source("time mean of the tariff below, over a week")


class State(Vector):
    E: Expr = quantity(3.2, "kWh", "energy in the battery", low=0.0, high=6.4, valid=(-0.5, 7.0))
    P_m: Expr = quantity(-0.38009, "kW", "power to the grid, mean of the last minutes", low=-6.0, high=4.0, valid=(-30.0, 30.0))


class Input(Vector):
    P_b: Expr = quantity(
        -9.4446722e-5, "kW", "battery power, discharging positive", low=-5.0, high=5.0, tag="JY-101", source=HOUSE
    )


class Disturbance(Vector):
    P_pv: Expr = quantity(0.82, "kW", "power of the array", low=0.0, high=4.0, tag="JI-103", kind="weather", forecast=True)
    P_l: Expr = quantity(1.2, "kW", "load of the house", low=0.0, high=8.0, tag="JI-104", forecast=True)
    price: Expr = quantity(0.3, "USD/kWh", "price of electricity", low=0.1, high=0.6, kind="price", forecast=True)
    dear: Expr = quantity(0.0, "1", "1 outside the tariff's cheap hours", low=0.0, high=1.0, kind="schedule")


class Parameter(Vector):
    C: Expr = quantity(6.4, "kWh", "capacity", uncertain=0.05, source=HOUSE)
    P_max: Expr = quantity(5.0, "kW", "largest battery power", source=HOUSE)
    eta: Expr = quantity(0.948683, "1", "efficiency each way, round trip 0.9", uncertain=0.02, source=HOUSE)
    k_E: Expr = quantity(2.8e-5, "1/h", "self-discharge, 2 % a month", source=OURS)
    s_t: Expr = quantity(0.8, "1", "charge above which charging slows", source=CITYLEARN)
    s_e: Expr = quantity(0.1, "1", "charge below which discharging slows", source=OURS)
    feed_in: Expr = quantity(0.03, "USD/kWh", "paid for power to the grid", source=OURS)
    x_max: Expr = quantity(2.5, "kW", "feed-in limit, the array is cut above", source=OURS)
    tau_m: Expr = quantity(0.25, "h", "time constant of the demand meter", source=OURS)
    g_max: Expr = quantity(5.0, "kW", "limit of the grid connection", source=OURS)
    w_g: Expr = quantity(1.0, "USD/kWh", "charge for demand above that limit", source=OURS)
    k_t: Expr = quantity(4.14e-10, "1/s", "calendar ageing", source=AGEING)
    hour: Expr = quantity(3600.0, "s/h", "seconds in an hour", source=Source("by definition"))
    k_s: Expr = quantity(1.04, "1", "ageing over charge", source=AGEING)
    s_r: Expr = quantity(0.5, "1", "charge at which ageing is stated", source=AGEING)
    k_T: Expr = quantity(6.93e-2, "1/K", "ageing over temperature", source=AGEING)
    T_r: Expr = quantity(298.15, "K", "temperature at which ageing is stated", source=AGEING)
    T_b: Expr = quantity(298.15, "K", "temperature of the battery", source=OURS)
    k_1: Expr = quantity(1.4e5, "1", "cycles over depth", source=AGEING)
    k_2: Expr = quantity(-0.501, "1", "exponent of the depth", source=AGEING)
    k_3: Expr = quantity(-1.23e5, "1", "cycles less these", source=AGEING)
    depth: Expr = quantity(0.8, "1", "depth at which cycles are counted, a daily one's", source=OURS)
    a: Expr = quantity(0.0575, "1", "share of capacity lost to the first film on the anode", source=AGEING)
    b: Expr = quantity(121.0, "1", "how much faster that film grows", source=AGEING)
    f_end: Expr = quantity(0.163924, "1", "ageing at which a fifth of the capacity is lost", source=AGEING)
    value: Expr = quantity(200.0, "USD/kWh", "price of a new battery", source=OURS)
    price_mean: Expr = quantity(0.26875, "USD/kWh", "mean price, values stored energy", source=TARIFF)


class Output(Vector):
    P_x: Expr = quantity(-0.38009, "kW", "power to the grid", low=-6.0, high=4.0, tag="JI-101", noise=0.01)
    P_d: Expr = quantity(0.0, "kW", "battery power", low=-5.0, high=5.0, tag="JI-102", noise=0.01)
    charge: Expr = quantity(0.5, "1", "state of charge", low=0.0, high=1.0, tag="XI-101", noise=0.005)


def array_power(irradiance: Array, T_o: Array) -> Array:
    """Return the array's power in kW by PVWatts from its plane's irradiance in W/m2 and the outdoor temperature in K.

    Cells of 45 degC nominal operating temperature, -0.47 %/K, system losses 14.08 %, inverter 0.96 and 3.33 kW.
    """
    cells = T_o + (318.15 - 293.15) / 800.0 * irradiance
    direct = 4.0 * irradiance / 1000.0 * (1.0 - 0.0047 * (cells - 298.15)) * (1.0 - SYSTEM_LOSSES)
    return np.asarray(np.clip(0.96 * direct, 0.0, 4.0 / 1.2))


SYSTEM_LOSSES = 0.1408


def battery_power(x: State, u: Input, p: Parameter) -> tuple[Expr, Expr]:
    """Return the power into and out of the battery at its terminals: what is asked, as far as the charge allows."""
    charge = x.E / p.C
    fill = p.P_max * clamp((1.0 - charge) / (1.0 - p.s_t), 0.0, 1.0)
    drain = p.P_max * clamp(charge / p.s_e, 0.0, 1.0)
    asked = clamp(u.P_b, -fill, drain)
    return positive(-asked), positive(asked)


def grid_power(x: State, u: Input, d: Disturbance, p: Parameter) -> tuple[Expr, Expr]:
    """Return power to the grid and power cut from the array."""
    into, out = battery_power(x, u, p)
    offered = d.P_pv - d.P_l + out - into
    cut = positive(offered - p.x_max)
    return offered - cut, cut


def depth_stress(depth: Expr, p: Parameter) -> Expr:
    """Return the ageing by one full cycle of this depth at half charge and the reference temperature."""
    return 1.0 / (p.k_1 * depth**p.k_2 + p.k_3)


def temperature_stress(T: Expr, p: Parameter) -> Expr:
    """Return how much faster the battery ages at a temperature than at the reference."""
    return np.exp(p.k_T * (T - p.T_r) * p.T_r / T)


def lost(f: Expr, p: Parameter) -> Expr:
    """Return the share of capacity lost after this ageing."""
    return 1.0 - p.a * np.exp(-p.b * f) - (1.0 - p.a) * np.exp(-f)


def ageing(x: State, u: Input, p: Parameter) -> Expr:
    """Return df/dt per hour, by calendar and by the energy that passes the cells."""
    into, out = battery_power(x, u, p)
    through = p.eta * into + out / p.eta
    by_calendar = p.k_t * p.hour * np.exp(p.k_s * (x.E / p.C - p.s_r))
    by_cycles = depth_stress(p.depth, p) * through / (2.0 * p.depth * p.C)
    return (by_calendar + by_cycles) * temperature_stress(p.T_b, p)


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the battery's energy balance and the lag of the demand meter."""
    into, out = battery_power(x, u, p)
    to_grid, _ = grid_power(x, u, d, p)
    return State(E=p.eta * into - out / p.eta - p.k_E * x.E, P_m=(to_grid - x.P_m) / p.tau_m)


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the meters and the battery show."""
    into, out = battery_power(x, u, p)
    to_grid, _ = grid_power(x, u, d, p)
    return Output(P_x=to_grid, P_d=out - into, charge=x.E / p.C)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distance to the limit of the grid connection."""
    return {"grid limit": soft(p.g_max + x.P_m)}


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return the bill, the wear of the battery and the charge for drawing above the limit, in USD/h."""
    to_grid, _ = grid_power(x, u, d, p)
    return {
        "electricity": d.price * positive(-to_grid) - p.feed_in * positive(to_grid),
        "wear": p.value * p.C / p.f_end * ageing(x, u, p),
        "grid limit": p.w_g * positive(-x.P_m - p.g_max),
    }


def measures(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Measure]:
    """Return energies and battery life as rates."""
    to_grid, cut = grid_power(x, u, d, p)
    into, out = battery_power(x, u, p)
    return {
        "energy from the grid": Measure(positive(-to_grid), "kWh"),
        "energy to the grid": Measure(positive(to_grid), "kWh"),
        "energy cut": Measure(cut, "kWh"),
        "energy charged": Measure(into, "kWh"),
        "energy discharged": Measure(out, "kWh"),
    }


def stock(x: State, p: Parameter) -> Expr:
    """Return what the stored energy is worth in USD."""
    return p.price_mean * p.eta * x.E


CITIES = Cities(trained=("golden_co", "greensboro_nc", "chicago_il", "tampa_fl"), judged=("san_francisco_ca",))
TILT = 20.0
CHEAP, OFF_PEAK, WEEKEND_PEAK, PEAK = 0.15, 0.25, 0.40, 0.54
CHEAP_BEGINS, PEAK_BEGINS, PEAK_ENDS = 8.0, 16.0, 21.0
"""USD/kWh and hours of the day of a tariff for sunny grids: cheap until the evening peak begins."""
SCHEDULE = (Setback(tag="JIC-101", by="dear", within=(0.5, 1.0), occupied=-0.05, empty=-1.0),)
RULE = (Setback(tag="JIC-101", by="dear", within=(0.5, 1.0), occupied=0.0, empty=-4.0),)
"""Carry the house with the battery outside the cheap hours; in them draw so much from the grid to fill it."""


def tariff(hours: Array, first_weekday: npt.ArrayLike) -> tuple[Array, Array]:
    """Return the price in USD/kWh and 1 outside the cheap hours, by hour of the year."""
    clock = calendar.hour_of_day(hours)
    peak = np.where(calendar.weekday(hours, first_weekday) >= calendar.SATURDAY, WEEKEND_PEAK, PEAK)
    cheap = (clock >= CHEAP_BEGINS) & (clock < PEAK_BEGINS)
    at_peak = (clock >= PEAK_BEGINS) & (clock < PEAK_ENDS)
    return np.where(cheap, CHEAP, np.where(at_peak, peak, OFF_PEAK)), np.where(cheap, 0.0, 1.0)


def usual_load(hours: Array, first_weekday: npt.ArrayLike) -> Array:
    """Return the mean load in kW by hour of the week: two peaks a day, more around noon at weekends."""
    clock = calendar.hour_of_day(hours)
    noon = np.where(calendar.weekday(hours, first_weekday) >= calendar.SATURDAY, 0.7, 0.2)
    bumps = ((7.5, 1.3, 0.7), (13.0, 2.5, noon), (19.5, 2.2, 1.9))
    return np.asarray(0.55 + sum(height * np.exp(-0.5 * ((clock - hour) / width) ** 2) for hour, width, height in bumps))


def _week(draw: Draw, days: tuple[float, float] = (0.0, 358.0)) -> Signals:
    first_day = np.floor(draw.uniform(*days))
    weekday = draw.rng.integers(0, 7, (draw.n, 1))
    hours = 24.0 * first_day[:, None] + draw.period * np.arange(draw.count)
    P_pv, predicted = _array(draw, hours)
    usual, level = usual_load(hours, weekday), draw.uniform(0.8, 1.2)[:, None]
    price, dear = tariff(hours, weekday)
    return Signals(
        references=commanded(SCHEDULE, {"dear": dear}),
        disturbances={
            "P_pv": P_pv, "price": price, "dear": dear,
            "P_l": np.clip(level * usual * np.exp(draw.wander(-0.08, 0.4, memory=3.0)), 0.1, 9.0),
        },
        forecasts={"P_pv": predicted, "P_l": level[:, :, None] * outlook.ahead(usual, draw.leads)},
        initial={"E": draw.uniform(0.6, 5.8)},
    )  # fmt: skip


def _guests(draw: Draw) -> Signals:
    """Add an unannounced load of 1.5 kW for three days."""
    signals = _week(draw)
    days = draw.period / 24.0 * np.arange(draw.count)
    first = np.floor(draw.uniform(0.0, 4.0))[:, None]
    more = np.where((days >= first) & (days < first + 3.0), 1.5, 0.0)
    return replace(signals, disturbances={**signals.disturbances, "P_l": np.clip(signals.disturbances["P_l"] + more, 0.1, 9.0)})


def _weak_grid(draw: Draw) -> Signals:
    """Live behind a connection of 2.5 kW, which the evening load exceeds, in the dark months."""
    return replace(_week(draw, (-60.0, 45.0)), parameters={"g_max": np.full(draw.n, 2.5)})


def _array(draw: Draw, hours: Array) -> tuple[Array, Array]:
    """Return the array's power and its forecast, each episode in one of the split's cities."""
    power, ghi = np.empty(hours.shape), np.empty(hours.shape)
    for here, year, now in CITIES.weather(draw, hours):
        power[here], ghi[here] = array_power(year.on_surface(now, tilt=TILT), now.dry_bulb), now.ghi
    return power, outlook.irradiance(draw.rng, power, ghi, draw.leads, draw.period, "medium")


PLANT = Plant(
    title="Battery microgrid",
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
            tag="JIC-101", pv="P_x", mv="P_b", low=-5.0, high=3.0, authority=2.5,
            gains=Gains(K_c=0.0, T_i=float("inf"), setpoint=1.0, disturbance=(("P_pv", -1.0), ("P_l", 1.0))),
        ),
    ),
    duty=Economic(unit="USD", stock="stored energy", schedule=SCHEDULE, rule=RULE),
    scenarios=(
        Scenario("week", "a week of the year, time-of-use tariff, forecasts with error", 336, _week),
        Scenario("guests", "a week with 1.5 kW more for three days, unannounced", 336, _guests, protocol="disturbance"),
        Scenario("weak grid", "a dark week behind a connection of 2.5 kW", 336, _weak_grid, protocol="boundary"),
    ),
    safe_action={"P_b": 0.0},
    time_unit="h",
    decision=0.5,
    loop_period=1.0 / 12.0,
    scale=0.15,
    worst=15.0,
    limits=(),
    leads=(1, 2, 3, 4, 6, 8, 12, 16, 20, 24),
    learning=Learning(horizon=48.0, steps=2_000_000, rollout=128, spread=0.3, paired=10.0),
    sources=(HOUSE, AGEING, PVWATTS),
    reproduced=(
        *(
            Reproduced(
                what=f"energy of the array over a year, {city}", published=published, ours=ours, unit="kWh", tolerance=0.06,
                source=SAM, kind="program", remark="ours are lower in all five cities: no wind, an isotropic sky",
            )
            for city, published, ours in (
                ("san_francisco_ca", 6118.6, 5774.6), ("golden_co", 5832.7, 5632.4), ("tampa_fl", 5956.3, 5700.9),
                ("chicago_il", 5045.2, 4810.1), ("greensboro_nc", 5438.9, 5237.1),
            )
        ),
        Reproduced(
            what="energy back from a full cycle", published=0.9, ours=0.8995, unit="1", tolerance=1e-3, source=HOUSE,
            kind="check",
            remark="eta is the root of 0.9: only the simulated cycle is checked, of which self-discharge takes the rest",
        ),
    ),
)  # fmt: skip
