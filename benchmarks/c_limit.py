"""The limit that kernels are held against: a plant's very straight-line code as C over structure of arrays, vectorised by gcc.

One array of ``PLANTS`` entries a row, elementary functions from libmvec, gcc -Ofast -march=native.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

import casadi as ca
import numpy as np

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.blocks import Block
from plant_models.derive.closed_loop import Piece, Ref, Trace
from plant_models.derive.straight_line import Assignment, StraightLine

PLANTS = 256
FORMS = {ca.OP_ADD: "{} + {}", ca.OP_SUB: "{} - {}", ca.OP_MUL: "{} * {}", ca.OP_DIV: "{} / {}",
         ca.OP_LT: "{} < {}", ca.OP_LE: "{} <= {}", ca.OP_EQ: "{} == {}", ca.OP_NE: "{} != {}",
         ca.OP_AND: "{} * {}", ca.OP_OR: "{} + {} > 0", ca.OP_IF_ELSE_ZERO: "{0} != 0 ? {1} : 0",
         ca.OP_POW: "pow({}, {})", ca.OP_CONSTPOW: "pow({}, {})", ca.OP_NEG: "-{}", ca.OP_EXP: "exp({})",
         ca.OP_LOG: "log({})", ca.OP_SQRT: "sqrt({})", ca.OP_SQ: "{0} * {0}", ca.OP_TWICE: "{0} + {0}",
         ca.OP_INV: "1 / {}", ca.OP_NOT: "1 - {}", ca.OP_FABS: "fabs({})", ca.OP_TANH: "tanh({})",
         ca.OP_ASSIGN: "{}"}  # fmt: skip
TEXT = """#include <math.h>
void advance(double *restrict S, const double *restrict P, const double *restrict E, int steps, double tau) {{
  for (int s = 0; s < steps; s++) {{
#pragma GCC ivdep
    for (int e = 0; e < {plants}; e++) {{
      {body}
    }}
  }}
}}
"""


def source(piece: Piece) -> str:
    """Return the C text that runs a traced piece ``steps`` times on every plant."""
    line = StraightLine(piece.f)
    body = [f"double r{k} = {_address(ref)};" for k, ref in enumerate(piece.reads)]
    body += [f"double {a.name} = {_right(a)};" for a in line.assignments]
    body += [f"{_address(ref)} = {line.results[k]};" for k, ref in enumerate(piece.writes)]
    return TEXT.format(plants=PLANTS, body="\n      ".join(body))


def _right(a: Assignment) -> str:
    return FORMS[a.operation].format(*a.operands) if a.constant is None else repr(a.constant)


def _address(ref: Ref) -> str:
    return "tau" if ref[0] == "tau" else f"{ref[0]}[{ref[1] * PLANTS} + e]"


def compiled(text: str) -> ctypes.CDLL:
    """Compile and load C text; it is linked without -Ofast, which would have the whole process flush denormals to zero."""
    with tempfile.TemporaryDirectory(prefix="setpoint-limit-") as folder:
        c, o, so = (str(Path(folder) / f"limit.{end}") for end in ("c", "o", "so"))
        Path(c).write_text(text)
        subprocess.run(["gcc", "-Ofast", "-march=native", "-fPIC", "-c", c, "-o", o], check=True)
        subprocess.run(["gcc", "-shared", o, "-o", so, "-lmvec", "-lm"], check=True)
        return ctypes.CDLL(so)


def available() -> bool:
    """Return whether there is a gcc."""
    return shutil.which("gcc") is not None


class Limit:
    """A plant's open loop in C on copies of a simulator's blocks."""

    def __init__(self, plant: Plant, S: Block, P: Block, E: Block) -> None:
        self.blocks = [np.ascontiguousarray(np.stack([b.column(e) for e in range(PLANTS)], axis=1)) for b in (S, P, E)]
        self._states = S.rows["x"]
        self._library = compiled(source(Trace(plant).advance()))

    def run(self, steps: int, h: float) -> None:
        """Integrate ``steps`` sub-steps of ``h``."""
        self._library.advance(*map(pointer, self.blocks), steps, ctypes.c_double(h))

    def states(self) -> Array:
        """Return the states, (states, plants)."""
        return self.blocks[0][self._states].copy()


def pointer(array: Array) -> ctypes.c_void_p:
    """Return the address of a contiguous array."""
    return ctypes.c_void_p(array.ctypes.data)
