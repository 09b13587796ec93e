"""Natural-circulation drum boiler of a 160 MW power plant, with the shrink and swell of its level.

    d/dt (rho_s V_st + rho_w V_wt)               = q_f - q_s                        mass
    d/dt (rho_s u_s V_st + rho_w u_w V_wt + m_t c_m t_s) = Q + q_f h_f - q_s h_s    energy, u = h - p/rho
    e_32 dp/dt + e_33 dalpha_r/dt                = Q - alpha_r h_c q_dc             mass and energy of the risers
    e_42 dp/dt + e_43 dalpha_r/dt + rho_s dV_sd/dt
        = rho_s/T_d (V_0 - V_sd) + (h_f - h_w)/h_c q_f                              steam below the drum's water level
    k q_dc^2 = 2 rho_w A_dc (rho_w - rho_s) g alpha_v V_r                           natural circulation
    alpha_v  = rho_w/(rho_w - rho_s) (1 - ln(1 + eta)/eta)                          steam by volume in the risers
    l        = (V_wt - V_dc - (1 - alpha_v) V_r + V_sd) / A_d - l_0                 drum level
    q_s      = q_d p/p_0                                                            turbine valves, opened by demand
    tau_f dq_f/dt = y_f sqrt((p_fw - p - rho_w g l)/(p_fw - p_0)) - q_f             feedwater valve between header and drum
    tau_Q dQ/dt = w y_Q - Q                                                         burners

with eta = alpha_r (rho_w - rho_s)/rho_s and h_c = h_s - h_w; the first four are the paper's equations in its form
e_ij dx_j/dt, solved here for the derivatives. V_st = V_t - V_wt; the drum's water is V_wt - V_dc - (1 - alpha_v) V_r.
Assumed: saturation everywhere and metal at the saturation temperature; steam quality rises linearly along the risers.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from plant_models.core.curve import fitted
from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Plant, hard, trip
from plant_models.core.quantity import Reproduced, Source, quantity
from plant_models.core.scenario import Draw, Scenario, Signals
from plant_models.core.vector import Expr, Vector

PAPER = Source("Astrom and Bell: Drum-boiler dynamics, Automatica 36 (2000) 363-378", "10.1016/S0005-1098(99)00171-5")
STEADY = Source(
    "MetroscopeModelingLibrary (Modelica), SteamDrum_Astrom_Bell: the paper's plant data and its steady state, calibrated on it"
)
LIBRARY = Source(
    "Modelica Standard Library, Modelica.Fluid.Examples.DrumBoiler (after Franke, Rode, Krueger: On-line optimization of drum "
    "boiler startup, 3rd International Modelica Conference, 2003) with the Modelica Association's reference results"
)
WATER = Source(
    "saturation equations of Wagner and Pruss, J. Phys. Chem. Ref. Data 22 (1993) 783-787 (IAPWS), fitted here by cubics",
    "10.1063/1.555926",
)
OURS = Source("chosen here: usual for a boiler of this size")
SI = Source("by definition")

P_FIT = 8.5
"""Pressure in MPa around which the saturation properties are expanded."""
RHO_S = (45.6116, 6.29611, 0.171981, 0.00796778)
RHO_W = (713.799, -17.0114, 0.20783, -0.0356828)
H_S = (2.75078, -0.0157966, -8.97085e-4, 1.92108e-5)
H_W = (1.34082, 0.0464794, -0.00144074, 1.31297e-4)
T_S = (572.452, 8.32285, -0.400938, 0.0285184)
"""Saturated steam and water in kg/m3, MJ/kg and K; within 2e-4 of the source from 6 to 11 MPa."""
Cubic = tuple[float, float, float, float]


class State(Vector):
    p: Expr = quantity(8.5, "MPa", "drum pressure", low=7.5, high=9.5, valid=(6.0, 11.0))
    V_wt: Expr = quantity(57.2, "m^3", "water in drum, risers and downcomers", low=53.0, high=62.0, valid=(40.0, 75.0))
    alpha_r: Expr = quantity(0.0507298, "1", "steam quality at the risers' outlet", low=0.03, high=0.08, valid=(0.005, 0.3))
    V_sd: Expr = quantity(4.9, "m^3", "steam below the drum's water level", low=3.0, high=8.0, valid=(-3.0, 20.0))
    q_f: Expr = quantity(50.0, "kg/s", "feedwater flow", low=20.0, high=80.0, valid=(-1.0, 150.0))
    Q: Expr = quantity(85.179, "MW", "heat flow to the risers", low=50.0, high=120.0, valid=(-1.0, 250.0))


class Input(Vector):
    y_f: Expr = quantity(
        50.0, "kg/s", "feedwater valve, as flow at nominal pressures", low=0.0, high=80.0, rate=10.0, tag="FV-101", source=OURS
    )
    y_Q: Expr = quantity(85.179, "MW", "fuel valve, as heat", low=20.0, high=150.0, rate=4.0, tag="FV-102", source=OURS)


class Disturbance(Vector):
    q_d: Expr = quantity(50.0, "kg/s", "steam demand at 8.5 MPa", low=35.0, high=65.0, tag="FI-103")
    T_f: Expr = quantity(515.15, "K", "feedwater temperature", low=495.15, high=535.15, shown="degC", tag="TI-101")
    w: Expr = quantity(1.0, "1", "heating value of the fuel against the usual one", low=0.9, high=1.1, measured=False)


class Parameter(Vector):
    V_d: Expr = quantity(40.0, "m^3", "volume of the drum", source=PAPER)
    V_r: Expr = quantity(37.0, "m^3", "volume of the risers", source=PAPER)
    V_dc: Expr = quantity(11.0, "m^3", "volume of the downcomers", source=PAPER)
    A_d: Expr = quantity(20.0, "m^2", "drum's area at the water level", source=PAPER)
    A_dc: Expr = quantity(0.38, "m^2", "flow area of the downcomers", source=STEADY)
    m_t: Expr = quantity(3.0e5, "kg", "metal in all", source=PAPER)
    m_r: Expr = quantity(1.6e5, "kg", "metal of the risers", source=PAPER)
    m_d: Expr = quantity(1.0e5, "kg", "metal of the drum", source=OURS)
    c_m: Expr = quantity(5.5e-4, "MJ/(kg K)", "heat capacity of the metal", source=PAPER)
    k: Expr = quantity(25.0, "1", "friction of the circulation", uncertain=0.1, source=PAPER)
    beta: Expr = quantity(0.3, "1", "steam carried to the drum besides the mean", uncertain=0.1, source=PAPER)
    T_d: Expr = quantity(12.0, "s", "residence time of steam in the drum", uncertain=0.1, source=PAPER)
    V_0: Expr = quantity(7.6394, "m^3", "steam below the level if nothing condensed", source=OURS)
    l_0: Expr = quantity(1.203516, "m", "level that is called zero", source=OURS)
    g: Expr = quantity(9.81, "m/s^2", "gravity", source=SI)
    p_0: Expr = quantity(8.5, "MPa", "pressure at which demand is stated", source=PAPER)
    T_f0: Expr = quantity(515.15, "K", "feedwater temperature where its enthalpy is stated", source=PAPER)
    h_f0: Expr = quantity(1.0472, "MJ/kg", "enthalpy of water of that temperature", source=WATER)
    c_f: Expr = quantity(4.77e-3, "MJ/(kg K)", "its slope", source=WATER)
    p_fw: Expr = quantity(12.0, "MPa", "pressure of the feedwater header", source=OURS)
    mega: Expr = quantity(1.0e6, "Pa/MPa", "pascals in a megapascal", source=SI)
    tau_f: Expr = quantity(4.0, "s", "time constant of the feedwater valve", source=OURS)
    tau_Q: Expr = quantity(10.0, "s", "time constant of fuel and furnace", uncertain=0.1, source=OURS)
    l_max: Expr = quantity(0.1, "m", "alarm limit of the level, either way", source=OURS)
    l_trip: Expr = quantity(0.25, "m", "high-high and low-low level, the boiler trips", source=OURS)
    l_low: Expr = quantity(-0.1, "m", "low alarm limit, for trends", source=OURS)
    p_max: Expr = quantity(9.5, "MPa", "alarm limit of the pressure", source=OURS)
    p_trip: Expr = quantity(10.0, "MPa", "high-high pressure, safety valves", source=OURS)


class Output(Vector):
    l: Expr = quantity(0.0, "m", "drum level", low=-0.2, high=0.2, tag="LI-101", noise=0.002)  # noqa: E741
    p: Expr = quantity(8.5, "MPa", "drum pressure", low=7.5, high=9.5, tag="PI-101", noise=0.004)
    q_f: Expr = quantity(50.0, "kg/s", "feedwater flow", low=20.0, high=80.0, tag="FI-101", noise=0.25)
    Q: Expr = quantity(85.179, "MW", "heat of the fuel", low=50.0, high=120.0, tag="FI-102", noise=0.3)
    q_s: Expr = quantity(50.0, "kg/s", "steam flow", low=30.0, high=70.0, tag="FI-104", noise=0.25)


@dataclass(frozen=True)
class Saturation:
    """Steam (s) and water (w) at saturation and their slopes over pressure."""

    rho_s: Expr
    rho_w: Expr
    h_s: Expr
    h_w: Expr
    drho_s: Expr
    drho_w: Expr
    dh_s: Expr
    dh_w: Expr
    dt_s: Expr


def cubic(c: Cubic, p: Expr) -> Expr:
    """Return a fitted property at a pressure in MPa."""
    z = p - P_FIT
    return c[0] + z * (c[1] + z * (c[2] + z * c[3]))


def slope(c: Cubic, p: Expr) -> Expr:
    """Return a fitted property's derivative over pressure."""
    z = p - P_FIT
    return c[1] + z * (2.0 * c[2] + z * 3.0 * c[3])


