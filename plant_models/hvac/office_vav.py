"""One floor of a medium office, 1 663 m2 in five zones, on a variable-air-volume system with reheat.

For each zone i, with T_i of its air and light furnishing and T_m,i of its structure:

    C_z dT_i/dt   = m_i c (T_d,i - T_i) + K_m (T_m,i - T_i) + (K_g + K_f) (T_o - T_i)
                    + K_d (T_core - T_i) + q_c A g + (1 - s) A_s I_i                            air
    C_m dT_m,i/dt = K_m (T_i - T_m,i) + K_w (T_o - T_m,i) + q_r A g + s A_s I_i                 structure
    V dC_i/dt     = m_i / rho (C_s - C_i) + V_f (C_o - C_i) + V_d (C_core - C_i) + G n A g      carbon dioxide
    M dw/dt       = m (w_s - w) + rho V_f (w_o - w) + q_l A g / h_fg                            moisture of all the air
    tau dT_s/dt   = T_c - T_s                                                                   air from the coils
    T_mix = T_r + x (T_o - T_r)                                                                 mixed with a share x outdoor air
    T_c   = T_mix + y_h e_h (T_hw - T_mix) - y_c e_c (T_mix - T_chw) + fan's heat               coils: fixed effectiveness
    T_d,i = T_s + y_r,i e_r (T_hw - T_s)                                                        reheat
    w_s   = w_mix, or 0.95 of saturation at the coil's leaving temperature where that is less   dehumidification

One signal z_i runs each box: above 0 it opens the damper from its smallest to its design flow, below 0 it goes to the heating
flow and opens the reheat valve. One signal z runs the air handler: heating valve (-1 to 0), outdoor-air damper (0 to 0.5, while
it is colder outdoors than in the return), cooling valve (0.5 to 1). The fan runs on schedule, its pressure falls with the flow.
Assumed: doors as constant exchange with the core, pressure-independent boxes, water at constant temperatures, no hot water on
warm days, a chiller whose coefficient goes with Carnot's and whose capacity bends smoothly, adiabatic floor and roof.
Geometry, flows, coils and schedules are the case's. K_m (h_m), C_z (C_air), K_d (V_door), K_f (leak) and A_s (SHGC) are usual
numbers chosen here, and kept because the year's heat and cold then come near the case's published series (REPRODUCED).
"""

import numpy as np

from plant_models.core.building import Building
from plant_models.core.curve import fitted
from plant_models.core.duty import Economic
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Measure, Plant, soft
from plant_models.core.quantity import ZERO_C, Reproduced, Source, quantity
from plant_models.core.scenario import Scenario
from plant_models.core.smooth import positive
from plant_models.core.vector import Expr, Vector
from plant_models.hvac._climate import OFFICE as CASE
from plant_models.hvac._climate import electricity, saturation
from plant_models.hvac._office_days import GUIDELINE, RULE, SCHEDULE, ZONES, crowd, day, extreme
from plant_models.hvac._vav import Air, Zone, boxes, within

CO2 = Source("Persily and de Jonge, Carbon dioxide generation rates for building occupants, Indoor Air 27, 2017")
SERIES = Source("sums of the case's sim_heat_cool.csv: QCon_flow of its heat pump, QEva_flow of its chiller, a year at 300 s")
KPIS = Source("ener_tot of the case's baseline control, BOPTEST testing/references/multizone_office_simple_air, constant price")
ROUNDED = "half of the last printed digit"
LAYERS = Source("from the layers of the case's constructions: wall 0.475, double glazing 2.7, 0.1 m of concrete and furniture")
FIT = Source("chosen here, a usual number; kept because the year's heat and cold then come near the case's published series")
OURS = Source("chosen here")
DEFINED = Source("by definition")


def _temperature(meaning: str, nominal: float = 296.65) -> Expr:
    return quantity(nominal, "K", meaning, low=288.15, high=305.15, valid=(243.15, 343.15), shown="degC")


def _co2(meaning: str, nominal: float) -> Expr:
    return quantity(nominal, "ppm", meaning, low=350.0, high=1500.0, valid=(0.0, 2e4))


