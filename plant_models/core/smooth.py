"""Branching for equations: works on floats, arrays, pint quantities and, once registered, on symbols.

Every function lets NaN through: a limit must not turn a failed measurement into a plausible number.
"""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from plant_models.core.vector import Expr


@singledispatch
def where(condition: Expr, yes: Expr, no: Expr) -> Expr:
    """Return ``yes`` where the comparison holds, else ``no``; both are evaluated."""
    return yes if condition else no


@where.register
def _(condition: np.ndarray, yes: Expr, no: Expr) -> Expr:
    return np.where(condition, yes, no)


def clamp(x: Expr, low: Expr, high: Expr) -> Expr:
    """Limit ``x`` to ``[low, high]``; NaN stays NaN on every backend."""
    return where(x < low, low, where(x > high, high, x))


def positive(x: Expr) -> Expr:
    """Return ``x`` where it is above zero, else zero of the same unit."""
    return where(x < 0 * x, 0 * x, x)


def ramp(x: Expr, low: Expr, high: Expr) -> Expr:
    """Rise smoothly (continuous first derivative) from 0 at ``low`` to 1 at ``high``."""
    s = clamp((x - low) / (high - low), 0.0, 1.0)
    return s * s * (3.0 - 2.0 * s)
