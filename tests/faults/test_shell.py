"""The catalogue of faults: whatever breaks, the shell does what it must as fast as it must, says so, and sends what is safe."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks.fuzz import OTHERS, Counts, counted, course, episode
from controller.safety import windup
from controller.safety.fault_cases import ONSET, Case, cases
from controller.safety.fault_trial import EARNED, Verdict, tried, verdict
from controller.safety.field import Field, unmoved
from controller.safety.given import numbers_of
from controller.safety.governor import Calibration, Governor
from controller.safety.known import calibrated
from controller.safety.misbehaviour import BEHAVED, policy
from controller.safety.misreading import Faulty
from controller.safety.operation import Course, Hand, operate, repeated
from controller.safety.record import Record, Sent, packed, unpacked
from controller.safety.shell import Shell
from controller.safety.signal_limits import instruments
from controller.safety.state import MODES
from controller.safety.supervisor import DWELL
from controller.safety.transfer import BLEND
from controller.safety.trial import hard
from controller.safety.windup import undisturbed, wound_up
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command
from plant_models.env.scenario import draw
from tests.compiled import alone

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
    """Every case of these faults, on every plant and scenario of the catalogue; a plant's in one process, which compiles it."""
    places = [(place, case) for place, case in enumerate(CATALOGUE) if case.code in codes]
    return pytest.mark.parametrize(
        ("plant", "scenario", "place"),
        [
            pytest.param(plant, scenario, place, id=f"{plant.name} {scenario}: {case.code} {case.fault}", marks=alone(plant.name))
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
    # A valve that sticks jumps when it comes loose.
    assert case.valve or moved_within_rate(plant, course)
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


@each("F3")
def test_f3_a_drift_is_alarmed_before_five_per_cent_of_span_and_then_takes_the_plant_from_the_policy(
    plant: Plant, scenario: str, place: int
) -> None:
    case, course, found = happened(plant, scenario, place)
    if plant is TANKS and case.shared:
        # The level follows the drift, and to the model it is a leak.
        assert (found.decisions, found.crossed) == (None, ())
        return
    check(plant, case, course, found)
    assert found.decisions is not None
    assert found.decisions < 0.5 * case.within
    assert any("drift alarm" in record.reason for record in course.records)


@each("F7")
def test_f7_a_valve_that_sticks_is_named_and_no_limit_cycle_leaves_the_limits(plant: Plant, scenario: str, place: int) -> None:
    case, course, found = happened(plant, scenario, place)
    check(plant, case, course, found)
    healthy = tried(replace(case, valve=None), plant, plant.scenario(scenario), known(plant, scenario), 0)
    late, at = slice(len(course.y) // 2, None), plant.Output.names().index(plant.acted[0].pv)
    span = (instruments(plant).high - instruments(plant).low)[at]
    assert np.ptp(course.y[late, at]) <= np.ptp(healthy.y[late, at]) + 0.05 * span
    assert not any("sticks" in line for record in healthy.records for line in record.words)


@each("F8", "F9", "F11")
def test_f8_f9_f11_what_the_model_does_not_know_ends_with_pid_or_the_safe_action(plant: Plant, scenario: str, place: int) -> None:
    case, course, found = happened(plant, scenario, place)
    check(plant, case, course, found)
    assert any(record.mode in ("BACKUP", "TRIPPED") for record in course.records[case.onset :])
    if case.code == "F9":
        assert course.records[0].sent.safe


@pytest.mark.parametrize("factor", [6.0, 10.0])
def test_f11_where_the_shield_cannot_keep_the_limit_the_trip_stops_the_plant(factor: float) -> None:
    case = replace(next(case for case in CATALOGUE if case.code == "F11"), off=factor)
    course = tried(case, CSTR, CSTR.scenario("boundary"), known(CSTR, "boundary"), 0)
    found = verdict(case, CSTR, course)
    check(CSTR, case, course, found)
    assert found.stopped
    assert any("trip margin runaway crossed" in record.reason for record in course.records)


@pytest.mark.parametrize("plant", [CSTR, TANKS], ids=lambda plant: plant.name)
def test_no_transfer_bumps_an_input_by_more_than_two_per_cent_of_its_span(plant: Plant) -> None:
    def asks_for_all(observation: Array) -> Array:
        return np.ones((1, len(plant.acted)))

    low, high = np.array([(q.low, q.high) for q in plant.Input.quantities().values()]).T
    gone = undisturbed(plant, plant.scenario(), 2 * DWELL + 60)
    to_auto = operate(gone, known(plant), asks_for_all)
    lost = policy(replace(BEHAVED, kind="not a number", first=ONSET), len(plant.acted))
    to_backup = operate(gone, known(plant), lost, state=EARNED)
    for run, modes in ((to_auto, ("BACKUP", "AUTO")), (to_backup, ("AUTO", "BACKUP"))):
        at = transfer(run, *modes)
        bumps = np.abs(np.diff(run.u, axis=0))[at - 1 : at + BLEND] / (high - low)
        assert bumps.max() <= 0.02


def transfer(course: Course, before: str, after: str) -> int:
    """The first decision in which control has changed hands."""
    modes = [record.mode for record in course.records]
    return next(k for k in range(1, len(modes)) if (modes[k - 1], modes[k]) == (before, after))


REPLAYED = [
    ("a drifting instrument", 4, ()),
    (
        "an operator's hand",
        0,
        (Hand(10, "manual", (0.9, 0.5)), Hand(30, "auto"), Hand(45, "manual", (0.5, 7.0)), Hand(50, "auto")),
    ),
    ("a policy that breaks off", 16, ()),
    ("a plant that trips", 17, ()),
]


@pytest.mark.parametrize(("place", "hands"), [case[1:] for case in REPLAYED], ids=[case[0] for case in REPLAYED])
def test_an_episode_is_repeated_bit_for_bit_from_what_was_written_down(place: int, hands: tuple[Hand, ...]) -> None:
    case = replace(CATALOGUE[place], off=3.0 * CATALOGUE[place].off)
    course = tried(case, CSTR, CSTR.scenario(), known(CSTR), 1, hands)
    lines = [packed(record) for record in course.records]
    again = repeated(CSTR, known(CSTR), instruments(CSTR), [unpacked(line) for line in lines], EARNED)
    assert [packed(record) for record in again] == lines
    assert all(json.loads(line)["reason"] for line in lines)


@pytest.mark.parametrize("line", ["", "[]", "{}", "7", '{"given": 3}', '{"given": {}, "sent": {"r": [], "a": []}}'])
def test_a_line_that_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(BadInput, match="no record of a decision"):
        unpacked(line)


def test_the_operators_command_passes_the_shield_and_what_is_no_number_leaves_the_last_one() -> None:
    hands = (Hand(ONSET, "manual", (0.8, 1.0)), Hand(40, "none", (np.nan, 0.0)))
    course = tried(CATALOGUE[0], CSTR, CSTR.scenario("boundary"), known(CSTR, "boundary"), 0, hands)
    manual = course.records[ONSET:]
    assert {record.mode for record in manual} == {"MANUAL"}
    assert any("of the operator's move" in line for record in manual for line in record.words)
    assert (course.lowest[:, hard(CSTR)] >= 0.0).all()
    assert manual[20].sent == manual[19].sent or manual[20].words


def test_a_trip_as_measured_latches_until_the_margins_are_kept_and_the_operator_resets_it() -> None:
    hot = Faulty("bias", 1, 20.0, ONSET, 5)
    hands = (Hand(ONSET + 2, "acknowledge"), Hand(ONSET + 10, "acknowledge"))
    course = operate(draw(CSTR, CSTR.scenario(), 0, 1, "judging"), known(CSTR), policy(BEHAVED, 1), hot, EARNED, hands)
    modes = [record.mode for record in course.records]
    assert modes[ONSET : ONSET + 10] == ["TRIPPED"] * 10
    assert all(record.sent.safe for record in course.records[ONSET : ONSET + 10])
    assert modes[ONSET + 10 :] == ["BACKUP"] * len(modes[ONSET + 10 :])
    assert "trip margin runaway crossed" in course.records[ONSET].reason


@pytest.mark.parametrize("plant", [CSTR, TANKS], ids=lambda plant: plant.name)
def test_f6_a_valve_at_its_end_does_not_wind_the_integral_up(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    row = wound_up(plant, plant.scenario(), 0)
    assert (row.code, row.kept, row.crossed, row.stopped) == ("F6", True, (), False)
    assert row.decisions == 1, "the valve leaves its end at once"
    assert "overshoots by" in row.said
    monkeypatch.setattr(windup, "ALLOWED", 0.5)
    monkeypatch.setattr(windup, "UNSEEN", 0.0)
    assert not wound_up(plant, plant.scenario(), 0).kept


@pytest.mark.parametrize("decisions", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_whatever_comes_every_command_is_finite_in_range_and_moves_no_input_faster_than_it_can(decisions: int) -> None:
    steps, whole = 1000, Counts()
    for seed in range(decisions // steps):
        records, moved = zip(*course(CSTR, known(CSTR), seed, steps), strict=True)
        whole += counted(CSTR, records, moved)
        assert all(np.isfinite(record.used).all() for record in records)
        assert all(unpacked(packed(record)).sent == record.sent for record in records)
    assert whole.decisions == decisions
    assert (whole.not_finite, whole.out_of_bounds, whole.too_fast) == (0, 0, 0)
    assert set(whole.modes) == set(MODES)


def test_what_is_not_as_it_must_be_is_counted() -> None:
    records, moved = zip(*course(CSTR, known(CSTR), 0, 8), strict=True)
    faulty = [replace(record, sent=Sent(r, a, False)) for record, (r, a) in zip(records, [
        ((np.nan,), (0.0,)), ((0.9,), (np.inf,)), ((0.951,), (0.0,)), ((0.9,), (-1.01,)), *[((0.9,), (0.5,))] * 4
    ], strict=True)]  # fmt: skip
    jump = [300.0, 300.0, 300.0, 300.0, 300.0, 310.0, 310.0, np.nan]
    found = counted(CSTR, faulty, [np.array([u]) for u in jump])
    assert (found.decisions, found.not_finite, found.out_of_bounds, found.too_fast) == (8, 2, 5, 2)
    assert counted(CSTR, records, moved).out_of_bounds == 0


def test_an_error_in_a_decision_ends_the_episode_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shell, "decide", lambda *_: 1 / 0)
    found = episode(CSTR, known(CSTR), 0, 8)
    assert (found.decisions, found.raised) == (1, 1)


def test_what_the_shield_would_do_changes_nothing_and_is_what_it_does() -> None:
    """Plants swung from end to end at their resonance, of which not every move is let through."""
    field, shares = Field(CSTR, draw(CSTR, CSTR.scenario("boundary"), 0, 8, "judging")), list[float]()
    governor, (loop,), stop = Governor(CSTR, 8, known(CSTR, "boundary")), CSTR.masters, np.zeros(8, dtype=bool)
    governor.begin(np.arange(8), field.read(), unmoved(field))
    for k in range(30):
        standing = governor.estimate(field.read())
        before = {name: part.copy() for name, part in governor.parts().items()}
        end = (-1.0, 1.0)[k // 7 % 2]
        asked = Command(np.full((8, 1), loop.low if end > 0.0 else loop.high), np.full((8, 1), end), stop)
        would = governor.would(standing, asked)
        assert all((part == before[name]).all() for name, part in governor.parts().items())
        does = governor.allow(standing, asked)
        np.testing.assert_array_equal(would.share, does.share)
        np.testing.assert_array_equal(would.sent.r, does.sent.r)
        assert (governor.phase == k + 1).all()
        field.command(does.sent)
        shares.append(would.share.min())
    assert 0.0 <= min(shares) < max(shares) == 1.0


def test_what_is_of_another_shape_or_type_is_no_number() -> None:
    for value in OTHERS:
        assert np.isnan(numbers_of(value, (2,))).all()
    np.testing.assert_array_equal(numbers_of([1, 2], (2,)), [1.0, 2.0])
    np.testing.assert_array_equal(numbers_of(np.array([[1, 2]]), (2,)), [1.0, 2.0])
