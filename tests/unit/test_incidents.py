"""What the safety page says of recorded runs and episodes."""

from __future__ import annotations

import numpy as np
import pytest

from controller.records import EpisodeRecord, EpisodeRow, Kind, RunRecord, Signal
from controller.statistics import upper95
from dashboard.incidents import cut_away, standings, worst
from dashboard.safety_figures import crossed, opposed


def run(
    episodes: int, scenario: str = "week", started: float = 0.0, kind: Kind = "benchmark", **controllers: dict[str, float]
) -> RunRecord:
    result = {"episodes": episodes, "scenario": scenario, "controllers": controllers}
    return RunRecord("r", kind, "tank", "pid", 0, "completed", {}, result, {}, started, 1.0, 1.0, 1, "h", 0, 0.0, 0.0)


def figures(violating: float, hours: float, **more: float) -> dict[str, float]:
    return {"hard-limit violations": violating, "trips": 0.0, "time beyond hot limit": hours, **more}


def row(number: int, **kpis: float) -> EpisodeRow:
    named = {key.replace("_", " "): value for key, value in kpis.items()}
    return EpisodeRow(number, "r", "tank", "pid", "tracking", 0, "completed", named, {})


def test_scenarios_are_pooled_by_their_episodes() -> None:
    other = run(30, "heat wave", pid=figures(3, 0.1, interventions=8.0))
    (pid,) = standings([run(10, pid=figures(1, 0.5)), other], "tank")
    assert (pid.episodes, pid.violating, pid.interventions, pid.uncertified) == (40, 4, 8.0, None)
    assert pid.hours["hot"] == pytest.approx((10 * 0.5 + 30 * 0.1) / 40)
    assert pid.bound == upper95(4, 40)


def test_the_same_episodes_run_again_are_no_further_evidence() -> None:
    old, new = run(50, started=1.0, pid=figures(0, 0.0), ppo=figures(0, 0.0)), run(50, started=2.0, pid=figures(2, 0.5))
    pid, ppo = standings([old, new], "tank")
    assert (pid.episodes, pid.violating, pid.bound) == (50, 2, upper95(2, 50))
    assert (ppo.episodes, ppo.bound) == (50, upper95(0, 50))
    glance = run(1, started=3.0, kind="simulate", pid=figures(0, 0.0))
    assert standings([glance, new, old], "tank") == [pid, ppo]
    assert standings([glance], "tank")[0].episodes == 1


def test_trips_are_worse_than_violations_and_these_than_time() -> None:
    long = row(1, time_beyond_hot_limit=9.0)
    hard = EpisodeRow(2, "r", "tank", "pid", "tracking", 0, "completed", {"hard-limit violations": 1.0}, {})
    tripped = row(3, trips=1.0)
    assert worst([long, row(4, time_beyond_hot_limit=0.0), hard, tripped]) == [tripped, hard, long]


def test_only_decisions_that_the_shield_changed_count_in_its_size() -> None:
    signals = (Signal("shield", "1", "shield"),)
    record = EpisodeRecord(
        "tank", "pid", "tracking", 0, {}, "completed", np.arange(5.0), "min", signals, np.array([[1.0, 0.75, 0.0, -1.0, np.nan]])
    )
    assert sorted(cut_away(record)) == [0.25, 1.0, 1.0]


def test_a_figure_shows_limits_that_were_crossed_and_no_others() -> None:
    found = standings([run(10, pid=figures(1, 0.5) | {"time beyond cold limit": 0.0}, ppo=figures(0, 0.0))], "tank")
    drawn = crossed(found).data
    assert [list(bar.y) for bar in drawn] == [["hot "], ["hot "]]
    assert [list(bar.x) for bar in drawn] == [[30.0], [0.0]]


def test_supervisors_stand_with_the_shield_off_beside_it_on() -> None:
    off, on = opposed({"max": {"episodes": 40, "violating": 1, "violating_unshielded": 20}}).data
    assert (off.x[0], on.x[0]) == (50.0, 2.5)
