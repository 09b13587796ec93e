"""The PID layer a real plant comes with: loops as declared data, and the ISA law as one pure function.

    u = u_0 + ff + K_c [ b (r - y_0) - (y - y_0) ] + I + D          two degrees of freedom
    I <- I + K_c h / T_i (r - y) + h / T_t (u_ext - v)              back-calculation, external reset
    D <- (T_d D - K_c T_d N (y - y_prev)) / (T_d + N h)             derivative on the measurement, filtered

Source: Astrom and Hagglund, Advanced PID Control, ISA, 2006, sections 3.4 to 3.6 and 9.2 (cascade, feed-forward).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from plant_models.core.schedule import Schedule
from plant_models.core.smooth import clamp, where
from plant_models.core.vector import Expr

DERIVATIVE_FILTER = 8.0
"""N: the derivative's gain is limited to N times the proportional gain (Astrom and Hagglund use 2 to 20)."""


@dataclass(frozen=True, kw_only=True)
class Gains:
    """What tuning finds: ``K_c`` in MV per PV unit (negative: direct acting), ``T_i`` and ``T_d`` in the plant's time unit."""

    K_c: float
    T_i: float
    T_d: float = 0.0
    b: float = 1.0
    setpoint: float = 0.0
    """Feed-forward from the setpoint, MV unit per PV unit."""
    disturbance: tuple[tuple[str, float], ...] = ()
    """Feed-forward from measured disturbances, MV unit per disturbance unit."""


@dataclass(frozen=True, kw_only=True)
class Loop:
    """One PID loop with its ISA tag: moves an input (``mv``) or the setpoint of another loop (``sp_of``).

    ``low`` and ``high`` bound its setpoint; ``authority`` is the largest offset a supervisor may add to that setpoint
    and ``offset_rate`` the largest change of the offset in one decision. ``schedule`` has the gains follow the operating point.
    """

    tag: str
    pv: str
    low: float
    high: float
    gains: Gains
    mv: str = ""
    sp_of: str = ""
    authority: float = 0.0
    offset_rate: float = field(default=float("inf"))
    schedule: Schedule | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError unless the loop moves exactly one thing within ordered bounds."""
        if bool(self.mv) == bool(self.sp_of):
            raise ValueError(f"{self.tag}: give either mv or sp_of")
        if not self.low < self.high:
            raise ValueError(f"{self.tag}: setpoint range [{self.low}, {self.high}] is empty")


def setter(
    tag: str, pv: str, mv: str, low: float, high: float, authority: float = 0.0, offset_rate: float = float("inf")
) -> Loop:
    """Declare a loop so much faster than the plant that its input simply is its setpoint, such as a flow controller's.

    ``pv`` shows the input and has the same nominal value; only limits and rate of the input stand between.
    """
    gains = Gains(K_c=0.0, T_i=float("inf"), setpoint=1.0)
    return Loop(tag=tag, pv=pv, mv=mv, low=low, high=high, gains=gains, authority=authority, offset_rate=offset_rate)


class Coefficients(NamedTuple):
    """The law's gains with the loop period worked in, so that a compiled loop divides by nothing."""

    K_c: Expr
    b: Expr
    integral: Expr
    tracking: Expr
    decay: Expr
    derivative: Expr
    setpoint: Expr


def coefficients(K_c: Expr, T_i: Expr, T_d: Expr, b: Expr, setpoint: Expr, h: float) -> Coefficients:
    """Work the loop period ``h`` into the gains.

    The tracking time is the integral time, which leaves the integral at the limit itself however large the error.
    """
    filtered = T_d + DERIVATIVE_FILTER * h
    return Coefficients(K_c, b, K_c * h / T_i, h / T_i, T_d / filtered, -K_c * T_d * DERIVATIVE_FILTER / filtered, setpoint)


def scheduled(c: Coefficients, K_c: Expr, T_i: Expr) -> Coefficients:
    """Return the gains with factors on ``K_c`` and ``T_i``."""
    return c._replace(
        K_c=K_c * c.K_c, integral=K_c / T_i * c.integral, tracking=c.tracking / T_i, derivative=K_c * c.derivative
    )  # fmt: skip


class Memory(NamedTuple):
    """What a loop remembers: integral and derivative parts, last measurement and output, and its excess over the limits."""

    integral: Expr
    derivative: Expr
    y: Expr
    u: Expr
    excess: Expr


class Actuator(NamedTuple):
    """What the loop moves: its value at zero error, its limits, and the largest change in one loop period."""

    bias: Expr
    low: Expr
    high: Expr
    step: Expr


def pid(c: Coefficients, m: Memory, r: Expr, y: Expr, y_0: Expr, ff: Expr, to: Actuator, reset: Expr | None = None) -> Memory:
    """Return the loop's memory after one period; its ``u`` is the output.

    ``reset`` is the external reset: what the output really achieved, where a limit further down holds it back.
    """
    derivative = c.decay * m.derivative + c.derivative * (y - m.y)
    v = to.bias + ff + c.setpoint * (r - y_0) + c.K_c * (c.b * (r - y_0) - (y - y_0)) + m.integral + derivative
    limited = clamp(v, to.low, to.high)
    u = clamp(limited, m.u - to.step, m.u + to.step)
    achieved = limited if reset is None else reset
    integral = m.integral + c.integral * (r - y) + c.tracking * (achieved - v)
    return Memory(integral, derivative, y, u, v - limited)


def shifted(m: Memory, old: Coefficients, new: Coefficients, r: Expr, y: Expr, y_0: Expr) -> Memory:
    """Return the memory with which other gains give the same output: the integral takes over what the P part loses.

    ``old`` and ``new`` are the coefficients before and after.
    """
    return m._replace(integral=m.integral + _proportional(old, r, y, y_0) - _proportional(new, r, y, y_0))


def align(c: Coefficients, u: Expr, r: Expr, y: Expr, y_0: Expr, ff: Expr, to: Actuator) -> Memory:
    """Return the memory from which the law's next output is ``u``: bumpless transfer and start."""
    proportional = _proportional(c, r, y, y_0) + c.setpoint * (r - y_0)
    return Memory(u - to.bias - ff - proportional, 0.0 * y, y, u, 0.0 * y)


def _proportional(c: Coefficients, r: Expr, y: Expr, y_0: Expr) -> Expr:
    return c.K_c * (c.b * (r - y_0) - (y - y_0))


def held_back(slave: Memory, limited: Expr, slave_pv: Expr) -> Expr:
    """Return a master's external reset: its own output, or what the slave reached while the slave's valve is at a limit."""
    return where(slave.excess * slave.excess > 0.0, slave_pv, limited)
