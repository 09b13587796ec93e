"""Data hall: a computer-room air conditioner (CRAC) blows into a contained cold aisle, the servers breathe into a hot aisle.

    C_s dT_s/dt = c F V (T_h - T_s) + P_fan - Q_c                               coil and supply air
    C_c dT_c/dt = c [F V (T_s - T_c) + back (T_h - T_c)] + G_f/2 (T_f - T_c)    cold aisle
    C_h dT_h/dt = c [V_it (T_out - T_h) + over (T_c - T_h)] + G_f/2 (T_f - T_h) + UA (T_o - T_h)   hot aisle
    C_m dT_m/dt = P_it - c V_it (T_out - T_in)                                  server metal
    C_f dT_f/dt = G_f/2 (T_c - T_f) + G_f/2 (T_h - T_f)                         floor slab
    T_in  = T_c + r (T_h - T_c),  T_out = T_in + eps (T_m - T_in)               server inlet and outlet
    over - back = F V - (1 - r) V_it                                            what the servers leave or lack
    P_it  = n [P_cpu (k_0 + load + k_T T_in) + P_f f^3] / eta                   EnergyPlus ITE:AirCooled
    V_it  = n V_1 f,   f = v_0 + v_1 load + v_T T_in                            server fans
    P_dx  = Q_max/COP EIR(T_o - (T_s - T_ref)) EIR_F(F) y / PLF(y),  Q_c = y Q_max    EnergyPlus Coil:Cooling:DX

Temperatures in the curves are in degC; c is the heat capacity of a cubic metre of air.
Assumed: dry coil; fan and power-supply losses heat the metal; warmer supply air lowers the lift as much as a colder day.
"""

from dataclasses import replace

import numpy as np

from plant_models.core.building import Building, Carrier
from plant_models.core.duty import Economic, Held
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Measure, Plant, hard, soft, trip
from plant_models.core.quantity import ZERO_C, Reproduced, Source, quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.smooth import clamp, positive
from plant_models.core.vector import Expr, Vector
from plant_models.hvac import _server_load as processors
from plant_models.weather import outlook, tariff
from plant_models.weather.cities import Cities

HALL = Source("EnergyPlus example file 1ZoneDataCenterCRAC_wApproachTemp.idf (NREL/EnergyPlus, testfiles; Liebert DSE 125)")
ITE = Source("OpenStudio SDK, default curves of ElectricEquipment:ITE:AirCooled, for a design inlet of 22.5 degC")
EIR = Source("least squares on the table Liebert Econophase EIR Func T of 1ZoneDataCenterCRAC_wApproachTemp.idf, RMSE 0.028")
METAL = Source(
    "Ibrahim, Shrivastava, Sammakia, Ghose: Thermal mass characterization of a server at different fan speeds, IEEE ITherm 2012: "
    "12 kJ/K for a 2 RU server"
)
ASHRAE = Source("ASHRAE TC 9.9, Thermal Guidelines for Data Processing Environments, 5th ed., 2021, Table 2.1")
GRID = Source("emission of electricity in Belgium as BOPTEST takes it for bestest_hydronic_heat_pump")
AIR = Source("air at 20 degC and 1013 hPa")
OURS = Source("chosen here")
SERVERS = Source("chosen here: as many as fill the CRAC's air flow at 60 % load")
FANS = Source("chosen here: a tenth of the server's power at design, rising with the cube of the flow (affinity law)")
LIMIT = Source("chosen here: servers shut down")


class State(Vector):
    T_s: Expr = quantity(291.202, "K", "supply air temperature", low=281.15, high=301.15, valid=(233.15, 373.15), shown="degC")
    T_c: Expr = quantity(291.7725, "K", "cold aisle temperature", low=286.15, high=306.15, valid=(233.15, 373.15), shown="degC")
    T_h: Expr = quantity(300.5479, "K", "hot aisle temperature", low=293.15, high=323.15, valid=(233.15, 373.15), shown="degC")
    T_m: Expr = quantity(308.6415, "K", "server metal temperature", low=293.15, high=333.15, valid=(233.15, 393.15), shown="degC")
    T_f: Expr = quantity(296.1602, "K", "floor slab temperature", low=288.15, high=308.15, valid=(233.15, 373.15), shown="degC")