def saturation(p: Expr) -> Saturation:
    """Return the properties at a pressure in MPa."""

    def value(c: Cubic, unit: str) -> Expr:
        return fitted(partial(cubic, c), (p, "MPa"), unit=unit)

    def over_p(c: Cubic, unit: str) -> Expr:
        return fitted(partial(slope, c), (p, "MPa"), unit=f"{unit}/MPa")

    return Saturation(
        value(RHO_S, "kg/m^3"), value(RHO_W, "kg/m^3"), value(H_S, "MJ/kg"), value(H_W, "MJ/kg"),
        over_p(RHO_S, "kg/m^3"), over_p(RHO_W, "kg/m^3"), over_p(H_S, "MJ/kg"), over_p(H_W, "MJ/kg"), over_p(T_S, "K"),
    )  # fmt: skip


def risers(alpha_r: Expr, s: Saturation) -> tuple[Expr, Expr, Expr]:
    """Return the steam's share of the risers' volume and its slopes over pressure and over the outlet's quality."""
    apart = s.rho_w - s.rho_s
    eta = alpha_r * apart / s.rho_s
    log = np.log(1.0 + eta)
    over_p = (
        (s.rho_w * s.drho_s - s.rho_s * s.drho_w)
        / apart**2
        * (1.0 + s.rho_w / s.rho_s / (1.0 + eta) - (s.rho_s + s.rho_w) / (eta * s.rho_s) * log)
    )
    over_alpha = s.rho_w / (s.rho_s * eta) * (log / eta - 1.0 / (1.0 + eta))
    return s.rho_w / apart * (1.0 - log / eta), over_p, over_alpha


