"""A baseline for learning: what a twin of each plant earns in the same decision of the very same episode.

Weather, prices and parameters are the same for both; what is left of a reward is what the policy has done. What is subtracted
does not depend on its actions, so that the best policy stays the best: a control variate by common random numbers (Glasserman
and Yao, Some guidelines and guarantees for common random numbers, Management Science 38 (1992) 884-908). A twin runs behind no
shield.

The twin is the PID layer's, or the policy's own mean action's: then all that is left is what exploration has done (Mao,
Venkatakrishnan, Schwarzkopf, Alizadeh, Variance reduction for reinforcement learning in input-driven environments, ICLR 2019;
Rennie, Marcheret, Mroueh, Ross, Goel, Self-critical sequence training, CVPR 2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.policy import Policy
from controller.rollout import record, rewards
from controller.safety.guarded import Unguarded
from plant_models.core.scenario import Array
from plant_models.derive.layout import RUNNING
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.scenario import Episodes
from plant_models.env.simulator import Index
from plant_models.env.start import starts
from plant_models.env.substeps import fleet


class TwinEarnings:
    """The twins' rewards in the episodes that a fleet runs, (n, steps), found for many episodes at once.

    The twins are the PID layer's until :meth:`follow` names a policy, whose decisions beyond a hard limit cost ``crossing``
    rewards. They run when their episodes' first decision is asked for.
    """

    def __init__(self, plants: PlantVectorEnv, crossing: float = 0.0) -> None:
        self._plants, self._crossing = plants, crossing
        self._policy: Policy | None = None
        self._running = np.zeros((plants.num_envs, plants.scenario.steps))
        self._awaited = np.zeros(plants.num_envs, dtype=bool)
        self._ahead: dict[int, tuple[int, Array]] = {}

    def follow(self, policy: Policy) -> None:
        """Have the twins of all episodes that have not run yet decide as this policy does."""
        self._policy = policy
        self._ahead.clear()

    def begin(self, plants: Index) -> None:
        """Note that episodes have just begun on these plants."""
        self._awaited[plants] = True

    def due(self, numbers: Index, k: Index, done: NDArray[np.bool_]) -> Array:
        """Return what twins earn in decision ``k`` of episodes, (n,); of an episode that is ``done``, all that is to come."""
        self._run(np.flatnonzero(self._awaited), numbers, k)
        self._awaited[:] = False
        found: Array = self._running[np.arange(len(k)), k]
        for e in np.flatnonzero(done):
            found[e] = self._running[e, k[e] :].sum()
        return found

    def _run(self, plants: Index, numbers: Index, k: Index) -> None:
        """Find what twins earn in the episodes of these plants, which begin with this decision."""
        for at, source in enumerate(self._plants.sources):
            some = plants[self._plants.which[plants] == at]
            if k[some].any():
                self._running[some] = self._earned(source.numbered(numbers[some]), k[some])
                continue
            for e in some[np.argsort(numbers[some])]:
                self._running[e] = self._drawn(at, int(numbers[e]))

    def _drawn(self, at: int, number: int) -> Array:
        """Return the twin's rewards in one episode of a scenario; those of the next ones are kept for when they begin."""
        first, known = self._ahead.get(at, (0, np.zeros((0, 0))))
        if not first <= number < first + len(known):
            first, episodes = number, self._plants.sources[at].onward(number, self._plants.num_envs)
            known = self._earned(episodes, np.zeros(len(episodes), dtype=np.intp))
            self._ahead[at] = first, known
        found: Array = known[number - first]
        return found

    def _earned(self, episodes: Episodes, begun: Index) -> Array:
        if self._policy is None or begun.any():
            return earned(episodes, begun)
        return earned_by(self._policy, episodes, self._crossing)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return what it takes to go on from here, once :meth:`follow` has been called again where it had been."""
        return {"twins.earnings": self._running.copy(), "twins.awaited": self._awaited.copy()}

    def restore(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go back to a snapshot; raises KeyError where it is that of a training without."""
        self._running[:], self._awaited[:] = kept["twins.earnings"], kept["twins.awaited"]
        self._ahead.clear()


def earned(episodes: Episodes, begun: Index) -> Array:
    """Return PID's rewards, (n, steps), in episodes that begin at these decisions: nothing before, nor after its own end."""
    n, steps = len(episodes), episodes.scenario.steps
    twin = fleet(episodes.plant, n, steps)
    twin.load(episodes, np.arange(n))
    first = starts(twin.kernel.layout, episodes, at=begun)
    found, idle = np.zeros((n, steps)), np.zeros((n, twin.kernel.layout.actions))
    for k in range(steps):
        due = np.flatnonzero(begun == k)
        if k and len(due):
            twin.load(first[due], due)
        running = (twin.S.read("status")[0] == RUNNING) & (begun <= k)
        found[:, k] = np.where(running, twin.step(idle).reward, 0.0)
    return found


def earned_by(policy: Policy, episodes: Episodes, crossing: float = 0.0) -> Array:
    """Return a policy's rewards in whole episodes, (n, steps), a decision beyond a hard limit charged; nothing after its end."""
    n, steps = len(episodes), episodes.scenario.steps
    twin = fleet(episodes.plant, n, steps, policy.level)
    twin.load(episodes, np.arange(n))
    tape, _ = record(policy, episodes, Unguarded(twin), ("stage", "status", "time"))
    hard = np.flatnonzero([kind == "hard" for kind in twin.kernel.layout.kinds])
    crossed = (tape["time"][1:, hard] > 0.0).any(axis=1) & (tape["status"][:-1, 0] == RUNNING)
    found: Array = rewards(twin, tape).T - crossing * crossed.T
    return found