class State(Vector):
    T_n: Expr = _temperature("north zone temperature")
    T_s: Expr = _temperature("south zone temperature")
    T_e: Expr = _temperature("east zone temperature")
    T_w: Expr = _temperature("west zone temperature")
    T_c: Expr = _temperature("core zone temperature")
    M_n: Expr = _temperature("north structure", 299.43)
    M_s: Expr = _temperature("south structure", 299.43)
    M_e: Expr = _temperature("east structure", 299.52)
    M_w: Expr = _temperature("west structure", 299.52)
    M_c: Expr = _temperature("core structure", 297.68)
    C_n: Expr = _co2("north CO2", 764.1)
    C_s: Expr = _co2("south CO2", 764.1)
    C_e: Expr = _co2("east CO2", 770.1)
    C_w: Expr = _co2("west CO2", 770.1)
    C_c: Expr = _co2("core CO2", 799.5)
    T_sa: Expr = quantity(286.15, "K", "supply air temperature", low=280.15, high=308.15, valid=(223.15, 343.15), shown="degC")
    w: Expr = quantity(0.0092, "1", "humidity ratio of the zones' air", low=0.0, high=0.02, valid=(-0.01, 0.1))


def _signal(nominal: float, zone: str, tag: str) -> Expr:
    return quantity(nominal, "1", f"{zone} box: cooling above, heating below 0", low=-1.0, high=1.0, tag=tag, source=CASE)


class Input(Vector):
    z_n: Expr = _signal(0.4831, "north", "VAV-611")
    z_s: Expr = _signal(0.4831, "south", "VAV-612")
    z_e: Expr = _signal(0.2864, "east", "VAV-613")
    z_w: Expr = _signal(0.4186, "west", "VAV-614")
    z_c: Expr = _signal(0.09, "core", "VAV-615")
    z: Expr = quantity(0.877, "1", "air handler: heating, outdoor air, cooling", low=-1.0, high=1.0, tag="AHU-601", source=CASE)


def _sun(meaning: str, tag: str) -> Expr:
    return quantity(150.0, "W/m^2", f"irradiance on the {meaning} facade", low=0.0, high=900.0, tag=tag, kind="weather")


class Disturbance(Vector):
    T_o: Expr = quantity(
        298.15, "K", "outdoors", low=253.15, high=308.15, shown="degC", tag="TI-603", kind="weather", forecast=True
    )
    w_o: Expr = quantity(0.010, "1", "outdoor humidity ratio", low=0.0, high=0.02, tag="MI-601", kind="weather")
    I_n: Expr = _sun("north", "RI-601")
    I_s: Expr = _sun("south", "RI-602")
    I_e: Expr = _sun("east", "RI-603")
    I_w: Expr = _sun("west", "RI-604")
    g: Expr = quantity(0.9, "1", "share of the design gains", low=0.0, high=1.0, measured=False)
    on: Expr = quantity(1.0, "1", "fan runs", low=0.0, high=1.0, kind="schedule")
    air: Expr = quantity(1.0, "1", "outdoor air is due", low=0.0, high=1.0, kind="schedule", measured=False)
    price: Expr = quantity(0.0711, "USD/kWh", "electricity price", low=0.05, high=0.18, kind="price", forecast=True)
    T_low: Expr = quantity(293.15, "K", "lower comfort limit", low=285.15, high=293.15, kind="limit", forecast=True, shown="degC")
    T_high: Expr = quantity(297.15, "K", "upper limit", low=297.15, high=303.15, kind="limit", measured=False, shown="degC")


