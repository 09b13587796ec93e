"""Tries the shell with a fault on one episode, and holds what happened against what the catalogue expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from controller.safety.fault_cases import ONSET, Case
from controller.safety.governor import Calibration
from controller.safety.misbehaviour import policy
from controller.safety.misreading import GOOD, Faulty
from controller.safety.operation import Course, Hand, operate
from controller.safety.record import Record
from controller.safety.state import State
from controller.safety.trial import hard, limits
from plant_models.core.fault import DeadBand, Jammed, Valve
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario
from plant_models.derive.layout import FAILED, HELD, TRIPPED
from plant_models.env.scenario import Episodes, draw

EARNED = State(mode="AUTO", reason="policy in charge", dwell=100)
"""A policy that has the plant, and has had it for long."""


@dataclass(frozen=True)
class Verdict:
    """What became of a case: ``decisions`` from its onset until what is expected was there, None where it never was.

    The ``mode`` then and ``said``, the line of the log that tells; the hard limits ``crossed``; ``stopped``: the plant's own
    protection stopped it. ``kept``: all was as expected.
    """

    code: str
    fault: str
    expected: str
    mode: str
    decisions: int | None
    said: str
    crossed: tuple[str, ...]
    stopped: bool
    kept: bool

    def as_json(self) -> dict[str, Any]:
        """Return all of it by name."""
        return asdict(self)


def tried(case: Case, plant: Plant, scenario: Scenario, known: Calibration, seed: int, hands: Sequence[Hand] = ()) -> Course:
    """Run the first held-out episode of a seed with the fault, its policy in charge when the fault begins."""
    longer = replace(scenario, steps=max(case.steps, scenario.steps), faults=())
    simulated = plant if case.valve is None else with_valve(plant, longer, case.valve)
    episodes = hampered(draw(simulated, longer, seed, 1, "judging"), case.valve)
    episodes = off(episodes, known, case.off) if case.off else episodes
    episodes = misled(episodes, case.reading) if case.shared else episodes
    farther, spread = case.runaway, known.spread
    spread = replace(spread, states=farther * spread.states, parameters=farther * spread.parameters)
    act = policy(case.policy, len(plant.acted))
    return operate(episodes, replace(known, spread=spread), act, GOOD if case.shared else case.reading, EARNED, hands, plant)


def verdict(case: Case, plant: Plant, course: Course) -> Verdict:
    """Hold a course against what is expected."""
    onset = min(case.onset, len(course.records) - 1)
    record, decisions = _met(case, course.records[onset:])
    lowest, is_hard = course.lowest.min(axis=0).tolist(), hard(plant).tolist()
    crossed = tuple(name for name, low, must in zip(limits(plant), lowest, is_hard, strict=True) if must and not low >= 0.0)
    stopped = bool(course.status[-1] == TRIPPED)
    held = decisions is not None and decisions <= case.within and (case.crossing or not crossed)
    good = held and bool((course.status != FAILED).all()) and (not stopped or course.records[-1].mode == "TRIPPED")
    return Verdict(case.code, case.fault, case.expected, record.mode, decisions, _line(case, record), crossed, stopped, good)


def with_valve(plant: Plant, scenario: Scenario, valve: Valve) -> Plant:
    """Return the plant with a valve that may stick; nothing of it does before :func:`hampered`."""
    return replace(plant, scenarios=(replace(scenario, faults=(valve,)), *plant.scenarios))


def hampered(episodes: Episodes, valve: Valve | None) -> Episodes:
    """Return the episodes with the valve's fault from the onset on."""
    if valve is None:
        return episodes
    noise, outputs = episodes.noise.copy(), len(episodes.plant.Output.names())
    band = HELD if isinstance(valve, Jammed) else valve.band
    noise[:, ONSET * episodes.plant.loops_per_decision + 1 :, outputs + isinstance(valve, DeadBand)] = band
    return replace(episodes, noise=noise)


def misled(episodes: Episodes, fault: Faulty) -> Episodes:
    """Return the episodes with an instrument that is stuck, or drifts, for the PID layer as well."""
    loops, noise = episodes.plant.loops_per_decision, episodes.noise.copy()
    rows = noise[:, fault.first * loops :, fault.output]
    if fault.kind == "freeze":
        rows[:] = HELD
    else:
        rows += fault.size * np.arange(rows.shape[1]) / loops
    return replace(episodes, noise=noise)


def off(episodes: Episodes, known: Calibration, factor: float) -> Episodes:
    """Return the episodes with each uncertain parameter so many half ranges off, to the side of the first corner."""
    plant = episodes.plant
    quantities = plant.Parameter.quantities().values()
    corners = np.sign(known.signs[:, len(plant.State.names()) + len(plant.Disturbance.names()) :])
    signs = corners[np.argmax(corners.any(axis=1))]
    parameters = [q.nominal * (1.0 + factor * q.uncertain * s) for q, s in zip(quantities, signs, strict=True)]
    return episodes.under(np.tile(parameters, (len(episodes), 1)))


def _met(case: Case, records: tuple[Record, ...]) -> tuple[Record, int | None]:
    """Return the first record in which all is as expected, and how many decisions that took."""
    for count, record in enumerate(records, start=1):
        if record.mode in case.modes and _line(case, record):
            return record, count
    return records[-1], None


def _line(case: Case, record: Record) -> str:
    lines = (*record.words, record.reason)
    return next((line for line in lines if any(part in line for part in case.words)), "")
