"""Tuning rules of the books for PI control of a first-order or an integrating process with delay.

    rule              first order: K_c, T_i                     integrating: K_c, T_i
    SIMC              tau / (k 2 theta), min(tau, 8 theta)      1 / (k' 2 theta), 8 theta
    lambda            tau / (k (lambda + theta)), tau           (2 lambda + theta) / (k' (lambda + theta)^2), 2 lambda + theta
    Ziegler-Nichols   0.9 tau / (k theta), 3.33 theta           0.9 / (k' theta), 3.33 theta
    AMIGO             0.15 / k + (0.35 - theta tau / (theta + tau)^2) tau / (k theta),
                      0.35 theta + 13 theta tau^2 / (tau^2 + 12 theta tau + 7 theta^2)
                                                                0.35 / (k' theta), 13.4 theta

Sources: Skogestad, J. Process Control 13 (2003) 291-309; Dahlin, Instruments and Control Systems 41 (1968) 77-83, with lambda
three tau, or three theta where it integrates; Ziegler and Nichols, Trans. ASME 64 (1942) 759-768, reaction curve; Astrom and
Hagglund, Advanced PID Control, ISA, 2006, chapter 7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from controller.simc import FADED, FirstOrder, Integrating, fit, fit_ramp, simc
from plant_models.core.errors import BadInput
from plant_models.core.loop import Gains
from plant_models.core.scenario import Array

Model = FirstOrder | Integrating
RAMP = 0.3
"""A response that grows by more than this share of its change in its second half has not come to rest: it ramps."""
LAMBDA = 3.0


@dataclass(frozen=True)
class Fit:
    """A model of a response per unit of the step, its own response (samples,), and the share of the variance it explains."""

    model: Model
    response: Array
    explained: float


def identified(response: Array, h: float) -> Fit:
    """Fit a unit-step response (samples,) from the step on, sampled every ``h``: a first order, or a ramp where it is one.

    Raises:
        BadInput: where the output does not answer, or comes back to where it was.
    """
    change = response - response[0]
    peak = float(np.abs(change).max())
    if peak == 0.0 or abs(change[-1]) <= max(FADED, 0.05) * peak:
        raise BadInput("this output comes back to where it was, or does not answer: no first-order model describes it")
    ramps = abs(change[-1] - change[len(change) // 2]) > RAMP * abs(change[-1])
    model = fit_ramp(change[1:], h) if ramps else fit(change, h)
    own = simulated(model, h * np.arange(len(change), dtype=np.float64))
    spread = float(((change - change.mean()) ** 2).sum())
    return Fit(model, own, 1.0 - float(((change - own) ** 2).sum()) / spread)


def simulated(model: Model, time: Array) -> Array:
    """Return a model's response to a unit step at zero."""
    since = np.maximum(time - model.theta, 0.0)
    return model.k * (since if isinstance(model, Integrating) else 1.0 - np.exp(-since / model.tau))


def _lambda(model: Model, theta: float) -> Gains:
    if isinstance(model, Integrating):
        closed = LAMBDA * theta
        return Gains(K_c=(2.0 * closed + theta) / (model.k * (closed + theta) ** 2), T_i=2.0 * closed + theta)
    return Gains(K_c=model.tau / (model.k * (LAMBDA * model.tau + theta)), T_i=model.tau)


def _ziegler_nichols(model: Model, theta: float) -> Gains:
    slope = model.k if isinstance(model, Integrating) else model.k / model.tau
    return Gains(K_c=0.9 / (slope * theta), T_i=3.33 * theta)


def _amigo(model: Model, theta: float) -> Gains:
    if isinstance(model, Integrating):
        return Gains(K_c=0.35 / (model.k * theta), T_i=13.4 * theta)
    tau = model.tau
    K_c = 0.15 / model.k + (0.35 - theta * tau / (theta + tau) ** 2) * tau / (model.k * theta)
    return Gains(K_c=K_c, T_i=0.35 * theta + 13.0 * theta * tau**2 / (tau**2 + 12.0 * theta * tau + 7.0 * theta**2))


_RULES: dict[str, Callable[[Model, float], Gains]] = {
    "SIMC": lambda model, theta: simc(model, theta - model.theta),
    "lambda": _lambda,
    "Ziegler-Nichols": _ziegler_nichols,
    "AMIGO": _amigo,
}
RULES = tuple(_RULES)


def gains(rule: str, model: Model, delay: float) -> Gains:
    """Return PI gains by a rule for a model with ``delay`` of sampling added."""
    return _RULES[rule](model, model.theta + delay)
