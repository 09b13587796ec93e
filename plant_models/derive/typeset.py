"""A plant's balances set for print, from the very expressions that are compiled: LaTeX, one line a state.

What the plant's file computes on the way under a name of its own is set as a quantity of this name, defined on a line below.
A comparison in brackets is 1 where it holds, else 0 (Iverson's brackets).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import casadi as ca

from plant_models.core.plant import Plant
from plant_models.derive import symbolic
from plant_models.derive.local_names import Call, Keys, named

LONGEST = 60
"""Operations of a line that is still readable; a plant with a longer one is told by its file's own words alone."""
LEAST = 3
"""Operations from which what has a name in the file is set apart."""
MOST = 12
"""States of a plant whose balances are set; a column of forty trays says nothing new from the second on."""
MOST_LINES = 64
"""Lines in all, balances and definitions, beyond which nobody reads them."""
_GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "nu", "rho", "sigma", "tau", "phi",
    "psi", "omega", "Delta", "Phi", "Theta",
)  # fmt: skip
_SUM, _PRODUCT, _POWER, _ATOM = range(4)

Term = tuple[str, int]
"""LaTeX and how tightly its outermost operation binds."""


def typeset(plant: Plant) -> tuple[str, ...]:
    """Return the time derivative of every state as LaTeX, and below them what they name; nothing where that is too much."""
    keys = Keys()
    found = named(plant, symbolic.Symbols.of(plant), keys)
    if len(found.slopes) > MOST:
        return ()
    page = _Page({key: each for key, each in found.names.items() if _size(each[1], LEAST) >= LEAST}, found.calls, keys)
    left = [rf"\frac{{\mathrm{{d}} {name(state)}}}{{\mathrm{{d}}t}}" for state in plant.State.names()]
    try:
        lines = [f"{of} = {page.line(e)}" for of, e in zip(left, found.slopes, strict=True)]
        for key in page.asked:  # grows while its definitions are set
            text, e = page.names[key]
            lines.append(f"{name(text)} = {page.line(e)}")
            if len(lines) > MOST_LINES:
                return ()
    except (KeyError, _TooLong):  # an operation that print has no sign for, or a line that nobody could read
        return ()
    return tuple(lines)


class _TooLong(Exception):
    """A line has more operations than can be read."""


class _Page:
    """Sets expressions, those that have a name by it; ``asked`` are the keys whose definitions are wanted, in this order."""

    def __init__(self, names: Mapping[int, tuple[str, ca.SX]], calls: Mapping[int, Call], keys: Keys) -> None:
        self.names, self.asked = dict(names), list[int]()
        self._calls, self._keys, self._left = calls, keys, LONGEST

    def line(self, e: ca.SX) -> str:
        """Return one expression written out; raises _TooLong, and KeyError for an operation without a sign."""
        self._left = LONGEST
        return self._written(e)[0]

    def _parts(self, e: ca.SX) -> tuple[Any, ...]:
        """What stands in an expression's own term: the arguments of a call, else its operands."""
        call = self._calls.get(self._keys.of(e))
        return tuple(e.dep(i) for i in range(e.n_dep())) if call is None else call.arguments

    def _term(self, e: Any) -> Term:
        if not isinstance(e, ca.SX):
            return _number(float(e))
        key = self._keys.of(e)
        if key not in self.names:
            return self._written(e)
        if key not in self.asked:
            self.asked.append(key)
        return name(self.names[key][0]), _ATOM

    def _written(self, e: ca.SX) -> Term:
        if e.is_symbolic():
            return name(e.name()), _ATOM
        if e.is_constant():
            return _number(float(e))
        self._left -= 1
        if self._left < 0:
            raise _TooLong
        call = self._calls.get(self._keys.of(e))
        if call is not None:
            return _called(rf"\operatorname{{{call.function}}}")(*map(self._term, call.arguments))
        if e.op() == ca.OP_NOT:
            return _OPPOSITE[e.dep(0).op()](*map(self._term, self._parts(e.dep(0))))
        return _SIGNS[e.op()](*map(self._term, self._parts(e)))


