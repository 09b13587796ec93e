"""Points at which a plant is looked at, and all that it computes there."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from plant_models.core.plant import Plant

Point: TypeAlias = tuple[dict[str, float], ...]
"""States, inputs, disturbances and parameters by name."""


def somewhere(plant: Plant, rng: np.random.Generator) -> Point:
    """Draw states, inputs and disturbances within their ranges and parameters within their uncertainty."""
    ranged = [
        {name: float(rng.uniform(q.low, q.high)) for name, q in vector.quantities().items()}
        for vector in (plant.State, plant.Input, plant.Disturbance)
    ]
    spread = {n: float(q.nominal * (1.0 + q.uncertain * rng.uniform(-1.0, 1.0))) for n, q in plant.Parameter.quantities().items()}
    return (*ranged, spread)


def plain(plant: Plant) -> tuple[Any, ...]:
    """Return the four vectors at their nominal values."""
    return tuple(vector.nominal() for vector in plant.arguments)


def at(plant: Plant, point: Any) -> tuple[Any, ...]:
    """Return the four vectors with the values of a point: floats, or arrays of many points."""
    return tuple(vector(**values) for vector, values in zip(plant.arguments, point, strict=True))


def everything(plant: Plant, x: Any, u: Any, d: Any, p: Any) -> dict[str, Any]:
    """Return all that a plant file computes at a point, by function and name: ``derivative.T``, ``margins.hot``."""
    found = dict(zip((f"derivative.{name}" for name in plant.State.names()), plant.derivative(x, u, d, p), strict=True))
    found |= zip((f"outputs.{name}" for name in plant.Output.names()), plant.outputs(x, u, d, p), strict=True)
    found |= {f"margins.{name}": margin.value for name, margin in plant.margins(x, u, d, p).items()}
    found |= {f"cost.{name}": value for name, value in plant.cost(x, u, d, p).items()}
    found |= {f"measures.{name}": measure.rate for name, measure in plant.measures(x, u, d, p).items()}
    found |= {"complete": plant.complete(x, u, d, p)} if plant.complete else {}
    return found | {"stock": plant.stock(x, p)}
