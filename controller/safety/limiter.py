"""Bounds and rate limits on a command: what leaves here is finite, in bounds and within the rate, whatever came in."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plant_models.core.errors import BadInput, InvalidAction
from plant_models.core.scenario import Array

NUMBERS = "iuf"
"""Kinds of NumPy types that are real numbers: a truth value, a complex number or an object is no command."""


def limited(command: ArrayLike, previous: ArrayLike, low: ArrayLike, high: ArrayLike, rate: ArrayLike) -> Array:
    """Return a command within its bounds and within ``rate`` of the previous one, all of one shape and in the same units.

    A command of which one number is not finite is none: the previous one is returned. ``rate`` is the largest change in one
    decision, infinite where there is none.

    Raises:
        InvalidAction: for a command of another shape or without real numbers.
        BadInput: where bounds are not finite and ordered, a rate is below zero, or the previous command is out of bounds.
    """
    last = _numbers("previous", previous, BadInput)
    lowest, highest = _like(last, "low", low), _like(last, "high", high)
    step = _like(last, "rate", rate)
    _check(last, lowest, highest, step)
    wanted = _like(last, "command", command, InvalidAction)
    if not np.isfinite(wanted).all():
        return last
    with np.errstate(over="ignore"):
        down = _nearer(np.maximum(lowest, last - step), last, step)
        up = _nearer(np.minimum(highest, last + step), last, step)
    return np.minimum(np.maximum(wanted, down), up)


def _nearer(limit: Array, last: Array, step: Array) -> Array:
    """Return a limit whose distance to the last command does not exceed the step, which rounding may have made it do."""
    return np.where(np.abs(limit - last) <= step, limit, np.nextafter(limit, last))


def _like(last: Array, name: str, value: ArrayLike, refusal: type[BadInput] = BadInput) -> Array:
    array = _numbers(name, value, refusal)
    if array.shape != last.shape:
        raise refusal(f"{name}: shape {array.shape} given; {last.shape} is allowed, that of the previous command")
    return array


def _numbers(name: str, value: ArrayLike, refusal: type[BadInput]) -> Array:
    """Return a copy in float64; what is too large for it becomes infinite."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise refusal(f"{name}: rows of different length given; an array of real numbers is allowed") from error
    if array.dtype.kind not in NUMBERS:
        raise refusal(f"{name}: {array.dtype} given; real numbers are allowed")
    with np.errstate(over="ignore"):
        return array.astype(np.float64)


def _check(last: Array, low: Array, high: Array, step: Array) -> None:
    """Refuse that with which the promise cannot be kept; written as what is allowed, which a number that is none never is."""
    if not (np.isfinite(low) & np.isfinite(high) & (low <= high)).all():
        raise BadInput("low, high: finite bounds are allowed, the lower one first")
    if not (step >= 0.0).all():
        raise BadInput("rate: a largest change of 0 or more in one decision is allowed")
    if not ((low <= last) & (last <= high)).all():
        raise BadInput("previous: a command within its bounds is allowed, as the limiter left it")
