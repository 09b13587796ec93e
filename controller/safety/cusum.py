"""Cumulative sums of a residual ``z``, in standard deviations: whether an instrument has a bias, or scatters too much.

    S_k = max(0, S_k-1 + s_k),    s_k = z - 0.5,  -z - 0.5,  |z| - E|z| - 0.5

| sum | limit | mean samples to a false alarm where z is standard normal | at the usual limit of 5 |
|---|---|---|---|
| bias up, bias down | 12 | 1.04e6 each | 931 |
| scatter | 6 | 4.8e5 | 7.2e4 |
| any of the three | | 2.5e5 | 463 |

The usual limit is too low here: a plant with eight instruments would raise a false alarm every 58 decisions.

Sources: E. S. Page, Continuous inspection schemes, Biometrika 41 (1954) 100-115; the run lengths by the Markov chain of
D. Brook and D. A. Evans, Biometrika 59 (1972) 539-549.
"""

from __future__ import annotations

import math

import numpy as np

from plant_models.core.scenario import Array

SLACK = 0.5
"""Page's reference value: half of the smallest bias worth finding, in standard deviations."""
MEAN_SCATTER = math.sqrt(2.0 / math.pi)
"""E|z| of a standard normal z."""
LIMITS = np.array([12.0, 12.0, 6.0])
"""Limits of bias up, bias down and scatter."""
LIMITS.setflags(write=False)
FULL = 1.5
"""Limits at which a sum is full: once readings agree again it is below its limit within about as many samples as the limit."""
WILD = 5.0
"""Deviations beyond which a residual counts as that far, as in the observer."""


def summed(sums: Array, z: Array) -> Array:
    """Return the sums, (..., 3), after one more residual, (...)."""
    wild = np.clip(z, -WILD, WILD)
    steps = np.stack([wild, -wild, np.abs(wild) - MEAN_SCATTER], axis=-1) - SLACK
    return np.clip(sums + steps, 0.0, FULL * LIMITS)
