"""How each operation is set for print, as LaTeX; names are marked, so that lines can be compared before they are set."""

from __future__ import annotations

import re
from collections.abc import Callable

SUM, SIGNED, PRODUCT, POWER, ATOM = range(5)
Term = tuple[str, int]
"""LaTeX and how tightly its outermost operation binds; SIGNED is a product after a minus."""

MARK = re.compile("⟦(.*?)⟧")
_LAST = re.compile("⟦([^⟦]*)⟧$")
_NUMBER = re.compile(r"-?\d[\d.]*( \\cdot 10\^\{-?\d+\})?")
_GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "nu", "rho", "sigma", "tau", "phi",
    "psi", "omega", "Delta", "Phi", "Theta",
)  # fmt: skip


def marked(text: str) -> str:
    """Return a name as a line holds it until it is set."""
    return f"⟦{text}⟧"


def name(text: str) -> str:
    """Return a quantity's name as LaTeX: what follows the first underscore is its index."""
    if text.endswith("'"):
        return f"{name(text[:-1])}'"
    first, _, index = text.partition("_")
    shown = ",".join(part if len(part) == 1 or part.isdigit() else rf"\mathrm{{{part}}}" for part in index.split("_"))
    return f"{_head(first)}_{{{shown}}}" if index else _head(first)


def _head(first: str) -> str:
    if first in _GREEK:
        return rf"\{first}"
    if first[:1] == "d" and first[1:] in _GREEK:
        return rf"\mathrm{{d}}\{first[1:]}"
    return rf"\mathrm{{{first}}}" if _is_word(first) else first


def _is_word(first: str) -> bool:
    """Whether a name is set upright, as a word, not as a letter."""
    return len(first) > 1 and first not in _GREEK and not (first[0] == "d" and first[1:] in _GREEK)


def rate(shown: str) -> str:
    """Return the time derivative of what is shown."""
    return rf"\frac{{\mathrm{{d}} {shown}}}{{\mathrm{{d}}t}}"


def number(value: float) -> Term:
    """Return a number in six digits."""
    mantissa, power, exponent = f"{value:.6g}".partition("e")
    shown = rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if power else mantissa
    return shown, SIGNED if value < 0.0 else PRODUCT if power else ATOM


def _within(term: Term, least: int) -> str:
    text, binds = term
    return text if binds >= least else rf"\left({text}\right)"


def _plus(a: Term, b: Term) -> Term:
    return (f"{a[0]} - {b[0][1:]}" if b[1] == SIGNED else f"{a[0]} + {b[0]}"), SUM


def _minus(a: Term, b: Term) -> Term:
    return (f"{a[0]} + {b[0][1:]}" if b[1] == SIGNED else f"{a[0]} - {_within(b, PRODUCT)}"), SUM


def _times(a: Term, b: Term) -> Term:
    if _NUMBER.fullmatch(b[0]) and not _NUMBER.fullmatch(a[0]):
        a, b = b, a
    sign = (a[1] == SIGNED) != (b[1] == SIGNED)
    left, right = _within(_bare(a), PRODUCT), _within(_bare(b), PRODUCT)
    between = r"\cdot" if right[0].isdigit() or _words_meet(left, right) else r"\,"
    return f"{'-' * sign}{left} {between} {right}", SIGNED if sign else PRODUCT


def _words_meet(left: str, right: str) -> bool:
    """Whether a product would read as one phrase: a name of several letters stands at its joint."""
    found = (_LAST.search(left), MARK.match(right))
    return any(_is_word(each[1].rstrip("'").partition("_")[0]) for each in found if each)


def _over(a: Term, b: Term) -> Term:
    fraction = rf"\frac{{{_bare(a)[0]}}}{{{b[0]}}}"
    return (f"-{fraction}", SIGNED) if a[1] == SIGNED else (fraction, POWER)


def _bare(term: Term) -> Term:
    """A term without the minus that it may begin with."""
    return (term[0][1:], PRODUCT) if term[1] == SIGNED else term


def _negative(a: Term) -> Term:
    return _bare(a) if a[1] == SIGNED else (f"-{_within(a, PRODUCT)}", SIGNED)


def _power(a: Term, b: Term) -> Term:
    return f"{{{_within(a, ATOM)}}}^{{{b[0]}}}", POWER


def _called(function: str) -> Callable[..., Term]:
    return lambda *terms: (rf"{function}\!\left({', '.join(term[0] for term in terms)}\right)", ATOM)


def _compared(sign: str) -> Callable[[Term, Term], Term]:
    return lambda a, b: (f"{a[0]} {sign} {b[0]}", SUM)


def _limited(x: Term, low: Term, high: Term) -> Term:
    return _called(r"\min")(_called(r"\max")(x, low), high)


def _cases(condition: Term, yes: Term, no: Term) -> Term:
    return rf"\begin{{cases}} {yes[0]} & {condition[0]} \\ {no[0]} & \text{{else}} \end{{cases}}", SUM


def sign(operation: str) -> Callable[..., Term]:
    """Return what sets an operation; a function without a sign of its own is called by its name."""
    return SIGNS.get(operation) or _called(rf"\operatorname{{{operation}}}")


SIGNS: dict[str, Callable[..., Term]] = {
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _over,
    "**": _power,
    "neg": _negative,
    "square": lambda a: _power(a, ("2", ATOM)),
    "sqrt": lambda a: (rf"\sqrt{{{a[0]}}}", ATOM),
    "exp": _called(r"\exp"),
    "log": _called(r"\ln"),
    "sin": _called(r"\sin"),
    "cos": _called(r"\cos"),
    "tanh": _called(r"\tanh"),
    "arctan": _called(r"\arctan"),
    "min": _called(r"\min"),
    "max": _called(r"\max"),
    "abs": lambda a: (rf"\left|{a[0]}\right|", ATOM),
    "<": _compared("<"),
    "<=": _compared(r"\le"),
    ">": _compared(">"),
    ">=": _compared(r"\ge"),
    "where": _cases,
    "clamp": _limited,
    "positive": lambda x: _called(r"\max")(("0", ATOM), x),
    "ramp": _called(r"\operatorname{ramp}"),
}
