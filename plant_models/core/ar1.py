"""First-order autoregression along the last axis, without a loop over time."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Float = TypeVar("Float", np.float32, np.float64)

NEGLIGIBLE = 1e-12
"""A power of the persistence below this adds nothing a float64 would show."""


def ar1(noise: npt.NDArray[Float], persistence: float) -> npt.NDArray[Float]:
    """Return x with ``x[k] = persistence x[k-1] + noise[k]`` and ``x[0] = noise[0]``.

    Summed by doubling: after a pass with shift s each value holds 2 s terms of the sum, so the passes number log2 of the
    length. ``noise`` has shape (..., n); the result has its shape and type. ``persistence`` lies in [0, 1).
    """
    x = noise.copy()
    shift, gain = 1, persistence
    while shift < x.shape[-1] and gain > NEGLIGIBLE:
        x[..., shift:] += x.dtype.type(gain) * x[..., :-shift]
        shift, gain = 2 * shift, gain * gain
    return x


def stationary(rng: np.random.Generator, shape: tuple[int, ...], persistence: float) -> npt.NDArray[np.float64]:
    """Return a Gaussian first-order autoregression of zero mean and unit variance along the last axis of ``shape``."""
    noise = rng.standard_normal(shape)
    noise[..., 1:] *= np.sqrt(1.0 - persistence**2)
    return ar1(noise, persistence)