def circulation(alpha_v: Expr, s: Saturation, p: Parameter) -> Expr:
    """Return the flow through downcomers and risers."""
    return np.sqrt(2.0 * s.rho_w * p.A_dc * (s.rho_w - s.rho_s) * p.g * alpha_v * p.V_r / p.k)


def level(x: State, p: Parameter) -> Expr:
    """Return the drum level against its usual place."""
    alpha_v, _, _ = risers(x.alpha_r, saturation(x.p))
    return (x.V_wt - p.V_dc - (1.0 - alpha_v) * p.V_r + x.V_sd) / p.A_d - p.l_0


def balances(x: State, s: Saturation, q_s: Expr, h_f: Expr, p: Parameter) -> tuple[Expr, Expr]:
    """Return the derivatives of pressure and water volume: mass and energy of the whole, for these properties."""
    V_t = p.V_d + p.V_r + p.V_dc
    V_st = V_t - x.V_wt
    e_11, e_12 = s.rho_w - s.rho_s, V_st * s.drho_s + x.V_wt * s.drho_w
    e_21 = s.rho_w * s.h_w - s.rho_s * s.h_s
    e_22 = (
        x.V_wt * (s.h_w * s.drho_w + s.rho_w * s.dh_w) + V_st * (s.h_s * s.drho_s + s.rho_s * s.dh_s)
        - V_t + p.m_t * p.c_m * s.dt_s
    )  # fmt: skip
    mass, energy = x.q_f - q_s, x.Q + x.q_f * h_f - q_s * s.h_s
    dp = (e_11 * energy - e_21 * mass) / (e_11 * e_22 - e_12 * e_21)
    return dp, (mass - e_12 * dp) / e_11


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the four balances of the boiler and the lags of its valves."""
    s = saturation(x.p)
    h_c, h_f = s.h_s - s.h_w, p.h_f0 + p.c_f * (d.T_f - p.T_f0)
    dp, dV_wt = balances(x, s, d.q_d * x.p / p.p_0, h_f, p)
    alpha_v, over_p, over_alpha = risers(x.alpha_r, s)
    mixed = alpha_v * s.drho_s + (1.0 - alpha_v) * s.drho_w + (s.rho_s - s.rho_w) * over_p
    e_32 = p.V_r * (
        (s.rho_w * s.dh_w - x.alpha_r * h_c * s.drho_w) * (1.0 - alpha_v)
        + ((1.0 - x.alpha_r) * h_c * s.drho_s + s.rho_s * s.dh_s) * alpha_v
        + (s.rho_s + (s.rho_w - s.rho_s) * x.alpha_r) * h_c * over_p - 1.0
    ) + p.m_r * p.c_m * s.dt_s  # fmt: skip
    e_33 = ((1.0 - x.alpha_r) * s.rho_s + x.alpha_r * s.rho_w) * h_c * p.V_r * over_alpha
    dalpha_r = (x.Q - x.alpha_r * h_c * circulation(alpha_v, s, p) - e_32 * dp) / e_33
    V_wd = x.V_wt - p.V_dc - (1.0 - alpha_v) * p.V_r
    e_42 = (
        x.V_sd * s.drho_s
        + (s.rho_s * x.V_sd * s.dh_s + s.rho_w * V_wd * s.dh_w - x.V_sd - V_wd + p.m_d * p.c_m * s.dt_s) / h_c
        + x.alpha_r * (1.0 + p.beta) * p.V_r * mixed
    )  # fmt: skip
    e_43 = x.alpha_r * (1.0 + p.beta) * (s.rho_s - s.rho_w) * p.V_r * over_alpha
    steam = s.rho_s * (p.V_0 - x.V_sd) / p.T_d + (h_f - s.h_w) / h_c * x.q_f
    opposed = p.p_fw - x.p - s.rho_w * p.g * level(x, p) / p.mega
    return State(
        p=dp,
        V_wt=dV_wt,
        alpha_r=dalpha_r,
        V_sd=(steam - e_42 * dp - e_43 * dalpha_r) / s.rho_s,
        q_f=(u.y_f * np.sqrt(opposed / (p.p_fw - p.p_0)) - x.q_f) / p.tau_f,
        Q=(d.w * u.y_Q - x.Q) / p.tau_Q,
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the five transmitters show."""
    return Output(l=level(x, p), p=x.p, q_f=x.q_f, Q=x.Q, q_s=d.q_d * x.p / p.p_0)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distances to the limits of level and pressure."""
    l = level(x, p)  # noqa: E741
    return {
        "high level": hard(p.l_max - l),
        "low level": hard(l - p.l_low),
        "high pressure": hard(p.p_max - x.p),
        "flooded drum": trip(p.l_trip - l),
        "dry drum": trip(l + p.l_trip),
        "safety valve": trip(p.p_trip - x.p),
    }


def _tracking(draw: Draw) -> Signals:
    """Follow pressure and level setpoints while the turbine's demand wanders."""
    return Signals(
        targets={"p": draw.steps(8.2, 8.8, hold=(30, 50)), "l": draw.steps(-0.03, 0.03, hold=(25, 45))},
        disturbances={
            "q_d": draw.wander(50.0, 1.5, memory=12.0),
            "T_f": draw.wander(515.15, 3.0, memory=30.0),
            "w": draw.wander(1.0, 0.01, memory=20.0),
        },
    )


