"""Industrial semi-batch polymerization with cooling jacket and external heat exchanger; safe only if it could lose all cooling.

    dm_W/dt  = (1 - w_A) F                                                     water
    dm_A/dt  = w_A F - r_1 - r_2                                               monomer
    dm_P/dt  = r_1 + r_2                                                       polymer
    dm_F/dt  = F                                                               feed charged
    m c_R dT_R/dt = F c_F (T_F - T_R) - UA (T_R - T_S) - f_E c_R (T_R - T_E) + dH r_1       reactor
    m_S c_S dT_S/dt = UA (T_R - T_S) - UA (T_S - T_M)                          steel wall
    m_M c_W dT_M/dt = f_M c_W (T_inM - T_M) + UA (T_S - T_M)                   jacket water
    m_E c_R dT_E/dt = f_E c_R (T_R - T_E) - a (T_E - T_K) + dH r_2             product in the external exchanger
    m_K c_W dT_K/dt = f_K c_W (T_inE - T_K) - a (T_K - T_E)                    its cooling water
    r_i  = k_i m_A m_i / m,  m_1 = m - m_E,  m_2 = m_E                          rates in reactor and exchanger
    k_i  = k_0 exp(-E_a / (R T_i)) (k_U1 (1 - U) + k_U2 U),  U = m_P / (m_A + m_P)
    UA   = A (m_W k_WS + m_A k_AS + m_P k_PS) / m                              falls as polymer forms
    T_ad = T_R + dH m_A / (m c_R)                                              where the batch would end without any cooling

The original carries T_ad as a tenth state, because its solver bounds states only; as an output it is right for any dH.
Assumed: perfect mixing, instruments that see T_ad (calorimetry), a feed pump that loses suction over the vessel's last kilograms.
"""

from dataclasses import replace

import numpy as np

from plant_models.core.duty import Batch, Recipe
from plant_models.core.loop import Gains, Loop, setter
from plant_models.core.plant import Learning, Limit, Margin, Measure, Plant, hard, trip
from plant_models.core.quantity import Reproduced, Source, quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.smooth import positive, ramp
from plant_models.core.vector import Expr, Vector

LUCIA = Source(
    "Lucia, Andersson, Brandt, Diehl, Engell: Handling uncertainty in economic nonlinear model predictive control: a comparative "
    "case study, J. Process Control 24(8), 2014, 1247-1259; numbers as in the example industrial_poly of do-mpc 5.1.2",
)
BATCH = Source("do-mpc documentation, example industrial polymerization reactor: the batch ends at 20 680 kg of polymer")
DO_MPC = Source("do-mpc 5.1.2, example industrial_poly run with exact nominal parameters (n_robust 0, horizon 20, 50 s)")
EXACT = Source("by definition")
OURS = Source("chosen here")


class State(Vector):
    m_W: Expr = quantity(10000.0, "kg", "water", low=9000.0, high=21000.0, valid=(1000.0, 40000.0), source=LUCIA)
    m_A: Expr = quantity(853.0, "kg", "monomer", low=0.0, high=4000.0, valid=(-10.0, 25000.0), source=LUCIA)
    m_P: Expr = quantity(26.5, "kg", "polymer", low=0.0, high=21000.0, valid=(0.0, 25000.0), source=LUCIA)
    m_F: Expr = quantity(300.0, "kg", "feed charged", low=0.0, high=30000.0, valid=(0.0, 40000.0), source=LUCIA)
    T_R: Expr = quantity(
        363.15, "K", "reactor temperature", low=355.15, high=371.15, valid=(280.0, 480.0), shown="degC", source=LUCIA
    )
    T_S: Expr = quantity(
        363.15, "K", "wall temperature", low=333.15, high=373.15, valid=(280.0, 480.0), shown="degC", source=LUCIA
    )
    T_M: Expr = quantity(
        363.15, "K", "jacket temperature", low=333.15, high=373.15, valid=(280.0, 480.0), shown="degC", source=LUCIA
    )
    T_E: Expr = quantity(
        308.15,
        "K",
        "product in the exchanger",
        low=308.15,
        high=373.15,
        valid=(280.0, 480.0),
        shown="degC",
        source=LUCIA,
    )
    T_K: Expr = quantity(
        308.15, "K", "water in the exchanger", low=308.15, high=373.15, valid=(280.0, 480.0), shown="degC",
        source=LUCIA,
    )  # fmt: skip


