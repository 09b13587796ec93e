"""SIMC gains from the linear model: each loop, innermost first, from a first-order-plus-delay fit of what it moves.

K_c = tau / (k (tau_c + theta)), T_i = min(tau, 4 (tau_c + theta)), with tau_c = theta (Skogestad 2003, equations 23 and 24).
The feed-forwards are the static gains that hold the output still.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.linear import Linear, linearise_nominal
from plant_models.derive.steady import nominal_equilibrium


@dataclass(frozen=True)
class FirstOrder:
    """``k exp(-theta s) / (tau s + 1)``."""

    k: float
    tau: float
    theta: float


def fit(response: Array, h: float) -> FirstOrder:
    """Fit a unit-step response sampled every ``h`` by its times to 28.3 % and 63.2 % (Smith 1957)."""
    k = float(response[-1])
    share = response / k
    first, second = (float(np.argmax(share >= level)) * h for level in (0.283, 0.632))
    tau = max(1.5 * (second - first), 0.5 * h)
    return FirstOrder(k, tau, max(second - tau, 0.0))


def simc(model: FirstOrder, delay: float) -> Gains:
    """Return PI gains for a first-order model with ``delay`` of sampling added."""
    theta = model.theta + delay
    return Gains(K_c=model.tau / (model.k * 2.0 * theta), T_i=min(model.tau, 8.0 * theta))


def simc_layer(plant: Plant) -> tuple[Loop, ...]:
    """Return the plant's loops with SIMC gains and static feed-forwards, slaves tuned first."""
    model = linearise_nominal(plant, nominal_equilibrium(plant))
    tuned: dict[str, Loop] = {}
    for loop in reversed(plant.loops):
        if loop.gains.K_c == 0.0:
            tuned[loop.tag] = loop
            continue
        k_static, response = _moved(plant, model, loop, tuned)
        gains = simc(fit(response, plant.loop_period), plant.loop_period)
        tuned[loop.tag] = replace(loop, gains=replace(gains, setpoint=1.0 / k_static, disturbance=_static(plant, model, loop)))
    return tuple(tuned[loop.tag] for loop in plant.loops)


def _moved(plant: Plant, model: Linear, loop: Loop, tuned: dict[str, Loop]) -> tuple[float, Array]:
    """Return the static gain and the step response from what the loop moves to its PV."""
    A, B, C, D = model.A, model.B, model.C, model.D
    pv = plant.Output.names().index(loop.pv)
    if loop.mv:
        mv = plant.Input.names().index(loop.mv)
        response = _step(A, B[:, [mv]], C[[pv]], D[[pv], [mv]], plant.loop_period)
    else:
        slave = tuned[loop.sp_of]
        response = _step(*_closed(plant, model, slave, pv), plant.loop_period)
    return float(response[-1]), response


def _closed(plant: Plant, model: Linear, slave: Loop, pv: int) -> tuple[Array, Array, Array, Array]:
    """Return the model from a slave's setpoint to an output, the slave's PI loop closed."""
    mv, y = plant.Input.names().index(slave.mv), plant.Output.names().index(slave.pv)
    b, c = model.B[:, [mv]], model.C[[y]]
    K, T = slave.gains.K_c, slave.gains.T_i
    A = np.block([[model.A - K * b @ c, K / T * b], [-c, np.zeros((1, 1))]])
    B = np.vstack([K * b, [[1.0]]])
    return A, B, np.hstack([model.C[[pv]], [[0.0]]]), np.zeros(1)


def _step(A: Array, B: Array, C: Array, D: Array, h: float) -> Array:
    """Return the unit-step response until it has settled: five of the slowest time constants."""
    slowest = -1.0 / np.linalg.eigvals(A).real.max()
    a, b = Linear(A, B, B, C, np.atleast_2d(D), B).sampled(h)
    x, out = np.zeros((len(A), 1)), []
    for _ in range(int(np.clip(5.0 * slowest / h, 50, 20000))):
        x = a @ x + b
        out.append((C @ x).item() + np.ravel(D)[0])
    return np.array(out)


def _static(plant: Plant, model: Linear, loop: Loop) -> tuple[tuple[str, float], ...]:
    """Return the static feed-forwards from the disturbances that the loop declares."""
    if not loop.mv:
        return loop.gains.disturbance
    pv, mv = plant.Output.names().index(loop.pv), plant.Input.names().index(loop.mv)
    k_u = model.D[pv, mv] - model.C[pv] @ np.linalg.solve(model.A, model.B[:, mv])
    gains = []
    for name, _ in loop.gains.disturbance:
        at = plant.Disturbance.names().index(name)
        k_d = model.F[pv, at] - model.C[pv] @ np.linalg.solve(model.A, model.E[:, at])
        gains.append((name, float(-k_d / k_u)))
    return tuple(gains)
