"""PC-Gym's published stirred-tank case: follow concentration setpoints by the jacket's temperature, in PC-Gym's own reward.

    dc_A/dt = q/V (c_f - c_A) - r                                              mole balance on A
    dT/dt   = q/V (T_f - T) + (-dH) r / (rho c_p) + UA (T_c - T) / (rho c_p V)   energy balance
    r       = k_0 exp(-E_R/T) c_A                                              Arrhenius rate

Assumed: perfect mixing, constant volume and density, one jacket temperature that follows its command at once.

:func:`stage_costs` is PC-Gym's arithmetic, by which everything is judged. The plant's own duty, which is learned and optimised
by, differs from it in one thing: it charges the first move of the input too, counted from the nominal one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Margin, Plant
from plant_models.core.quantity import Source, quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.vector import Expr, Vector

PCGYM = Source(
    "Bloor et al.: PC-Gym: Benchmark environments for process control problems, Comput. Chem. Eng. 204 (2025) 109363; "
    "its code at github.com/MaximilianB2/pc-gym, models/cstr.py and train_policies/cstr/cstr_train.py",
    doi="10.1016/j.compchemeng.2025.109363",
)

SAMPLES, HORIZON = 60, 26.0
"""Samples of the published setpoint sequence, and the minutes that they span."""
STEPS = SAMPLES - 1
"""PC-Gym ends an episode one step before its sequence does, and judges step k by the setpoint of sample k + 1."""
PUBLISHED = (0.85, 0.90, 0.87)
"""Setpoints of c_A in mol/L, a third of the samples each."""
SPAN, ERROR_WEIGHT, MOVE_WEIGHT = 0.3, 1e3, 0.1
"""The range of c_A in mol/L that PC-Gym scales the error by, the weight of its square, and that of the scaled move's."""
LOWEST, HIGHEST = 295.0, 302.0
"""Limits of the jacket's temperature in K."""
NOISE = 0.001
"""One standard deviation of an instrument, as a share of its nominal reading; PC-Gym takes the share of the reading itself."""
START = {"c_A": 0.8, "T": 330.0}
"""Where every episode begins, mol/L and K."""


class State(Vector):
    """What the two balances hold."""

    c_A: Expr = quantity(0.877, "mol/L", "concentration of A", low=0.8, high=0.95, valid=(0.0, 1.5))
    T: Expr = quantity(324.5, "K", "reactor temperature", low=310.0, high=335.0, valid=(250.0, 650.0))


class Input(Vector):
    """What the controllers move."""

    T_c: Expr = quantity(300.0, "K", "jacket temperature", low=LOWEST, high=HIGHEST, tag="TV-101", source=PCGYM)


class Disturbance(Vector):
    """What PC-Gym lets vary in other cases, and holds in this one."""

    T_f: Expr = quantity(350.0, "K", "feed temperature", low=345.0, high=355.0, measured=False, source=PCGYM)
    c_f: Expr = quantity(1.0, "mol/L", "feed concentration of A", low=0.95, high=1.05, measured=False, source=PCGYM)


class Parameter(Vector):
    """PC-Gym's parameters, which are those of Seborg et al."""

    q: Expr = quantity(100.0, "L/min", "feed flow", source=PCGYM)
    V: Expr = quantity(100.0, "L", "reactor volume", source=PCGYM)
    rho: Expr = quantity(1000.0, "g/L", "density", source=PCGYM)
    c_p: Expr = quantity(0.239, "J/(g K)", "heat capacity", source=PCGYM)
    dH: Expr = quantity(-5.0e4, "J/mol", "heat of reaction", source=PCGYM)
    E_R: Expr = quantity(8750.0, "K", "activation energy over gas constant", source=PCGYM)
    k_0: Expr = quantity(7.2e10, "1/min", "frequency factor", source=PCGYM)
    UA: Expr = quantity(5.0e4, "J/(min K)", "heat transfer to the jacket", source=PCGYM)


