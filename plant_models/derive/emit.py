"""Write a traced piece as straight-line scalar code that LLVM vectorises over plants.

What makes it vectorise: plants along the last axis, the loop over plants innermost and alone in its function, nothing but
scalar arithmetic and selects in its body, elementary functions written as arithmetic (a call to libm stops it), and rows at
constant distances in one flat array: with distances known only at run time the compiler would have to prove for each pair
of rows that they do not overlap, and gives up beyond a handful. Unsigned indices spare the test for a negative one.
"""

from __future__ import annotations

import casadi as ca

from plant_models.derive.closed_loop import Piece, Ref
from plant_models.derive.layout import STRIDE
from plant_models.derive.straight_line import Assignment, StraightLine

BINARY = {ca.OP_ADD: "{} + {}", ca.OP_SUB: "{} - {}", ca.OP_MUL: "{} * {}", ca.OP_DIV: "{} / {}",
          ca.OP_LT: "select({} < {}, 1.0, 0.0)", ca.OP_LE: "select({} <= {}, 1.0, 0.0)",
          ca.OP_EQ: "select({} == {}, 1.0, 0.0)", ca.OP_NE: "select({} != {}, 1.0, 0.0)",
          ca.OP_AND: "{} * {}", ca.OP_OR: "select({} + {} > 0.0, 1.0, 0.0)",
          ca.OP_IF_ELSE_ZERO: "select({} != 0.0, {}, 0.0)"}  # fmt: skip
UNARY = {ca.OP_NEG: "-{}", ca.OP_EXP: "exp({})", ca.OP_LOG: "log({})", ca.OP_SQRT: "math.sqrt({})",
         ca.OP_SQ: "{0} * {0}", ca.OP_TWICE: "{0} + {0}", ca.OP_INV: "1.0 / {}", ca.OP_NOT: "1.0 - {}",
         ca.OP_FABS: "abs({})", ca.OP_TANH: "tanh({})", ca.OP_ASSIGN: "{}"}  # fmt: skip
POWERS = (ca.OP_POW, ca.OP_CONSTPOW)
LONGEST = 16
"""Whole and half exponents up to here are written out as products."""
INDENT = " " * 8


def emit(piece: Piece) -> str:
    """Return the source of ``piece(S, P, E, N, tau, m)``: the first ``m`` plants of one chunk of each block.

    Raises:
        NotImplementedError: where the plant uses a function that has no vectorised form yet.
    """
    line = StraightLine(piece.f)
    constants = {a.name: a.constant for a in line.assignments if a.constant is not None}
    reads = [f"r{k} = {_address(ref)}" for k, ref in enumerate(piece.reads)]
    body = [f"{a.name} = {_right(a, constants)}" for a in line.assignments]
    writes = [f"{_address(ref)} = {line.results[k]}" for k, ref in enumerate(piece.writes)]
    lines = f"\n{INDENT}".join([*reads, *body, *writes])
    return f"def {piece.name}(S, P, E, N, tau, m):\n    for e in range(np.uint64(m)):\n{INDENT}{lines}\n"


def _address(ref: Ref) -> str:
    return "tau" if ref[0] == "tau" else f"{ref[0]}[e + np.uint64({ref[1] * STRIDE})]"


def _right(assignment: Assignment, constants: dict[str, float]) -> str:
    operation, operands = assignment.operation, assignment.operands
    if assignment.constant is not None:
        return _constant(assignment.constant)
    if operation in POWERS:
        base, exponent = operands
        return _power(base, exponent, constants.get(exponent))
    form = BINARY.get(operation) or UNARY.get(operation)
    if form is None:
        raise NotImplementedError(f"CasADi's operation {operation} has no compiled form; add it to derive/emit.py")
    return form.format(*operands)


def _power(base: str, exponent: str, constant: float | None) -> str:
    """Whole and half exponents as products and a square root; any other through the logarithm, for a positive base."""
    if constant is None or not (2.0 * constant).is_integer() or not 0.5 <= abs(constant) <= LONGEST:
        return f"power({base}, {exponent})"
    whole, half = divmod(abs(constant), 1.0)
    product = " * ".join([base] * int(whole) + [f"math.sqrt({base})"] * bool(half))
    return product if constant > 0.0 else f"1.0 / ({product})"


def _constant(value: float) -> str:
    return f"math.{'inf' if value > 0 else 'inf * -1.0'}" if abs(value) == float("inf") else repr(float(value))
