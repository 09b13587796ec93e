"""Alarms in the states of ISA-18.2."""

from __future__ import annotations

import math

from controller.live.alarms import Alarm, acknowledged, judged, shelved
from tests.live import short  # noqa: F401 - short is for every test

ALARM = Alarm("level", "level high", "m", 1, low=-math.inf, high=10.0, deadband=1.0, on_delay=2, off_delay=2)


def stages(values: list[float], alarm: Alarm = ALARM) -> list[str]:
    found = []
    for k, value in enumerate(values):
        alarm = judged(alarm, value, k)
        found.append(alarm.stage)
    return found


def test_an_alarm_waits_for_its_delay_and_goes_beyond_its_deadband() -> None:
    assert stages([9.0, 11.0, 11.0]) == ["normal", "normal", "unacknowledged"]
    assert stages([11.0, 9.5, 11.0, 9.5]) == ["normal"] * 4
    up = ["normal", "unacknowledged"]
    assert stages([11.0, 11.0, 9.5, 9.5, 9.5]) == [*up, *["unacknowledged"] * 3]
    assert stages([11.0, 11.0, 8.9, 8.9]) == [*up, "unacknowledged", "returned"]
    assert stages([math.nan, math.nan]) == up


def test_acknowledging_and_returning_in_either_order_ends_in_normal() -> None:
    raised = judged(judged(ALARM, 11.0, 0), 11.0, 1)
    seen = acknowledged(raised)
    assert seen.stage == "acknowledged"
    assert judged(judged(seen, 5.0, 2), 5.0, 3).stage == "normal"
    gone = judged(judged(raised, 5.0, 2), 5.0, 3)
    assert gone.stage == "returned"
    assert acknowledged(gone).stage == "normal"
    assert judged(judged(gone, 11.0, 4), 11.0, 5).stage == "unacknowledged"


def test_a_shelved_alarm_is_quiet_and_comes_back_when_its_time_is_over() -> None:
    quiet = shelved(judged(judged(ALARM, 11.0, 0), 11.0, 1), 1, 3)
    assert quiet.stage == "shelved"
    assert judged(quiet, 11.0, 3).stage == "shelved"
    assert judged(quiet, 11.0, 4).stage == "unacknowledged"
    assert shelved(quiet, 2, 0).stage == "unacknowledged"