class Input(Vector):
    y: Expr = quantity(0.3881, "1", "cooling capacity in use", low=0.0, high=1.0, rate=0.005, tag="CRAC-301", source=OURS)
    F: Expr = quantity(0.5235, "1", "CRAC air flow fraction", low=0.2, high=1.0, rate=0.01, tag="SC-303", source=OURS)


class Disturbance(Vector):
    load: Expr = quantity(0.35, "1", "processor load", low=0.1, high=0.8, tag="JI-304", forecast=True)
    T_o: Expr = quantity(
        288.15, "K", "outdoor temperature", low=258.15, high=308.15, shown="degC", tag="TI-305", kind="weather", forecast=True
    )
    price: Expr = quantity(0.15, "EUR/kWh", "electricity price", low=0.0, high=0.4, kind="price", forecast=True)


class Parameter(Vector):
    n: Expr = quantity(300.0, "1", "servers", source=SERVERS)
    P_cpu: Expr = quantity(450.0, "W", "design power of a server without fans", uncertain=0.05, source=HALL)
    P_f: Expr = quantity(50.0, "W", "design power of a server's fans", uncertain=0.05, source=FANS)
    V_1: Expr = quantity(0.05, "m^3/s", "design air flow of a server", source=HALL)
    k_0: Expr = quantity(-0.035289, "1", "processor power at no load and 0 degC", source=ITE)
    k_T: Expr = quantity(0.0015684, "1/K", "leakage: processor power with the inlet", source=ITE)
    v_0: Expr = quantity(-1.025, "1", "server air flow at no load and 0 degC", source=ITE)
    v_1: Expr = quantity(0.9, "1", "its load term", source=ITE)
    v_T: Expr = quantity(0.05, "1/K", "its inlet temperature term", source=ITE)
    f_min: Expr = quantity(0.3, "1", "idle speed of the server fans", source=OURS)
    f_max: Expr = quantity(1.2, "1", "fastest server fans", source=OURS)
    eta: Expr = quantity(0.9, "1", "efficiency of the uninterruptible supply", source=HALL)
    r: Expr = quantity(0.1, "1", "share of hot air in what the servers breathe", uncertain=0.2, source=HALL)
    eps: Expr = quantity(0.6, "1", "effectiveness of the server as a heat exchanger", uncertain=0.1, source=OURS)
    c: Expr = quantity(1210.0, "J/(m^3 K)", "heat capacity of air", source=AIR)
    C_s: Expr = quantity(4.0e5, "J/K", "heat capacity of coil and ducts", uncertain=0.1, source=OURS)
    C_c: Expr = quantity(6.4e5, "J/K", "heat capacity of the cold aisle, half the hall's air", source=HALL)
    C_h: Expr = quantity(6.4e5, "J/K", "heat capacity of the hot aisle, half the hall's air", source=HALL)
    C_1: Expr = quantity(1.2e4, "J/K", "heat capacity of a server", uncertain=0.1, source=METAL)
    C_f: Expr = quantity(4.42e7, "J/K", "heat capacity of the slab, 232 m2 of 0.10 m concrete", uncertain=0.05, source=HALL)
    G_f: Expr = quantity(1400.0, "W/K", "slab to air, 6 W/(m2 K)", uncertain=0.1, source=OURS)
    UA: Expr = quantity(155.0, "W/K", "hall to outdoors", uncertain=0.1, source=HALL)
    V: Expr = quantity(8.5, "m^3/s", "rated air flow of the CRAC", source=HALL)
    dp_fan: Expr = quantity(486.0, "Pa", "pressure rise of the CRAC's fan", source=HALL)
    eta_fan: Expr = quantity(0.7, "1", "efficiency of the CRAC's fan", uncertain=0.05, source=HALL)
    b_0: Expr = quantity(0.06990146, "1", "fan power against flow", source=HALL)
    b_1: Expr = quantity(1.39500612, "1", "its F term", source=HALL)
    b_2: Expr = quantity(-3.35487336, "1", "its F^2 term", source=HALL)
    b_3: Expr = quantity(2.89232315, "1", "its F^3 term", source=HALL)
    Q_r: Expr = quantity(148300.0, "W", "rated cooling capacity", uncertain=0.05, source=HALL)
    COP: Expr = quantity(4.5669, "1", "rated coefficient of performance", uncertain=0.05, source=HALL)
    q_0: Expr = quantity(0.8, "1", "capacity against flow", source=HALL)
    q_1: Expr = quantity(0.2, "1", "its F term", source=HALL)
    q_T: Expr = quantity(0.0117, "1/K", "loss of capacity above 35 degC outdoors", source=HALL)
    T_q: Expr = quantity(308.15, "K", "where that loss begins", source=HALL)
    e_0: Expr = quantity(0.10025, "1", "energy input ratio at 0 degC outdoors", source=EIR)
    e_1: Expr = quantity(0.021664, "1/K", "its linear term", source=EIR)
    e_2: Expr = quantity(1.2492e-4, "1/K^2", "its square term", source=EIR)
    e_min: Expr = quantity(0.042, "1", "energy input ratio with the pumped economizer alone", source=HALL)
    T_free: Expr = quantity(269.15, "K", "below which the pumped economizer works alone", source=HALL)
    T_ref: Expr = quantity(288.05, "K", "supply air at which the table holds: 29.3 degC less the rated cooling", source=HALL)
    h_0: Expr = quantity(1.156, "1", "energy input ratio against flow", source=HALL)
    h_1: Expr = quantity(-0.1816, "1", "its F term", source=HALL)
    h_2: Expr = quantity(0.0256, "1", "its F^2 term", source=HALL)
    g_0: Expr = quantity(0.85, "1", "part-load fraction at no load", source=HALL)
    g_1: Expr = quantity(0.15, "1", "its part-load term", source=HALL)
    R_p: Expr = quantity(5.0, "Pa s/m^3", "pressure across the containment for each m3/s of surplus", source=OURS)
    T_0: Expr = quantity(273.15, "K", "0 degC, where the curves' temperatures begin", source=Source("by definition"))
    T_cold: Expr = quantity(291.15, "K", "lower end of the recommended inlet, 18 degC", source=ASHRAE)
    T_warm: Expr = quantity(300.15, "K", "upper end of the recommended inlet, 27 degC", source=ASHRAE)
    T_low: Expr = quantity(288.15, "K", "lower end of the allowable inlet of class A1, 15 degC", source=ASHRAE)
    T_high: Expr = quantity(305.15, "K", "upper end of the allowable inlet of class A1, 32 degC", source=ASHRAE)
    T_trip: Expr = quantity(318.15, "K", "inlet at which servers shut down", source=LIMIT)
    w: Expr = quantity(1.0, "EUR/(K h)", "charge for an inlet outside the recommended range", source=OURS)
    price_mean: Expr = quantity(0.15, "EUR/kWh", "mean price, values stored cold", source=OURS)
    COP_mean: Expr = quantity(8.0, "1", "heat per electricity at which stored cold is valued", source=OURS)
    kilo: Expr = quantity(1000.0, "W/kW", "watts in a kilowatt", source=Source("by definition"))
    hour: Expr = quantity(3600.0, "s/h", "seconds in an hour", source=Source("by definition"))


