"""A run's page: which tab and episode an address means, what is handed out, what is refused, and how a run is ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from controller import jobs
from controller.ending import stop
from controller.events import say
from controller.fingerprint import fingerprint
from controller.historian import Historian
from controller.liveness import HOST, started
from controller.policy import Policy
from controller.policy_map import axes, reach, section, visited
from controller.records import EpisodeRow, RunRecord
from controller.store import runs_folder
from dashboard.app import create_app
from dashboard.data import open_data, ranked
from dashboard.jobs.form import line
from dashboard.pages.run.actions import repeated, resumed, words
from dashboard.pages.run.configuration import differing
from dashboard.pages.run.episodes import chosen_episode
from dashboard.pages.run.kpis import _counted
from dashboard.pages.run.page import layout
from dashboard.pages.zoom import WHOLE, zoomed
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from tests.browser.plants import Cards
from tests.browser.store import benchmark, house_episode, reactor_episode, training
from tests.unit.test_dashboard import _texts

RUN = RunRecord(
    "plant-ppo-0a1b2c", "train", "exothermic_cstr", "ppo", 3, "running", {}, {}, {}, 0.0, None, 0.0, 1, HOST, 0, 0.0, 0.0
)


def row(number: int, cost: float, controller: str = "ppo", outcome: Any = "completed") -> EpisodeRow:
    return EpisodeRow(number, RUN.id, "p", controller, "s", number, outcome, {"cost": cost}, {"cost": "EUR"})


ROWS = [row(1, 9.0, "pid"), row(2, 5.0), row(3, 2.0), row(4, 0.1, outcome="tripped"), row(5, 7.0)]


@pytest.mark.parametrize(("wanted", "number"), [("best", "3"), ("worst", "4"), ("last", "5"), ("1", "1"), ("", "2")])
def test_an_address_means_an_episode_by_number_or_by_what_it_cost(wanted: str, number: str) -> None:
    assert chosen_episode(RUN, ROWS, wanted) == number


@pytest.mark.parametrize(
    ("ran", "number"), [("constant,pid,nmpc,ppo", "4"), ("constant,pid,nmpc", "3"), ("constant,pid", "2"), ("constant,rule", "1")]
)
def test_a_comparison_opens_on_what_was_learned_else_on_nmpc_else_on_pid(ran: str, number: str) -> None:
    rows = [row(k, 1.0, controller) for k, controller in enumerate(ran.split(","), 1)]
    assert chosen_episode(replace(RUN, kind="benchmark", controller=ran), rows, "") == number


def test_an_episode_that_tripped_is_worse_than_any_and_returns_are_better_high() -> None:
    assert [each.id for each in ranked(ROWS)] == [3, 2, 5, 1, 4]
    returns = [replace(each, kpis={"return": -each.kpis["cost"]}) for each in ROWS]
    assert [each.id for each in ranked(returns)] == [3, 2, 5, 1, 4]


@pytest.mark.parametrize(
    ("changed", "window"),
    [
        ({"xaxis.range[0]": 2.0, "xaxis.range[1]": 1.0}, (1.0, 2.0)),
        ({"xaxis6.range": [5, 10]}, (5.0, 10.0)),
        ({"xaxis.range[0]": 1, "xaxis.range[1]": 2, "xaxis2.range[0]": 1, "xaxis2.range[1]": 2}, (1.0, 2.0)),
        ({"xaxis.autorange": True}, WHOLE), ({"autosize": True}, None), ({"yaxis.range[0]": 1, "yaxis.range[1]": 2}, None),
        ({"xaxis.range": ["a", "b"]}, None), ({"xaxis.range": [1.0, float("nan")]}, None), ([], None), (None, None),
    ],
)  # fmt: skip
def test_a_zoom_is_read_from_what_the_browser_tells(changed: object, window: object) -> None:
    assert zoomed(changed) == window


def test_settings_that_differ_come_first() -> None:
    rows = differing({"seed": 1, "ppo": {"gamma": 0.9}}, {"seed": 2, "ppo": {"gamma": 0.9}, "safety": "shield"})
    assert rows == [("seed", "1", "2", True), ("safety", "–", "shield", True), ("ppo.gamma", "0.9", "0.9", False)]


def test_the_commands_that_go_on_with_a_run_and_repeat_it() -> None:
    config = {"total_steps": 5000, "scenario": "tracking", "level": "setpoint", "safety": "shield"}
    stopped = replace(RUN, status="stopped", config=config)
    assert resumed(RUN) == ()
    assert line(resumed(stopped)) == f"setpoint train exothermic_cstr --resume {RUN.id}"
    assert resumed(replace(stopped, status="completed"))[-2:] == ("--steps", "10000")
    assert line(repeated(stopped)) == "setpoint train exothermic_cstr --seed 4 --steps 5000 --scenario tracking --safety shield"
    judged = replace(stopped, kind="benchmark", controller="pid,ppo", config={"episodes": 20})
    told = "setpoint benchmark exothermic_cstr --controllers pid,ppo --policy FOLDER --episodes 20 --seed 4"
    assert line(repeated(judged)) == told
    assert words(stopped, "resume") == ("train", "exothermic_cstr", "--resume", RUN.id)
    for run, what in ((judged, "repeat"), (RUN, "resume"), (stopped, "anything")):
        with pytest.raises(BadInput, match="not to be started from here"):
            words(run, what)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"config": {"total_steps": "1 --store /elsewhere --plant /mine.py"}}, "total_steps '1 --store /elsewhere"),
        ({"config": {"total_steps": -1}}, "no whole number"),
        ({"kind": "simulate", "controller": "pid", "config": {"episodes": "1 --out /elsewhere"}}, "no whole number"),
        ({"config": {"total_steps": 1, "scenario": "--plant=/mine.py"}}, "begins with a hyphen"),
        ({"plant": "--plant=/mine.py", "config": {"total_steps": 1}}, "begins with a hyphen"),
    ],
)
def test_what_another_wrote_into_a_shared_store_adds_no_option_to_a_job(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        words(replace(RUN, status="stopped", **changes), "repeat")


def test_a_run_is_stopped_only_where_its_process_is_the_one_that_began_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"], stdout=subprocess.PIPE
    ) as own:
        assert own.stdout is not None
        own.stdout.readline()
        run = replace(RUN, pid=own.pid, started=time.time())
        for other, words in (
            (replace(run, status="completed"), "completed already"),
            (replace(run, host="elsewhere"), "runs on elsewhere"),
            (replace(run, started=time.time() - 3600.0), "not .any more. the one that began it"),
            (replace(run, pid=os.getpid()), "not .any more. the one that began it"),
        ):
            with pytest.raises(BadInput, match=words):
                stop(other)
        assert own.poll() is None
        assert stop(run) in ("SIGINT", "SIGTERM")
        assert own.wait(20) != 0
    assert started(own.pid) is None


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A store with a benchmark, and a training that kept a policy."""
    path = tmp_path_factory.mktemp("recorded") / "runs.db"
    with Historian(str(path)) as store:
        judged, learned = benchmark(store, "exothermic_cstr", 2, {}), training(store, "exothermic_cstr", 0)
    _policy().save(runs_folder() / learned / "policy")
    return path, judged, learned


