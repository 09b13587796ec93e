"""The kernel's memory: rows of named quantities for many plants, in chunks of lanes."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plant_models.core.scenario import Array
from plant_models.derive.layout import LANES, STRIDE, Rows

Plants: TypeAlias = NDArray[np.intp] | slice


class Block:
    """One block for ``n`` plants; ``data`` (chunks, rows * STRIDE) is what the kernel takes."""

    def __init__(self, rows: Rows, n: int) -> None:
        self.rows, self.n = rows, n
        self._cube = np.zeros((-(-n // LANES), rows.size, STRIDE))
        self.data: Array = self._cube.reshape(self._cube.shape[0], -1)

    def read(self, part: str) -> Array:
        """Return a copy of a part, (rows, n)."""
        lanes = self._cube[:, self.rows[part], :LANES].transpose(1, 0, 2)
        flat: Array = np.array(lanes.reshape(lanes.shape[0], lanes.shape[1] * LANES)[:, : self.n])
        return flat

    def pick(self, rows: NDArray[np.intp]) -> Array:
        """Return a copy of some rows, (rows, n)."""
        picked: Array = self._cube[:, rows, :LANES].transpose(1, 0, 2).reshape(len(rows), -1)[:, : self.n]
        return picked

    def write(self, part: str, values: ArrayLike, plants: Plants = slice(None)) -> None:
        """Set a part of some plants from values that broadcast to (rows, plants)."""
        index = np.arange(self.n)[plants]
        self._cube[index // LANES, self.rows[part], index % LANES] = np.asarray(values, dtype=float).T

    def fill(self, plants: Plants, columns: Array) -> None:
        """Set everything of some plants, (plants, rows)."""
        index = np.arange(self.n)[plants]
        self._cube[index // LANES, :, index % LANES] = columns

    def column(self, plant: int) -> Array:
        """Return a copy of everything of one plant, (rows,)."""
        return self._cube[plant // LANES, :, plant % LANES].copy()

    def view(self, plant: int) -> Array:
        """Return everything of one plant as a view, (rows,)."""
        seen: Array = self._cube[plant // LANES, :, plant % LANES]
        return seen

    def restore(self, plant: int, column: Array) -> None:
        """Set everything of one plant, (rows,)."""
        self._cube[plant // LANES, :, plant % LANES] = column