class Output(Vector):
    T_in: Expr = quantity(292.65, "K", "server inlet temperature", low=286.15, high=306.15, shown="degC", tag="TI-301", noise=0.1)
    dp: Expr = quantity(2.0, "Pa", "containment pressure", low=-20.0, high=20.0, tag="PDI-303", noise=0.2)
    T_s: Expr = quantity(291.202, "K", "supply air temperature", low=281.15, high=301.15, shown="degC", tag="TI-302", noise=0.1)
    T_h: Expr = quantity(300.5479, "K", "return air temperature", low=293.15, high=323.15, shown="degC", tag="TI-306", noise=0.1)


def inlet(x: State, p: Parameter) -> Expr:
    """Return the temperature in K of the air that the servers breathe."""
    return x.T_c + p.r * (x.T_h - x.T_c)


def servers(T_in: Expr, load: Expr, p: Parameter) -> tuple[Expr, Expr]:
    """Return the servers' electric power in W and their air flow in m3/s."""
    t = T_in - p.T_0
    f = clamp(p.v_0 + p.v_1 * load + p.v_T * t, p.f_min, p.f_max)
    power = p.P_cpu * positive(p.k_0 + load + p.k_T * t) + p.P_f * f**3
    return p.n * power / p.eta, p.n * p.V_1 * f


