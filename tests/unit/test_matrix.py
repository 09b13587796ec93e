"""A recorded benchmark as the dashboard reads it."""

from __future__ import annotations

from typing import Any

import pytest

from controller.records import RunRecord
from dashboard.matrix import Row, episodes_of, gain, kept, matrix, rows
from dashboard.pages.benchmark import _heat
from dashboard.report import lines
from tests.unit.test_dashboard import _texts

SAVED = {"mean": 5.0, "low": 2.0, "high": 8.0}


def run(result: dict[str, Any], plant: str = "tank") -> RunRecord:
    return RunRecord("r", "benchmark", plant, "pid", 0, "completed", {}, result, {}, 0.0, 1.0, 1.0, 1, "h", 0, 0.0, 0.0)


def row(plant: str = "tank", variant: str = "none", controller: str = "ppo", **more: Any) -> dict[str, Any]:
    case = {"plant": plant, "scenario": "tracking", "variant": variant, "protocol": "tracking"}
    return {**case, "controller": controller, "policies": 5, "episodes": 100, "saved": SAVED, "saved_share": 0.1, **more}


def test_a_comparison_on_one_plant_is_a_benchmark_of_one_case() -> None:
    controllers = {"pid": {"cost": 50.0, "hard-limit violations": 2.0}, "ppo": {"cost": 45.0}}
    compared = {
        "controllers": controllers,
        "scenario": "week",
        "episodes": 20,
        "units": {"cost": "EUR"},
        "against_pid": {"ppo": SAVED},
    }
    pid, ppo = rows(run(compared))
    assert (pid["violations"], gain(pid)) == (2, None)
    found = gain(ppo)
    assert found is not None
    assert (found.mean, found.low, found.high, found.verdict) == (10.0, 4.0, 16.0, "ahead")
    assert episodes_of(pid) == 20


def test_gains_are_in_the_share_that_the_benchmark_told() -> None:
    found = gain(row(saved={"mean": -4.0, "low": -9.0, "high": 1.0}, saved_share=-0.2))
    assert found is not None
    assert [found.mean, found.low, found.high] == pytest.approx([-20.0, -45.0, 5.0])
    assert found.verdict == "level"


@pytest.mark.parametrize(("violations", "told"), [(3, True), (0, False)])
def test_the_mark_of_a_crossed_limit_is_explained_where_it_stands(violations: int, told: bool) -> None:
    case = matrix([row(violations=violations), row(controller="pid", saved=None, violations=7)])
    texts = " ".join(_texts(_heat(case, {}, run({}), None)))
    assert ("▲ 3" in texts, "▲\u00a0episodes beyond a hard limit" in texts) == (told, told)


def test_cases_stand_down_and_controllers_across() -> None:
    standings: list[Row] = [row(), row(controller="pid"), row(variant="noise"), row(plant="house")]
    found = matrix(rows(run({"standings": standings})))
    assert [case.name for case in found] == ["tank/tracking/none", "tank/tracking/noise", "house/tracking/none"]
    assert list(next(iter(found.values()))) == ["ppo", "pid"]


def test_filters_in_the_address_leave_out_what_does_not_fit() -> None:
    standings = [row(), row(variant="noise"), row(plant="house")]
    assert [each["plant"] for each in kept(standings, {"plant": "house", "case": "x"})] == ["house"]
    assert len(kept(standings, {"variant": "none"})) == 2


def test_a_comparison_that_knows_fewer_columns_is_exported_with_empty_places() -> None:
    controllers = {"pid": {"cost": 50.0, "hard-limit violations": 2.0}}
    head, line = lines(rows(run({"controllers": controllers, "scenario": "week", "episodes": 20}))).splitlines()
    told = dict(zip(head.split(","), line.split(","), strict=True))
    assert (told["cost"], told["violations"], told["win rate"], told["score"]) == ("50.0", "2", "", "")