def name(text: str) -> str:
    """Return a quantity's name as LaTeX: what follows the first underscore is its index."""
    if text.endswith("'"):
        return f"{name(text[:-1])}'"
    first, _, index = text.partition("_")
    head = rf"\{first}" if first in _GREEK else first if len(first) == 1 else rf"\mathrm{{{first}}}"
    shown = ",".join(part if len(part) == 1 or part.isdigit() else rf"\mathrm{{{part}}}" for part in index.split("_"))
    return f"{head}_{{{shown}}}" if index else head


def _size(e: ca.SX, most: int) -> int:
    """Operations of an expression written out, counted no further than ``most``."""
    if e.is_leaf():
        return 0
    count = 1
    for i in range(e.n_dep()):
        count += _size(e.dep(i), most - count)
        if count >= most:
            break
    return count


def _number(value: float) -> Term:
    text = f"{value:.6g}"
    mantissa, power, exponent = text.partition("e")
    shown = rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if power else text
    return shown, _SUM if value < 0.0 else _PRODUCT if power else _ATOM


def _within(term: Term, least: int) -> str:
    text, binds = term
    return text if binds >= least else rf"\left({text}\right)"


def _minus(a: Term, b: Term) -> Term:
    return f"{a[0]} - {_within(b, _PRODUCT)}", _SUM


def _plus(a: Term, b: Term) -> Term:
    return (f"{a[0]} - {b[0][1:]}" if re.match(r"-[^{]", b[0]) and b[1] > _SUM else f"{a[0]} + {b[0]}"), _SUM


def _times(a: Term, b: Term) -> Term:
    return rf"{_within(a, _PRODUCT)} \, {_within(b, _PRODUCT)}", _PRODUCT


def _called(function: str) -> Callable[..., Term]:
    return lambda *terms: (rf"{function}\!\left({', '.join(term[0] for term in terms)}\right)", _ATOM)


def _compared(sign: str) -> Callable[[Term, Term], Term]:
    return lambda a, b: (rf"\left[{a[0]} {sign} {b[0]}\right]", _ATOM)


_SIGNS: dict[int, Callable[..., Term]] = {
    ca.OP_ADD: _plus,
    ca.OP_SUB: _minus,
    ca.OP_MUL: _times,
    ca.OP_DIV: lambda a, b: (rf"\frac{{{a[0]}}}{{{b[0]}}}", _POWER),
    ca.OP_NEG: lambda a: (f"-{_within(a, _PRODUCT)}", _SUM),
    ca.OP_INV: lambda a: (rf"\frac{{1}}{{{a[0]}}}", _POWER),
    ca.OP_SQ: lambda a: (f"{{{_within(a, _ATOM)}}}^{{2}}", _POWER),
    ca.OP_TWICE: lambda a: (rf"2 \, {_within(a, _PRODUCT)}", _PRODUCT),
    ca.OP_POW: lambda a, b: (f"{{{_within(a, _ATOM)}}}^{{{b[0]}}}", _POWER),
    ca.OP_CONSTPOW: lambda a, b: (f"{{{_within(a, _ATOM)}}}^{{{b[0]}}}", _POWER),
    ca.OP_SQRT: lambda a: (rf"\sqrt{{{a[0]}}}", _ATOM),
    ca.OP_EXP: _called(r"\exp"),
    ca.OP_LOG: _called(r"\ln"),
    ca.OP_SIN: _called(r"\sin"),
    ca.OP_COS: _called(r"\cos"),
    ca.OP_TANH: _called(r"\tanh"),
    ca.OP_FABS: lambda a: (rf"\left|{a[0]}\right|", _ATOM),
    ca.OP_FMIN: _called(r"\min"),
    ca.OP_FMAX: _called(r"\max"),
    ca.OP_LT: _compared("<"),
    ca.OP_LE: _compared(r"\le"),
    ca.OP_IF_ELSE_ZERO: lambda a, b: (rf"{_within(a, _PRODUCT)} \, {_within(b, _PRODUCT)}", _PRODUCT),
}
_OPPOSITE = {ca.OP_LT: _compared(r"\ge"), ca.OP_LE: _compared(">")}
