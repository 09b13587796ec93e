"""PC-Gym's published crystallization case: crystals of a variation of 1 and a mean size of 15 um, by the slurry's temperature.

The moment equations are those of :mod:`plant_models.reactors.batch_crystallizer`; here, as at PC-Gym, there is no jacket, and the
temperature itself is set, by at most 1 K a minute. PC-Gym judges every minute of the batch, not its end.
"""

from __future__ import annotations

import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.loop import setter
from plant_models.core.plant import Learning, Margin, Plant
from plant_models.core.quantity import ZERO_C, quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.vector import Expr, Vector
from plant_models.reactors import batch_crystallizer as vessel

SAMPLES, NOISE, MOVE = 30, 0.001, 0.01
"""Minutes of a batch, noise as a share of each reading, weight of the square of a move that is scaled by 2 K."""
CV, L_n = 1.0, 15.0
"""What is asked for, 1 and um."""
RECIPE = (
    38.0, 37.0, 36.92, 37.9, 38.81, 39.48, 40.0, 40.0, 40.0, 40.0, 40.0, 40.0, 40.0, 40.0, 39.72, 39.48, 39.24, 38.99, 38.71,
    38.39, 38.02, 37.6, 37.13, 36.63, 36.1, 35.61, 35.18, 34.89, 34.78,
)  # fmt: skip
"""Slurry temperature in degC for each minute, found by CMA-ES on the published seeds."""


class State(Vector):
    """The moments and the dissolved salt; the temperature is an input."""

    mu_0: Expr = quantity(1478.00986666666, "1/cm^3", "number of crystals", low=0.0, high=2e4, valid=(1.0, 1e9))
    mu_1: Expr = quantity(22995.8230590611, "um/cm^3", "their length", low=0.0, high=3e5, valid=(1.0, 1e11))
    mu_2: Expr = quantity(1800863.24079725, "um^2/cm^3", "their length squared", low=0.0, high=1.2e7, valid=(1.0, 1e13))
    mu_3: Expr = quantity(248516167.940593, "um^3/cm^3", "their length cubed", low=0.0, high=1e9, valid=(1.0, 1e15))
    c: Expr = quantity(158.61523304, "g/L", "dissolved salt", low=100.0, high=165.0, valid=(50.0, 250.0))


class Input(Vector):
    """What the controllers move."""

    T: Expr = quantity(
        ZERO_C + 39.0, "K", "slurry temperature", low=ZERO_C + 10.0, high=ZERO_C + 40.0, rate=1.0, shown="degC", tag="TV-101"
    )


class Output(Vector):
    """What PC-Gym shows, all with noise, and the thermometer; ranges are those of the first half of a batch."""

    CV: Expr = quantity(2.0083, "1", "coefficient of variation", low=0.8, high=2.2, tag="AI-103", noise=0.002)
    L_n: Expr = quantity(15.5587, "um", "mean size", low=8.0, high=25.0, tag="AI-104", noise=0.0156)
    c: Expr = quantity(158.61523304, "g/L", "dissolved salt", low=100.0, high=165.0, tag="AI-101", noise=0.16)
    mu_0: Expr = quantity(1478.00986666666, "1/cm^3", "number of crystals", low=0.0, high=2e4, noise=10.0)
    mu_1: Expr = quantity(22995.8230590611, "um/cm^3", "their length", low=0.0, high=3e5, noise=150.0)
    mu_2: Expr = quantity(1800863.24079725, "um^2/cm^3", "their length squared", low=0.0, high=1.2e7, noise=6e3)
    mu_3: Expr = quantity(248516167.940593, "um^3/cm^3", "their length cubed", low=0.0, high=1e9, noise=5e5)
    T: Expr = quantity(
        ZERO_C + 39.0, "K", "slurry temperature", low=ZERO_C + 10.0, high=ZERO_C + 40.0, shown="degC", tag="TI-101"
    )


def _whole(x: State, u: Input) -> vessel.State:
    return vessel.State(mu_0=x.mu_0, mu_1=x.mu_1, mu_2=x.mu_2, mu_3=x.mu_3, c=x.c, T=u.T)


def derivative(x: State, u: Input, d: vessel.Disturbance, p: vessel.Parameter) -> State:
    """Return the moment equations and the salt balance."""
    change = vessel.derivative(_whole(x, u), vessel.Input(T_j=u.T), d, p)
    return State(mu_0=change.mu_0, mu_1=change.mu_1, mu_2=change.mu_2, mu_3=change.mu_3, c=change.c)


def outputs(x: State, u: Input, d: vessel.Disturbance, p: vessel.Parameter) -> Output:
    """Return what the instruments show."""
    whole = _whole(x, u)
    return Output(
        CV=vessel.variation(whole), L_n=vessel.mean_size(whole), c=x.c, mu_0=x.mu_0, mu_1=x.mu_1, mu_2=x.mu_2, mu_3=x.mu_3, T=u.T
    )


def margins(x: State, u: Input, d: vessel.Disturbance, p: vessel.Parameter) -> dict[str, Margin]:
    """Return nothing: the published case has no constraint."""
    return {}


def shown(x: Array, u: Array) -> Array:
    """Return our instruments' readings for PC-Gym's states; variation and size are those of the moments, as in its reward."""
    return np.array([np.sqrt(max(x[2] * x[0] / x[1] ** 2 - 1.0, 0.0)), x[1] / x[0], 1e3 * x[4], *x[:4], u[0]])


def _seeded(draw: Draw) -> Signals:
    """Vary the seeds and the salt a little, so that a policy learns to look; the published batch is always the same."""
    seeds, nominal = draw.uniform(0.9, 1.1), State.nominal()
    moments = {name: seeds * getattr(nominal, name) for name in ("mu_0", "mu_1", "mu_2", "mu_3")}
    return Signals(
        targets={"CV": np.full((draw.n, draw.count), CV), "L_n": np.full((draw.n, draw.count), L_n)},
        references={"TIC-101": np.tile(_recipe(draw.count), (draw.n, 1))},
        initial={**moments, "c": nominal.c + draw.uniform(-0.2, 0.2)},
    )


def _recipe(count: int) -> Array:
    """Return the setpoint that is sent at each of ``count`` samples, the last one held, in K."""
    return ZERO_C + np.array(RECIPE)[np.minimum(np.arange(count), len(RECIPE) - 1)]


PLANT = Plant(
    title="PC-Gym's crystallizer",
    State=State,
    Input=Input,
    Disturbance=vessel.Disturbance,
    Parameter=vessel.Parameter,
    Output=Output,
    derivative=derivative,
    outputs=outputs,
    margins=margins,
    loops=(setter("TIC-101", pv="T", mv="T", low=ZERO_C + 10.0, high=ZERO_C + 40.0, authority=2.0),),
    duty=Tracking(scales={"CV": 2.0, "L_n": 20.0}, moves={"T": MOVE * (15.0 / 2.0) ** 2}, sampled=True),
    scenarios=(Scenario("seeds", "seeds and salt vary: learned on", SAMPLES - 1, _seeded, exact=True),),
    safe_action={"T": ZERO_C + 39.0},
    time_unit="min",
    decision=1.0,
    loop_period=1.0,
    scale=0.01,
    worst=1.0,
    learning=Learning(horizon=100.0, steps=800_000, parallel=64, rollout=29, spread=0.3, gae=0.99),
    sources=(vessel.MORAES, vessel.BLOOR),
)