class Parameter(Vector):
    A_ns: Expr = quantity(207.58, "m^2", "floor of north and of south zone", source=CASE)
    A_ew: Expr = quantity(131.416, "m^2", "floor of east and of west zone", source=CASE)
    A_c: Expr = quantity(984.672, "m^2", "floor of the core", source=CASE)
    height: Expr = quantity(2.74, "m", "height of the rooms", source=CASE)
    L_ns: Expr = quantity(49.91, "m", "north and south facade", source=CASE)
    L_ew: Expr = quantity(33.27, "m", "east and west facade", source=CASE)
    glazed: Expr = quantity(0.33, "1", "window to wall ratio", source=CASE)
    V_ns: Expr = quantity(0.947948667, "m^3/s", "design flow of north and of south box", source=CASE)
    V_e: Expr = quantity(0.9001996, "m^3/s", "design flow of the east box", source=CASE)
    V_w: Expr = quantity(0.700155244, "m^3/s", "design flow of the west box", source=CASE)
    V_c: Expr = quantity(4.4966688, "m^3/s", "design flow of the core's box", source=CASE)
    V_oa: Expr = quantity(0.8590431, "m^3/s", "outdoor air while occupied", source=CASE)
    diversity: Expr = quantity(0.7, "1", "fan's design flow over the sum of the boxes'", source=CASE)
    f_ns: Expr = quantity(0.1745, "1", "smallest flow of north, south and core box, share of design", source=CASE)
    f_ew: Expr = quantity(0.15, "1", "smallest flow of east and west box, share of design", source=CASE)
    f_heat: Expr = quantity(0.3, "1", "flow of a heating box, share of design", source=CASE)
    z_heat: Expr = quantity(0.1, "1", "signal over which a box goes to its heating flow", source=OURS)
    rho: Expr = quantity(1.2, "kg/m^3", "density of air", source=CASE)
    c: Expr = quantity(1006.0, "J/(kg K)", "heat capacity of air", source=CASE)
    h_fg: Expr = quantity(2.45e6, "J/kg", "heat of evaporation", source=Source("water at 20 degC"))
    q: Expr = quantity(20.0, "W/m^2", "design gains of people, light and equipment", uncertain=0.1, source=CASE)
    convective: Expr = quantity(0.4, "1", "convective share of the gains", source=CASE)
    radiant: Expr = quantity(0.4, "1", "radiant share; the rest is latent", source=CASE)
    people: Expr = quantity(0.05, "1/m^2", "people on the floor at full gains", source=CASE)
    G: Expr = quantity(4.8e-6, "m^3/s", "CO2 from a person", uncertain=0.1, source=CO2)
    C_o: Expr = quantity(400.0, "ppm", "CO2 outdoors", source=CASE)
    million: Expr = quantity(1e6, "ppm", "the whole, in ppm", source=DEFINED)
    C_max: Expr = quantity(894.0, "ppm", "CO2 limit while occupied", source=CASE)
    C_air: Expr = quantity(20.0e3, "J/(m^2 K)", "air, furnishing's surface, per floor area", uncertain=0.1, source=FIT)
    C_floor: Expr = quantity(250.0e3, "J/(m^2 K)", "structure and furniture, per floor area", uncertain=0.1, source=LAYERS)
    h_m: Expr = quantity(7.0, "W/(m^2 K)", "air to structure, per floor area", uncertain=0.1, source=FIT)
    U_wall: Expr = quantity(0.475, "W/(m^2 K)", "opaque wall", uncertain=0.1, source=LAYERS)
    U_win: Expr = quantity(2.7, "W/(m^2 K)", "window with frame", uncertain=0.1, source=LAYERS)
    SHGC: Expr = quantity(0.55, "1", "share of the facade's irradiance that windows pass, angles and frames counted", source=FIT)
    deep: Expr = quantity(0.7, "1", "share of it that the structure takes", source=OURS)
    leak: Expr = quantity(0.2e-3, "m/s", "infiltration per facade area", uncertain=0.2, source=FIT)
    V_door: Expr = quantity(0.5, "m^3/s", "air through the open doors between each perimeter zone and the core", source=FIT)
    tau: Expr = quantity(240.0, "s", "coils, duct and sensor", source=OURS)
    T_hw: Expr = quantity(318.15, "K", "hot water", source=CASE)
    T_lock: Expr = quantity(289.15, "K", "outdoors, above which there is no hot water", source=OURS)
    T_chw: Expr = quantity(279.15, "K", "chilled water", source=CASE)
    e_r: Expr = quantity(20.0 / 33.0, "1", "reheat coil: 12 to 32 degC with water of 45 degC", source=CASE)
    e_h: Expr = quantity(12.7 / 41.0, "1", "heating coil: 4 to 16.7 degC with water of 45 degC", source=CASE)
    e_c: Expr = quantity(0.85, "1", "cooling coil, three times the area that its design load needs", source=CASE)
    y_wet: Expr = quantity(0.05, "1", "cooling valve from which the coil is wet", source=OURS)
    Q_chi: Expr = quantity(100.7e3, "W", "what the chiller can give: 15 kJ/kg of the fan's design flow", source=CASE)
    saturated: Expr = quantity(0.95, "1", "humidity behind a wet coil, share of saturation", source=OURS)
    dw: Expr = quantity(2e-4, "1", "over which condensation begins", source=OURS)
    dp: Expr = quantity(802.0, "Pa", "fan's pressure at its design flow", source=CASE)
    dp_0: Expr = quantity(150.0, "Pa", "of it what the duct keeps at small flow", source=OURS)
    eta: Expr = quantity(0.49, "1", "fan and motor efficiency, 0.7 each", source=CASE)
    carnot: Expr = quantity(0.3, "1", "heat pump's share of the Carnot coefficient", source=CASE)
    COP: Expr = quantity(3.1, "1", "chiller at 35 degC outdoors (York YCAL0033EE)", source=CASE)
    T_rated: Expr = quantity(308.15, "K", "outdoors at the chiller's rating", source=CASE)
    lift: Expr = quantity(10.0, "K", "condenser above outdoors, and the smallest lift", source=OURS)
    w_T: Expr = quantity(1.0, "USD/(K h)", "price of discomfort, each zone", source=OURS)
    w_C: Expr = quantity(0.002, "USD/(ppm h)", "price of stale air, each zone", source=OURS)
    price_mean: Expr = quantity(0.087, "USD/kWh", "mean price, values stored heat", source=CASE)
    COP_mean: Expr = quantity(3.0, "1", "heat or cold per electricity at which stored heat is valued", source=OURS)
    season: Expr = quantity(-1.0, "1", "what stored heat is worth: 1 on a heating day, -1 on a cooling day", source=OURS)
    T_0: Expr = quantity(273.15, "K", "0 degC", source=DEFINED)
    dT: Expr = quantity(1.0, "K", "over which the economizer closes", source=OURS)
    kilo: Expr = quantity(1000.0, "W/kW", "watts in a kilowatt", source=DEFINED)
    hour: Expr = quantity(3600.0, "s/h", "seconds in an hour", source=DEFINED)


