"""Whether the readings of a plant may be believed, and what to go on with where they may not.

Every test says what a good reading is, so that what is no number passes none. A reading that fails one of the first five is a
failure: the last good value stands in for it, then the model's expectation. A reading that only departs from the model is out
of specification: it is used as it stands, with the status that says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from controller.safety.cusum import LIMITS, summed
from controller.safety.instrument import NOISE, Instruments
from controller.safety.ne107 import TESTS, Reason, statuses
from plant_models.core.scenario import Array

Flags = NDArray[np.bool_]
Counts = NDArray[np.intp]

CURRENT = 2.0
"""Decision periods by which a time stamp may differ from now, either way."""
IDENTICAL = 0.01
"""Standard deviations of noise within which readings count as identical: a ten-thousandth of its variance."""
STILL = 20
"""Identical readings from which an instrument is frozen; of Gaussian noise even three in a row are rarer than 1 in 1e4."""
MOVED = 3.0
"""Deviations by which the model must have moved before an instrument that has no noise is frozen."""
HELD = 3
"""Samples for which the last good value stands in."""
NEVER = 1_000_000
"""Age of the last good value where there has been none: any step is possible."""


@dataclass(frozen=True)
class Run:
    """Identical readings of each instrument, (n, outputs): the ``first``, how many, and within what the model has moved."""

    first: Array
    count: Counts
    low: Array
    high: Array


@dataclass(frozen=True)
class Memory:
    """What the tests remember of ``n`` plants.

    ``last`` good value and its ``age`` in samples, (n, outputs); the ``run`` of identical readings; ``sums`` (n, outputs, 3)
    of residuals; and for how many samples each test has been failed, ``lasted`` (n, outputs, tests) in the order of
    :class:`Reason`.
    """

    last: Array
    age: Counts
    run: Run
    sums: Array
    lasted: Counts


@dataclass(frozen=True)
class Findings:
    """Of each instrument, (n, outputs): the NE 107 ``status``, the ``reason`` for it, and the value to be ``used``."""

    status: Counts
    reason: Counts
    used: Array


def begin(instruments: Instruments, n: int) -> Memory:
    """Return the memory of ``n`` plants of which nothing has been read."""
    last = np.tile(instruments.nominal, (n, 1))
    none = np.zeros(last.shape, dtype=np.intp)
    run = Run(last, none, np.tile(instruments.highest, (n, 1)), np.tile(instruments.lowest, (n, 1)))
    tests = np.zeros((*last.shape, TESTS), dtype=np.intp)
    return Memory(last, none + NEVER, run, np.zeros((*last.shape, len(LIMITS))), tests)


def validate(
    instruments: Instruments, memory: Memory, y: ArrayLike, age: ArrayLike, expected: ArrayLike, spread: ArrayLike
) -> tuple[Memory, Findings]:
    """Judge one sample of every instrument, all (n, outputs), and return what is remembered and what was found.

    ``y`` are readings, ``age`` the age of their time stamps in decision periods; ``expected`` is the model's prediction of the
    readings before it saw them, ``spread`` its standard deviation: one wider than the range says nothing. What is ``used`` is
    finite and a measurement, always.

    Raises:
        ValueError: where a shape is another, or an entry is no number at all.
    """
    y, age, expected, spread = (_numbers(memory, part) for part in (y, age, expected, spread))
    in_range = (instruments.lowest <= y) & (y <= instruments.highest)
    checked = np.isfinite(expected) & (spread > 0.0) & (spread <= instruments.high - instruments.low)
    # From here on every number is finite and of the instrument's size, whatever was given: nothing overflows.
    shown = np.where(in_range, y, memory.last)
    foreseen = instruments.measurement(np.where(np.isfinite(expected), expected, memory.last))
    deviation = np.maximum(np.where(checked, spread, 0.0), instruments.least)
    run = _run(instruments, memory.run, in_range, shown, checked, foreseen)
    current, possible = np.abs(age) <= CURRENT, _possible(instruments, memory, shown)
    sound = np.stack([np.isfinite(y), in_range, possible, current, _lively(instruments, run, deviation)], axis=-1)
    good = sound.all(axis=-1)
    sums = np.where((good & checked)[..., None], summed(memory.sums, (shown - foreseen) / deviation), memory.sums)
    passed = np.concatenate([sound, checked[..., None], sums <= LIMITS], axis=-1)
    last, since = np.where(good, instruments.measurement(shown), memory.last), np.where(good, 0, memory.age + 1)
    reason = _reason(passed)
    used = np.where(since <= HELD, last, foreseen)
    return Memory(last, since, run, sums, np.where(passed, 0, memory.lasted + 1)), Findings(statuses(reason), reason, used)


def _numbers(memory: Memory, given: ArrayLike) -> Array:
    numbers = np.asarray(given, dtype=np.float64)
    if numbers.shape != memory.last.shape:
        raise ValueError(f"signals of shape {numbers.shape} given; {memory.last.shape} allowed")
    return numbers


def _possible(instruments: Instruments, memory: Memory, shown: Array) -> Flags:
    """Return whether the plant can have moved that far since the last good value; both readings are noisy."""
    farthest = instruments.rate * (memory.age + 1) + NOISE * math.sqrt(2.0) * instruments.noise
    possible: Flags = np.abs(shown - memory.last) <= farthest
    return possible


def _run(instruments: Instruments, run: Run, in_range: Flags, shown: Array, checked: Flags, foreseen: Array) -> Run:
    """Return the run of identical readings with this one; what is no measurement neither ends nor lengthens it."""
    anew = in_range & (np.abs(shown - run.first) > IDENTICAL * instruments.noise)
    low, high = np.where(anew, instruments.highest, run.low), np.where(anew, instruments.lowest, run.high)
    return Run(
        first=np.where(anew, shown, run.first),
        count=np.where(anew, 1, run.count + in_range),
        low=np.where(checked, np.minimum(low, foreseen), low),
        high=np.where(checked, np.maximum(high, foreseen), high),
    )


def _lively(instruments: Instruments, run: Run, deviation: Array) -> Flags:
    """Return whether readings differ as they should; one that has no noise may stand still while the model does."""
    lively: Flags = (run.count < STILL) | ((instruments.noise == 0.0) & (run.high - run.low <= MOVED * deviation))
    return lively


def _reason(passed: Flags) -> Counts:
    """Return the first test that each reading fails, none where it passes all."""
    reason: Counts = np.where(passed.all(axis=-1), Reason.NONE, 1 + passed.argmin(axis=-1)).astype(np.intp)
    return reason
