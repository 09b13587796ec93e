"""How much of its time a plant spends beyond its limits, hard and soft ones, and how much of that is allowed.

A trip is no limit to be weighed: what it costs stands in the reward. Where several limits are crossed in one decision the longest
time counts, so that a limit declared twice weighs as much as once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.baselines import Pid
from controller.interface import Controller
from controller.methods import Method
from controller.rollout import record
from controller.safety.governor import Calibration
from controller.safety.guarded import behind
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import RUNNING, layout
from plant_models.env.scenario import Episodes
from plant_models.env.substeps import fleet


@dataclass(frozen=True)
class Budget:
    """The share of time that a policy may spend beyond limits, measured on fixed episodes of one scenario or several.

    Where it is ``hard`` only hard limits count.
    """

    share: float
    parts: tuple[Episodes, ...]
    shield: Calibration | None = None
    hard: bool = False

    def spent(self, controller: Controller) -> float:
        """Return the share that a controller spends, behind the shield where there is one; of several scenarios the mean."""
        return _beyond(controller, self.parts, self.shield, self.hard)

    def excess(self, spent: float) -> float:
        """Return by how much a share is above the budget, at least zero."""
        return max(0.0, spent - self.share)


def limited(plant: Plant, hard: bool = False) -> NDArray[np.intp]:
    """Return which of a plant's margins are limits: all but trips, or the hard ones alone."""
    return np.flatnonzero([kind == "hard" if hard else kind != "trip" for kind in layout(plant, "setpoint").kinds])


def share(time: Array, limits: NDArray[np.intp], decision: float) -> Array:
    """Return the share of a decision spent beyond any limit, (n,), from the times beyond each margin, (margins, n).

    A time that is no number counts as the whole decision.
    """
    longest: Array = np.clip(time[limits].max(axis=0) / decision, 0.0, 1.0)
    return np.where(np.isnan(longest), 1.0, longest)


def beyond(controller: Controller, episodes: Episodes, shield: Calibration | None = None, hard: bool = False) -> float:
    """Return the share of all episodes' time that a controller spends beyond limits; an episode is over when it ends early."""
    planned = controller.plan(episodes)
    plant, n, limits = planned.plant, len(planned), limited(planned.plant, hard)
    simulator = fleet(plant, n, planned.scenario.steps, controller.level, operated=shield is not None)
    simulator.load(planned, np.arange(n))
    tape, _ = record(controller, planned, behind(shield, simulator), ("time", "status"))
    running = tape["status"][:-1, 0] == RUNNING
    spent = np.stack([share(time, limits, plant.decision) for time in tape["time"][1:]])
    return float(spent[running].sum() / running.sum())


def _beyond(controller: Controller, parts: tuple[Episodes, ...], shield: Calibration | None, hard: bool = False) -> float:
    return float(np.mean([beyond(controller, part, shield, hard) for part in parts]))


def budget(method: Method, plant: Plant, parts: tuple[Episodes, ...], shield: Calibration | None = None) -> Budget | None:
    """Return what a method allows on a plant, by default what the PID layer spends on these episodes; None without a budget.

    Raises:
        BadInput: where the plant declares no limit.
    """
    if not method.budgeted:
        return None
    if not len(limited(plant)):
        raise BadInput(f"safety {method.safety!r}: {plant.name} declares no hard or soft limit; leave it out, or add a margin")
    most = _beyond(Pid(plant), parts, shield) if method.cost_limit is None else method.cost_limit
    return Budget(most, parts, shield)


def allowed(plant: Plant, parts: tuple[Episodes, ...], shield: Calibration | None = None) -> Budget | None:
    """Return what a policy that is kept may spend beyond hard limits, which is what PID spends; None where that is left open."""
    if not plant.learning.crossing:
        return None
    return Budget(_beyond(Pid(plant), parts, shield, hard=True), parts, shield, hard=True)