def _shown(meaning: str, tag: str) -> Expr:
    return quantity(296.65, "K", meaning, low=288.15, high=305.15, shown="degC", tag=tag, noise=0.05)


class Output(Vector):
    T_n: Expr = _shown("north zone temperature", "TI-611")
    T_s: Expr = _shown("south zone temperature", "TI-612")
    T_e: Expr = _shown("east zone temperature", "TI-613")
    T_w: Expr = _shown("west zone temperature", "TI-614")
    T_c: Expr = _shown("core zone temperature", "TI-615")
    T_sa: Expr = quantity(286.15, "K", "supply air temperature", low=280.15, high=308.15, shown="degC", tag="TI-601", noise=0.05)
    T_ra: Expr = quantity(296.65, "K", "return air temperature", low=288.15, high=305.15, shown="degC", tag="TI-602", noise=0.05)
    C_ra: Expr = quantity(779.2, "ppm", "CO2 of the return air", low=350.0, high=1500.0, tag="AI-601", noise=10.0)


def zones(x: State, u: Input, d: Disturbance, p: Parameter) -> tuple[Zone, ...]:
    """Return north, south, east, west and core."""
    ns, ew, none = p.L_ns * p.height, p.L_ew * p.height, 0.0 * p.A_c
    return (
        Zone(x.T_n, x.M_n, x.C_n, u.z_n, d.I_n, p.A_ns, ns, p.V_ns, p.f_ns, p.V_door),
        Zone(x.T_s, x.M_s, x.C_s, u.z_s, d.I_s, p.A_ns, ns, p.V_ns, p.f_ns, p.V_door),
        Zone(x.T_e, x.M_e, x.C_e, u.z_e, d.I_e, p.A_ew, ew, p.V_e, p.f_ew, p.V_door),
        Zone(x.T_w, x.M_w, x.C_w, u.z_w, d.I_w, p.A_ew, ew, p.V_w, p.f_ew, p.V_door),
        Zone(x.T_c, x.M_c, x.C_c, u.z_c, 0.0 * d.I_n, p.A_c, none, p.V_c, p.f_ns, 0.0 * p.V_door),
    )


def design(p: Parameter) -> Expr:
    """Return the fan's design flow in m3/s."""
    return p.diversity * (2.0 * p.V_ns + p.V_e + p.V_w + p.V_c)


def hot_water(d: Disturbance, p: Parameter) -> Expr:
    """Return 1 while hot water is to be had, 0 on warm days."""
    return within((p.T_lock - d.T_o) / p.dT)


