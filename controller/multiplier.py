"""The weight of a constraint as the output of a PID controller, whose error is what is spent beyond the budget.

Source: A. Stooke, J. Achiam, P. Abbeel, Responsive safety in reinforcement learning by PID Lagrangian methods, ICML 2020,
algorithm 2. Smoothing, the delay of the derivative and all gains are those of CPPOPID in OmniSafe, which counts unsafe steps in
episodes of a thousand; so the error here is in thousandths of time.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from plant_models.core.scenario import Array

THOUSANDTHS = 1000.0


@dataclass(frozen=True)
class Gains:
    """Proportional, integral and derivative gain, each per thousandth of time, and the most that the multiplier may be.

    ``memory`` is what the moving averages keep of their last value, ``delay`` the updates over which the rise is taken.
    """

    K_P: float = 0.1
    K_I: float = 0.01
    K_D: float = 0.01
    memory: float = 0.95
    delay: int = 10
    most: float = 100.0


GAINS = Gains()


@dataclass(frozen=True)
class Multiplier:
    """What is remembered between updates, in thousandths of time but for ``integral``, which is a part of the multiplier.

    ``error`` and ``spent`` are the moving averages of excess and spending, ``before`` the last values of ``spent``, oldest first,
    and ``value`` is the multiplier itself.
    """

    integral: float = 0.0
    error: float = 0.0
    spent: float = 0.0
    value: float = 0.0
    before: tuple[float, ...] = (0.0,)

    def after(self, spent: float, budget: float, gains: Gains = GAINS) -> Multiplier:
        """Return the multiplier after a rollout that spent this share of its time beyond limits, where ``budget`` is allowed."""
        error, keep = THOUSANDTHS * (spent - budget), gains.memory
        integral = _within(self.integral + gains.K_I * error, gains)
        smooth = keep * self.error + (1.0 - keep) * error
        average = keep * self.spent + (1.0 - keep) * THOUSANDTHS * spent
        rise = max(0.0, average - self.before[0])
        value = _within(gains.K_P * smooth + integral + gains.K_D * rise, gains)
        return Multiplier(integral, smooth, average, value, (*self.before, average)[-gains.delay :])

    def packed(self) -> Array:
        """Return everything as numbers, (4 + remembered,)."""
        *numbers, before = astuple(self)
        return np.array([*numbers, *before])


def unpacked(numbers: Array) -> Multiplier:
    """Return the multiplier of :meth:`Multiplier.packed`."""
    integral, error, spent, value, *before = (float(number) for number in numbers)
    return Multiplier(integral, error, spent, value, tuple(before))


def _within(value: float, gains: Gains) -> float:
    """Hold a value between zero and the most; the integral too, or it would wind up where a budget cannot be kept."""
    return min(max(value, 0.0), gains.most)