@pytest.mark.parametrize("tab", ["episodes", "kpis", "artifacts"])
def test_a_training_leads_to_where_its_policy_was_judged_or_says_how(tmp_path: Path, tab: str) -> None:
    path = str(tmp_path / "runs.db")
    with Historian(path) as store:
        learned = training(store, "exothermic_cstr", 0)
        folder = runs_folder() / learned / "policy"
        _policy().save(folder)
        data = open_data(path, Cards())
        asked = " ".join(_texts(layout(data, {"id": learned, "tab": tab})))
        assert f"setpoint benchmark exothermic_cstr --controllers pid,ppo --policy {folder}" in asked
        store.start("benchmark", "exothermic_cstr", "pid,ppo", 0, {"policy_sha256": "another"}, {})
        judged = store.start("benchmark", "exothermic_cstr", "pid,ppo", 1, {"policy_sha256": fingerprint(folder)}, {})
    told = " ".join(_texts(layout(data, {"id": learned, "tab": tab})))
    assert f"this comparison judged its policy on held-out ones. {judged}" in told


def _policy() -> Policy:
    """A policy that answers the concentration's error, and nothing else."""
    plant = get("exothermic_cstr")
    entries = [axis.name for axis in axes(plant, "setpoint")]
    weights = np.zeros((1, len(entries)), dtype=np.float32)
    weights[0, entries.index("c_A error")] = 0.5
    return Policy(plant, "setpoint", ((weights, np.zeros(1, dtype=np.float32)),))


