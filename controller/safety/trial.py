"""A supervisor on many plants for whole episodes, with a shield between them or without one, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from controller.safety.corners import enforced, scales
from controller.safety.field import Field, unmoved
from controller.safety.governor import Calibration, Governor
from controller.safety.shield import HELD, UNCERTIFIED, Flags
from plant_models.catalogue import get, names
from plant_models.core.errors import BadInput
from plant_models.core.plant import Margin, Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import FAILED, TRIPPED
from plant_models.env.lookahead import Command
from plant_models.env.scenario import Episodes

Send = Callable[[Field, int], Command]
"""``send(field, k)``: what is sent to all plants in decision ``k``; an adversary may look at the true plants."""
DECIDED = ("full", "partial", "held", "uncertified")
"""What may become of a move."""
DOOMED = -1e6
"""In place of a smallest margin that is not a number."""


def _as_drawn(episodes: Episodes) -> Episodes:
    return episodes


@dataclass(frozen=True)
class Supervisor:
    """Who sends commands: ``begin(episodes, first)`` starts on episodes of which the first has that number.

    ``plan`` returns the episodes with the setpoints that this supervisor's hierarchy sends by itself.
    """

    name: str
    begin: Callable[[Episodes, int], Send]
    plan: Callable[[Episodes], Episodes] = _as_drawn


@dataclass(frozen=True)
class Trial:
    """What came of ``n`` episodes.

    ``lowest`` (n, margins) at any sub-step, ``decided`` (n, 4) decisions of each kind in ``DECIDED``, (n,) whether the plant
    ``tripped``, and whether it ``failed``: left the range in which its equations hold.
    """

    lowest: Array
    decided: NDArray[np.intp]
    tripped: Flags
    failed: Flags

    def violating(self, plant: Plant) -> Flags:
        """Return whether a hard limit was crossed, (n,); what is not a number has crossed it."""
        kept = (self.lowest[:, hard(plant)] >= 0.0).all(axis=1)
        return np.asarray(~kept | self.failed)

    def nearest(self, plant: Plant) -> Array:
        """Return the smallest enforced margin, (n,), as a share of the nominal one; what failed is as far beyond as can be."""
        return np.where(self.failed, DOOMED, smallest(plant, self.lowest))


def trial(supervisor: Supervisor, drawn: Episodes, known: Calibration | None, first: int = 0) -> Trial:
    """Run episodes from start to end; without ``known`` there is no shield."""
    episodes = supervisor.plan(drawn)
    field, n = Field(episodes.plant, episodes), len(episodes)
    reading, send = field.read(), supervisor.begin(episodes, first)
    governor = None if known is None else Governor(episodes.plant, n, known)
    if governor is not None:
        governor.begin(np.arange(n), reading, unmoved(field))
    lowest, decided = np.full_like(field.lowest, np.inf), np.zeros((n, len(DECIDED)), dtype=np.intp)
    for k in range(episodes.scenario.steps):
        sent, running = send(field, k), field.running
        if governor is not None:
            decision = governor.allow(governor.estimate(reading), sent)
            sent = decision.sent
            decided += _kind(decision.share) & running[:, None]
        field.command(sent)
        lowest, reading = np.minimum(lowest, field.lowest), field.read()
    status = field.simulator.S.read("status")[0]
    return Trial(lowest, decided, status == TRIPPED, status == FAILED)


def _kind(share: Array) -> Flags:
    """Return which kind in ``DECIDED`` each decision is, (n, 4)."""
    full, held, uncertified = share == 1.0, share == HELD, share == UNCERTIFIED
    return np.stack([full, ~(full | held | uncertified), held, uncertified], axis=1)


def joined(trials: Sequence[Trial]) -> Trial:
    """Join the trials of several lots of episodes."""
    return Trial(*(np.concatenate([getattr(part, field.name) for part in trials]) for field in fields(Trial)))


def hard(plant: Plant) -> Flags:
    """Return whether each margin is that of a hard limit, (margins,)."""
    return np.array([margin.kind == "hard" for margin in _margins(plant).values()])


def check_hard(plant: Plant) -> None:
    """Refuse a plant without hard limits.

    Raises:
        BadInput: where it has none; the text names plants that have.
    """
    if not hard(plant).any():
        having = [each.name for each in map(get, names()) if hard(each).any()]
        raise BadInput(f"{plant.name} has no hard limit that a shield could keep; plants that have: {', '.join(having)}")


def limits(plant: Plant) -> tuple[str, ...]:
    """Return the margins' names."""
    return tuple(_margins(plant))


def smallest(plant: Plant, lowest: Array) -> Array:
    """Return the smallest enforced margin of each plant, (n,), as a share of the nominal one."""
    shares: Array = (lowest / scales(plant))[:, enforced(plant)].min(axis=1)
    return np.nan_to_num(shares, nan=DOOMED, posinf=-DOOMED, neginf=DOOMED).clip(DOOMED, -DOOMED)


def _margins(plant: Plant) -> dict[str, Margin]:
    return plant.margins(*(vector.nominal() for vector in plant.arguments))
