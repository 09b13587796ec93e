"""What PPO is compared with: the tuned PID layer as it stands, the floors and schedules below it, and actions written down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from controller.interface import Reading
from plant_models.core.duty import Held, Part, Recipe, commanded
from plant_models.core.plant import Plant
from plant_models.derive.layout import Level
from plant_models.env.scenario import Episodes, Single


@dataclass(frozen=True)
class _Unmoved:
    """The PID layer at the setpoints it is sent."""

    plant: Plant

    def act(self, reading: Reading) -> Single:
        """Add nothing."""
        return np.zeros((len(reading.observation), len(self.plant.acted)), dtype=np.float32)


@dataclass(frozen=True)
class Pid(_Unmoved):
    """The plant's own PID layer under its own hierarchy: zero offset."""

    name: str = "pid"
    level: Level = "setpoint"

    def plan(self, episodes: Episodes) -> Episodes:
        """Leave the setpoints as the plant's hierarchy sends them."""
        return episodes


@dataclass(frozen=True)
class Constant(_Unmoved):
    """The floor: one setpoint for each master loop, held whatever is asked."""

    setpoints: tuple[float, ...]
    name: str = "constant"
    level: Level = "setpoint"

    def plan(self, episodes: Episodes) -> Episodes:
        """Send the same setpoints throughout."""
        return episodes.following(np.asarray(self.setpoints))


@dataclass(frozen=True)
class Scheduled(_Unmoved):
    """The PID layer following a schedule."""

    schedule: tuple[Part, ...]
    name: str = "schedule"
    level: Level = "setpoint"

    def plan(self, episodes: Episodes) -> Episodes:
        """Send what the schedule says for the episodes' disturbances; loops that it does not name keep their setpoints."""
        names = {part.by for part in self.schedule if not isinstance(part, Held)}
        sent = commanded(self.schedule, {name: episodes.disturbance(name) for name in names})
        for tag, setpoints in sent.items():
            episodes = episodes.commanding(tag, setpoints)
        return episodes


@dataclass(frozen=True)
class Published(_Unmoved):
    """The PID layer on the recipe of the literature: a batch's floor."""

    recipe: tuple[Recipe, ...]
    name: str = "published recipe"
    level: Level = "setpoint"

    def plan(self, episodes: Episodes) -> Episodes:
        """Send the recipe's setpoints to the master loops it names; the others keep theirs."""
        for part in self.recipe:
            setpoints = part.references(episodes.exogenous.shape[1], self.plant.decision)
            episodes = episodes.commanding(part.tag, setpoints)
        return episodes


@dataclass(frozen=True)
class Replay:
    """Applies ``actions`` (n, steps, actions) whatever happens."""

    plant: Plant
    level: Level
    actions: Single
    name: str = "replay"

    def plan(self, episodes: Episodes) -> Episodes:
        """Leave the setpoints as the plant's hierarchy sends them."""
        return episodes

    def act(self, reading: Reading) -> Single:
        """Return the actions of the decision that each plant is at."""
        k = reading.panel().k
        return self.actions[np.arange(len(k)), k]
