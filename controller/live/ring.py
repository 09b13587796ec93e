"""The last samples of a session, numbered, so that a reader asks only for what it has not seen."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np

from plant_models.core.scenario import Array


class Samples(NamedTuple):
    """Samples ``first`` to ``first + len(rows)``, (samples, columns)."""

    first: int
    rows: Array


class Ring:
    """Keeps the last ``capacity`` rows; one thread appends, any may read."""

    def __init__(self, capacity: int, columns: int) -> None:
        self._rows = np.full((capacity, columns), np.nan)
        self._count = 0
        self._lock = threading.Lock()

    def append(self, row: Array) -> None:
        """Add a row; the oldest falls out once the ring is full."""
        with self._lock:
            self._rows[self._count % len(self._rows)] = row
            self._count += 1

    def after(self, last: int) -> Samples:
        """Return the rows after number ``last``, -1 for all that are kept; a number from the future counts as none."""
        with self._lock:
            oldest = max(0, self._count - len(self._rows))
            first = oldest if last >= self._count else max(last + 1, oldest)
            return Samples(first, self._rows[np.arange(first, self._count) % len(self._rows)])