def handler(all_zones: tuple[Zone, ...], x: State, u: Input, d: Disturbance, p: Parameter) -> Air:
    """Return what the air handler does with the return air while the fan runs."""
    flows = [flow for flow, _ in boxes(all_zones, design(p), p)]
    flow = sum(flows[1:], flows[0])
    T_ra = sum((m * zone.T for m, zone in zip(flows[1:], all_zones[1:], strict=True)), flows[0] * all_zones[0].T) / flow
    C_ra = sum((m * zone.C for m, zone in zip(flows[1:], all_zones[1:], strict=True)), flows[0] * all_zones[0].C) / flow
    least = d.air * within(p.rho * p.V_oa / flow)
    free = within(2.0 * u.z) * within((T_ra - d.T_o) / p.dT)
    outdoor = least + (1.0 - least) * free
    T_mix, w_mix = T_ra + outdoor * (d.T_o - T_ra), x.w + outdoor * (d.w_o - x.w)
    y_h, y_c = hot_water(d, p) * within(-u.z), within(2.0 * u.z - 1.0)
    warmed, cooled = y_h * p.e_h * (p.T_hw - T_mix), y_c * p.e_c * positive(T_mix - p.T_chw)
    excess = w_mix - p.saturated * fitted(saturation, (T_mix - cooled - p.T_0, "K"), unit="1")
    condensed = within(y_c / p.y_wet) * p.dw * np.log(1.0 + np.exp(excess / p.dw))
    asked = flow * (p.c * cooled + p.h_fg * condensed)
    met = (1.0 + (asked / p.Q_chi) ** 8) ** (-0.125)
    V = flow / p.rho
    fan = V * (p.dp_0 + (p.dp - p.dp_0) * (V / design(p)) ** 2) / p.eta
    return Air(
        flow=flow, T_ra=T_ra, C_ra=C_ra, C_sa=C_ra + outdoor * (p.C_o - C_ra),
        T_leaving=T_mix + warmed - met * cooled + fan / (flow * p.c), w_sa=w_mix - met * condensed,
        heating=flow * p.c * warmed, cooling=met * asked, fan=fan,
    )  # fmt: skip


def _zone_rates(
    zone: Zone, core: Zone, m: Expr, valve: Expr, C_sa: Expr, x: State, d: Disturbance, p: Parameter
) -> tuple[Expr, Expr, Expr]:
    """Return the rates of a zone's air, structure and CO2 under the flow of its box."""
    discharge = x.T_sa + hot_water(d, p) * valve * p.e_r * (p.T_hw - x.T_sa)
    glass, wall = p.glazed * zone.facade, (1.0 - p.glazed) * zone.facade
    sun, gains, film = p.SHGC * glass * zone.sun, p.q * zone.area * d.g, p.h_m * zone.area
    leak, volume = p.leak * zone.facade, zone.area * p.height
    air = (
        m * p.c * (discharge - zone.T) + film * (zone.M - zone.T) + (p.U_win * glass + p.rho * p.c * leak) * (d.T_o - zone.T)
        + p.rho * p.c * zone.door * (core.T - zone.T) + p.convective * gains + (1.0 - p.deep) * sun
    )  # fmt: skip
    structure = film * (zone.T - zone.M) + p.U_wall * wall * (d.T_o - zone.M) + p.radiant * gains + p.deep * sun
    people = p.million * p.G * p.people * zone.area * d.g
    stale = m / p.rho * (C_sa - zone.C) + leak * (p.C_o - zone.C) + zone.door * (core.C - zone.C) + people
    return air / (p.C_air * zone.area), structure / (p.C_floor * zone.area), stale / volume


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the balances of heat, carbon dioxide and moisture."""
    five = zones(x, u, d, p)
    core, ahu = five[4], handler(five, x, u, d, p)
    supplied = zip(five, boxes(five, design(p), p), strict=True)
    rates = [_zone_rates(zone, core, d.on * flow, valve, ahu.C_sa, x, d, p) for zone, (flow, valve) in supplied]
    door = [p.rho * p.c * zone.door * (zone.T - core.T) / (p.C_air * core.area) for zone in five[:4]]
    mixed = [zone.door * (zone.C - core.C) / (core.area * p.height) for zone in five[:4]]
    floor = 2.0 * p.A_ns + 2.0 * p.A_ew + p.A_c
    leak = p.leak * 2.0 * (p.L_ns + p.L_ew) * p.height
    latent = (1.0 - p.convective - p.radiant) * p.q * floor * d.g / p.h_fg
    moisture = (d.on * ahu.flow * (ahu.w_sa - x.w) + p.rho * leak * (d.w_o - x.w) + latent) / (p.rho * floor * p.height)
    return State.of([
        *(air for air, _, _ in rates[:4]), rates[4][0] + sum(door[1:], door[0]),
        *(structure for _, structure, _ in rates),
        *(stale for _, _, stale in rates[:4]), rates[4][2] + sum(mixed[1:], mixed[0]),
        (ahu.T_leaving - x.T_sa) / p.tau, moisture,
    ])  # fmt: skip


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the thermometers and the CO2 analyser show."""
    ahu = handler(zones(x, u, d, p), x, u, d, p)
    return Output(T_n=x.T_n, T_s=x.T_s, T_e=x.T_e, T_w=x.T_w, T_c=x.T_c, T_sa=x.T_sa, T_ra=ahu.T_ra, C_ra=ahu.C_ra)