class Input(Vector):
    F: Expr = quantity(8000.0, "kg/h", "feed", low=0.0, high=3.0e4, rate=1.8e6, tag="FV-301", source=LUCIA)
    T_inM: Expr = quantity(
        363.15, "K", "water to the jacket", low=333.15, high=373.15, rate=3600.0, shown="degC", tag="TV-302", source=LUCIA
    )
    T_inE: Expr = quantity(
        353.15, "K", "water to the exchanger", low=333.15, high=373.15, rate=3600.0, shown="degC", tag="TV-303", source=LUCIA
    )


class Disturbance(Vector):
    T_F: Expr = quantity(298.15, "K", "feed temperature", low=283.15, high=313.15, shown="degC", tag="TI-304", source=LUCIA)
    clean: Expr = quantity(1.0, "1", "jacket's heat transfer, share of clean", low=0.6, high=1.1, measured=False, source=OURS)


class Parameter(Vector):
    k_0: Expr = quantity(7.0, "1/h", "reaction rate", uncertain=0.3, source=LUCIA)
    dH: Expr = quantity(950.0, "kJ/kg", "heat of reaction", uncertain=0.3, source=LUCIA)
    w_A: Expr = quantity(0.667, "1", "monomer in the feed, the rest is water", source=LUCIA)
    E_a: Expr = quantity(8500.0, "J/mol", "activation energy", source=LUCIA)
    R: Expr = quantity(8.314, "J/(mol K)", "gas constant", source=LUCIA)
    k_U1: Expr = quantity(4.0, "1", "reaction parameter of monomer", source=LUCIA)
    k_U2: Expr = quantity(32.0, "1", "reaction parameter of polymer", source=LUCIA)
    A: Expr = quantity(65.0, "m^2", "jacket area", source=LUCIA)
    k_WS: Expr = quantity(17280.0, "kJ/(h m^2 K)", "heat transfer, water to steel", source=LUCIA)
    k_AS: Expr = quantity(3600.0, "kJ/(h m^2 K)", "heat transfer, monomer to steel", source=LUCIA)
    k_PS: Expr = quantity(360.0, "kJ/(h m^2 K)", "heat transfer, polymer to steel", source=LUCIA)
    a: Expr = quantity(3.6e6, "kJ/(h K)", "heat transfer of the external exchanger", source=LUCIA)
    c_R: Expr = quantity(5.0, "kJ/(kg K)", "heat capacity of the reactor's content", source=LUCIA)
    c_F: Expr = quantity(3.0, "kJ/(kg K)", "heat capacity of the feed", source=LUCIA)
    c_W: Expr = quantity(4.2, "kJ/(kg K)", "heat capacity of cooling water", source=LUCIA)
    c_S: Expr = quantity(0.47, "kJ/(kg K)", "heat capacity of steel", source=LUCIA)
    m_S: Expr = quantity(39000.0, "kg", "steel of the reactor", source=LUCIA)
    m_M: Expr = quantity(5000.0, "kg", "water in the jacket", source=LUCIA)
    f_M: Expr = quantity(3.0e5, "kg/h", "water through the jacket", source=LUCIA)
    m_E: Expr = quantity(200.0, "kg", "product in the external exchanger", source=LUCIA)
    f_E: Expr = quantity(2.0e4, "kg/h", "product through the external exchanger", source=LUCIA)
    m_K: Expr = quantity(1000.0, "kg", "water in the external exchanger", source=LUCIA)
    f_K: Expr = quantity(1.0e5, "kg/h", "water through the external exchanger", source=LUCIA)
    m_feed: Expr = quantity(30000.0, "kg", "feed in the vessel before the batch", source=LUCIA)
    m_heel: Expr = quantity(50.0, "kg", "last feed, over which the pump loses suction", source=OURS)
    m_end: Expr = quantity(20680.0, "kg", "polymer at which the batch is finished", source=BATCH)
    T_low: Expr = quantity(361.15, "K", "lower limit of the reactor temperature", source=LUCIA)
    T_high: Expr = quantity(365.15, "K", "upper limit of the reactor temperature", source=LUCIA)
    T_trip: Expr = quantity(373.15, "K", "high-high reactor temperature trip", source=OURS)
    T_ad_high: Expr = quantity(382.15, "K", "upper limit of the adiabatic temperature", source=LUCIA)
    T_ad_trip: Expr = quantity(393.15, "K", "high-high adiabatic temperature trip", source=OURS)
    c_time: Expr = quantity(5000.0, "kg/h", "charge for reactor time", source=OURS)
    c_window: Expr = quantity(1000.0, "kg/(h K)", "charge for leaving the temperature window", source=OURS)
    c_ad: Expr = quantity(3000.0, "kg/(h K)", "charge for exceeding the adiabatic limit", source=OURS)


