"""Forms made from commands, and the processes that run what they ask for."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from controller.historian import Historian
from controller.jobs import Job, end, enter, find
from controller.jobs import jobs as listed
from controller.store import Store, open_store
from dashboard.data import open_data
from dashboard.jobs import start as starting
from dashboard.jobs import work as working
from dashboard.jobs.form import COMMANDS, arguments, fields, line
from dashboard.jobs.start import start, stop, tail
from dashboard.pages.jobs import new
from plant_models.core.errors import BadInput, SetpointError, UnknownName
from tests.browser.plants import Cards


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(starting, "logs_folder", lambda: tmp_path / "jobs")
    opened = open_store(str(tmp_path / "runs.db"))
    yield opened
    opened.close()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_form_asks_for_nothing_that_names_a_file_of_this_machine(command: str) -> None:
    asked = {field.flag or field.name for field in fields(command)}
    assert {"plant", "--seed"} <= asked
    assert not {"--plant", "--out", "--weather", "--replay", "--report", "--json", "--cluster"} & asked


def test_a_number_keeps_the_range_that_its_command_declares() -> None:
    found = {field.name: field for field in fields("train")}
    assert (found["seeds"].kind, found["seeds"].low, found["seeds"].high, found["seeds"].default) == ("whole", 1, 1000, 1)
    assert found["cost_limit"].kind == "number"
    assert {field.flag for field in fields("benchmark")} >= {"--controllers", "--safety"}


def test_a_form_asks_for_no_more_processes_than_there_are_processors() -> None:
    most = os.cpu_count() or 1
    for command in ("benchmark", "sweep"):
        assert arguments(command, {"workers": str(most)}) == (command, "--workers", str(most))
        with pytest.raises(BadInput, match=f"allowed is a whole number from 0 to {most}"):
            arguments(command, {"workers": str(most + 1)})


def test_a_choice_that_is_left_to_the_plant_says_so(store: Store) -> None:
    data = open_data(store.url, Cards())
    shown = {field.name: new._control(data, field, "", field.name).placeholder for field in fields("train") if field.choices}
    assert {name: shown[name] for name in ("clone", "against", "level")} == {
        "clone": "as the plant says", "against": "none", "level": "setpoint"
    }  # fmt: skip


def test_a_job_whose_log_cannot_be_written_is_refused_and_not_entered(store: Store, tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("a file where the folder should be")
    with pytest.raises(BadInput, match=r"the folder of logs .+: cannot be written \(File exists\)"):
        start(store, ("train", "exothermic_cstr"))
    assert listed(store) == []


def test_what_is_left_at_its_default_is_left_out_of_the_command() -> None:
    given = {"plant": "exothermic_cstr", "seed": "0", "steps": "20000", "safety": "shield", "clone": "", "page": "2"}
    assert line(arguments("train", given)) == "setpoint train exothermic_cstr --steps 20000 --safety shield"
    assert line(arguments("stress", {"plant": "x", "faults": "on"})) == "setpoint stress x --faults"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"steps": "many"}, "steps 'many': allowed is a whole number from 1 to 2000000000"),
        ({"seeds": "1001"}, "seeds '1001': allowed is a whole number from 1 to 1000"),
        ({"safety": "shiel"}, "unknown safety 'shiel'; did you mean 'shield'?"),
        ({"scenario": "--store=/elsewhere"}, "begins with a hyphen"),
        ({"plant": "-h"}, "begins with a hyphen"),
        ({"scenario": "/elsewhere/mine.toml"}, "give one of the plant's scenarios by name"),
    ],
)
def test_what_a_form_cannot_ask_is_refused_in_one_line(given: Mapping[str, str], told: str) -> None:
    with pytest.raises(SetpointError) as refused:
        arguments("train", given)
    assert told in str(refused.value)


def test_only_the_commands_with_a_form_can_be_asked_for() -> None:
    with pytest.raises(UnknownName, match="unknown command 'dashboard'"):
        arguments("dashboard", {})


def test_a_job_that_does_not_run_cannot_be_stopped(store: Store) -> None:
    job = enter(store, "train", ("train", "exothermic_cstr"), "")
    with pytest.raises(BadInput, match="waiting, there is nothing to stop"):
        stop(store, job)


@pytest.mark.slow
def test_a_job_records_its_run_log_and_exit_code(store: Store) -> None:
    good = _ended(store, start(store, ("simulate", "exothermic_cstr")))
    assert (good.state, good.code) == ("completed", 0)
    assert "IAE" in tail(good)
    with Historian(store.url) as historian:
        assert historian.find(str(good.run)).plant == "exothermic_cstr"
    bad = _ended(store, start(store, ("simulate", "exothermic_cst")))
    assert (bad.state, bad.code) == ("failed", 2)
    assert "did you mean 'exothermic_cstr'" in tail(bad)


def test_a_store_that_is_busy_for_long_is_told_in_the_end_how_a_job_ended(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = [BadInput("locked by another program")] * 3

    def told(*given: Any) -> None:
        if busy:
            raise busy.pop()
        end(*given)

    monkeypatch.setattr(working, "BEAT", 0.01)
    monkeypatch.setattr(working, "end", told)
    monkeypatch.setattr(working, "_pass_on", lambda child: [])
    job = enter(store, "train", ("runs", "--json"), str(tmp_path / "log"))
    monkeypatch.setenv("SETPOINT_STORE", store.url)
    assert working.work(store, find(store, job)) == 0, (tmp_path / "log").read_text()
    assert find(store, job).state == "completed"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="interrupts are POSIX")
def test_a_job_that_is_stopped_keeps_what_it_recorded(store: Store) -> None:
    job = start(store, ("train", "exothermic_cstr", "--steps", "50000000"))
    _until(lambda: find(store, job).run is not None)
    stop(store, job)
    ended = _ended(store, job)
    assert ended.state == "stopped"
    with Historian(store.url) as historian:
        assert historian.find(str(ended.run)).status == "stopped"


def _ended(store: Store, job: str) -> Job:
    _until(lambda: find(store, job).state not in ("waiting", "running"))
    return find(store, job)


def _until(true: object, most: float = 120.0) -> None:
    assert callable(true)
    deadline = time.monotonic() + most
    while not true():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.1)


def test_an_empty_form_says_what_it_needs_and_complains_of_nothing(tmp_path: Path) -> None:
    data = open_data(str(tmp_path / "runs.db"), Cards())
    assert new._told(data, "train", {})[1:] == ("", "It needs a plant: choose one above.", False)
    assert new._told(data, "train", {"plant": "nothing"})[1:] != ("", "", False)
    assert new._told(data, "train", {"plant": "exothermic_cstr"})[1:3] == ("", "")