def _disturbed(draw: Draw) -> Signals:
    """Hold level and pressure while the demand steps by up to a fifth and feedwater heaters come and go."""
    return Signals(
        disturbances={
            "q_d": draw.steps(42.0, 58.0, hold=(20, 40)),
            "T_f": draw.steps(505.15, 525.15, hold=(25, 45)),
            "w": draw.steps(0.96, 1.04, hold=(20, 40)),
        },
    )


def _boundary(draw: Draw) -> Signals:
    """Run with the level near its alarm limits, where a swell or a shrink crosses them."""
    side = np.where(draw.rng.random((draw.n, 1)) < 0.5, -1.0, 1.0)
    return Signals(
        targets={"l": side * draw.steps(0.04, 0.08, hold=(20, 40)), "p": draw.steps(8.3, 8.7, hold=(30, 50))},
        disturbances={"q_d": draw.steps(45.0, 55.0, hold=(20, 40)), "w": draw.wander(1.0, 0.01, memory=20.0)},
    )


LOOPS = (
    Loop(
        tag="LIC-101", pv="l", sp_of="FIC-101", low=-0.1, high=0.1, authority=0.03,
        gains=Gains(K_c=350.0, T_i=500.0, T_d=8.0, b=0.95, disturbance=(("q_d", 1.4),)),
    ),
    Loop(
        tag="PIC-101", pv="p", sp_of="FIC-102", low=8.0, high=9.2, authority=0.15,
        gains=Gains(K_c=222.0, T_i=300.0, T_d=17.8, b=0.945, disturbance=(("q_d", 1.25),)),
    ),
    Loop(tag="FIC-101", pv="q_f", mv="y_f", low=0.0, high=80.0, gains=Gains(K_c=1.0, T_i=2.033, T_d=0.79, b=0.294)),
    Loop(tag="FIC-102", pv="Q", mv="y_Q", low=30.0, high=140.0, gains=Gains(K_c=0.4126, T_i=12.41, T_d=2.24, b=0.856)),
)  # fmt: skip
"""Three-element control: the level controller's feedwater setpoint follows the steam demand; so does the fuel's."""

