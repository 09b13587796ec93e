"""Trace a plant's equations to CasADi symbols: the only place where a plant meets a computer-algebra type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import casadi as ca

from plant_models.core.plant import Plant
from plant_models.core.smooth import where
from plant_models.core.vector import Expr, Vector

ca.GlobalOptions.setNumpyMode(1)


@where.register
def _(condition: ca.SX, yes: Expr, no: Expr) -> Expr:
    return ca.if_else(condition, yes, no)


@dataclass(frozen=True)
class Symbols:
    """The four argument vectors of a plant's functions, as symbols."""

    x: ca.SX
    u: ca.SX
    d: ca.SX
    p: ca.SX

    @classmethod
    def of(cls, plant: Plant) -> Symbols:
        """Make fresh symbols for a plant."""
        return cls(*(symbols(v) for v in plant.arguments))


def symbols(vector: type[Vector]) -> ca.SX:
    """Return one column of symbols named as the vector's fields."""
    return ca.vertcat(*(ca.SX.sym(name) for name in vector.names()))


def rows(column: ca.SX) -> list[ca.SX]:
    """Return the scalars of a column."""
    return [column[i] for i in range(column.numel())]


def apply(plant: Plant, function: Callable[..., Expr], x: ca.SX, u: ca.SX, d: ca.SX, p: ca.SX) -> Expr:
    """Evaluate one of the plant's functions on columns of symbols."""
    return function(plant.State.of(rows(x)), plant.Input.of(rows(u)), plant.Disturbance.of(rows(d)), plant.Parameter.of(rows(p)))


def derivative(plant: Plant, x: ca.SX, u: ca.SX, d: ca.SX, p: ca.SX) -> ca.SX:
    """Return the right-hand side as a column, per time unit of the plant."""
    return ca.vertcat(*apply(plant, plant.derivative, x, u, d, p))


def outputs(plant: Plant, x: ca.SX, u: ca.SX, d: ca.SX, p: ca.SX) -> ca.SX:
    """Return the noise-free outputs as a column."""
    return ca.vertcat(*apply(plant, plant.outputs, x, u, d, p))


def function(plant: Plant, evaluate: Callable[[Plant, ca.SX, ca.SX, ca.SX, ca.SX], ca.SX], name: str) -> ca.Function:
    """Return ``f(x, u, d, p)`` as a CasADi function."""
    s = Symbols.of(plant)
    return ca.Function(name, [s.x, s.u, s.d, s.p], [evaluate(plant, s.x, s.u, s.d, s.p)], ["x", "u", "d", "p"], [name])