def fan(F: Expr, p: Parameter) -> Expr:
    """Return the power in W of the CRAC's fan."""
    return p.dp_fan * p.V / p.eta_fan * (p.b_0 + p.b_1 * F + p.b_2 * F**2 + p.b_3 * F**3)


def energy_input_ratio(T_o: Expr, T_s: Expr, p: Parameter) -> Expr:
    """Return the compressor's power over its rated power at full load."""
    t = T_o - (T_s - p.T_ref)
    warm = clamp(t, p.T_free, t) - p.T_0
    ratio = p.e_0 + p.e_1 * warm + p.e_2 * warm**2
    return clamp(ratio, p.e_min, ratio)


def coil(y: Expr, F: Expr, T_o: Expr, T_s: Expr, p: Parameter) -> tuple[Expr, Expr]:
    """Return electric power and cooling of the direct-expansion coil in W."""
    capacity = p.Q_r * (p.q_0 + p.q_1 * F) * (1.0 - p.q_T * positive(T_o - p.T_q))
    of_flow = p.h_0 + p.h_1 * F + p.h_2 * F**2
    running = y / (p.g_0 + p.g_1 * y)
    return capacity / p.COP * energy_input_ratio(T_o, T_s, p) * of_flow * running, y * capacity


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the heat balances of coil, aisles, metal and slab."""
    T_in = inlet(x, p)
    P_it, V_it = servers(T_in, d.load, p)
    T_out = T_in + p.eps * (x.T_m - T_in)
    _, Q_c = coil(u.y, u.F, d.T_o, x.T_s, p)
    flow, surplus = u.F * p.V, u.F * p.V - (1.0 - p.r) * V_it
    over, back = positive(surplus), positive(-surplus)
    to_cold, to_hot = 0.5 * p.G_f * (x.T_f - x.T_c), 0.5 * p.G_f * (x.T_f - x.T_h)
    return State(
        T_s=(p.c * flow * (x.T_h - x.T_s) + fan(u.F, p) - Q_c) / p.C_s,
        T_c=(p.c * (flow * (x.T_s - x.T_c) + back * (x.T_h - x.T_c)) + to_cold) / p.C_c,
        T_h=(p.c * (V_it * (T_out - x.T_h) + over * (x.T_c - x.T_h)) + to_hot + p.UA * (d.T_o - x.T_h)) / p.C_h,
        T_m=(P_it - p.c * V_it * (T_out - T_in)) / (p.n * p.C_1),
        T_f=-(to_cold + to_hot) / p.C_f,
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the inlet sensors, the containment's pressure gauge and the duct sensors show."""
    T_in = inlet(x, p)
    _, V_it = servers(T_in, d.load, p)
    return Output(T_in=T_in, dp=p.R_p * (u.F * p.V - (1.0 - p.r) * V_it), T_s=x.T_s, T_h=x.T_h)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distances to ASHRAE's recommended and allowable inlets and to the servers' shutdown."""
    T_in = inlet(x, p)
    return {
        "recommended, warm": soft(p.T_warm - T_in),
        "recommended, cold": soft(T_in - p.T_cold),
        "allowable, warm": hard(p.T_high - T_in),
        "allowable, cold": hard(T_in - p.T_low),
        "shutdown": trip(p.T_trip - T_in),
    }


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return cooling, what the servers draw beyond their work, and the charge for a bad inlet, in EUR/h.

    The work itself, a processor's power in proportion to its load, costs the same whatever the air does.
    """
    it, cooling = _power(x, u, d, p)
    work = p.n * p.P_cpu * d.load / p.eta
    return {
        "cooling": d.price * cooling / p.kilo,
        "server fans and leakage": d.price * (it - work) / p.kilo,
        "inlet": p.w * _outside(x, p),
    }


