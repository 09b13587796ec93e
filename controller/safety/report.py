"""What the shell says of a decision in an operator's words, and which signal is the worst."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from controller.safety import evidence, ne107
from controller.safety.instrument import Instruments
from controller.safety.shield import UNCERTIFIED, Decision
from controller.safety.supervisor import SAID
from controller.safety.watchdog import Answer
from plant_models.core.plant import Plant

LAYER = "PID layer"
"""Stands for the signals of the PID layer, which are no instrument's."""
SIGNALS: dict[ne107.Status, evidence.Status] = {
    ne107.Status.GOOD: "good", ne107.Status.MAINTENANCE: "maintenance", ne107.Status.OUT_OF_SPECIFICATION: "out of specification",
    ne107.Status.CHECK: "check", ne107.Status.FAILURE: "failure",
}  # fmt: skip
PARTS = {
    "u": "inputs", "memory": "the loops' memory", "v": "offsets", "was": "the loops' modes", "r": "setpoints",
}  # fmt: skip


def tags_of(plant: Plant, instruments: Instruments) -> tuple[str, ...]:
    """Return the tags of the outputs, then of the inputs."""
    return *instruments.tags, *(q.tag or name for name, q in plant.Input.quantities().items())


def told(status: int) -> evidence.Status:
    """Return the supervisor's word for an NE 107 status."""
    return SIGNALS[ne107.Status(status)]


def worst(tags: Sequence[str], statuses: Sequence[int], missing: Sequence[str]) -> tuple[evidence.Status, str]:
    """Return the worst status and the first tag that has it; parts of the PID layer that are ``missing`` are a failure."""
    if missing:
        return "failure", LAYER
    status, place = max((status, -place) for place, status in enumerate(statuses))
    return told(status), tags[-place]


def unheard(missing: Sequence[str]) -> tuple[str, ...]:
    """Return one line for each part of the PID layer of which the last good numbers stand in."""
    return tuple(f"{LAYER}: {PARTS[name]} missing or no numbers: the last good ones stand" for name in missing)


def answered(answer: Answer) -> tuple[str, ...]:
    """Return one line where the policy's answer cannot be used."""
    if answer.finding == "in time":
        return ()
    return (f"policy {SAID[answer.finding]}: {answer.detail}",)


def shielded(plant: Plant, made: Decision, by_hand: bool) -> tuple[str, ...]:
    """Return one line where the plant is stopped or brought back, or where the shield reduces what the operator asks for."""
    share = float(made.share[0])
    why = "nothing is certified: " if share == UNCERTIFIED else ""
    if made.returned[0]:
        return (f"{why}what was last safe is no longer, back to the nominal setpoints, {_setpoints(plant, made)}",)
    if made.sent.safe[0]:
        values = ", ".join(f"{_tag(plant, name)} {value:g} {_unit(plant, name)}" for name, value in plant.safe_action.items())
        return (f"{why}the plant's safe action is taken, {values}",)
    return (f"shield leaves {100.0 * share:.0f} % of the operator's move",) if by_hand and share < 1.0 else ()


def readings(instruments: Instruments, status: np.ndarray, reason: np.ndarray) -> tuple[str, ...]:
    """Return one line for each instrument of one plant that is not good."""
    return ne107.said(instruments.tags, status, reason)


def _setpoints(plant: Plant, made: Decision) -> str:
    units = plant.Output.quantities()
    told = zip(plant.masters, made.sent.r[0], strict=True)
    return ", ".join(f"{loop.tag} {value:g} {units[loop.pv].unit}" for loop, value in told)


def _tag(plant: Plant, name: str) -> str:
    return plant.Input.quantities()[name].tag or name


def _unit(plant: Plant, name: str) -> str:
    return plant.Input.quantities()[name].unit