class Output(Vector):
    T_R: Expr = quantity(363.15, "K", "reactor temperature", low=355.15, high=371.15, shown="degC", tag="TI-301", noise=0.05)
    T_ad: Expr = quantity(378.05, "K", "adiabatic temperature", low=363.15, high=385.15, shown="degC", tag="TY-305", noise=0.1)
    T_M: Expr = quantity(363.15, "K", "jacket temperature", low=333.15, high=373.15, shown="degC", tag="TI-306", noise=0.1)
    T_inM: Expr = quantity(363.15, "K", "water to the jacket", low=333.15, high=373.15, shown="degC", tag="TI-302", noise=0.05)
    T_E: Expr = quantity(
        355.15, "K", "product from the exchanger", low=308.15, high=373.15, shown="degC", tag="TI-303", noise=0.1
    )
    F: Expr = quantity(8000.0, "kg/h", "feed", low=0.0, high=3.0e4, tag="FI-301", noise=30.0)
    m_F: Expr = quantity(300.0, "kg", "feed charged", low=0.0, high=30000.0, tag="FQI-301", noise=10.0)
    m_P: Expr = quantity(26.5, "kg", "polymer, from the heat removed", low=0.0, high=21000.0, tag="QY-301", noise=50.0)


def feed(x: State, u: Input, p: Parameter) -> Expr:
    """Return the flow that really leaves the feed vessel."""
    return u.F * ramp((p.m_feed - x.m_F) / p.m_heel, 0.0, 1.0)


def reactions(x: State, p: Parameter) -> tuple[Expr, Expr]:
    """Return the polymerization rates in the reactor and in the external exchanger, in kg/h."""
    m = x.m_W + x.m_A + x.m_P
    U = x.m_P / (x.m_A + x.m_P)
    rate = p.k_0 * (p.k_U1 * (1.0 - U) + p.k_U2 * U) * x.m_A / m
    return (
        rate * np.exp(-p.E_a / (p.R * x.T_R)) * (m - p.m_E),
        rate * np.exp(-p.E_a / (p.R * x.T_E)) * p.m_E,
    )