def measures(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Measure]:
    """Return the energy of servers and of cooling, and the time outside the recommended range weighted by its distance."""
    it, cooling = _power(x, u, d, p)
    return {
        "server energy": Measure(it / p.kilo, "kWh"),
        "cooling energy": Measure(cooling / p.kilo, "kWh"),
        "outside recommended": Measure(_outside(x, p), "K h"),
    }


def _power(x: State, u: Input, d: Disturbance, p: Parameter) -> tuple[Expr, Expr]:
    """Return the electric power in W of the servers and of the CRAC."""
    it, _ = servers(inlet(x, p), d.load, p)
    compressor, _ = coil(u.y, u.F, d.T_o, x.T_s, p)
    return it, compressor + fan(u.F, p)


def _outside(x: State, p: Parameter) -> Expr:
    T_in = inlet(x, p)
    return positive(p.T_cold - T_in) + positive(T_in - p.T_warm)


def stock(x: State, p: Parameter) -> Expr:
    """Return the value of the stored cold in EUR, against 0 degC: less the warmer the hall."""
    air = p.C_s * (x.T_s - p.T_0) + p.C_c * (x.T_c - p.T_0) + p.C_h * (x.T_h - p.T_0)
    heat = air + p.n * p.C_1 * (x.T_m - p.T_0) + p.C_f * (x.T_f - p.T_0)
    return -p.price_mean * heat / (p.kilo * p.hour * p.COP_mean)


CITIES = Cities(trained=("sand_point_ak", "greensboro_nc", "golden_co"), judged=("sterling_va",))
MARKET = tariff.DayAhead(grid=0.07, energy=0.08)
"""A business pays less for the grid than a household; chosen here."""
RULE = (Held(tag="TIC-301", value=ZERO_C + 22.5), Held(tag="PDIC-303", value=2.0))
"""The middle of ASHRAE's recommended range, the design inlet of OpenStudio's servers, and a little more air than they draw."""
SUMMER = (165.0, 225.0)


def _days(draw: Draw, season: tuple[float, float] = (0.0, 365.0), more: float = 0.0) -> Signals:
    hours = 24.0 * np.floor(draw.uniform(*season))[:, None] + draw.period / 3600.0 * np.arange(draw.count)
    T_o, seen_T_o = _outdoors(draw, hours)
    usual, unusual = processors.usual(hours, more), processors.unusual(draw.rng, hours.shape)
    weekday = draw.rng.integers(0, 7, (draw.n, 1))
    return Signals(
        references=optimum(usual + unusual, T_o),
        disturbances={
            "load": usual + unusual, "T_o": T_o,
            "price": tariff.day_ahead(draw.rng, hours, weekday[:, 0], MARKET),
        },
        forecasts={"T_o": seen_T_o, "load": processors.expected(usual, unusual, draw.leads)},
        initial=_start(draw),
    )  # fmt: skip


def optimum(load: Array, T_o: Array) -> dict[str, Array]:
    """Return the setpoints of inlet temperature in K and containment pressure in Pa that cost least if all stays as it is.

    Fitted to the minimum of the steady power: a cold inlet, 0.45 K inside the limit for the controller's sake, unless weather and
    load make cooling dear; then as warm as the servers' fans idle. The dearer the cold air, the less of it may mix with hot.
    """
    p = Parameter.nominal()
    idle = (p.f_min - p.v_0 - p.v_1 * load) / p.v_T + p.T_0
    cold, t = p.T_cold + 0.45, T_o - p.T_0
    warmer = np.clip(idle - cold, 0.0, 2.0) * np.clip(t / 15.0, 0.0, 1.0) * np.clip((load - 0.2) / 0.1, 0.0, 1.0)
    return {"TIC-301": cold + warmer, "PDIC-303": np.clip((t + 3.0) / 10.0, 0.0, 3.5)}


def _start(draw: Draw) -> dict[str, Array]:
    T_c = draw.uniform(ZERO_C + 17.5, ZERO_C + 21.0)
    return {"T_s": T_c - 0.5, "T_c": T_c, "T_h": T_c + 8.5, "T_m": T_c + 16.0, "T_f": T_c + draw.uniform(3.0, 5.5)}


