"""Which controller stands best on a plant, and what it may not be bought with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from controller.historian import Historian
from dashboard.data import open_data
from dashboard.verdict import Standing, standings
from tests.browser.plants import Cards


def _standing(path: Path, table: dict[str, Any]) -> Standing:
    with Historian(str(path / "runs.db")) as store, store.run("benchmark", "exothermic_cstr", "ppo", 0, {}, {}) as name:
        store.finish(name, "completed", {"controllers": table, "units": {"cost": "EUR"}})
    (found,) = open_data(str(path / "runs.db"), Cards()).standings()
    return found


def test_the_cheapest_stands_best_and_its_gain_is_a_share_of_the_others_figure(tmp_path: Path) -> None:
    found = _standing(tmp_path, {"pid": {"cost": 2.0}, "ppo": {"cost": 1.5}, "nmpc": {"cost": 1.2}, "optimum": {"cost": 1.0}})
    assert found.best == "nmpc"  # the optimum knows the future
    assert found.gain("pid") == pytest.approx(0.4)
    assert found.gain("nmpc") == 0.0
    assert found.gain("rule") is None


@pytest.mark.parametrize(
    ("beside", "worse", "best"),
    [("hard-limit violations", 1.0, "pid"), ("trips", 1.0, "pid"), ("discomfort", 10.4, "ppo"), ("discomfort", 10.6, "pid")],
)
def test_a_lower_cost_is_not_bought_with_violations_trips_or_discomfort(
    tmp_path: Path, beside: str, worse: float, best: str
) -> None:
    pid = {"cost": 2.0, "hard-limit violations": 0.0, "trips": 0.0, "discomfort": 10.0}
    assert _standing(tmp_path, {"pid": pid, "ppo": {**pid, "cost": 1.0, beside: worse}}).best == best


def test_more_of_a_score_is_better(tmp_path: Path) -> None:
    assert _standing(tmp_path, {"pid": {"return": -3.0}, "ppo": {"return": -2.0}}).best == "ppo"


def test_a_result_without_pid_or_with_one_controller_ranks_nobody(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store, store.run("benchmark", "exothermic_cstr", "ppo", 0, {}, {}) as name:
        store.finish(name, "completed", {"controllers": {"pid": {"cost": 1.0}}})
    run = open_data(str(tmp_path / "runs.db"), Cards()).run(name)
    assert standings(run) == []


def test_a_controller_that_ran_on_fewer_episodes_than_pid_is_not_ranked_beside_it(tmp_path: Path) -> None:
    part = {"scenario": "tracking", "controllers": {"pid": {"cost": 2.5}, "ppo": {"cost": 2.4}, "nmpc": {"cost": 2.3}}}
    rows = [{"plant": "exothermic_cstr", "scenario": "tracking", "variant": "none", "controller": name, "episodes": count}
            for name, count in (("pid", 10), ("ppo", 10), ("nmpc", 4))]  # fmt: skip
    with Historian(str(tmp_path / "runs.db")) as store, store.run("benchmark", "exothermic_cstr", "pid", 0, {}, {}) as name:
        store.finish(name, "completed", {"plants": {"exothermic_cstr": part}, "standings": rows})
    (found,) = standings(open_data(str(tmp_path / "runs.db"), Cards()).run(name))
    assert (found.best, found.gain("nmpc")) == ("ppo", None)
