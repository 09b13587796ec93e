"""Write a traced piece as straight-line scalar code that LLVM vectorises over plants.

What makes it vectorise: plants along the last axis, the loop over plants innermost and alone in its function, nothing but
scalar arithmetic and selects in its body, elementary functions written as arithmetic (a call to libm stops it), and rows at
constant distances in one flat array: with distances known only at run time the compiler would have to prove for each pair
of rows that they do not overlap, and gives up beyond a handful. Unsigned indices spare the test for a negative one.
"""

from __future__ import annotations

from collections.abc import Iterator

import casadi as ca

from plant_models.derive.closed_loop import Piece, Ref
from plant_models.derive.layout import STRIDE

BINARY = {ca.OP_ADD: "{} + {}", ca.OP_SUB: "{} - {}", ca.OP_MUL: "{} * {}", ca.OP_DIV: "{} / {}",
          ca.OP_LT: "1.0 if {} < {} else 0.0", ca.OP_LE: "1.0 if {} <= {} else 0.0",
          ca.OP_EQ: "1.0 if {} == {} else 0.0", ca.OP_NE: "1.0 if {} != {} else 0.0",
          ca.OP_AND: "{} * {}", ca.OP_OR: "1.0 if {} + {} > 0.0 else 0.0",
          ca.OP_IF_ELSE_ZERO: "{1} if {0} != 0.0 else 0.0"}  # fmt: skip
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
    f = piece.f
    body = [f"r{k} = {_address(ref)}" for k, ref in enumerate(piece.reads)]
    body += list(_instructions(f))
    body += [f"{_address(ref)} = o{k}" for k, ref in enumerate(piece.writes)]
    lines = f"\n{INDENT}".join(body)
    return f"def {piece.name}(S, P, E, N, tau, m):\n    for e in range(np.uint64(m)):\n{INDENT}{lines}\n"


def _address(ref: Ref) -> str:
    return "tau" if ref[0] == "tau" else f"{ref[0]}[e + np.uint64({ref[1] * STRIDE})]"


def _instructions(f: ca.Function) -> Iterator[str]:
    """Yield one assignment each; the constants that the registers hold are followed, so that exponents are known."""
    constants: dict[int, float] = {}
    for k in range(f.n_instructions()):
        op, inputs, output = f.instruction_id(k), f.instruction_input(k), f.instruction_output(k)
        if op == ca.OP_OUTPUT:
            yield f"o{output[1]} = w{inputs[0]}"
            continue
        exponent = constants.get(inputs[1]) if op in POWERS else None
        constants.pop(output[0], None)
        if op == ca.OP_INPUT:
            yield f"w{output[0]} = r{inputs[1]}"
        elif op == ca.OP_CONST:
            constants[output[0]] = float(f.instruction_constant(k))
            yield f"w{output[0]} = {_constant(constants[output[0]])}"
        elif op in POWERS:
            yield f"w{output[0]} = " + _power(f"w{inputs[0]}", f"w{inputs[1]}", exponent)
        else:
            yield f"w{output[0]} = " + _form(f, op).format(*(f"w{i}" for i in inputs))


def _form(f: ca.Function, op: int) -> str:
    form = BINARY.get(op) or UNARY.get(op)
    if form is None:
        raise NotImplementedError(f"operation {op} of {f.name()} has no compiled form; add it to derive/emit.py")
    return form


def _power(base: str, exponent: str, constant: float | None) -> str:
    """Whole and half exponents as products and a square root; any other through the logarithm, for a positive base."""
    if constant is None or not (2.0 * constant).is_integer() or not 0.5 <= abs(constant) <= LONGEST:
        return f"power({base}, {exponent})"
    whole, half = divmod(abs(constant), 1.0)
    product = " * ".join([base] * int(whole) + [f"math.sqrt({base})"] * bool(half))
    return product if constant > 0.0 else f"1.0 / ({product})"


def _constant(value: float) -> str:
    return f"math.{'inf' if value > 0 else 'inf * -1.0'}" if abs(value) == float("inf") else repr(float(value))
