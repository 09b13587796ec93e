"""How much of the reserve a move must keep: the least part with which plants fare as well as with all of it.

The reserve is what most moves near a limit lose of a margin until the next one. Kept in full it refuses whatever would come
nearer to a limit than that; kept in part, or not at all, what was let through can less often be held to its end, and the plant
retreats. How often it then comes to that is counted, on governed tuning episodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from controller.safety.shield import UNCERTIFIED, Decision, Flags
from plant_models.core.scenario import Array

PARTS: tuple[float, ...] = (1.0,)
"""Parts of the reserve that are tried, the least first, all of it last: with less, worst cases were found that cross a limit."""
UNCERTAIN, STOPPED = 0.001, 0.01
"""By how much larger than with the whole reserve the shares of decisions may be that go uncertified, or take the safe action."""


@dataclass(frozen=True)
class Conduct:
    """How plants fared: shares of decisions ``uncertified`` or ``stopped`` by the safe action, of episodes that ``crossed``."""

    uncertified: float
    stopped: float
    crossed: float

    def as_good_as(self, whole: Conduct) -> bool:
        """Return whether hardly more was uncertified or stopped than with the whole reserve, and nothing more was crossed."""
        hardly = self.uncertified <= whole.uncertified + UNCERTAIN and self.stopped <= whole.stopped + STOPPED
        return hardly and self.crossed <= whole.crossed


class Tally:
    """Counts how ``n`` plants fare, decision by decision.

    Of a ``batch`` stops do not count: each of its moves was certified by what the safe action makes of it.
    """

    def __init__(self, n: int, enforced: Flags, batch: bool) -> None:
        self._enforced, self._batch = enforced, batch
        self._crossed, self._counts = np.zeros(n, dtype=bool), np.zeros(3)

    def add(self, decision: Decision, running: Flags, lowest: Array) -> None:
        """Take in a decision, which plants ran until then, and the smallest margins (n, margins) that it brought them."""
        stopped = 0 if self._batch else (running & decision.sent.safe).sum()
        self._counts += running.sum(), (running & (decision.share == UNCERTIFIED)).sum(), stopped
        self._crossed |= running & ~(lowest[:, self._enforced] >= 0.0).all(axis=1)

    def conduct(self) -> Conduct:
        """Return what was counted."""
        decisions, uncertified, stopped = self._counts.tolist()
        return Conduct(uncertified / max(decisions, 1.0), stopped / max(decisions, 1.0), float(self._crossed.mean()))


def least(tried: Callable[[float], Conduct]) -> tuple[float, Conduct]:
    """Return the least part of the reserve with which plants fare as well as with the whole, and how they fare with that."""
    whole = tried(PARTS[-1])
    return next((part for part in PARTS[:-1] if tried(part).as_good_as(whole)), PARTS[-1]), whole


def following(part: float) -> float:
    """Return the next larger part, or all."""
    return next((larger for larger in PARTS if larger > part), PARTS[-1])
