"""Expressions as a plant's file writes them: nothing is simplified but what nought, one and taking away again leave.

CasADi rearranges what it is given, which a compiler likes and a reader does not: names that the file gives are lost on the way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plant_models.core.smooth import where
from plant_models.core.vector import Expr

_UFUNCS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**", np.float_power: "**", np.negative: "neg",
    np.less: "<", np.less_equal: "<=", np.greater: ">", np.greater_equal: ">=", np.minimum: "min", np.maximum: "max",
    np.fmin: "min", np.fmax: "max", np.absolute: "abs", np.fabs: "abs",
}  # fmt: skip
"""What has a sign or several names; any other function of NumPy's is called by its own."""


class Written:
    """An operation and what it is applied to, expressions or numbers; a quantity is the operation ``name`` on its name."""

    __slots__ = ("operands", "operation")

    def __init__(self, operation: str, *operands: Any) -> None:
        self.operation, self.operands = operation, operands

    @property
    def leaf(self) -> bool:
        """Whether it is a quantity by its name."""
        return self.operation == "name"

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **kw: Any) -> Any:
        """Let NumPy's functions and numbers take part."""
        return NotImplemented if method != "__call__" or kw else _made(_UFUNCS.get(ufunc, ufunc.__name__), *operands)

    def __bool__(self) -> bool:
        """Refuse to decide: whoever branches on an expression means ``where``."""
        raise TypeError("an expression is neither true nor false")

    def __add__(self, other: Expr) -> Expr:
        return _made("+", self, other)

    def __radd__(self, other: Expr) -> Expr:
        return _made("+", other, self)

    def __sub__(self, other: Expr) -> Expr:
        return _made("-", self, other)

    def __rsub__(self, other: Expr) -> Expr:
        return _made("-", other, self)

    def __mul__(self, other: Expr) -> Expr:
        return _made("*", self, other)

    def __rmul__(self, other: Expr) -> Expr:
        return _made("*", other, self)

    def __truediv__(self, other: Expr) -> Expr:
        return _made("/", self, other)

    def __rtruediv__(self, other: Expr) -> Expr:
        return _made("/", other, self)

    def __pow__(self, other: Expr) -> Expr:
        return _made("**", self, other)

    def __rpow__(self, other: Expr) -> Expr:
        return _made("**", other, self)

    def __neg__(self) -> Expr:
        return Written("neg", self)

    def __abs__(self) -> Expr:
        return Written("abs", self)

    def __lt__(self, other: Expr) -> Expr:
        return Written("<", self, other)

    def __le__(self, other: Expr) -> Expr:
        return Written("<=", self, other)

    def __gt__(self, other: Expr) -> Expr:
        return Written(">", self, other)

    def __ge__(self, other: Expr) -> Expr:
        return Written(">=", self, other)


@where.register
def _(condition: Written, yes: Expr, no: Expr) -> Expr:
    return Written("where", condition, yes, no)


def _made(operation: str, *operands: Any) -> Expr:
    """The operation, or what is left of it where an operand is nought or one, or was added just before."""
    a, b = (*operands, None)[:2]
    if operation == "*":
        return 0.0 if _is(a, 0.0) or _is(b, 0.0) else b if _is(a, 1.0) else a if _is(b, 1.0) else Written("*", a, b)
    if operation == "+" and (_is(a, 0.0) or _is(b, 0.0)):
        return b if _is(a, 0.0) else a
    if operation == "-" and _is(b, 0.0):
        return a
    if operation == "-" and isinstance(a, Written) and a.operation == "+" and a.operands[1] is b:
        return a.operands[0]
    return Written(operation, *operands)


def _is(operand: Any, value: float) -> bool:
    return not isinstance(operand, Written) and bool(operand == value)
