"""The commands that are asked for on behalf of one plant: the policy's, on its way from what it found, and the operator's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from controller.safety.given import Given
from controller.safety.limiter import limited
from controller.safety.shield import UNCERTIFIED, Decision
from controller.safety.transfer import blended
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command


@dataclass(frozen=True)
class Reach:
    """Of each offset the ``authority`` in its unit, and the largest change in a decision as a share of it, both (1, actions)."""

    authority: Array
    rate: Array

    @classmethod
    def of(cls, plant: Plant) -> Reach:
        """Read what a plant declares."""
        authority = np.array([[loop.authority for loop in plant.acted]])
        return cls(authority, np.array([[loop.offset_rate for loop in plant.acted]]) / authority)


def wanted(now: Given, action: Array) -> Command:
    """Return a policy's command: its action (1, actions) within bounds, on the hierarchy's setpoints."""
    return Command(np.array([now.r]), np.clip(action, -1.0, 1.0), np.zeros(1, dtype=bool))


def on_the_way(reach: Reach, now: Given, sent: Command, asked: Command, dwell: int) -> Command:
    """Return the command between the one last sent and the one asked for; ``dwell`` is 1 where the policy takes over."""
    before = np.clip(np.array([now.v]) / reach.authority, -1.0, 1.0)
    ends = np.ones_like(before)
    a = limited(blended(asked.a, before, dwell), before, -ends, ends, reach.rate)
    return Command(blended(asked.r, sent.r, dwell), a, asked.safe)


def by_hand(now: Given, sent: Command) -> Command:
    """Return the operator's command; where there is none, or a part of it is no number, what was last sent stays."""
    if not now.manual or not np.isfinite(now.manual).all():
        return sent._replace(safe=np.zeros(1, dtype=bool))
    r, a = np.split(np.array([now.manual]), [len(now.r)], axis=1)
    return Command(r, a, np.zeros(1, dtype=bool))


def stopped(safe: Command, would: Decision) -> Decision:
    """Return the decision to take the plant's safe action; what was last safe stays what it was."""
    stop = safe._replace(safe=np.ones(1, dtype=bool))
    return Decision(stop, np.full(1, UNCERTIFIED), safe, stop, np.full_like(would.foreseen, np.nan), np.zeros(1, dtype=bool))