def _batches(draw: Draw) -> Signals:
    """Let jobs arrive in batches that nobody announced: the forecast is the load of now."""
    signals = _days(draw)
    load = draw.steps(0.2, 0.6, hold=(4, 24))
    issued = draw.count - max(draw.leads)
    seen = np.repeat(load[:, :issued, None], len(draw.leads), axis=2)
    return replace(
        signals,
        references=optimum(load, signals.disturbances["T_o"]),
        disturbances={**signals.disturbances, "load": load},
        forecasts={**signals.forecasts, "load": seen},
    )


def _degraded(draw: Draw) -> Signals:
    """Run a busy hall in summer on a CRAC that has lost a third of its capacity."""
    return replace(_days(draw, SUMMER, more=0.08), parameters={"Q_r": np.full(draw.n, 0.67 * Parameter.nominal().Q_r)})


def _outdoors(draw: Draw, hours: Array) -> tuple[Array, Array]:
    """Return the outdoor temperature and its forecast, each episode in one of the split's cities."""
    T_o = np.empty(hours.shape)
    for here, _, now in CITIES.weather(draw, hours):
        T_o[here] = now.dry_bulb
    return T_o, outlook.temperature(draw.rng, T_o, draw.leads, draw.period / 3600.0, "medium")


PLANT = Plant(
    title="Data hall",
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
            tag="TIC-301", pv="T_in", mv="y", low=ZERO_C + 16.0, high=ZERO_C + 28.0, authority=3.0,
            gains=Gains(K_c=-0.0674, T_i=1500.0, b=1.0, disturbance=(("load", 1.1),)),
        ),
        Loop(
            tag="PDIC-303", pv="dp", mv="F", low=-8.0, high=8.0, authority=4.0, gains=Gains(K_c=0.00695, T_i=60.0),
        ),
    ),
    duty=Economic(unit="EUR", stock="stored cold", rule=RULE, source=ASHRAE),
    scenarios=(
        Scenario("days", "three days, load in its daily cycle, forecasts with error", 288, _days),
        Scenario("batches", "three days of jobs in batches, unannounced", 288, _batches, protocol="disturbance"),
        Scenario("degraded", "three busy summer days with two thirds of the cooling", 288, _degraded, protocol="boundary"),
    ),
    safe_action={"y": 1.0, "F": 1.0},
    time_unit="s",
    decision=900.0,
    loop_period=60.0,
    scale=0.25,
    worst=20.0,
    limits=(Limit("T_in", "T_cold", "low"), Limit("T_in", "T_warm", "high"), Limit("T_in", "T_high", "high")),
    leads=(1, 2, 4, 8, 12, 16, 24, 32, 40, 48, 64, 80, 96),
    learning=Learning(
        horizon=60.0, steps=1_500_000, parallel=64, rollout=288, spread=0.3, gae=0.99, rate=4e-3, paired=100.0, against="itself",
    ),
    building=Building(
        area=232.26, zones=1, thermal="outside recommended",
        carriers=(
            Carrier(
                measures=("server energy", "cooling energy"), kind="electricity", emission=0.167, source=GRID,
                tariffs={"highly dynamic (synthetic)": "price"},
            ),
        ),
    ),
    sources=(HALL, ITE, METAL, ASHRAE),
    reproduced=(
        Reproduced(
            what="power of a server at full load and its design inlet of 22.5 degC, supply losses apart", published=500.0,
            ours=500.0, unit="W", tolerance=1e-5, source=HALL, remark="the curves are rounded to seven digits",
        ),
        Reproduced(
            what="air flow of a server there", published=0.05, ours=0.05, unit="m^3/s", tolerance=1e-9, source=HALL,
        ),
        Reproduced(
            what="power of the CRAC's fan at rated flow", published=5901.4, ours=5915.34, unit="W", tolerance=0.003, source=HALL,
            remark="rated 486 Pa times 8.5 m3/s over 0.7; the file's fan curve adds up to 1.0024 there",
        ),
        Reproduced(
            what="power of the compressor at rated conditions and 35 degC outdoors", published=32472.8, ours=32846.8, unit="W",
            tolerance=0.03, source=HALL, remark="148.3 kW over 4.5669; the quadratic through the table is 1.2 % high there",
        ),
    ),
)  # fmt: skip