def adiabatic_temperature(x: State, p: Parameter) -> Expr:
    """Return the temperature in K that the content would reach if all its monomer reacted without cooling."""
    return x.T_R + p.dH * x.m_A / ((x.m_W + x.m_A + x.m_P) * p.c_R)


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the mass and heat balances."""
    F = feed(x, u, p)
    r_1, r_2 = reactions(x, p)
    m = x.m_W + x.m_A + x.m_P
    UA = d.clean * p.A * (x.m_W * p.k_WS + x.m_A * p.k_AS + x.m_P * p.k_PS) / m
    circulated = p.f_E * p.c_R * (x.T_R - x.T_E)
    exchanged = p.a * (x.T_E - x.T_K)
    return State(
        m_W=(1.0 - p.w_A) * F,
        m_A=p.w_A * F - r_1 - r_2,
        m_P=r_1 + r_2,
        m_F=F,
        T_R=(F * p.c_F * (d.T_F - x.T_R) - UA * (x.T_R - x.T_S) - circulated + p.dH * r_1) / (m * p.c_R),
        T_S=(UA * (x.T_R - x.T_S) - UA * (x.T_S - x.T_M)) / (p.m_S * p.c_S),
        T_M=(p.f_M * p.c_W * (u.T_inM - x.T_M) + UA * (x.T_S - x.T_M)) / (p.m_M * p.c_W),
        T_E=(circulated - exchanged + p.dH * r_2) / (p.m_E * p.c_R),
        T_K=(p.f_K * p.c_W * (u.T_inE - x.T_K) + exchanged) / (p.m_K * p.c_W),
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what thermometers, flow meters and the heat balance show."""
    return Output(T_R=x.T_R, T_ad=adiabatic_temperature(x, p), T_M=x.T_M, T_inM=u.T_inM, T_E=x.T_E, F=u.F, m_F=x.m_F, m_P=x.m_P)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distances to the temperature window, to the adiabatic limit and to the trips."""
    T_ad = adiabatic_temperature(x, p)
    return {
        "cold": hard(x.T_R - p.T_low),
        "hot": hard(p.T_high - x.T_R),
        "adiabatic": hard(p.T_ad_high - T_ad),
        "overheated": trip(p.T_trip - x.T_R),
        "runaway": trip(p.T_ad_trip - T_ad),
    }


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return the charges for reactor time, for leaving the temperature window and for exceeding the adiabatic limit, in kg/h."""
    return {
        "time": p.c_time,
        "window": p.c_window * (positive(x.T_R - p.T_high) + positive(p.T_low - x.T_R)),
        "adiabatic": p.c_ad * positive(adiabatic_temperature(x, p) - p.T_ad_high),
    }


def measures(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Measure]:
    """Return reactor time, feed and polymer as rates."""
    r_1, r_2 = reactions(x, p)
    return {
        "reactor time": Measure(1.0, "h"),
        "feed": Measure(feed(x, u, p), "kg"),
        "polymer": Measure(r_1 + r_2, "kg"),
    }


def stock(x: State, p: Parameter) -> Expr:
    """Return the polymer in the reactor in kg."""
    return x.m_P


def complete(x: State, u: Input, d: Disturbance, p: Parameter) -> Expr:
    """Return how much more polymer there is than the batch needs, in kg."""
    return x.m_P - p.m_end


RECIPE = (
    Recipe(tag="TIC-301", times=(0.0, 1.0, 2.0), values=(362.0, 362.8, 364.0)),
    Recipe(tag="TIC-303", times=(0.0, 1.5, 2.0), values=(340.0, 340.0, 350.0)),
    Recipe(tag="ZIC-306", times=(0.0,), values=(336.9,)),
)
"""Found by differential evolution, together with the gains, on 36 tuning batches of the three scenarios; then rounded."""

PUBLISHED = (
    Recipe(tag="TIC-301", times=(0.0,), values=(363.15,)),
    Recipe(tag="ZIC-306", times=(0.0,), values=(353.15,)),
)
"""The middle of the published temperature window, and cooling water in the middle of its range."""


def _sent(draw: Draw) -> dict[str, Array]:
    return {part.tag: np.repeat(part.references(draw.count, draw.period), draw.n, axis=0) for part in RECIPE}


def _everyday(draw: Draw) -> Signals:
    """Begin with more or less of the first monomer converted; there is just enough of it in the feed to finish."""
    m_A = draw.uniform(740.0, 830.0)
    return Signals(
        references=_sent(draw),
        disturbances={
            "T_F": draw.wander(298.15, 2.0, memory=30.0),
            "clean": np.repeat(draw.uniform(0.9, 1.0)[:, None], draw.count, axis=1),
        },
        initial={"m_W": draw.uniform(9800.0, 10200.0), "m_A": m_A, "m_P": 885.0 - m_A},
    )


def _cooling(draw: Draw) -> Signals:
    """Lose a third of the jacket's heat transfer for a while, and take feed from another tank."""
    minutes = draw.period * 60.0 * np.arange(draw.count)
    start = draw.uniform(20.0, 60.0)[:, None]
    lost = draw.uniform(0.25, 0.4)[:, None] * ((minutes >= start) & (minutes < start + 20.0))
    return replace(
        _everyday(draw),
        disturbances={
            "T_F": draw.steps(288.15, 308.15, hold=(10, 30)),
            "clean": 1.0 - lost,
        },
    )


