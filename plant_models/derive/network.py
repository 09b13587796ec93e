"""A dense network and the kernel's step in one compiled loop over decisions.

The loop is compiled once for all plants: a plant's step comes to it as the address of a function, so that nothing of a large
plant is compiled twice. Within a chunk plants stand along the last axis, as in the kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from plant_models.derive.kernel import load
from plant_models.derive.layout import LANES, STRIDE
from plant_models.derive.vector_math import HEAD

UNROLLED = 8
"""Inputs of a layer added in one pass over the plants: each pass loads and stores what was added up so far."""
_GIVEN = ", ".join(f"weights[row + {i}]" for i in range(UNROLLED))
_SUM = " + ".join(f"w{i} * X[begin + np.uint64({i * LANES}) + lane]" for i in range(UNROLLED))

BOUND = 7.90531110763549805
ABOVE = (-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08, 1.48572235717979e-05,
         6.37261928875436e-04, 4.89352455891786e-03)  # fmt: skip
BELOW = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)
"""Tanh as a quotient of polynomials in x^2, highest power first: those of Eigen's ``generic_fast_tanh_float``."""


def _horner(name: str, coefficients: tuple[float, ...]) -> str:
    return "; ".join(f"{name} = {name} * z + f32({c})" for c in coefficients[1:])


LOOP = f"""
f32 = np.float32
blocks, flat, counts = types.float64[:, ::1], types.float32[::1], types.int64[::1]
floats, cube, singles = types.float32[:, ::1], types.float64[:, :, ::1], types.float32[:, :, ::1]
arguments = (blocks, blocks, blocks, blocks, cube, singles, singles, counts, floats, counts, floats, blocks, types.int64)
step_of = types.FunctionType(types.boolean(*arguments))
network = (flat, counts, types.boolean, flat, flat)


@compiled
def dense(X, Y, weights, at, ins, outs):
    whole = ins - ins % {UNROLLED}
    for o in range(outs):
        end, y = at + ins * outs + o, np.uint64(o * {LANES})
        for lane in range(np.uint64({LANES})):
            Y[y + lane] = weights[end]
        for i in range(0, whole, {UNROLLED}):
            row, begin = at + o * ins + i, np.uint64(i * {LANES})
            {", ".join(f"w{i}" for i in range(UNROLLED))} = {_GIVEN}
            for lane in range(np.uint64({LANES})):
                Y[y + lane] += {_SUM}
        for i in range(whole, ins):
            w, begin = weights[at + o * ins + i], np.uint64(i * {LANES})
            for lane in range(np.uint64({LANES})):
                Y[y + lane] += w * X[begin + lane]


@nb.njit(inline="always", error_model="numpy")
def single_tanh(x):
    # In single precision throughout, four times as fast as tanh(); within 3e-7. Beyond the bound it is 1 to the last bit.
    x = f32({BOUND}) if x > f32({BOUND}) else (f32(-{BOUND}) if x < f32(-{BOUND}) else x)
    z = x * x
    above, below = f32({ABOVE[0]}), f32({BELOW[0]})
    {_horner("above", ABOVE)}
    {_horner("below", BELOW)}
    return x * above / below


@compiled
def bend(Y, units):
    for i in range(np.uint64(units * {LANES})):
        Y[i] = single_tanh(Y[i])


@plain
def layers(weights, sizes, bounded, X, Y):
    # Returns the actions of a chunk; X holds its observation and serves, with Y, as room.
    at, last = 0, sizes.shape[0] - 2
    for i in range(last + 1):
        dense(X, Y, weights, at, sizes[i], sizes[i + 1])
        if i < last or bounded:
            bend(Y, sizes[i + 1])
        at += (sizes[i] + 1) * sizes[i + 1]
        X, Y = Y, X
    return X


@plain
def act(OBS, A, weights, sizes, bounded, X, Y):
    for first in range(0, OBS.shape[0], {LANES}):
        m = min({LANES}, OBS.shape[0] - first)
        for lane in range(m):
            for i in range(OBS.shape[1]):
                X[i * {LANES} + lane] = OBS[first + lane, i]
        out = layers(weights, sizes, bounded, X, Y)
        for lane in range(m):
            for i in range(A.shape[1]):
                a = out[i * {LANES} + lane]
                A[first + lane, i] = f32(1.0) if a > f32(1.0) else (f32(-1.0) if a < f32(-1.0) else a)


@plain
def keep(S, rows, kept):
    for c in range(S.shape[0]):
        first = c * {LANES}
        for r in range(rows.shape[0]):
            for lane in range(min({LANES}, kept.shape[1] - first)):
                kept[r, first + lane] = S[c, rows[r] * {STRIDE} + lane]


@nb.njit(types.int64(step_of, *arguments, *network, blocks, types.int64, types.float64, counts, cube), error_model="numpy",
         cache=True)
def decide(step, S, P, E, N, M, W, F, k, A, clipped, OBS, R, substeps, weights, sizes, bounded, X, Y, before, status, failed,
           rows, kept):
    # Returns how many decisions went well. One whose actions are refused, or where a plant fails that ran, is taken back.
    for t in range(kept.shape[0]):
        act(OBS, A, weights, sizes, bounded, X, Y)
        before[:] = S
        if not step(S, P, E, N, M, W, F, k, A, clipped, OBS, R, substeps):
            return t
        for e in range(k.shape[0]):
            if R[e, 1] == failed and before[e // {LANES}, status * {STRIDE} + e % {LANES}] != failed:
                S[:] = before
                k -= 1
                return t
        keep(S, rows, kept[t])
    return kept.shape[0]
"""


@dataclass(frozen=True)
class Network:
    """Dense layers with tanh between them: ``weights`` of all in order, each (outs, ins) and then (outs,), flat in float32.

    ``sizes`` are the units from the observation to the actions. Actions are clipped to [-1, 1], and where the network is
    ``bounded`` tanh is taken of them first.
    """

    weights: NDArray[np.float32]
    sizes: NDArray[np.int64]
    bounded: bool

    @classmethod
    def of(cls, layers: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]], bounded: bool) -> Network:
        """Lay out layers given as weight (outs, ins) and bias (outs,)."""
        flat = np.concatenate([np.ravel(part) for layer in layers for part in layer]).astype(np.float32)
        return cls(flat, np.array([layers[0][0].shape[1], *(bias.size for _, bias in layers)]), bounded)

    def arguments(self) -> tuple[object, ...]:
        """Return what the loop takes: weights, sizes, whether bounded, and room for the activations of a chunk, twice."""
        room = LANES * int(self.sizes.max())
        return self.weights, self.sizes, self.bounded, np.zeros(room, np.float32), np.zeros(room, np.float32)


@cache
def compiled_loop() -> ModuleType:
    """Return the module with ``act`` and ``decide``, compiled where it is new, and loaded once a process."""
    return load(HEAD + LOOP)