@pytest.fixture
def client(recorded: tuple[Path, str, str]) -> FlaskClient:
    return create_app(str(recorded[0]), Cards()).server.test_client()


def test_files_are_handed_out_by_name_and_nothing_else_is(client: FlaskClient, recorded: tuple[Path, str, str]) -> None:
    _, judged, learned = recorded
    kept = runs_folder() / learned / "policy" / "weights.safetensors"
    (kept.parent / "link").symlink_to("/etc/passwd")
    with client.get(f"/artifacts/{learned}/policy/weights.safetensors") as answer:
        assert answer.data == kept.read_bytes()
    for path in (
        f"{learned}/policy/../policy/weights.safetensors", f"{learned}/policy/link", f"{learned}/policy/nothing",
        f"{learned}/../{learned}/policy/weights.safetensors", f"{judged}/policy/weights.safetensors",
        "nobody/policy/weights.safetensors",
        f"{learned}/%2e%2e/%2e%2e/runs.db", "../../etc/passwd",
    ):  # fmt: skip
        assert client.get(f"/artifacts/{path}").status_code == 404, path


def test_signals_and_figures_are_handed_out_as_csv_with_their_units(client: FlaskClient, recorded: tuple[Path, str, str]) -> None:
    _, judged, _ = recorded
    signals = client.get("/episodes/1.csv").get_data(as_text=True).splitlines()
    assert signals[0].startswith("time [min],c_A pv [mol/L],c_A target [mol/L],T pv [K]")
    assert len(signals) == 602
    figures = client.get(f"/artifacts/{judged}/kpis.csv").get_data(as_text=True).splitlines()
    assert figures[0].startswith("plant,scenario,seed,controller,outcome,return,IAE [mol min/L]")
    assert len(figures) == 5
    assert client.get("/episodes/99.csv").status_code == 404


@pytest.mark.parametrize("tab", ["training", "episodes", "kpis", "configuration", "artifacts", "nonsense"])
def test_every_tab_shows_of_a_training_and_of_a_benchmark(recorded: tuple[Path, str, str], tab: str) -> None:
    data = open_data(str(recorded[0]), Cards())
    for run in recorded[1:]:
        assert run in list(_texts(layout(data, {"id": run, "tab": tab, "with": recorded[1]})))


def test_the_policy_map_shows_what_the_kept_policy_does(recorded: tuple[Path, str, str]) -> None:
    texts = " ".join(_texts(layout(open_data(str(recorded[0]), Cards()), {"id": recorded[2], "tab": "policy"})))
    assert "TIC-101 offset (K)" in texts
    assert "8 validation episodes" in texts


def test_a_section_goes_over_two_entries_and_holds_the_others() -> None:
    policy = _policy()
    seen = visited(policy, episodes=2)
    names = [axis.name for axis in axes(policy.plant, policy.level)]
    x, y = names.index("c_A error"), names.index("T")
    cut = section(policy, seen.at("median"), x, y)
    (move,) = cut.moves
    offset = reach(policy.plant, policy.level)[0]
    assert move[0, -1] == pytest.approx(0.5 * offset.half_range)
    np.testing.assert_allclose(move[0], move[-1])
    assert (cut.y[0], cut.y[-1]) == (310.0, 340.0)
    assert seen.observations.shape[:2] == (policy.plant.scenario().steps, 2)
    np.testing.assert_array_equal(seen.at("3"), seen.observations[3, 0])


