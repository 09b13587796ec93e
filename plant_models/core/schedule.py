"""Gain scheduling: a loop's gains follow the point at which the plant is run, read from what the control room shows.

Source: Astrom and Hagglund, Advanced PID Control, ISA, 2006, section 9.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from plant_models.core.smooth import clamp
from plant_models.core.vector import Expr

SETPOINT = "setpoint"
"""The scheduling variable that is no output: the setpoint sent to the loop."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Factors on a loop's gains: linear in the scheduling variable between the breakpoints ``at``, held outside.

    ``variable`` is an output or ``"setpoint"``; ``inverse_gain`` holds, for each breakpoint, the plant's gain where the loop's
    gains hold as they are, over its gain there. The factors are powers of it: with exponent ``K_c`` on the proportional gain,
    with exponent ``T_i`` on the integral time.
    """

    variable: str
    at: tuple[float, ...]
    inverse_gain: tuple[float, ...]
    K_c: float = 1.0
    T_i: float = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError unless at least two rising breakpoints have a positive factor each."""
        rising = all(a < b for a, b in pairwise(self.at))
        if len(self.at) < 2 or not rising or len(self.inverse_gain) != len(self.at) or min(self.inverse_gain) <= 0.0:
            raise ValueError(
                f"gain schedule by {self.variable}: breakpoints {self.at} with inverse gains {self.inverse_gain} given; "
                "at least two rising breakpoints with a positive inverse gain each allowed"
            )

    @property
    def column(self) -> tuple[float, ...]:
        """What a compiled loop reads: breakpoints, first factor on K_c and its slopes, the same for T_i."""
        return (*self.at, *self._line(self.K_c), *self._line(self.T_i))

    @property
    def without(self) -> tuple[float, ...]:
        """The column of a loop that is scheduled here but has plain gains in a scenario."""
        flat = (1.0, *(0.0 for _ in self.at[1:]))
        return (*self.at, *flat, *flat)

    def _line(self, exponent: float) -> tuple[float, ...]:
        factors = [inverse**exponent for inverse in self.inverse_gain]
        steps = zip(pairwise(self.at), pairwise(factors), strict=True)
        return (factors[0], *((g - f) / (b - a) for (a, b), (f, g) in steps))


def factors(column: Sequence[Expr], value: Expr) -> tuple[Expr, Expr]:
    """Return the factors on ``K_c`` and ``T_i`` at a value of the scheduling variable, from a schedule's column."""
    n = len(column) // 3
    at, parts = column[:n], (column[n : 2 * n], column[2 * n :])
    inside = [clamp(value - a, 0.0, b - a) for a, b in pairwise(at)]
    K_c, T_i = (line[0] + sum(slope * step for slope, step in zip(line[1:], inside, strict=True)) for line in parts)
    return K_c, T_i
