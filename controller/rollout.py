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
from controller.safety.governor import Calibration
from controller.safety.guarded import Stepping, Unguarded, behind
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
    ``sums`` what each decision accumulated as (n, steps, rows), ``lowest`` (n, margins) the smallest margins, ``share`` (n,
    steps) what a shield let through of each move, below zero where nothing was certified; None without a shield.
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
    share: Array | None
    level: Level = "setpoint"

    @property
    def total(self) -> Array:
        """The objective of each episode, (n,): lower is better."""
        total: Array = self.cost.sum(axis=1)
        return total


def rollout(
    controller: Controller, episodes: Episodes, level: Level | None = None, settings: Settings | None = None,
    shield: Calibration | None = None,
) -> Run:  # fmt: skip
    """Run the episodes from start to end, by default at the controller's own level, behind a ``shield`` where one is given.

    A plant that trips stays where it is and is charged for what is left.
    """
    planned = controller.plan(episodes)
    n, level = len(planned), level or controller.level
    fine = judged(planned.plant, planned.scenario)
    simulator = Simulator(planned.plant, n, planned.scenario.steps, fine, level, operated=shield is not None)
    simulator.load(planned, np.arange(n), settings)
    tape, share = record(controller, planned, behind(shield, simulator), (*RECORDED, *SUMMED, "lowest", *ENDED))
    status = tape["status"][-1, 0]
    return Run(
        controller.name, planned, 0.0 - planned.plant.scale * rewards(simulator, tape).T,
        {part: tape[part].transpose(2, 0, 1) for part in RECORDED},
        {part: tape[part][1:].transpose(2, 0, 1) for part in SUMMED},
        tape["lowest"][1:].min(axis=0).T, status == TRIPPED, status == FAILED, simulator.clipped.copy(),
        share.T if shield else None, level,
    )  # fmt: skip


def returns(
    controller: Controller, episodes: Episodes, settings: Settings | None = None, shield: Calibration | None = None
) -> Array:
    """Return only the objective of each episode, (n,): what tuning and validation during training need."""
    planned = controller.plan(episodes)
    count, steps = len(planned), planned.scenario.steps
    simulator = fleet(planned.plant, count, steps, controller.level, operated=shield is not None)
    simulator.load(planned, np.arange(count), settings)
    tape, _ = record(controller, planned, behind(shield, simulator), ENDED)
    scaled: Array = -rewards(simulator, tape).sum(axis=0) * planned.plant.scale
    return scaled


def record(controller: Controller, planned: Episodes, advance: Stepping, parts: Sequence[str]) -> tuple[dict[str, Array], Array]:
    """Run loaded episodes to their end.

    Returns parts of ``S`` before and after each decision, (steps + 1, rows, n), and what was let through of each, (steps, n).
    """
    simulator = advance.simulator
    own = simulator.kernel.layout.S
    wanted = Rows(**{part: own[part].stop - own[part].start for part in parts})
    rows = np.concatenate([np.arange(own[part].start, own[part].stop) for part in parts])
    kept = np.empty((planned.scenario.steps + 1, len(rows), len(planned)))
    kept[0], share = simulator.S.pick(rows), np.ones((planned.scenario.steps, len(planned)))
    if isinstance(controller, Policy) and isinstance(advance, Unguarded):
        _loop(controller, simulator, rows, kept)
    else:
        _step(controller, planned, advance, rows, kept, share)
    return {part: kept[:, wanted[part]] for part in parts}, share


def _step(controller: Controller, planned: Episodes, advance: Stepping, rows: Index, kept: Array, share: Array) -> None:
    simulator = advance.simulator
    known, observation = partial(panel, simulator, planned), simulator.observe()
    for after, through in zip(kept[1:], share, strict=True):
        observation = advance.step(controller.act(Reading(observation, known))).observation
        after[:], through[:] = simulator.S.pick(rows), advance.share


def _loop(policy: Policy, simulator: Simulator, rows: Index, kept: Array) -> None:
    """Run in the compiled loop, and step by step where it stops: where a plant has to be mended, or nothing is compiled."""
    network, at = policy.network, 1
    while at < len(kept):
        at += simulator.decide(network, rows, kept[at:])
        if at < len(kept):
            simulator.step(policy.act(Reading(simulator.observe())))
            kept[at] = simulator.S.pick(rows)
            at += 1


def rewards(simulator: Simulator, tape: dict[str, Array]) -> Array:
    """Return the reward of each decision, (steps, n), nothing for a plant that had come to its end before."""
    stage, status = (tape[part][:, 0] for part in ENDED)
    left = np.arange(simulator.steps)[::-1, None]
    return np.where(status[:-1] == RUNNING, simulator.reward(stage[1:], status[1:], left), 0.0)
