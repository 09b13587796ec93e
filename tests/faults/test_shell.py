"""The catalogue of faults: whatever breaks, the shell does what it must as fast as it must, says so, and sends what is safe."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from controller.safety.fault_cases import ONSET, Case, cases
from controller.safety.fault_trial import EARNED, Verdict, tried, verdict
from controller.safety.governor import Calibration
from controller.safety.known import calibrated
from controller.safety.misbehaviour import BEHAVED, policy
from controller.safety.operation import Course, Hand, operate, repeated
from controller.safety.record import Record, packed, unpacked
from controller.safety.signal_limits import instruments
from controller.safety.supervisor import DWELL
from controller.safety.trial import hard
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.plant import SECONDS, Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.env.scenario import Episodes, draw

CSTR, TANKS = get("exothermic_cstr"), get("quadruple_tank")
CATALOGUE = cases(CSTR, instruments(CSTR))
TURNS = [(CSTR, "tracking"), (CSTR, "boundary"), (TANKS, "")]


@cache
def known(plant: Plant, scenario: str = "") -> Calibration:
    return calibrated(plant, plant.scenario(scenario))


@cache
def happened(plant: Plant, scenario: str, place: int) -> tuple[Case, Course, Verdict]:
    case = cases(plant, instruments(plant))[place]
    course = tried(case, plant, plant.scenario(scenario), known(plant, scenario), 0)
    return case, course, verdict(case, plant, course)


def each(*codes: str) -> pytest.MarkDecorator:
    """Every case of these faults, on every plant and scenario of the catalogue."""
    places = [(place, case) for place, case in enumerate(CATALOGUE) if case.code in codes]
    return pytest.mark.parametrize(
        ("plant", "scenario", "place"),
        [
            pytest.param(plant, scenario, place, id=f"{plant.name} {scenario}: {case.code} {case.fault}")
            for plant, scenario in TURNS
            for place, case in places
        ],
    )


def sent_in_bounds(plant: Plant, records: tuple[Record, ...]) -> bool:
    """Whether every command is finite and within what loops and offsets allow."""
    r, a = (np.array([getattr(record.sent, part) for record in records]) for part in ("r", "a"))
    low, high = np.array([(loop.low, loop.high) for loop in plant.masters]).T
    return bool(((low <= r) & (r <= high)).all() and (np.abs(a) <= 1.0).all())


def moved_within_rate(plant: Plant, course: Course) -> bool:
    """Whether every input stays in its range and moves no faster than it can, from decision to decision."""
    low, high, rate = np.array([(q.low, q.high, q.rate) for q in plant.Input.quantities().values()]).T
    in_range = (low - 1e-9 <= course.u) & (course.u <= high + 1e-9)
    return bool(in_range.all() and (np.abs(np.diff(course.u, axis=0)) <= rate * plant.decision * (1.0 + 1e-9)).all())


def check(plant: Plant, case: Case, course: Course, found: Verdict) -> None:
    """What holds in every case."""
    assert found.kept, found
    assert sent_in_bounds(plant, course.records)
    assert moved_within_rate(plant, course)
    for part in (course.lowest, course.u, course.y, [record.used for record in course.records]):
        assert np.isfinite(part).all()
    if not case.crossing:
        assert (course.lowest[:, hard(plant)] >= 0.0).all()


@each("F1")
def test_f1_what_is_no_number_is_held_for_three_decisions_then_the_model_stands_in(
    plant: Plant, scenario: str, place: int
) -> None:
    case, course, found = happened(plant, scenario, place)
    check(plant, case, course, found)
    at, fault = case.reading.output, case.reading
    last = course.records[ONSET - 1].used[at]
    used = [record.used[at] for record in course.records[ONSET : ONSET + min(fault.decisions, 3)]]
    assert used == [last] * len(used)
    if fault.decisions > 3:
        record = course.records[ONSET + 3]
        assert record.used[at] == record.expected[at] != last


@each("F2", "F4", "F5")
def test_f2_f4_f5_a_reading_that_is_not_the_plants_is_found_and_pid_has_the_plant(
    plant: Plant, scenario: str, place: int
) -> None:
    case, course, found = happened(plant, scenario, place)
    check(plant, case, course, found)
    assert course.records[ONSET + case.within - 1].mode == "BACKUP"
    if case.code == "F4":
        assert course.records[ONSET].used[case.reading.output] == course.records[ONSET - 1].used[case.reading.output]


@each("F10")
def test_f10_a_policy_that_gives_nothing_loses_the_plant_in_the_same_decision(plant: Plant, scenario: str, place: int) -> None:
    case, course, found = happened(plant, scenario, place)
    check(plant, case, course, found)
    assert course.records[ONSET - 1].mode in ("AUTO", "FILTERED")
    assert {record.mode for record in course.records[ONSET:]} == {"BACKUP"}
    assert course.records[ONSET].action == ()