class Output(Vector):
    """What the instruments show."""

    c_A: Expr = quantity(0.877, "mol/L", "concentration of A", low=0.8, high=0.95, tag="AI-101", noise=0.877 * NOISE)
    T: Expr = quantity(324.5, "K", "reactor temperature", low=310.0, high=335.0, tag="TI-101", noise=324.5 * NOISE)


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the mole and the energy balance."""
    r = p.k_0 * np.exp(-p.E_R / x.T) * x.c_A
    heat_capacity = p.rho * p.c_p
    return State(
        c_A=p.q / p.V * (d.c_f - x.c_A) - r,
        T=p.q / p.V * (d.T_f - x.T) - p.dH * r / heat_capacity + p.UA * (u.T_c - x.T) / (heat_capacity * p.V),
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the analyser and the thermometer show."""
    return Output(c_A=x.c_A, T=x.T)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return nothing: the published case has no constraint."""
    return {}


def stage_costs(c_A: Array, target: Array, T_c: Array) -> Array:
    """Return PC-Gym's negative reward of each step, (n, steps); the first input is free, as in a fresh environment.

    ``c_A`` at the end of each step, the ``target`` it is judged by, the input ``T_c`` during the step: (n, steps).
    """
    error = (c_A - target) / SPAN
    moves = np.diff(T_c, axis=1, prepend=T_c[:, :1]) / (HIGHEST - LOWEST)
    costs: Array = ERROR_WEIGHT * error**2 + MOVE_WEIGHT * moves**2
    return costs


def published_targets(count: int) -> Array:
    """Return the setpoint that each of ``count`` steps is judged by, the last one held."""
    levels = np.repeat(PUBLISHED, SAMPLES // len(PUBLISHED))
    return np.asarray(levels[np.minimum(np.arange(count) + 1, SAMPLES - 1)])


def _published(draw: Draw) -> Signals:
    return Signals(targets={"c_A": np.tile(published_targets(draw.count), (draw.n, 1))}, initial=_start(draw))


def _random(draw: Draw) -> Signals:
    """Start where the published case does, and hold setpoints between the published extremes for random times."""
    return Signals(targets={"c_A": draw.steps(min(PUBLISHED), max(PUBLISHED), hold=(10, 25))}, initial=_start(draw))


def _start(draw: Draw) -> dict[str, Array]:
    return {name: np.full(draw.n, value) for name, value in START.items()}


RANDOM, CASE = "random", "published"


def _cascade(outer: Gains, inner: Gains) -> tuple[Loop, ...]:
    """Return the expert's layer: concentration above temperature, both with feed-forward from their setpoints."""
    return (
        Loop(tag="AIC-101", pv="c_A", sp_of="TIC-101", low=0.8, high=0.95, gains=outer),
        Loop(tag="TIC-101", pv="T", mv="T_c", low=310.0, high=335.0, authority=3.0, gains=inner),
    )


def _plain(gains: Gains) -> tuple[Loop, ...]:
    """Return the plain PID: one loop, no feed-forward."""
    return (Loop(tag="AIC-101", pv="c_A", mv="T_c", low=0.8, high=0.95, authority=0.02, gains=gains),)


PREVIEWING = Plant(
    title="PC-Gym's stirred tank",
    State=State,
    Input=Input,
    Disturbance=Disturbance,
    Parameter=Parameter,
    Output=Output,
    derivative=derivative,
    outputs=outputs,
    margins=margins,
    loops=_cascade(
        Gains(K_c=-183.7, T_i=51.61, T_d=0.214, b=0.152, setpoint=-263.9),
        Gains(K_c=0.2825, T_i=25.43, T_d=0.1513, b=0.7874, setpoint=0.6463),
    ),
    duty=Tracking(scales={"c_A": SPAN / ERROR_WEIGHT**0.5}, moves={"T_c": 0.25 * MOVE_WEIGHT}, sampled=True),
    scenarios=(
        Scenario(RANDOM, "random setpoints: learned, tuned and judged on", STEPS, _random, exact=True),
        Scenario(CASE, "the published setpoints", STEPS, _published, exact=True),
    ),
    safe_action={"T_c": LOWEST},
    time_unit="min",
    decision=HORIZON / SAMPLES,
    loop_period=HORIZON / SAMPLES,
    scale=1.0,
    worst=ERROR_WEIGHT,
    preview=3,
    advance=1,
    learning=Learning(horizon=10.0, steps=400_000, parallel=64, spread=0.5),
    sources=(PCGYM,),
)
"""Every controller sees the setpoints of its next four steps."""

BLIND = replace(
    PREVIEWING,
    preview=0,
    advance=0,
    loops=_cascade(
        Gains(K_c=-74.9, T_i=51.25, T_d=0.1585, b=0.7618, setpoint=-63.26),
        Gains(K_c=0.4817, T_i=25.97, T_d=0.09772, b=0.4218, setpoint=2.126),
    ),
    learning=replace(PREVIEWING.learning, steps=1_000_000),
)
"""Every controller sees the setpoint that its next step is judged by, and none after it."""

PLAIN_PREVIEWING = replace(PREVIEWING, loops=_plain(Gains(K_c=-197.4, T_i=5.189, T_d=0.2717)))
PLAIN_BLIND = replace(BLIND, loops=_plain(Gains(K_c=-199.4, T_i=31.51, T_d=0.2452)))
PLANTS = {"BLIND": BLIND, "PREVIEWING": PREVIEWING, "PLAIN_BLIND": PLAIN_BLIND, "PLAIN_PREVIEWING": PLAIN_PREVIEWING}
