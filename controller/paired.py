"""A baseline for learning: what the PID layer earns in the same decision of the very same episode.

Weather, prices and parameters are the same for both; what is left of a reward is what the policy has done. What is subtracted
does not depend on actions, so that the best policy stays the best: a control variate by common random numbers (Glasserman and
Yao, Some guidelines and guarantees for common random numbers, Management Science 38 (1992) 884-908). PID runs behind no shield.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plant_models.core.scenario import Array
from plant_models.derive.layout import RUNNING
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.scenario import Episodes
from plant_models.env.simulator import Index
from plant_models.env.start import starts
from plant_models.env.substeps import fleet

AHEAD = 256
"""Episodes that PID runs at once, before the policy does."""


class PidEarnings:
    """PID's rewards in the episodes that a fleet runs, (n, steps), found for many episodes at once."""

    def __init__(self, plants: PlantVectorEnv) -> None:
        self._plants = plants
        self._running = np.zeros((plants.num_envs, plants.scenario.steps))
        self._ahead: dict[int, tuple[int, Array]] = {}

    def begin(self, plants: Index) -> None:
        """Find what PID earns in the episodes that have just begun on these plants."""
        every = self._plants
        for at, source in enumerate(every.sources):
            some = plants[every.which[plants] == at]
            begun = every.simulator.k[some]
            if begun.any():
                self._running[some] = earned(source.numbered(every.numbers[some]), begun)
                continue
            for e in some:
                self._running[e] = self._drawn(at, int(every.numbers[e]))

    def _drawn(self, at: int, number: int) -> Array:
        """Return PID's rewards in one episode of a scenario; those of its neighbours are kept for when they begin."""
        block = number // AHEAD
        if at not in self._ahead or self._ahead[at][0] != block:
            numbers = np.arange(block * AHEAD, (block + 1) * AHEAD)
            self._ahead[at] = block, earned(self._plants.sources[at].numbered(numbers), np.zeros(AHEAD, dtype=np.intp))
        rewards: Array = self._ahead[at][1][number % AHEAD]
        return rewards

    def due(self, k: Index, done: NDArray[np.bool_]) -> Array:
        """Return what PID earns in decision ``k`` of each plant, (n,); of an episode that is ``done``, all that is to come."""
        found: Array = self._running[np.arange(len(k)), k]
        for e in np.flatnonzero(done):
            found[e] = self._running[e, k[e] :].sum()
        return found

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return what it takes to go on from here."""
        return {"pid_earnings": self._running.copy()}

    def restore(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go back to a snapshot; raises KeyError where it is that of a training without."""
        self._running[:] = kept["pid_earnings"]
        self._ahead.clear()


def earned(episodes: Episodes, begun: Index) -> Array:
    """Return PID's rewards, (n, steps), in episodes that begin at these decisions: nothing before, nor after its own end."""
    n, steps = len(episodes), episodes.scenario.steps
    twin = fleet(episodes.plant, n, steps)
    twin.load(episodes, np.arange(n))
    first = starts(twin.kernel.layout, episodes, at=begun)
    rewards, idle = np.zeros((n, steps)), np.zeros((n, twin.kernel.layout.actions))
    for k in range(steps):
        due = np.flatnonzero(begun == k)
        if k and len(due):
            twin.load(first[due], due)
        running = (twin.S.read("status")[0] == RUNNING) & (begun <= k)
        rewards[:, k] = np.where(running, twin.step(idle).reward, 0.0)
    return rewards
