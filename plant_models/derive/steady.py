"""Steady states: refined from rounded book values, and all of them where a plant has several."""

from __future__ import annotations

from functools import cache

import casadi as ca
import numpy as np
from scipy.optimize import root

from plant_models.core.errors import SetpointError
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.core.vector import Vector
from plant_models.derive import symbolic


def nominal(vector: type[Vector]) -> Array:
    """Return the nominal values of a vector as an array."""
    return np.array(list(vector.nominal()), dtype=float)


@cache
def _functions(plant: Plant) -> tuple[ca.Function, ca.Function]:
    s = symbolic.Symbols.of(plant)
    f = symbolic.derivative(plant, s.x, s.u, s.d, s.p)
    arguments = [s.x, s.u, s.d, s.p]
    return ca.Function("f", arguments, [f]), ca.Function("J", arguments, [ca.jacobian(f, s.x)])


def equilibrium(plant: Plant, u: Array, d: Array, p: Array, guess: Array) -> Array:
    """Return the steady state near a guess, (states,).

    Raises:
        SetpointError: where the search does not converge.
    """
    f, jacobian = _functions(plant)
    spans = np.array([q.half_range for q in plant.State.quantities().values()])
    result = root(
        lambda z: f(z * spans, u, d, p).full().ravel() / spans,
        guess / spans,
        jac=lambda z: jacobian(z * spans, u, d, p).full() * spans[None, :] / spans[:, None],
        options={"xtol": 1e-13},
    )
    if not np.abs(result.fun).max() <= 1e-8:
        raise SetpointError(f"{plant.name}: no steady state was found near {np.array2string(guess, precision=4)}")
    return np.asarray(result.x * spans)


def nominal_equilibrium(plant: Plant) -> Array:
    """Return the steady state near the nominal state at nominal inputs, disturbances and parameters."""
    u, d, p = nominal(plant.Input), nominal(plant.Disturbance), nominal(plant.Parameter)
    return equilibrium(plant, u, d, p, nominal(plant.State))


def equilibria(plant: Plant, u: Array, d: Array, p: Array, low: Array, high: Array, tries: int = 200) -> list[Array]:
    """Return all distinct steady states inside a box found from evenly spread starts, ordered by the last state."""
    rng = np.random.default_rng(0)
    found: list[Array] = []
    for guess in rng.uniform(low, high, (tries, len(low))):
        try:
            x = equilibrium(plant, u, d, p, guess)
        except SetpointError:
            continue
        inside = bool(np.all((x >= low) & (x <= high)))
        if inside and not any(np.allclose(x, other, rtol=1e-6) for other in found):
            found.append(x)
    return sorted(found, key=lambda x: float(x[-1]))
