"""What the contract tests share: every plant of the catalogue, and its vectors dressed with units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pint
import pytest

from plant_models.catalogue import get, names
from plant_models.core.curve import evaluate
from plant_models.core.duty import Batch
from plant_models.core.plant import Plant
from plant_models.core.vector import Vector

UNITS: pint.UnitRegistry[Any] = pint.UnitRegistry()
UNITS.define("EUR = [currency]")
UNITS.define("USD = [dollar]")


@evaluate.register
def _(first: pint.Quantity, function: Callable[..., Any], arguments: Sequence[tuple[Any, str]], unit: str) -> Any:
    return UNITS.Quantity(function(*(value.to(_unit(given)).magnitude for value, given in arguments)), _unit(unit))


plants = pytest.mark.parametrize("plant", [get(name) for name in names()], ids=names())


steady = pytest.mark.parametrize(
    "plant", [get(name) for name in names() if not isinstance(get(name).duty, Batch)],
    ids=[name for name in names() if not isinstance(get(name).duty, Batch)],
)  # fmt: skip


def arguments(plant: Plant) -> tuple[type[Vector], ...]:
    """Return the four argument vectors of a plant's functions."""
    return plant.State, plant.Input, plant.Disturbance, plant.Parameter


def dressed(vector: type[Vector]) -> Any:
    """Return a vector at its nominal values with units."""
    return vector(**{name: UNITS.Quantity(q.nominal, _unit(q.unit)) for name, q in vector.quantities().items()})


def plain(vector: type[Vector]) -> Any:
    """Return a vector at its nominal values without units."""
    return vector.nominal()


def _unit(text: str) -> str:
    return "dimensionless" if text == "1" else text


def somewhere(plant: Plant, rng: np.random.Generator) -> tuple[dict[str, float], ...]:
    """Draw states, inputs and disturbances within their ranges and parameters within their uncertainty, by name."""
    ranged = [
        {name: float(rng.uniform(q.low, q.high)) for name, q in vector.quantities().items()}
        for vector in (plant.State, plant.Input, plant.Disturbance)
    ]
    spread = {n: float(q.nominal * (1.0 + q.uncertain * rng.uniform(-1.0, 1.0))) for n, q in plant.Parameter.quantities().items()}
    return (*ranged, spread)


def with_units(vector: type[Vector], values: dict[str, float]) -> Any:
    """Return a vector of these values with their declared units."""
    return vector(**{name: UNITS.Quantity(values[name], _unit(q.unit)) for name, q in vector.quantities().items()})
