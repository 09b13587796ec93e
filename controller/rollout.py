"""Run a controller on given episodes, all at once, and keep what happened.

It does not know which controller runs, but that a policy, whose layers are data, decides within a compiled loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from controller.interface import Controller, Reading
from controller.panel import panel
from controller.policy import Policy
from plant_models.core.scenario import Array
from plant_models.derive.layout import FAILED, RUNNING, TRIPPED, Level, Rows
from plant_models.env.scenario import Episodes
from plant_models.env.simulator import Index, Simulator
from plant_models.env.start import Settings
from plant_models.env.substeps import fleet, judged

RECORDED = ("x", "y", "u", "sp", "v", "d")
SUMMED = ("terms", "measures", "time", "peak")
ENDED = ("stage", "status")


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
    tape = _record(controller, planned, simulator, (*RECORDED, *SUMMED, "lowest", *ENDED))
    status = tape["status"][-1, 0]
    return Run(
        controller.name, planned, 0.0 - planned.plant.scale * _rewards(simulator, tape).T,
        {part: tape[part].transpose(2, 0, 1) for part in RECORDED},
        {part: tape[part][1:].transpose(2, 0, 1) for part in SUMMED},
        tape["lowest"][1:].min(axis=0).T, status == TRIPPED, status == FAILED, simulator.clipped.copy(), level,
    )  # fmt: skip


def returns(controller: Controller, episodes: Episodes, settings: Settings | None = None) -> Array:
    """Return only the objective of each episode, (n,): what tuning and validation during training need."""
    planned = controller.plan(episodes)
    simulator = fleet(planned.plant, len(planned), planned.scenario.steps, controller.level)
    simulator.load(planned, np.arange(len(planned)), settings)
    rewards = _rewards(simulator, _record(controller, planned, simulator, ENDED))
    scaled: Array = -rewards.sum(axis=0) * planned.plant.scale
    return scaled


def _record(controller: Controller, planned: Episodes, simulator: Simulator, parts: Sequence[str]) -> dict[str, Array]:
    """Run loaded episodes to their end; return parts of ``S`` before and after each decision, (steps + 1, rows, n)."""
    own = simulator.kernel.layout.S
    wanted = Rows(**{part: own[part].stop - own[part].start for part in parts})
    rows = np.concatenate([np.arange(own[part].start, own[part].stop) for part in parts])
    kept = np.empty((planned.scenario.steps + 1, len(rows), len(planned)))
    kept[0] = simulator.S.pick(rows)
    if isinstance(controller, Policy):
        _loop(controller, simulator, rows, kept)
    else:
        _step(controller, planned, simulator, rows, kept)
    return {part: kept[:, wanted[part]] for part in parts}


def _step(controller: Controller, planned: Episodes, simulator: Simulator, rows: Index, kept: Array) -> None:
    known, observation = partial(panel, simulator, planned), simulator.observe()
    for after in kept[1:]:
        observation = simulator.step(controller.act(Reading(observation, known))).observation
        after[:] = simulator.S.pick(rows)


def _loop(policy: Policy, simulator: Simulator, rows: Index, kept: Array) -> None:
    """Run in the compiled loop, and step by step where it stops: where a plant has to be mended, or nothing is compiled."""
    network, at = policy.network, 1
    while at < len(kept):
        at += simulator.decide(network, rows, kept[at:])
        if at < len(kept):
            simulator.step(policy.act(Reading(simulator.observe())))
            kept[at] = simulator.S.pick(rows)
            at += 1


def _rewards(simulator: Simulator, tape: dict[str, Array]) -> Array:
    """Return the reward of each decision, (steps, n), nothing for a plant that had come to its end before."""
    stage, status = (tape[part][:, 0] for part in ENDED)
    left = np.arange(simulator.steps)[::-1, None]
    return np.where(status[:-1] == RUNNING, simulator.reward(stage[1:], status[1:], left), 0.0)
