"""What the contract tests share: every plant of the catalogue, and its vectors dressed with units."""

from __future__ import annotations

from typing import Any

import pint
import pytest

from plant_models.catalogue import get, names
from plant_models.core.plant import Plant
from plant_models.core.vector import Vector

UNITS: pint.UnitRegistry[Any] = pint.UnitRegistry()
UNITS.define("EUR = [currency]")

plants = pytest.mark.parametrize("plant", [get(name) for name in names()], ids=names())


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