def loads(x: State, u: Input, d: Disturbance, p: Parameter) -> tuple[Expr, Expr, Expr]:
    """Return the heat of all hot-water coils, that of the cooling coil, and the fan's power in W."""
    five = zones(x, u, d, p)
    ahu = handler(five, x, u, d, p)
    reheat = [m * p.c * hot_water(d, p) * y * p.e_r * (p.T_hw - x.T_sa) for m, y in boxes(five, design(p), p)]
    return d.on * (ahu.heating + sum(reheat[1:], reheat[0])), d.on * ahu.cooling, d.on * ahu.fan


def power(x: State, u: Input, d: Disturbance, p: Parameter) -> tuple[Expr, Expr, Expr]:
    """Return the electric power of heat pump, chiller and fan in W."""
    heat, cold, fan = loads(x, u, d, p)
    pumped = heat * (p.T_hw - d.T_o) / (p.carnot * p.T_hw)
    chilled = cold * (positive(d.T_o - p.T_chw) + p.lift) / (p.COP * (p.T_rated - p.T_chw + p.lift))
    return pumped, chilled, fan


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distances to comfort in each zone and to stale air."""
    five = zones(x, u, d, p)
    found: dict[str, Margin] = {}
    for name, zone in zip(ZONES, five, strict=True):
        found |= {f"cold {name}": soft(zone.T - d.T_low), f"warm {name}": soft(d.T_high - zone.T)}
        found |= {f"stale {name}": soft(p.C_max - zone.C)}
    return found


def _discomfort(x: State, u: Input, d: Disturbance, p: Parameter) -> tuple[Expr, Expr]:
    """Return kelvins outside the comfort band and ppm above the CO2 limit, summed over the zones."""
    five = zones(x, u, d, p)
    kelvins = [positive(d.T_low - zone.T) + positive(zone.T - d.T_high) for zone in five]
    stale = [positive(zone.C - p.C_max) for zone in five]
    return sum(kelvins[1:], kelvins[0]), sum(stale[1:], stale[0])


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return electricity, discomfort and stale air in USD/h."""
    pumped, chilled, fan = power(x, u, d, p)
    kelvins, stale = _discomfort(x, u, d, p)
    return {"electricity": d.price * (pumped + chilled + fan) / p.kilo, "discomfort": p.w_T * kelvins, "stale air": p.w_C * stale}


def measures(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Measure]:
    """Return heat, cold, electric energy and discomfort as rates."""
    heat, cold, fan = loads(x, u, d, p)
    kelvins, stale = _discomfort(x, u, d, p)
    return {
        "heating": Measure(heat / p.kilo, "kWh"),
        "cooling": Measure(cold / p.kilo, "kWh"),
        "electric energy": Measure(sum(power(x, u, d, p), 0.0 * fan) / p.kilo, "kWh"),
        "discomfort": Measure(kelvins, "K h"),
        "stale air": Measure(stale, "ppm h"),
    }