PLANT = Plant(
    title="Drum boiler",
    State=State,
    Input=Input,
    Disturbance=Disturbance,
    Parameter=Parameter,
    Output=Output,
    derivative=derivative,
    outputs=outputs,
    margins=margins,
    loops=LOOPS,
    duty=Tracking(scales={"l": 0.02, "p": 0.1}, moves={"y_f": 2.0, "y_Q": 0.5}),
    scenarios=(
        Scenario("tracking", "pressure and level targets in steps, steam demand wandering", 120, _tracking),
        Scenario("disturbance", "steam demand, feedwater temperature, fuel in steps", 120, _disturbed, protocol="disturbance"),
        Scenario("boundary", "level close to its alarm limits, demand in steps", 120, _boundary, protocol="boundary"),
    ),
    # a little less fire than usual, and the feedwater for it; less fire with as much water would fill the drum
    safe_action={"y_f": 47.5, "y_Q": 79.5},
    time_unit="s",
    decision=10.0,
    loop_period=1.0,
    scale=0.3,
    worst=1200.0,
    limits=(
        Limit("l", "l_max", "high"), Limit("l", "l_low", "low"), Limit("l", "l_trip", "high"),
        Limit("p", "p_max", "high"), Limit("p", "p_trip", "high"),
    ),
    preview=3,
    advance=3,
    learning=Learning(horizon=20.0, steps=2_000_000),
    sources=(PAPER, STEADY, LIBRARY, WATER),
    reproduced=(
        Reproduced(
            what="steam quality at 8.5 MPa and 50.42 kg/s", published=0.051, ours=0.05106, unit="1", tolerance=2e-3,
            source=STEADY, remark="printed with two digits",
        ),
        Reproduced(
            what="circulation at 8.5 MPa and 50.42 kg/s", published=1194.5, ours=1193.5, unit="kg/s", tolerance=2e-3,
            source=STEADY, remark="saturation properties fitted here",
        ),
        Reproduced(
            what="steam condensed by the feedwater at 8.5 MPa and 50.42 kg/s", published=10.5, ours=10.52, unit="kg/s",
            tolerance=5e-3, source=STEADY, remark="printed with three digits",
        ),
        Reproduced(
            what="pressure 5400 s after the start-up from 1 bar, two-state form", published=8.9647825, ours=8.965895, unit="MPa",
            tolerance=2e-4, source=LIBRARY,
            remark="its mass and energy balances are the plant's, fed here with the saturation equations of 1993, there with "
            "IAPWS-IF97; it has no risers, and the start-up leaves the range of the plant's cubics",
        ),
    ),
)  # fmt: skip
