"""A plant's balances set for print, from the very expressions that are compiled: LaTeX, one line a state."""

from __future__ import annotations

import re
from collections.abc import Callable

import casadi as ca

from plant_models.core.plant import Plant
from plant_models.derive import symbolic

LONGEST = 60
"""Operations of a balance that is still readable; a plant with a longer one is told by its file's own words alone."""
MOST = 12
"""States of a plant whose balances are set; a column of forty trays says nothing new from the second on."""
_GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "nu", "rho", "sigma", "tau", "phi",
    "psi", "omega", "Delta", "Phi", "Theta",
)  # fmt: skip
_SUM, _PRODUCT, _POWER, _ATOM = range(4)

Term = tuple[str, int]
"""LaTeX and how tightly its outermost operation binds."""


def typeset(plant: Plant) -> tuple[str, ...]:
    """Return the time derivative of every state as LaTeX; nothing where balances are too long or too many."""
    s = symbolic.Symbols.of(plant)
    slopes = symbolic.rows(symbolic.derivative(plant, s.x, s.u, s.d, s.p))
    if len(slopes) > MOST or any(_size(slope, LONGEST) >= LONGEST for slope in slopes):
        return ()
    try:
        terms = [_term(slope)[0] for slope in slopes]
    except KeyError:  # an operation that print has no sign for
        return ()
    left = (rf"\frac{{\mathrm{{d}} {name(state)}}}{{\mathrm{{d}}t}}" for state in plant.State.names())
    return tuple(f"{slope} = {term}" for slope, term in zip(left, terms, strict=True))


def name(text: str) -> str:
    """Return a quantity's name as LaTeX: what follows the first underscore is its index."""
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


def _term(e: ca.SX) -> Term:
    if e.is_symbolic():
        return name(e.name()), _ATOM
    if e.is_constant():
        return _number(float(e))
    parts = [_term(e.dep(i)) for i in range(e.n_dep())]
    return _SIGNS[e.op()](*parts)


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
    ca.OP_NOT: lambda a: (rf"\neg {_within(a, _ATOM)}", _ATOM),
}
