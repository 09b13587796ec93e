"""Balances set for print: what the lines say is what the plant computes, by the names of its file."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from plant_models.catalogue import get, names
from plant_models.derive.families import Line, merged, together
from plant_models.derive.local_names import Keys, named
from plant_models.derive.signs import SIGNS, marked, name, number
from plant_models.derive.typeset import typeset
from plant_models.derive.written import Written

COMPUTED: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow, "neg": operator.neg,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "min": min, "max": max, "abs": abs,
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "sin": math.sin, "cos": math.cos, "tanh": math.tanh,
    "arctan": math.atan, "square": lambda a: a * a, "where": lambda condition, yes, no: yes if condition else no,
}  # fmt: skip


def computed(e: Any, at: Mapping[str, float], known: dict[int, Any]) -> Any:
    """An expression's value where its quantities are as given."""
    if not isinstance(e, Written):
        return float(e)
    if id(e) not in known:
        parts = (at[e.operands[0]],) if e.leaf else tuple(computed(part, at, known) for part in e.operands)
        known[id(e)] = parts[0] if e.leaf else COMPUTED[e.operation](*parts)
    return known[id(e)]


@pytest.mark.parametrize("plant", names())
def test_every_plants_balances_are_set_as_they_are_computed(plant: str) -> None:
    declared = get(plant)
    vectors = [vector.nominal() for vector in declared.arguments]
    at = {key: value for vector in vectors for key, value in zip(vector.names(), vector, strict=True)}
    slopes = named(declared, Keys()).slopes
    assert [computed(e, at, {}) for e in slopes] == pytest.approx([float(value) for value in declared.derivative(*vectors)])
    lines = typeset(declared)
    assert lines[0].startswith(r"\frac{\mathrm{d} ")
    assert not any("⟦" in line for line in lines)
    left = [line.partition(" = ")[0] for line in lines]
    assert all(left.count(each) == 1 for each in left if "_{i" not in each)
    assert max(map(len, lines)) < 600


def test_a_balance_reads_as_in_a_textbook() -> None:
    assert typeset(get("exothermic_cstr"))[0] == (
        r"\frac{\mathrm{d} c_{A}}{\mathrm{d}t} = \frac{q}{V} \, \left(c_{f} - c_{A}\right) - r"
    )
    assert (name("rho"), name("dH"), name("T_ret"), name("k_0")) == (r"\rho", r"\mathrm{dH}", r"T_{\mathrm{ret}}", "k_{0}")
    assert name("drho_w") == r"\mathrm{d}\rho_{w}"


def test_what_the_plants_file_names_is_set_by_its_name_and_defined_below_once() -> None:
    lines = typeset(get("penicillin_fermentation"))
    assert lines[0] == r"\frac{\mathrm{d} X}{\mathrm{d}t} = \mu \, X - \frac{F}{V} \, X"
    assert lines[4].startswith(r"\mu = ")
    assert lines[-1] == r"S' = \max\!\left(0, S\right)"


def test_a_columns_trays_are_one_line_over_their_index() -> None:
    lines = typeset(get("distillation_column"))
    assert len(lines) < 25
    assert r"\mathrm{vapour}_{i} = \frac{\alpha \, x_{i}}{1 + \left(\alpha - 1\right) \, x_{i}}, \quad i = 1, \ldots, 40" in lines
    assert typeset(get("multistage_extraction"))[2].endswith(r", \quad i = 1, \ldots, 5")


def test_a_ramp_is_said_once_what_it_is() -> None:
    lines = typeset(get("heat_pump_house"))
    assert r"\mathrm{on} = \operatorname{ramp}\!\left(y, 0, y_{\mathrm{on}}\right)" in lines
    assert lines[-1].startswith(r"\operatorname{ramp}\!\left(x, a, b\right) = ")
    assert sum("s^{2}" in line for line in lines) == 1


def test_lines_are_one_only_where_nothing_but_the_index_differs() -> None:
    x = [marked(f"x_{k}") for k in range(6)]
    a = marked("a_1")
    alike = [Line(f"y_{k}", f"{a} \\, {x[k]} + {x[k - 1]}") for k in range(1, 5)]
    (line,) = merged(alike, str)
    assert line == r"y_{i} = a_{1} \, x_{i} + x_{i - 1}, \quad i = 1, \ldots, 4"
    assert len(list(merged(alike[:2], str))) == 2
    other = [*alike[:3], replace_text(alike[3], "-", "+")]
    assert len(list(merged(other, str))) == 2
    assert [line.name for line in together([alike[2], Line("z", "1"), alike[0], alike[1]])] == ["y_1", "y_2", "y_3", "z"]


def replace_text(line: Line, new: str, old: str) -> Line:
    """A line with one sign another."""
    return Line(line.name, line.text.replace(old, new))


def test_an_index_of_the_plants_own_is_not_used_to_count() -> None:
    (line,) = merged([Line(f"y_{k}", marked("T_i")) for k in range(3)], str)
    assert line == r"y_{j} = T_{i}, \quad j = 0, \ldots, 2"


def test_signs_and_brackets() -> None:
    a, b, two = ("a", 4), ("b", 4), number(-2.0)
    assert SIGNS["+"](a, SIGNS["*"](two, b))[0] == r"a - 2 \, b"
    assert SIGNS["-"](a, SIGNS["neg"](b))[0] == "a + b"
    assert SIGNS["*"](SIGNS["neg"](a), SIGNS["neg"](b))[0] == r"a \, b"
    assert SIGNS["*"](a, SIGNS["-"](a, b))[0] == r"a \, \left(a - b\right)"
    assert SIGNS["/"](SIGNS["neg"](a), b)[0] == r"-\frac{a}{b}"
    assert SIGNS["*"](number(2.0), number(3.0))[0] == r"2 \cdot 3"
    assert SIGNS["**"](SIGNS["+"](a, b), number(2.0))[0] == r"{\left(a + b\right)}^{2}"


@pytest.mark.parametrize(
    ("left", "right", "between"),
    [("on", "slope", r"\cdot"), ("UA_zo", "T_o", r"\cdot"), ("y", "heat", r"\cdot"), ("A_zone", "I_s", r"\,"),
     ("rho", "V", r"\,"), ("dT", "c_p", r"\cdot"), ("dtheta", "c", r"\,"), ("x", "y'", r"\,")],
)  # fmt: skip
def test_names_of_several_letters_are_multiplied_by_a_dot_lest_they_read_as_a_phrase(left: str, right: str, between: str) -> None:
    a, b = (marked(left), 4), (marked(right), 4)
    assert SIGNS["*"](a, b)[0] == f"{marked(left)} {between} {marked(right)}"
    assert SIGNS["*"](number(2.0), SIGNS["*"](a, b))[0].endswith(f" {between} {marked(right)}")


def test_what_is_computed_twice_has_one_key() -> None:
    x, y, keys = Written("name", "x"), Written("name", "y"), Keys()
    assert keys.of(2.0 * x + y) == keys.of(np.float64(2.0) * x + y) != keys.of(3.0 * x + y)


def test_nought_and_one_leave_nothing_and_an_expression_is_neither_true_nor_false() -> None:
    x, y = Written("name", "x"), Written("name", "y")
    assert 0.0 * x == 0.0
    assert 1.0 * x is x is x + 0.0 is (x + y) - y
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(x < y)


def test_a_tracer_before_is_there_again() -> None:
    before = sys.gettrace()
    named(get("quadruple_tank"), Keys())
    assert sys.gettrace() is before
