"""Runs traced pieces by CasADi's own interpreter, with the signature of the compiled ones."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

from plant_models.core.scenario import Array
from plant_models.derive.closed_loop import Piece
from plant_models.derive.layout import STRIDE

PLAIN_HEAD = '''"""Generated from a plant file; named by the sha256 of this text. Do not edit."""
import math

import numpy as np


def plain(function):
    return function


'''


def compiles_nothing() -> bool:
    """Return whether Numba is told to compile nothing (``NUMBA_DISABLE_JIT=1``)."""
    return bool(vars(numba.config)["DISABLE_JIT"])


def interpret(piece: Piece) -> Callable[[Array, Array, Array, Array, float, int], None]:
    """Return ``piece(S, P, E, N, tau, m)``: the first ``m`` plants of one chunk of each block."""

    def run(S: Array, P: Array, E: Array, N: Array, tau: float, m: int) -> None:
        blocks = {"S": S, "P": P, "E": E, "N": N}
        given = np.empty((len(piece.reads), m))
        for row, (block, at) in zip(given, piece.reads, strict=True):
            row[:] = tau if block == "tau" else blocks[block][at * STRIDE : at * STRIDE + m]
        results = piece.f(given).full()
        for row, (block, at) in zip(results, piece.writes, strict=True):
            blocks[block][at * STRIDE : at * STRIDE + m] = row

    return run
