"""Run a controller on given episodes, all at once, and keep what happened; it does not know which controller runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from controller.interface import Controller, Reading
from controller.panel import panel
from plant_models.core.scenario import Array
from plant_models.derive.layout import FAILED, TRIPPED, Level
from plant_models.env.scenario import Episodes
from plant_models.env.simulator import Simulator
from plant_models.env.start import Settings
from plant_models.env.substeps import fleet, judged

RECORDED = ("x", "y", "u", "sp", "v", "d")
SUMMED = ("terms", "measures", "time", "peak")


@dataclass(frozen=True)
class Run:
    """What ``n`` episodes of one controller brought.

    ``cost`` (n, steps) is the stage cost, ``path`` holds what was recorded at each decision as (n, steps + 1, rows),
    ``sums`` what each decision accumulated as (n, steps, rows), ``lowest`` (n, margins) the smallest margins.
    """

    controller: str
    episodes: Episodes
    cost: Array
    path: dict[str, Array]
    sums: dict[str, Array]
    lowest: Array
    tripped: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    clipped: NDArray[np.intp]
    level: Level = "setpoint"

    @property
    def total(self) -> Array:
        """The objective of each episode, (n,): lower is better."""
        total: Array = self.cost.sum(axis=1)
        return total


def rollout(controller: Controller, episodes: Episodes, level: Level | None = None, settings: Settings | None = None) -> Run:
    """Run the episodes from start to end, by default at the controller's own level.

    A plant that trips stays where it is and is charged for what is left.
    """
    planned = controller.plan(episodes)
    n, steps = len(planned), planned.scenario.steps
    level = level or controller.level
    simulator = Simulator(planned.plant, n, steps, judged(planned.plant, planned.scenario), level)
    simulator.load(planned, np.arange(n), settings)
    keep = _Recorder(simulator)
    cost, running = np.zeros((n, steps)), np.ones(n, dtype=bool)
    known = partial(panel, simulator, planned)
    observation = simulator.observe()
    for k in range(steps):
        result = simulator.step(controller.act(Reading(observation, known)))
        observation = result.observation
        cost[:, k] = np.where(running, -result.reward * planned.plant.scale, 0.0)
        running &= simulator.S.read("status")[0] < TRIPPED
        keep.decision()
    status = simulator.S.read("status")[0]
    return Run(
        controller.name, planned, cost, keep.path(), keep.sums(), keep.lowest.T,
        status == TRIPPED, status == FAILED, simulator.clipped.copy(), level,
    )  # fmt: skip


class _Recorder:
    def __init__(self, simulator: Simulator) -> None:
        self._S = simulator.S
        self._path = {part: [self._S.read(part)] for part in RECORDED}
        self._sums: dict[str, list[Array]] = {part: [] for part in SUMMED}
        self.lowest = np.full_like(self._S.read("lowest"), np.inf)

    def decision(self) -> None:
        for part, kept in (*self._path.items(), *self._sums.items()):
            kept.append(self._S.read(part))
        self.lowest = np.minimum(self.lowest, self._S.read("lowest"))

    def path(self) -> dict[str, Array]:
        return {part: np.stack(kept).transpose(2, 0, 1) for part, kept in self._path.items()}

    def sums(self) -> dict[str, Array]:
        return {part: np.stack(kept).transpose(2, 0, 1) for part, kept in self._sums.items()}


def returns(controller: Controller, episodes: Episodes, settings: Settings | None = None) -> Array:
    """Return only the objective of each episode, (n,): what tuning and validation during training need."""
    planned = controller.plan(episodes)
    n, steps = len(planned), planned.scenario.steps
    simulator = fleet(planned.plant, n, steps, controller.level)
    simulator.load(planned, np.arange(n), settings)
    total, running = np.zeros(n), np.ones(n, dtype=bool)
    known = partial(panel, simulator, planned)
    observation = simulator.observe()
    for _ in range(steps):
        result = simulator.step(controller.act(Reading(observation, known)))
        total -= np.where(running, result.reward, 0.0)
        running &= ~(result.terminated | result.truncated)
        observation = result.observation
    scaled: Array = total * planned.plant.scale
    return scaled