def test_a_run_without_a_policy_says_so(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        run = training(store, "exothermic_cstr", 0)
    texts = " ".join(_texts(layout(open_data(str(tmp_path / "runs.db"), Cards()), {"id": run, "tab": "policy"})))
    assert "no policy is kept" in texts
    assert "setpoint train exothermic_cstr" in texts


def test_a_run_that_a_job_records_leads_to_it(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        run = training(store, "exothermic_cstr", 0)
        job = jobs.enter(store.store, "train", ("train", "exothermic_cstr"), "log")
        jobs.attach(store.store, job, run)
    assert job in list(_texts(layout(open_data(str(tmp_path / "runs.db"), Cards()), {"id": run})))


def _logged(path: Path, run: str) -> str:
    return " ".join(_texts(layout(open_data(str(path), Cards()), {"id": run, "tab": "log"})))


def test_a_run_shows_its_own_log_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with Historian(str(path)) as store:
        with store.run("train", "exothermic_cstr", "ppo", 0, {}, {}) as run:
            say(store.store, run, "training", "step 2048: KL 0.2, the update is taken back", "warning")
            text = _logged(path, run)
            assert f"process {os.getpid()}" in text
            assert "completed" not in text
        text = _logged(path, run)
        assert text.index("train began") < text.index("warning training step 2048: KL 0.2") < text.index("completed after")
        with pytest.raises(ZeroDivisionError), store.run("benchmark", "exothermic_cstr", "pid", 0, {}, {}) as broken:
            raise ZeroDivisionError("no steps")
        assert "failed: ZeroDivisionError: no steps" in _logged(path, broken)
        assert "it said nothing of its own" in _logged(path, broken)


def test_a_log_says_what_is_known_of_a_run_that_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        run = store.start("train", "exothermic_cstr", "ppo", 0, {}, {})
    monkeypatch.setattr("controller.liveness.exists", lambda pid: False)
    assert "its process ended without closing the run" in _logged(tmp_path / "runs.db", run)


def test_a_benchmark_of_several_plants_leads_from_each_of_them_to_ppo_against_pid(tmp_path: Path) -> None:
    path = str(tmp_path / "runs.db")
    with Historian(path) as store, store.run("benchmark", "2 plants", "pid,ppo", 0, {}, {}) as run:
        for record in (reactor_episode("pid", 0), reactor_episode("ppo", 0), house_episode("pid", 0)):
            store.episode(run, record)
        store.finish(run, "completed", {"plants": {"exothermic_cstr": {}, "heat_pump_house": {}}})
    data = open_data(path, Cards())
    rival = data.rival("exothermic_cstr")
    assert (rival and rival.id, data.rival("heat_pump_house")) == (run, None)


def test_every_episode_shows_what_differs_and_says_once_what_does_not(tmp_path: Path) -> None:
    kpis = {"cost": 1.0, **{f"term {k}": 2.0 for k in range(12)}, "tdis": 3.0, "trips": 0.0}
    with Historian(str(tmp_path / "runs.db")) as store, store.run("simulate", "heat_pump_house", "pid", 0, {}, {}) as run:
        for seed in range(2):
            wide = {name: value if name == "trips" else value + seed for name, value in kpis.items()}
            store.episode(run, replace(house_episode("pid", seed), kpis=wide, kpi_units={"tdis": "K h/zone"}))
    data = open_data(str(tmp_path / "runs.db"), Cards())
    few = list(_texts(layout(data, {"id": run, "tab": "kpis"})))
    assert "The same in every episode: outcome completed, trips 0." in few
    assert "all 14 figures" in few
    assert few.count("term 11") == 1  # its mean alone
    assert "thermal discomfort, mean over the zones" in few
    every = list(_texts(layout(data, {"id": run, "tab": "kpis", "figures": "all"})))
    assert every.count("term 11") == 2
    assert "tdis (K\u00a0h/zone)" in every  # a unit stays on one line


@pytest.mark.parametrize(
    ("judged", "controllers", "told"),
    [(8, "pid,ppo,pid,ppo", "2 of the 8 judged"), (2, "pid,ppo,pid,ppo", "2"), (None, "pid,ppo,pid", "1 to 2")],
)
def test_means_say_of_how_many_episodes_they_are(judged: int | None, controllers: str, told: str) -> None:
    kept = [row(number, 1.0, name) for number, name in enumerate(controllers.split(","))]
    words = _counted(replace(RUN, result={"episodes": judged}), kept)
    assert words == f"{told} of each controller; ± half of the 95 % interval over episodes"
