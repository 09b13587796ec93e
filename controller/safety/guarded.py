"""Plants behind a shield: what a controller asks of them passes it first, and what came of that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from controller.safety.field import read, sent
from controller.safety.governor import Calibration, Governor
from plant_models.core.errors import InvalidAction
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command, safe_outputs
from plant_models.env.simulator import Index, Simulator, Step


class Stepping(Protocol):
    """Whatever advances a simulator's plants by one decision, and knows the ``share`` (n,) of each move that it let through."""

    simulator: Simulator
    share: Array

    def step(self, actions: ArrayLike) -> Step:
        """Advance every plant by one decision."""


class Unguarded:
    """The plants of a simulator without a shield: everything is let through."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.share: Array = np.ones(simulator.n)

    def step(self, actions: ArrayLike) -> Step:
        """Advance every plant by one decision."""
        return self.simulator.step(actions)


class Guarded:
    """The plants of a simulator, whose loops are operated, behind a shield; :meth:`begin` follows each load.

    After a step ``share`` (n,) is what the shield let through of each move, and ``correction`` (n,) by how much it changed the
    action: from 0 to 1, the mean over its entries as a share of their range; 1 where the plant's safe action was taken.
    """

    def __init__(self, simulator: Simulator, known: Calibration) -> None:
        self.simulator = simulator
        self._governor = Governor(simulator.plant, simulator.n, known)
        simulator.E.write("manual", safe_outputs(simulator.plant))
        self.share: Array = np.ones(simulator.n)
        self.correction: Array = np.zeros(simulator.n)

    def begin(self, plants: Index) -> None:
        """Begin episodes that were loaded into these plants."""
        self._governor.begin(plants, read(self.simulator), self._asked(np.zeros_like(self._last)))

    def step(self, actions: ArrayLike) -> Step:
        """Advance every plant by one decision, by as much of these actions as is certified.

        Raises:
            InvalidAction: for actions of a wrong shape or not finite; nothing has moved.
        """
        asked = self._asked(self._checked(actions))
        standing = self._governor.estimate(read(self.simulator))
        found = self._governor.allow(standing, asked)
        self.share = found.share
        changed = 0.5 * np.abs(found.sent.a - asked.a).mean(axis=1) if asked.a.shape[1] else np.zeros(len(asked.r))
        self.correction = np.where(found.sent.safe, 1.0, changed)
        return sent(self.simulator, found.sent)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return what it takes to go on from here."""
        return {f"shield.{name}": part.copy() for name, part in self._governor.parts().items()}

    def restore(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go back to a snapshot; raises KeyError where a part is missing, ValueError for another shape."""
        for name, part in self._governor.parts().items():
            part[:] = kept[f"shield.{name}"]

    @property
    def _last(self) -> Array:
        last: Array = self.simulator.S.read("v").T
        return last

    def _asked(self, actions: Array) -> Command:
        return Command(self.simulator.sent, actions, np.zeros(self.simulator.n, dtype=bool))

    def _checked(self, actions: ArrayLike) -> Array:
        simulator, given = self.simulator, self.simulator.numbers(actions)
        if not np.isfinite(given).all():
            raise InvalidAction(f"{simulator.plant.name}: an action is not finite; give numbers in [-1, 1]")
        simulator.clipped += (np.abs(given) > 1.0).sum(axis=1)
        within: Array = np.clip(given.astype(float), -1.0, 1.0)
        return within


def behind(shield: Calibration | None, simulator: Simulator) -> Stepping:
    """Return what advances the loaded plants of a simulator, behind a shield where there is one."""
    if shield is None:
        return Unguarded(simulator)
    guarded = Guarded(simulator, shield)
    guarded.begin(np.arange(simulator.n))
    return guarded
