"""How much of a margin is lost after a move: what is foreseen at first, against the least that is foreseen while it is held.

Readings bring surprises and disturbances move on, so that what was certified may not be certified again.
"""

from __future__ import annotations

import numpy as np

from controller.safety.corners import NEAR
from controller.safety.shield import HELD, Decision
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command

SELDOM = 0.99
"""Share of the moves that lose less of a margin than is kept in reserve for them."""


class Losses:
    """The losses of ``n`` plants; each begins anew where it moves."""

    def __init__(self, n: int, margins: int) -> None:
        self._first, self._least = np.full((n, margins), np.nan), np.full((n, margins), np.nan)
        self._moves: list[Array] = []

    def held(self, foreseen: Array) -> None:
        """Take in the smallest margins (n, margins) that are foreseen where every plant holds what it has."""
        self._least = np.fmin(self._least, foreseen)

    def moved(self, found: Decision, before: Command) -> None:
        """Take in a decision; ``before`` is what the plants had."""
        changed = ((found.safe.r != before.r).any(axis=1) | (found.safe.a != before.a).any(axis=1))[:, None]
        self._moves.append(np.stack([self._first, self._least], axis=-1)[changed[:, 0]])
        begun = np.where((found.share > HELD)[:, None], found.foreseen, np.nan)
        self._first = np.where(changed, begun, self._first)
        self._least = np.where(changed, begun, self._least)

    def reserve(self) -> Array:
        """Return what most moves lose of each margin, (margins,), where little is left of it."""
        moves = np.concatenate(self._moves)
        return np.array([_reserve(*moves[np.isfinite(moves[:, c]).all(axis=1), c].T) for c in range(moves.shape[1])])


def _reserve(first: Array, least: Array) -> float:
    if not len(first):
        return 0.0
    near = first <= np.quantile(first, NEAR)
    return float(np.quantile((first - least)[near], SELDOM))
