"""The words a user reads: help, errors in one line, exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from controller.demo import PLANTS
from controller.historian import Historian, Interrupted
from controller.safety import known
from controller.safety.helpless import helpless
from controller.train import Progress
from dashboard.cli import run
from dashboard.commands import look
from dashboard.commands.stopping import Stopped, stoppable
from plant_models.catalogue import get

COMMANDS = (
    "plants",
    "new",
    "check",
    "simulate",
    "tune",
    "train",
    "sweep",
    "benchmark",
    "stress",
    "promote",
    "rollback",
    "champion",
    "drift",
    "runs",
    "dashboard",
    "demo",
)

LISTED = {"name", "title", "folder", "states", "inputs", "disturbances", "margins", "loops", "objective", "sources", "validated"}


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "--help")
    assert code == 0
    assert [name for name in COMMANDS if name not in out] == []


def test_no_command_is_a_question_for_help_and_options_alone_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys) == said(capsys, "--help")
    code, out, err = said(capsys, "--store", "runs.db")
    assert (code, out, err) == (2, "", "setpoint: Missing command.\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_speaks_json(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, command, "--help")
    assert code == 0
    assert "--json" in out


BAD_INPUT = {
    ("plant",): "No such command 'plant'. Did you mean 'plants'?",
    ("train", "exothermic_cstr", "--sead", "1"): "No such option: --sead (Possible options: --scenario, --seed, --seeds)",
    ("simulate", "exothermic_cstr", "--scenario", "tracing"): "unknown scenario 'tracing'; did you mean 'tracking'? "
    "Known: tracking, disturbance, boundary, unstable",
    ("simulate", "exothermic_cstr", "--controller", "pdi"): "unknown controller 'pdi'; did you mean 'pid'? "
    "Known: constant, pid, ppo, nmpc, nmpc with preview, optimum",
    ("benchmark", "battery_microgrid", "--controllers", "optimum"): "controller 'optimum' on battery_microgrid, scenario 'week': "
    "an episode takes 84672 steps of a state; up to 20000 allowed; take 'nmpc with preview'",
    ("benchmark", "exothermic_cstr", "--controllers", "pid,pid"): "controllers pid, pid: a name is given twice; "
    "give each controller once",
    ("train", "exothermic_cstr", "--algorithm", "scc"): "unknown algorithm 'scc'; did you mean 'sac'? "
    "Known: ppo, a2c, trpo, sac, td3, ddpg, reinforce",
    ("stress", "office_vav"): "office_vav has no hard limit that a shield could keep; plants that have: batch_crystallizer, "
    "cstr_series_recycle, exothermic_cstr, fed_batch_bioreactor, penicillin_fermentation, semibatch_polymerization, "
    "tubular_reactor, van_de_vusse_cstr, wafer_furnace, boiler_drum, distillation_column, evaporator, quadruple_tank, "
    "chiller_plant, data_hall",
    ("stress", "exothermic_cstr", "--scenario", "tracing"): "unknown scenario 'tracing'; did you mean 'tracking'? "
    "Known: tracking, disturbance, boundary, unstable",
    ("benchmark", "exothermic_cstr", "--controllers", " ,"): "controllers ' ,': names none; give names with commas between, "
    "such as constant,pid",
    ("benchmark", "all", "--plant", "mine.py"): "'all' and --plant mine.py: give either a plant's name or a file by --plant; "
    "`setpoint plants` lists the names",
    (
        "simulate",
        "exothermic_cstr",
        "--seed",
        "9" * 19,
    ): "Invalid value for '--seed': Input should be less than or equal to 2000000000",
    (
        "train",
        "exothermic_cstr",
        "--steps",
        "9" * 30,
    ): "Invalid value for '--steps': Input should be less than or equal to 2000000000",
    ("train", "exothermic_cstr", "--scenario", ","): "scenarios ',' of exothermic_cstr: no name beside a comma; "
    "give names with commas between",
    ("new", "plant", "numpy"): "'numpy' is a Python module, which numpy.py would hide; choose another name",
    ("benchmark", "exothermic_cstr", "--controllers", "pid,td3"): "controller 'td3' needs a trained policy; run `setpoint train "
    "exothermic_cstr --algorithm td3` and give its folder by --policy",
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.items())
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said(capsys, "--store", str(tmp_path / "runs.db"), *arguments)
    assert (code, out) == (2, "")
    assert err == f"setpoint: {message}\n"


@pytest.mark.parametrize("name", ["x" * 300, "folder"])
def test_a_store_that_no_file_can_be_is_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    code, out, err = said(capsys, "--store", name, "runs")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("setpoint: store ")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


@pytest.mark.parametrize("command", [("train",), ("train", "--seeds", "2")])
def test_a_folder_with_other_files_is_left_alone_and_nothing_is_trained(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "mine" / "notes.txt"
    seeded = tmp_path / "mine" / "seed-1" / "notes.txt"
    for file in (notes, seeded):
        file.parent.mkdir(exist_ok=True)
        file.write_text("dear diary")
    store = str(tmp_path / "runs.db")
    code, out, err = said(capsys, "--store", store, *command, "exothermic_cstr", "--steps", "256", "--out", str(notes.parent))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "'notes.txt', which is no part of a policy and would be lost; name a new folder" in err
    assert notes.read_text() == seeded.read_text() == "dear diary"
    with Historian(store) as historian:
        assert historian.runs() == []


def test_a_file_is_not_replaced_by_a_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("dear diary")
    for place, told in ((notes, "a file; name a new folder"), (notes / "policy", "cannot be written (Not a directory)")):
        for name in ("exothermic_cstr", "CartPole-v1"):
            code, _, err = said(capsys, "--store", str(tmp_path / "s.db"), "train", name, "--steps", "256", "--out", str(place))
            assert (code, err.count("\n")) == (2, 1)
            assert f"folder {place}: {told}" in err
    assert notes.read_text() == "dear diary"


def test_a_report_that_cannot_be_written_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "s.db"
    code, _, err = said(capsys, "--store", str(store), "benchmark", "exothermic_cstr", "--report", "/proc/x.html")
    assert (code, err.count("\n")) == (2, 1)
    assert "--report /proc/x.html: cannot be written" in err
    assert not store.exists()


def test_an_unknown_plant_is_one_line_with_the_nearest_of_many(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "plants", "exotermic_cstr")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("setpoint: unknown plant 'exotermic_cstr'; did you mean 'exothermic_cstr'? Known: ")
    assert err.endswith(" more\n")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--version") == (0, f"{version('setpoint')}\n", "")


def test_a_list_of_runs_says_that_there_are_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "LISTED", 1)
    store = str(tmp_path / "runs.db")
    with Historian(store) as historian:
        for seed, note in ((0, ""), (1, "the newest 1 runs; the dashboard shows older ones, and `setpoint runs RUN` any\n")):
            newest = historian.start("train", "exothermic_cstr", "ppo", seed, {}, {})
            code, out, err = said(capsys, "--store", store, "runs", "--json")
            assert (code, [each["id"] for each in json.loads(out)], err) == (0, [newest], note)


def test_ppo_without_a_policy_says_how_to_get_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "--store", str(tmp_path / "s.db"), "benchmark", "exothermic_cstr", "--controllers", "pid,ppo")
    assert code == 2
    assert "setpoint train exothermic_cstr" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("episodes", ["0", "-3", "many"])
def test_a_count_that_is_none_is_refused(episodes: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "simulate", "exothermic_cstr", "--episodes", episodes)
    assert code == 2
    assert "--episodes" in err
    assert err.count("\n") == 1


def test_weather_for_a_plant_without_any_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.epw"
    file.write_text("LOCATION")
    code, _, err = said(capsys, "--store", str(tmp_path / "s.db"), "simulate", "exothermic_cstr", "--weather", str(file))
    assert code == 2
    assert "has no weather" in err


def test_a_malformed_weather_file_is_named_before_any_compute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.epw"
    file.write_text("LOCATION,Nowhere\n1,2,3\n")
    store = tmp_path / "s.db"
    code, _, err = said(capsys, "--store", str(store), "simulate", "heat_pump_house", "--weather", str(file))
    assert code == 2
    assert str(file) in err
    assert err.count("\n") == 1
    assert not store.exists()


def test_a_missing_policy_is_refused_with_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(
        capsys, "--store", str(tmp_path / "s.db"), "benchmark", "exothermic_cstr", "--controllers", "pid,ppo",
        "--policy", str(tmp_path / "none"),
    )  # fmt: skip
    assert code == 2
    assert "manifest.json" in err


def test_plants_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "plants", "--json")
    assert (code, err) == (0, "")
    cards = json.loads(out)
    assert len({card["name"] for card in cards}) == len(cards) >= 21
    for card in cards:
        assert set(card) >= LISTED, card["name"]
        assert all({"what", "published", "ours", "deviation", "unit", "source"} <= set(r) for r in card["validated"])
        assert card["validated"], card["name"]


def test_stress_prints_and_records_a_row_for_each_supervisor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, wanted = str(tmp_path / "runs.db"), ("exothermic_cstr", "--episodes", "8", "--generations", "1", "--search", "64")
    code, out, _ = said(capsys, "--store", store, "stress", *wanted, "--json")
    assert code == 0
    result = json.loads(out)
    assert list(result["supervisors"]) == ["pid", "max", "min", "bang-bang", "random", "edge-seeking", "CMA-ES", "worst cases"]
    assert {"violating", "violating_unshielded", "upper95", "decided", "trips"} <= set(result["supervisors"]["max"])
    assert sum(result["supervisors"]["random"]["decided"].values()) == pytest.approx(1.0)
    with Historian(store) as historian:
        kept = historian.find(result["run"])
    assert (kept.kind, kept.status, kept.plant) == ("stress", "completed", "exothermic_cstr")
    assert kept.result["supervisors"] == result["supervisors"]


def test_stress_tries_the_fault_catalogue_and_says_what_happened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "runs.db")
    code, out, _ = said(capsys, "--store", store, "stress", "exothermic_cstr", "--faults")
    assert code == 0
    assert "all as expected" in out
    assert "NaN for one decision" in out
    with Historian(store) as historian:
        (kept,) = historian.runs()
    assert (kept.kind, kept.status) == ("stress", "completed")
    assert {row["code"] for row in kept.result["faults"]} == {f"F{i}" for i in range(1, 12)}
    assert all(row["kept"] and row["said"] for row in kept.result["faults"])


def test_stress_says_where_the_shield_is_of_no_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = get("exothermic_cstr")
    usual = known.calibrated(plant, plant.scenario())
    monkeypatch.setattr(known, "found", lambda *_: replace(usual, margins=usual.margins + 1e3))
    wanted = ("exothermic_cstr", "--episodes", "2", "--generations", "1")
    code, out, err = said(capsys, "--store", str(tmp_path / "runs.db"), "stress", *wanted)
    assert (code, "100.00 %" in out) == (0, True)
    assert err.splitlines()[-1] == f"exothermic_cstr: {helpless(1.0)}"


def test_stress_says_once_that_it_calibrates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: str(tmp_path / "cache"))
    arguments = ("--store", str(tmp_path / "r.db"), "stress", "exothermic_cstr", "--episodes", "4", "--generations", "1")
    first, second = (said(capsys, *arguments) for _ in range(2))
    assert "calibrating the shield of exothermic_cstr" in first[2]
    assert "calibrated in" in first[2]
    assert "calibrat" not in second[2]
    assert "bang-bang" in second[1]
    assert "shield: the nominal plant and" in second[1]


def test_simulate_records_what_it_ran(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "runs.db")
    code, out, _ = said(capsys, "--store", store, "simulate", "exothermic_cstr", "--episodes", "3", "--json")
    assert code == 0
    result = json.loads(out)
    assert result["episodes"] == 3
    assert result["units"]["IAE"] == "mol/L min"
    code, out, _ = said(capsys, "--store", store, "runs", result["run"], "--json")
    assert code == 0
    shown = json.loads(out)
    assert shown["status"] == "completed"
    assert len(shown["episodes"]) == 3


def test_a_table_shows_units_and_the_paired_interval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "--store", str(tmp_path / "s.db"), "benchmark", "exothermic_cstr", "--episodes", "4")
    assert code == 0
    assert "IAE [mol/L min]" in out
    assert "95 % interval, paired" in out


def test_demo_says_what_a_training_has_to_say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def one(historian: Any, report: Any, names: tuple[str, ...], *sizes: int) -> dict[str, Any]:
        report(names[0], Progress(256, 512, 1.0, -2.0, -2.0, -2.0, 256.0, 0.0, f"{names[0]}, step 256: an update was taken back"))
        return {"plants": {names[0]: {}}}

    monkeypatch.setattr("controller.demo.demo", one)
    code, out, err = said(capsys, "demo", "--json", "--no-dashboard")
    assert (code, json.loads(out)) == (0, {"plants": {name: {} for name in PLANTS}})
    assert err.splitlines() == ["loading ...", *(f"{name}, step 256: an update was taken back" for name in PLANTS)]


def test_an_interrupt_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def one(*given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("controller.demo.demo", one)
    code, out, err = said(capsys, "demo")
    assert (code, out, err) == (130, "", "loading ...\nsetpoint: interrupted; what was recorded is kept\n")


@pytest.mark.parametrize(
    ("resumed", "how"),
    [
        ("", "; it left no checkpoint"),
        ("cstr-ppo-1", "; go on from the last checkpoint by the same command with --resume cstr-ppo-1"),
    ],
)
def test_an_interrupted_training_without_a_checkpoint_says_where_one_is(resumed: str, how: str) -> None:
    with pytest.raises(Stopped) as told, stoppable(resumed, 1):
        raise Interrupted("cstr-ppo-2")
    assert str(told.value) == f"interrupted; what run cstr-ppo-2 recorded is kept{how}"
    with pytest.raises(KeyboardInterrupt), stoppable(resumed, 1):
        raise KeyboardInterrupt
