"""SIMC gains from the linear model: each loop, innermost first, from a first-order-plus-delay fit of what it moves.

K_c = tau / (k (tau_c + theta)), T_i = min(tau, 4 (tau_c + theta)), with tau_c = theta (Skogestad 2003, equations 23 and 24).
Where the response ramps, K_c = 1 / (k' (tau_c + theta)), T_i = 4 (tau_c + theta) (table 1, integrating). The feed-forwards are
the static gains that hold the output still. SIMC has no rule for a response that runs away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from plant_models.core.errors import BadInput
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.linear import Linear, linearise_nominal
from plant_models.derive.steady import nominal_equilibrium

AT_ZERO = 1e-6
"""A pole slower than this in one decision is one at zero."""
DRIFT = 1e-2
"""A response that grows by less than this share in one decision drifts rather than runs away."""
UNSEEN = 1e-9
"""A mode with a smaller share in input or output is not part of a response."""
FADED = 1e-9
"""A gain that is a smaller share of the response's peak is none: what is moved washes out."""
SINGULAR = 1e12
"""Condition of a state matrix from which no steady state follows from it."""

System = tuple[Array, Array, Array, Array]


@dataclass(frozen=True)
class FirstOrder:
    """``k exp(-theta s) / (tau s + 1)``."""

    k: float
    tau: float
    theta: float


@dataclass(frozen=True)
class Integrating:
    """``k exp(-theta s) / s``."""

    k: float
    theta: float


def fit(response: Array, h: float) -> FirstOrder:
    """Fit a unit-step response sampled every ``h`` by its times to 28.3 % and 63.2 % (Smith 1957)."""
    k = float(response[-1])
    share = response / k
    first, second = (float(np.argmax(share >= level)) * h for level in (0.283, 0.632))
    tau = max(1.5 * (second - first), 0.5 * h)
    return FirstOrder(k, tau, max(second - tau, 0.0))