def _hot(draw: Draw) -> Signals:
    """Run batches whose kinetics are at the hot end of what is possible, in a fouled reactor."""
    kinetics = {"k_0": draw.uniform(8.4, 9.1), "dH": draw.uniform(1140.0, 1235.0)}
    fouled = np.repeat(draw.uniform(0.7, 0.85)[:, None], draw.count, axis=1)
    signals = _everyday(draw)
    return replace(signals, disturbances={**signals.disturbances, "clean": fouled}, parameters=kinetics)


LOOPS = (
    Loop(
        tag="TIC-301", pv="T_R", mv="T_inM", low=361.65, high=364.65, authority=1.0,
        gains=Gains(K_c=11.7, T_i=0.0617, b=0.725),
    ),
    Loop(
        tag="TIC-303", pv="T_E", mv="T_inE", low=336.0, high=363.0, authority=5.0,
        gains=Gains(K_c=0.3, T_i=0.006),
    ),
    Loop(
        tag="ZIC-306", pv="T_inM", sp_of="TIC-305", low=335.0, high=363.15,
        gains=Gains(K_c=-0.98, T_i=0.48),
    ),
    Loop(
        tag="TIC-305", pv="T_ad", sp_of="FIC-301", low=368.0, high=381.7, authority=2.0,
        gains=Gains(K_c=4750.0, T_i=0.143, b=0.622),
    ),
    setter("FIC-301", pv="F", mv="F", low=0.0, high=3.0e4),
)  # fmt: skip
"""ZIC-306 feeds as fast as the jacket can cool; TIC-305 never lets more monomer build up than could react adiabatically."""

PLANT = Plant(
    title="Semi-batch polymerization",
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
    complete=complete,
    loops=LOOPS,
    duty=Batch(unit="kg", stock="polymer", recipe=RECIPE, published=PUBLISHED),
    scenarios=(
        Scenario("batch", "batches with uncertain kinetics, everyday feed and fouling", 120, _everyday),
        Scenario("cooling", "a third of the jacket's heat transfer lost for 20 min, feed in steps", 120, _cooling,
                 protocol="disturbance"),
        Scenario("hot", "kinetics at the hot end of their range in a fouled reactor", 120, _hot, exact=True, protocol="boundary"),
    ),
    # no feed, the exchanger as cold as it gets, the jacket as warm as keeps the upper limit: colder, it crosses the lower sooner
    safe_action={"F": 0.0, "T_inM": 360.15, "T_inE": 333.15},
    time_unit="h",
    decision=1.0 / 30.0,
    loop_period=1.0 / 1800.0,
    scale=150.0,
    worst=2500.0,
    limits=(
        Limit("T_R", "T_low", "low"), Limit("T_R", "T_high", "high"), Limit("T_R", "T_trip", "high"),
        Limit("T_ad", "T_ad_high", "high"), Limit("T_ad", "T_ad_trip", "high"),
    ),
    learning=Learning(
        horizon=30.0, steps=400_000, parallel=32, rollout=120, spread=0.3, gae=1.0, rate=8e-3, paired=10.0, against="itself",
        crossing=0.3, whitened=True,
    ),
    sources=(LUCIA, BATCH),
    reproduced=(
        Reproduced(
            what="batch time with the reference's inputs", published=1.682239, ours=1.682239, unit="h", tolerance=1e-5,
            source=DO_MPC, kind="program", remark="the same equations; both integrators' tolerances",
        ),
        Reproduced(
            what="polymer after 1 h of the reference's inputs", published=14558.3245, ours=14558.3245, unit="kg", tolerance=1e-6,
            source=DO_MPC, kind="program", remark="both integrators' tolerances",
        ),
        Reproduced(
            what="adiabatic temperature after 1 h of the reference's inputs", published=372.3299, ours=372.3299, unit="K",
            tolerance=1e-6, source=DO_MPC, kind="program", remark="here algebraic, there integrated as a state",
        ),
        Reproduced(
            what="batch time by nominal NMPC", published=1.682239, ours=1.682, unit="h", tolerance=0.05, source=DO_MPC,
            kind="program", remark="same horizon, limits and sampling; our own solver settings and weights on moves",
        ),
    ),
)  # fmt: skip
