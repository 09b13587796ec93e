"""Empirical fits: polynomials that hold for plain numbers in stated units only, fenced off from equations with units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch

from plant_models.core.vector import Expr

Argument = tuple[Expr, str]
"""A value and the unit in which the fit takes it."""


def fitted(function: Callable[..., Expr], *arguments: Argument, unit: str) -> Expr:
    """Return ``function`` of the bare numbers of the arguments, meant in ``unit``.

    Values must be declared in the very units given (a temperature in degC goes in as its difference to 273.15 K, in K);
    the units test converts and dresses, all other backends pass straight through.
    """
    return evaluate(arguments[0][0], function, arguments, unit)


@singledispatch
def evaluate(first: Expr, function: Callable[..., Expr], arguments: Sequence[Argument], unit: str) -> Expr:
    """Call the fit; chosen by the type of its first argument, so that a type with units can register its own way."""
    return function(*(value for value, _ in arguments))