def stock(x: State, p: Parameter) -> Expr:
    """Return the value of the stored heat in USD, against 0 degC: an asset on a heating day, a debt on a cooling day."""
    areas = (p.A_ns, p.A_ns, p.A_ew, p.A_ew, p.A_c)
    air, structure = (x.T_n, x.T_s, x.T_e, x.T_w, x.T_c), (x.M_n, x.M_s, x.M_e, x.M_w, x.M_c)
    heat = [A * (p.C_air * (T - p.T_0) + p.C_floor * (M - p.T_0)) for A, T, M in zip(areas, air, structure, strict=True)]
    return p.season * p.price_mean * sum(heat[1:], heat[0]) / (p.kilo * p.hour * p.COP_mean)


THERMOSTAT = Gains(K_c=-1.2, T_i=1400.0)
"""SIMC with tau_c 200 s for the zones' fast mode (-3.5 K per unit, 1400 s); the same for all: flow goes with a zone's size."""
SUPPLY = Gains(K_c=-0.025, T_i=240.0)
LOOPS = (
    Loop(tag="TIC-601", pv="T_sa", mv="z", low=ZERO_C + 12.0, high=ZERO_C + 32.0, authority=3.0, gains=SUPPLY),
    *(
        Loop(tag=f"TIC-61{i}", pv=f"T_{zone}", mv=f"z_{zone}", low=291.15, high=299.15, authority=1.5, gains=THERMOSTAT)
        for i, zone in enumerate(ZONES, start=1)
    ),
)

CHOSEN = "h_m, C_air, V_door, leak and SHGC are usual numbers, kept because they come this near; no search was made"
REPRODUCED = (
    Reproduced(what="heat of the year", published=31.96, ours=34.336, unit="MWh", tolerance=0.15, source=SERIES, remark=CHOSEN),
    Reproduced(what="cold of the year", published=85.37, ours=91.459, unit="MWh", tolerance=0.15, source=SERIES, remark=CHOSEN),
    *(
        Reproduced(
            what=f"electricity of the fortnight of the {name} day", published=published, ours=ours, unit="kWh/m^2",
            tolerance=0.15, source=KPIS, remark="no number was chosen by it; our chiller is Carnot's, pumps are left out",
        )
        for name, published, ours in (
            ("peak heat", 1.790, 1.7777), ("typical heat", 1.052, 1.0155), ("peak cool", 2.188, 2.3535),
            ("typical cool", 0.848, 0.9062), ("mixed", 0.312, 0.3211),
        )
    ),
    Reproduced(what="reheat coil, north", published=6.87, ours=6.866, unit="kW", tolerance=1e-3, source=CASE, remark=ROUNDED),
    Reproduced(what="reheat coil, core", published=32.6, ours=32.569, unit="kW", tolerance=1e-3, source=CASE, remark=ROUNDED),
    Reproduced(what="heat pump's size", published=122.0, ours=122.12, unit="kW", tolerance=5e-3, source=CASE, remark=ROUNDED),
)  # fmt: skip

PLANT = Plant(
    title="Office with variable air volume",
    State=State, Input=Input, Disturbance=Disturbance, Parameter=Parameter, Output=Output,
    derivative=derivative, outputs=outputs, margins=margins, cost=cost, measures=measures, stock=stock,
    loops=LOOPS,
    duty=Economic(unit="USD", stock="stored heat", schedule=SCHEDULE, rule=RULE, source=GUIDELINE),
    scenarios=(
        Scenario("day", "a day of the year, time-of-use tariff, forecasts with error", 96, day),
        Scenario("crowd", "a day on which people do not keep to the calendar", 96, crowd, protocol="disturbance"),
        Scenario("extreme", "a day of deep winter, 6 K colder, or of high summer, 4 K hotter", 96, extreme, protocol="boundary"),
    ),
    safe_action={"z_n": 0.0, "z_s": 0.0, "z_e": 0.0, "z_w": 0.0, "z_c": 0.0, "z": 0.5},
    time_unit="s",
    decision=900.0, loop_period=150.0, scale=0.2, worst=60.0,
    limits=(*(Limit(f"T_{zone}", "T_low", "low") for zone in ZONES), *(Limit(f"T_{zone}", "T_high", "high") for zone in ZONES)),
    leads=(1, 2, 4, 8, 12, 16, 24),
    learning=Learning(horizon=24.0, steps=2_000_000, spread=0.3, paired=10.0),
    building=Building(area=1662.66, zones=5, thermal="discomfort", air="stale air", carriers=(electricity("electric energy"),)),
    sources=(CASE,),
    reproduced=REPRODUCED,
)  # fmt: skip
