"""What is said of an instrument: NAMUR NE 107's status signals, the tests that raise them, and an operator's words for both.

Source: NAMUR NE 107, Self-monitoring and diagnosis of field devices, 2017: F, C, S and M, one symbol for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Status(IntEnum):
    """Status signals in order of severity: of two that are raised the larger stands.

    Readings raise failure and out of specification; the other two come from the device itself, or from tests of valves.
    """

    GOOD = 0
    MAINTENANCE = 1
    OUT_OF_SPECIFICATION = 2
    CHECK = 3
    FAILURE = 4


class Reason(IntEnum):
    """Tests that a reading can fail, in the order in which the first one failed is named; none comes first."""

    NONE = 0
    NOT_FINITE = 1
    OUT_OF_RANGE = 2
    TOO_FAST = 3
    STALE = 4
    FROZEN = 5
    UNCHECKED = 6
    READS_HIGH = 7
    READS_LOW = 8
    SCATTERED = 9


TESTS = len(Reason) - 1
"""Tests of one reading."""
FATAL = int(Reason.FROZEN)
"""The first so many of them mean failure, the others out of specification."""

NAMES = {
    Status.GOOD: "good", Status.MAINTENANCE: "maintenance required (M)", Status.OUT_OF_SPECIFICATION: "out of specification (S)",
    Status.CHECK: "check function (C)", Status.FAILURE: "failure (F)",
}  # fmt: skip
WORDS = {
    Reason.NONE: "the reading passes every test",
    Reason.NOT_FINITE: "the reading is not a number",
    Reason.OUT_OF_RANGE: "the reading lies outside the measuring range",
    Reason.TOO_FAST: "the reading moves faster than the plant can",
    Reason.STALE: "the reading's time stamp is not current",
    Reason.FROZEN: "the reading does not move",
    Reason.UNCHECKED: "the model gives nothing to check the reading against",
    Reason.READS_HIGH: "the instrument reads high against the model",
    Reason.READS_LOW: "the instrument reads low against the model",
    Reason.SCATTERED: "the reading scatters more than the model expects",
}


def statuses(reasons: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the status signal that each reason raises, in the shape given."""
    fatal = np.where(reasons <= FATAL, Status.FAILURE, Status.OUT_OF_SPECIFICATION)
    raised: NDArray[np.intp] = np.where(reasons == Reason.NONE, Status.GOOD, fatal).astype(np.intp)
    return raised


def said(tags: Sequence[str], status: NDArray[np.intp], reason: NDArray[np.intp]) -> tuple[str, ...]:
    """Return one line for each instrument of one plant that is not good; ``status`` and ``reason`` are (outputs,)."""
    found = [(tag, Status(s), Reason(r)) for tag, s, r in zip(tags, status, reason, strict=True)]
    return tuple(f"{tag}: {NAMES[s]}, {WORDS[r]}" for tag, s, r in found if s != Status.GOOD)
