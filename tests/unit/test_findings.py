"""What runs found that keep no episodes stands on their pages, with units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from controller.historian import Historian
from controller.records import Status
from dashboard.attacks import attacked
from dashboard.data import open_data
from dashboard.pages import safety
from dashboard.pages.run.page import layout
from tests.browser.plants import Cards
from tests.unit.test_dashboard import _texts

ATTACK = {
    "supervisor": "random", "episodes": 5, "violating_unshielded": 3, "violating": 0, "upper95": 0.01, "interventions": 0.2,
    "decided": {"uncertified": 0.0}, "trips": 0, "smallest": {"hot": 1.5}, "scales": {"hot": 8.5},
}  # fmt: skip
FAULT = {
    "code": "F1", "fault": "a frozen thermometer", "expected": "held", "mode": "PID", "decisions": 4, "said": "stuck",
    "crossed": [], "kept": True,
}  # fmt: skip
LEARNING = {"horizon": 10.0, "rate": 0.002}
FOUND: dict[str, Any] = {
    "supervisors": {"supervisors": {"random": ATTACK}, "episodes": 5, "scenario": "tracking", "seed": 0},
    "faults": {"faults": [FAULT]},
    "trials": {"pid": -51.8, "trials": [
        {"number": 1, "score": -49.3, "learning": {**LEARNING, "horizon": 14.5}},
        {"number": 0, "score": -50.7, "learning": LEARNING},
    ]},
}  # fmt: skip
SAID = {"supervisors": "random", "faults": "a frozen thermometer", "trials": "14.50"}


def test_who_attacks_is_told_in_words(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store, store.run("stress", "exothermic_cstr", "shield", 0, {}, {}) as run:
        store.finish(run, "completed", FOUND["supervisors"] | {"supervisors": {"max": ATTACK | {"supervisor": "max"}}})
    texts = list(_texts(layout(open_data(str(tmp_path / "runs.db"), Cards()), {"id": run})))
    assert texts[texts.index("max") + 1] == "every command at its upper end"


def test_a_fault_that_the_shell_never_answered_says_so(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        run = store.start("stress", "exothermic_cstr", "shell", 0, {}, {})
        store.finish(run, "completed", {"faults": [FAULT | {"decisions": None, "kept": False}]})
    texts = list(_texts(layout(open_data(str(tmp_path / "runs.db"), Cards()), {"id": run})))
    assert "never" in texts
    assert "None" not in texts


@pytest.mark.parametrize("found", FOUND)
def test_what_a_run_found_stands_on_its_page(tmp_path: Path, found: str) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        kind = "sweep" if found == "trials" else "stress"
        run = store.start(kind, "exothermic_cstr", "shield", 0, {}, {})
        store.metrics(run, 1000, {"score/best": -49.3})
        store.finish(run, "completed", FOUND[found])
    data = open_data(str(tmp_path / "runs.db"), Cards())
    texts = list(_texts(layout(data, {"id": run})))
    assert SAID[found] in texts
    assert {"What it found", "Configuration", "Log", "Artifacts"} <= set(texts)
    assert not {"Episodes", "KPIs", "episodes"} & set(texts)
    assert not {"Vital signs", "Tick others to compare"} & set(texts)
    if found != "trials":
        assert SAID[found] in list(_texts(safety.layout(data, {"plant": "exothermic_cstr"})))


@pytest.mark.parametrize(
    ("status", "said"), [("running", "It is still looking."), ("failed", "It ended before it found anything.")]
)
def test_a_run_that_has_found_nothing_says_so(tmp_path: Path, status: Status, said: str) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        run = store.start("stress", "exothermic_cstr", "shield", 0, {}, {})
        if status != "running":
            store.finish(run, status, {})
        assert said in list(_texts(layout(open_data(str(tmp_path / "runs.db"), Cards()), {"id": run})))


def test_the_nearest_margin_has_its_unit() -> None:
    assert attacked(ATTACK, lambda value: f"{value:g}", {"hot": "K"}).nearest == "hot: 1.5 K"
    assert attacked(ATTACK, lambda value: f"{value:g}", {}).nearest == "hot: 1.5"
