"""What is known of a plant's instruments: the range in which a reading is a measurement, its noise, and how fast it can move."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from plant_models.core.scenario import Array

UNDER, OVER = 0.0125, 0.031
"""Shares of the span by which a reading may lie below and above the range: 3.8 and 20.5 mA of 4 to 20 mA (NAMUR NE 43, 2021)."""
NOISE = 6.0
"""Standard deviations within which noise stays: Gaussian noise leaves them twice in 1e9 samples."""
RESOLUTION = 1e-6
"""Share of the span below which nothing is resolved: that of a transmitter's converter of 20 bits."""


@dataclass(frozen=True)
class Instruments:
    """A plant's instruments, each array (outputs,) in the unit of the output, read-only.

    ``low`` and ``high`` are the measuring range, ``valid_low`` and ``valid_high`` the bounds of the physics, ``noise`` one
    standard deviation, ``rate`` the largest change of the true value in a decision period, and ``nominal`` what is taken for a
    reading before there is any.

    Raises:
        ValueError: where a number is not finite, a range is empty or does not hold the nominal value, or a rate is not above 0.
    """

    tags: tuple[str, ...]
    nominal: Array
    low: Array
    high: Array
    valid_low: Array
    valid_high: Array
    noise: Array
    rate: Array

    def __post_init__(self) -> None:
        """Check the numbers, and fix them."""
        finite = np.isfinite([self.nominal, self.low, self.high, self.noise, self.rate]).all()
        ordered = (self.low < self.high) & (self.lowest <= self.nominal) & (self.nominal <= self.highest)
        if not (finite and ordered.all() and (self.noise >= 0.0).all() and (self.rate > 0.0).all()):
            raise ValueError(f"instruments {', '.join(self.tags)}: a range, noise or rate is not finite or out of order")
        for part in fields(self)[1:]:
            vars(self)[part.name].setflags(write=False)

    @property
    def lowest(self) -> Array:
        """The lowest reading that is a measurement, (outputs,): in NE 43's range, and no further from physics than noise is."""
        return np.maximum(self.low - UNDER * (self.high - self.low), self.valid_low - NOISE * self.noise)

    @property
    def highest(self) -> Array:
        """The highest reading that is a measurement, (outputs,)."""
        return np.minimum(self.high + OVER * (self.high - self.low), self.valid_high + NOISE * self.noise)

    @property
    def least(self) -> Array:
        """The smallest standard deviation of a prediction of the reading, (outputs,): none is surer than the instrument."""
        return np.maximum(self.noise, RESOLUTION * (self.high - self.low))

    def measurement(self, values: Array) -> Array:
        """Return finite values, (..., outputs), brought to the nearest measurement, and denormal ones as zero."""
        within = np.clip(values, self.lowest, self.highest)
        return np.where(np.abs(within) >= np.finfo(np.float64).tiny, within, 0.0)
