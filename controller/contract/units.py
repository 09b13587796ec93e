"""Every equation has the units it declares; Pint carries them through the plant's own functions."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from controller.contract.check import Broken, Check
from controller.contract.points import Point, at, everything, plain, somewhere
from plant_models.core.curve import evaluate
from plant_models.core.duty import Tracking
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.vector import Vector

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "CAD", "JPY", "CNY", "INR")
POINTS = 16
"""Points at which numbers with and without units are compared."""


def pint() -> ModuleType:
    """Return Pint, imported late because only this contract needs it.

    Raises:
        BadInput: where it is not installed; the text says how to install it.
    """
    try:
        return importlib.import_module("pint")
    except ImportError as error:
        raise BadInput("units are checked by Pint, which is not installed; run `pip install 'setpoint[check]'`") from error


@cache
def registry() -> Any:
    """Return the registry of units, with currencies, and teach empirical fits to take quantities."""
    module = pint()
    units = module.UnitRegistry()
    for currency in CURRENCIES:
        units.define(f"{currency} = [{currency.lower()}]")

    def convert(first: Any, function: Callable[..., Any], given: Sequence[tuple[Any, str]], unit: str) -> Any:
        return units.Quantity(function(*(value.to(name_of(asked)).magnitude for value, asked in given)), name_of(unit))

    evaluate.register(module.Quantity, convert)
    return units


def name_of(unit: str) -> str:
    """Return a unit as Pint spells it."""
    return "dimensionless" if unit == "1" else unit


def dressed(plant: Plant, point: Point) -> tuple[Any, ...]:
    """Return the four vectors with the values of a point in their declared units."""
    return tuple(_with_units(vector, values) for vector, values in zip(plant.arguments, point, strict=True))


def _with_units(vector: type[Vector], values: dict[str, float]) -> Any:
    return vector(**{n: registry().Quantity(values[n], name_of(q.unit)) for n, q in vector.quantities().items()})


def known(plant: Plant) -> None:
    """Every declared unit is one that Pint knows."""
    for vector in (*plant.arguments, plant.Output):
        for name, q in vector.quantities().items():
            _parse(q.unit, f"{vector.__name__}.{name}")
    _parse(plant.worth, "duty")


def _parse(unit: str, subject: str) -> None:
    try:
        registry().Quantity(1.0, name_of(unit))
    except Exception as error:
        raise Broken(f"unit {unit!r} of {subject} is not known", subject) from error


def balanced(plant: Plant) -> None:
    """Every balance has the unit of its state per time unit, and terms that are added have the same unit."""
    nominal: Point = tuple({n: q.nominal for n, q in v.quantities().items()} for v in plant.arguments)
    rates = plant.derivative(*dressed(plant, nominal))
    for name, q in plant.State.quantities().items():
        _number(getattr(rates, name), f"({q.unit}) / {plant.time_unit}", f"derivative.{name}")


def _number(value: Any, unit: str, subject: str) -> float:
    """Return the number of a quantity in a unit."""
    found = registry().Quantity(value)
    try:
        return float(found.to(unit).magnitude)
    except pint().DimensionalityError as error:
        raise Broken(f"{subject} is in {found.units:~}; declared is {unit}", subject) from error


def consistent(plant: Plant) -> None:
    """Calculated with units or without, every value is the same number anywhere in range."""
    rng, units = np.random.default_rng(0), declared_units(plant)
    for _ in range(POINTS):
        point = somewhere(plant, rng)
        bare, united = everything(plant, *at(plant, point)), everything(plant, *dressed(plant, point))
        for name, value in bare.items():
            got = _number(united[name], units[name], name) if name in units else registry().Quantity(united[name]).magnitude
            if not abs(value - got) <= max(1e-12, 1e-9 * abs(got)):
                raise Broken(f"{name} is {value:.6g}, but {got:.6g} with units; a conversion is missing", name)


def declared_units(plant: Plant) -> dict[str, str]:
    """Return the units in which plain numbers are meant, for all but margins, whose unit is their own."""
    money = name_of(plant.worth)
    rate = "dimensionless" if isinstance(plant.duty, Tracking) else f"{money} / hour"
    units = {f"derivative.{n}": f"({q.unit}) / {plant.time_unit}" for n, q in plant.State.quantities().items()}
    units |= {f"outputs.{n}": name_of(q.unit) for n, q in plant.Output.quantities().items()}
    units |= {f"cost.{name}": rate for name in plant.cost(*plain(plant))}
    rates = plant.measures(*plain(plant))
    return units | {f"measures.{n}": f"({m.unit.replace(' ', ' * ')}) / hour" for n, m in rates.items()} | {"stock": money}


CHECKS = (
    Check("every unit is known", known, "write the unit as in kg/m^3, J/(kg K), 1/s; 1 for a pure number", decides=True),
    Check("balances have the units of their states per time", balanced,
          "correct a declared unit or the equation; a pure number that carries a unit is a parameter"),
    Check("numbers agree with and without units", consistent,
          "declare quantities in units that fit each other, or convert by a parameter such as 3600 s/h"),
)  # fmt: skip
