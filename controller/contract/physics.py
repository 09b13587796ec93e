"""What the equations give: the same numbers on every backend, and a nominal point that is safe and at rest."""

from __future__ import annotations

from functools import partial
from typing import Any

import casadi as ca
import numpy as np

from controller.contract.check import Broken, Check
from controller.contract.points import Point, at, everything, plain, somewhere
from plant_models.core.duty import Batch
from plant_models.core.errors import SetpointError
from plant_models.core.plant import Plant
from plant_models.core.quantity import Quantity
from plant_models.core.scenario import Array
from plant_models.derive import symbolic
from plant_models.derive.steady import nominal, nominal_equilibrium

POINTS = 32
CLOSE = 0.01
"""Largest distance of the nominal state from rest, as a share of each state's range."""


def backends_agree(plant: Plant) -> None:
    """Floats, arrays and symbols give the same values anywhere in range."""
    rng = np.random.default_rng(1)
    points = [somewhere(plant, rng) for _ in range(POINTS)]
    one = [everything(plant, *at(plant, point)) for point in points]
    many = everything(plant, *at(plant, _stacked(points)))
    traced = _traced(plant)
    symbols = np.array([traced(*(np.array(list(values.values())) for values in point)).full().ravel() for point in points])
    for i, name in enumerate(many):
        floats = np.array([values[name] for values in one], dtype=float)
        _compare(name, "arrays", floats, np.broadcast_to(many[name], POINTS), 1e-12, 1e-14)
        _compare(name, "symbols", floats, symbols[:, i], 1e-10, 1e-12)


def _stacked(points: list[Point]) -> list[dict[str, Array]]:
    """Return many points as one, whose values are arrays."""
    return [{name: np.array([point[i][name] for point in points]) for name in part} for i, part in enumerate(points[0])]


def _traced(plant: Plant) -> ca.Function:
    s = symbolic.Symbols.of(plant)
    values = symbolic.apply(plant, partial(everything, plant), s.x, s.u, s.d, s.p).values()
    return ca.Function("everything", [s.x, s.u, s.d, s.p], [ca.vertcat(*(ca.SX(value) for value in values))])


def _compare(name: str, backend: str, floats: Array, others: Any, relative: float, absolute: float) -> None:
    apart = np.abs(others - floats) > absolute + relative * np.abs(floats)
    if apart.any():
        i = int(apart.argmax())
        raise Broken(f"{name} is {floats[i]:.8g} on floats and {others[i]:.8g} on {backend}", name)


def margins_are_numbers(plant: Plant) -> None:
    """Every margin is a number wherever states may get within the range of the equations, beyond its limit too."""
    rng = np.random.default_rng(2)
    _, *rest = _stacked([somewhere(plant, rng) for _ in range(POINTS)])
    states = {name: rng.uniform(*_reached(q), POINTS) for name, q in plant.State.quantities().items()}
    with np.errstate(all="ignore"):
        margins = plant.margins(*at(plant, (states, *rest)))
    for name, margin in margins.items():
        wrong = np.broadcast_to(np.isnan(margin.value), POINTS)
        if wrong.any():
            told = ", ".join(f"{state} {values[wrong][0]:.6g}" for state, values in list(states.items())[:4])
            raise Broken(f"margin {name!r} is no number at {told}", f"margins.{name}")


def _reached(q: Quantity) -> tuple[float, float]:
    """Return between what a state is looked at: a span beyond its range, as far as the equations hold."""
    span = q.high - q.low
    return max(q.valid[0], q.low - span), min(q.valid[1], q.high + span)


def safe_at_rest(plant: Plant) -> None:
    """The nominal point keeps every margin."""
    for name, margin in plant.margins(*plain(plant)).items():
        if not margin.value >= 0.0:
            raise Broken(f"margin {name!r} is {float(margin.value):.6g} at the nominal point", f"margins.{name}")


def at_rest(plant: Plant) -> None:
    """The nominal state of a plant that is no batch is an equilibrium within a hundredth of each state's range."""
    if isinstance(plant.duty, Batch):
        return
    try:
        found = nominal_equilibrium(plant)
    except SetpointError as error:
        raise Broken("no steady state is found near the nominal state", "derivative") from error
    for (name, q), rest, value in zip(plant.State.quantities().items(), found, nominal(plant.State), strict=True):
        if not abs(rest - value) <= CLOSE * (q.high - q.low):
            raise Broken(f"{name} rests at {rest:.6g} {q.unit}; nominal is {value:.6g}", f"{plant.State.__name__}.{name}")


CHECKS = (
    Check("floats, arrays and symbols agree", backends_agree,
          "use NumPy's elementwise functions, and plant_models.core.smooth for every branch"),
    Check("margins are numbers", margins_are_numbers, "measure the distance to the limit by what stays a number beyond it"),
    Check("the nominal point keeps every margin", safe_at_rest, "move the limit or the nominal values"),
    Check("the nominal state is at rest", at_rest, "set nominal values that make every balance zero"),
)  # fmt: skip
