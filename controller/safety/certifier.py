"""Certificates of one decision, for plants in several variants, by as few look-aheads as tell what is safe.

Where many commands are asked about, each is looked ahead at in one variant first, the one that kept its distance worst under the
whole move; what is not safe there is not safe. What is left is looked ahead at in all variants, for each plant one command after
the other until one is safe. What is found is the same as by looking ahead at everything.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from controller.safety.shield import Certificate, Flags, Index, certified, nearest
from plant_models.core.scenario import Array
from plant_models.derive.layout import LANES
from plant_models.env.lookahead import Command, Outlook, Standing

Foresee = Callable[[Standing, Command, Command, Index], Outlook]
"""``foresee(standing, first, then, plants)``: what these of the plants come to under a command that is followed by another."""


class Certifier:
    """Certifies commands for plants that stand in ``variants``; :meth:`certify` is asked about whole moves of all plants first.

    Certificates keep ``margins`` (margins,), where a plant moves ``slack`` more, of those ``enforced``; ``scales`` compare them.
    """

    def __init__(
        self, foresee: Foresee, variants: Standing, margins: Array, slack: Array, enforced: Flags, scales: Array
    ) -> None:
        self._foresee, self._variants, self._margins, self._slack = foresee, variants, margins, slack
        self._enforced, self._scales = enforced, scales
        self._weakest: Callable[[], Index] | None = None

    def certify(self, first: Command, then: Command, plants: Index, moved: Flags) -> Certificate:
        """Certify commands of these plants, in order of preference where one is named more than once.

        Of a plant's commands after its first certified one nothing needs to be found.
        """
        distance, weakest = self._margins + moved[:, None] * self._slack, self._weakest
        if weakest is not None and len(plants) * self._variants.x.shape[1] > LANES:
            return self._in_turn(first, then, plants, distance, weakest())
        outlook = self._foresee(self._variants, first, then, plants)
        if weakest is None:
            self._weakest = lambda: self._failing(outlook, distance)
        found = certified(outlook, distance, self._enforced)
        return Certificate(found, outlook.lowest.min(axis=1), lambda rows: self._nearest(outlook)[rows])

    def _in_turn(self, first: Command, then: Command, plants: Index, distance: Array, weakest: Index) -> Certificate:
        found, lowest, left = np.zeros(len(plants), dtype=bool), np.full(distance.shape, np.nan), np.ones(len(plants), dtype=bool)
        while left.any():
            rows = _firsts(left, plants)
            left[rows] = False
            alone = _variant(self._variants.of(plants[rows]), weakest[plants[rows]])
            seen = self._foresee(alone, first.of(rows), then.of(rows), np.arange(len(rows)))
            rows = rows[certified(seen, distance[rows], self._enforced)]
            outlook = self._whole(first, then, plants, rows)
            found[rows], lowest[rows] = certified(outlook, distance[rows], self._enforced), outlook.lowest.min(axis=1)
            weakest[plants[rows]] = self._failing(outlook, distance[rows])
            left &= ~np.isin(plants, plants[found])
        return Certificate(found, lowest, lambda rows: self._nearest(self._whole(first, then, plants, rows)))

    def _whole(self, first: Command, then: Command, plants: Index, rows: Index) -> Outlook:
        """Look ahead in all variants at some rows of what was asked."""
        return self._foresee(self._variants, first.of(rows), then.of(rows), plants[rows])

    def _failing(self, outlook: Outlook, distance: Array) -> Index:
        """Return the variant of each plant that keeps its distance worst, (n,)."""
        beyond = ((outlook.lowest - distance[:, None]) / self._scales)[:, :, self._enforced].min(axis=2)
        return np.asarray(np.where(outlook.sound & np.isfinite(beyond), beyond, -np.inf).argmin(axis=1))

    def _nearest(self, outlook: Outlook) -> Array:
        return nearest(outlook, self._scales, self._enforced)


def _variant(standing: Standing, which: Index) -> Standing:
    """Return how plants stand in one variant each, ``which`` (n,)."""
    at, shared = np.arange(len(which)), len(standing.p) == 1
    p = standing.p[0, which] if shared else standing.p[at, which]
    return standing._replace(x=standing.x[at, which][:, None], p=p[:, None], d=standing.d[at, which][:, None])


def _firsts(left: Flags, plants: Index) -> Index:
    """Return the first place of each plant among those that are left."""
    rows = np.flatnonzero(left)
    return rows[np.unique(plants[rows], return_index=True)[1]]
