"""What every controller is: the setpoints it wants its hierarchy to send, and what it adds to them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from plant_models.env.scenario import Episodes, Single


class Controller(Protocol):
    """A way to run a plant; the same for a floor, a PID layer, a schedule and a trained policy."""

    @property
    def name(self) -> str:
        """The name in tables and in the store."""

    def plan(self, episodes: Episodes) -> Episodes:
        """Return the episodes with the setpoints that this controller's hierarchy sends; only those may change."""

    def act(self, observation: Single) -> Single:
        """Return actions in [-1, 1], (n, actions), for observations (n, entries)."""


def no_offset(observation: Single, actions: int) -> Single:
    """Return the action that leaves the PID layer alone."""
    return np.zeros((len(observation), actions), dtype=np.float32)