def fit_ramp(response: Array, h: float) -> Integrating:
    """Fit a unit-step response sampled every ``h`` that ends in a ramp by its asymptote."""
    k = float(response[-1] - response[len(response) // 2]) / (h * (len(response) - 1 - len(response) // 2))
    return Integrating(k, max(h * len(response) - float(response[-1]) / k, 0.0))


def simc(model: FirstOrder | Integrating, delay: float) -> Gains:
    """Return PI gains for a first-order or an integrating model with ``delay`` of sampling added."""
    theta = model.theta + delay
    if isinstance(model, Integrating):
        return Gains(K_c=1.0 / (model.k * 2.0 * theta), T_i=8.0 * theta)
    return Gains(K_c=model.tau / (model.k * 2.0 * theta), T_i=min(model.tau, 8.0 * theta))


def simc_layer(plant: Plant) -> tuple[Loop, ...]:
    """Return the plant's loops with SIMC gains and static feed-forwards, slaves tuned first.

    A response that runs away is taken with the plant's other loops closed by the gains that its file carries.

    Raises:
        BadInput: where it runs away even so.
    """
    model = linearise_nominal(plant, nominal_equilibrium(plant))
    tuned: dict[str, Loop] = {}
    for loop in reversed(plant.loops):
        tuned[loop.tag] = loop if loop.gains.K_c == 0.0 else replace(loop, gains=_gains(plant, model, loop, tuned))
    return tuple(tuned[loop.tag] for loop in plant.loops)


def _gains(plant: Plant, model: Linear, loop: Loop, tuned: dict[str, Loop]) -> Gains:
    slaves = [tuned[loop.sp_of]] if loop.sp_of else []
    system = _system(plant, model, loop, slaves)
    worst = _visible(*system[:3]).max(initial=-np.inf)
    if worst * plant.decision > DRIFT:
        others = [other for other in plant.loops if other.mv and other.gains.K_c and other.tag not in (loop.tag, loop.sp_of)]
        system = _system(plant, model, loop, [*slaves, *others])
        worst = _visible(*system[:3]).max(initial=-np.inf)
    if worst * plant.decision > DRIFT:
        raise BadInput(
            f"{plant.name}: what {loop.tag} moves runs away on its own (pole at {worst:.3g} 1/{plant.time_unit}), for which "
            "SIMC has no rule; give the loop gains that stabilise it"
        )
    h, response = plant.loop_period, _step(*system, plant.loop_period, AT_ZERO / plant.decision)
    if abs(worst) * plant.decision <= AT_ZERO:
        return replace(simc(fit_ramp(response, h), h), disturbance=_balancing(plant, model, loop))
    return replace(simc(fit(response, h), h), setpoint=1.0 / float(response[-1]), disturbance=_static(plant, model, loop))


def _system(plant: Plant, model: Linear, loop: Loop, closed: list[Loop]) -> System:
    """Return the model from what a loop moves to its PV, the PI loops ``closed`` being closed."""
    m = len(closed)
    inputs, outputs = plant.Input.names(), plant.Output.names()
    b = model.B[:, [inputs.index(other.mv) for other in closed]]
    c = model.C[[outputs.index(other.pv) for other in closed]]
    K = np.array([other.gains.K_c for other in closed])
    T = np.array([other.gains.T_i for other in closed])
    A = np.block([[model.A - (b * K) @ c, b * (K / T)], [-c, np.zeros((m, m))]])
    pv, D = outputs.index(loop.pv), np.zeros((1, 1))
    if loop.mv:
        column, D = inputs.index(loop.mv), model.D[[pv]][:, [inputs.index(loop.mv)]]
        B = np.vstack([model.B[:, [column]], np.zeros((m, 1))])
    else:
        B = np.vstack([K[0] * b[:, [0]], np.eye(m)[:, [0]]])
    return A, B, np.hstack([model.C[[pv]], np.zeros((1, m))]), D if not closed or loop.mv else np.zeros((1, 1))


def _visible(A: Array, B: Array, C: Array) -> Array:
    """Return the real parts of the poles that the input moves and the output shows (Popov, Belevitch, Hautus)."""
    if not (B.any() and C.any()):
        return np.zeros(0)
    eye, size, found = np.eye(len(A)), np.linalg.norm(A, 2), []
    for pole in np.linalg.eigvals(A):
        shifted = (A - pole * eye) / size
        moved = np.linalg.svd(np.hstack([shifted, B / np.linalg.norm(B)]), compute_uv=False)[-1]
        shown = np.linalg.svd(np.vstack([shifted, C / np.linalg.norm(C)]), compute_uv=False)[-1]
        if min(moved, shown) > UNSEEN:
            found.append(pole.real)
    return np.array(found)


def _step(A: Array, B: Array, C: Array, D: Array, h: float, zero: float) -> Array:
    """Return the unit-step response until it has settled: five of the slowest time constants, ten where it ends in a ramp.

    Where something drifts off nothing settles, and the beginning has to do.
    """
    rates = -np.linalg.eigvals(A).real
    if rates.min() <= zero:
        rates = -_visible(A, B, C)
    ramps = bool((np.abs(rates) <= zero).any())
    lowest = min((rate for rate in rates if abs(rate) > zero), default=0.0)
    slowest = 1.0 / lowest if lowest > 0.0 else 0.0
    a, b = Linear(A, B, B, C, np.atleast_2d(D), B).sampled(h)
    x, out = np.zeros((len(A), 1)), []
    for _ in range(int(np.clip((10.0 if ramps else 5.0) * slowest / h, 50, 20000))):
        x = a @ x + b
        out.append((C @ x).item() + np.ravel(D)[0])
    return np.array(out)


def _static(plant: Plant, model: Linear, loop: Loop) -> tuple[tuple[str, float], ...]:
    """Return the static feed-forwards from the disturbances that the loop declares, as declared where no static gain is left."""
    return _balance(plant, model, loop, lambda system: _end(plant, system))


def _end(plant: Plant, system: System) -> float:
    """Return a static gain; where another output integrates, the end of the step response."""
    A, B, C, D = system
    if np.linalg.cond(A) > SINGULAR:
        return float(_step(*system, plant.loop_period, AT_ZERO / plant.decision)[-1])
    return float((D - C @ np.linalg.solve(A, B)).item())


def _balancing(plant: Plant, model: Linear, loop: Loop) -> tuple[tuple[str, float], ...]:
    """Return the feed-forwards with which what the loop moves takes back the ramp that a disturbance causes."""
    h, zero = plant.loop_period, AT_ZERO / plant.decision
    return _balance(plant, model, loop, lambda system: fit_ramp(_step(*system, h, zero), h).k)


def _balance(plant: Plant, model: Linear, loop: Loop, gain: Callable[[System], float]) -> tuple[tuple[str, float], ...]:
    if not loop.mv:
        return loop.gains.disturbance
    pv, mv = [plant.Output.names().index(loop.pv)], [plant.Input.names().index(loop.mv)]
    system = model.A, model.B[:, mv], model.C[pv], model.D[pv][:, mv]
    k_u = gain(system)
    if abs(k_u) <= FADED * np.abs(_step(*system, plant.loop_period, AT_ZERO / plant.decision)).max():
        return loop.gains.disturbance
    gains = []
    for name, _ in loop.gains.disturbance:
        at = [plant.Disturbance.names().index(name)]
        gains.append((name, -gain((model.A, model.E[:, at], model.C[pv], model.F[pv][:, at])) / k_u))
    return tuple(gains)
