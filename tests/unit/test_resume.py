"""Going on with a recorded training: from the terminal, with the whole curve, or refused in one line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from controller.checkpoint import checkpoints
from controller.demo import recorded_training
from controller.events import events
from controller.historian import Historian
from controller.policy import Policy, load
from controller.train import Progress
from dashboard.cli import run
from plant_models.catalogue import get

PLANT = get("exothermic_cstr")
STEPS, BROKEN_OFF = 40_960, 16_384


@dataclass(frozen=True)
class Recorded:
    """A store with two trainings that differ in nothing but that one was broken off."""

    store: str
    whole: str
    stopped: str
    last: Policy
    best: Policy


def _interrupt(progress: Progress) -> None:
    if progress.step > BROKEN_OFF:
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    store = str(tmp_path_factory.mktemp("store") / "runs.db")
    with Historian(store) as historian:
        whole, trained = recorded_training(PLANT, historian, 1, STEPS, lambda progress: None)
        with pytest.raises(KeyboardInterrupt):
            recorded_training(PLANT, historian, 1, STEPS, _interrupt)
        (stopped,) = [each.id for each in historian.runs() if each.status == "stopped"]
    return Recorded(store, whole, stopped, trained.last, trained.policy)


def said(capsys: pytest.CaptureFixture[str], recorded: Recorded, *arguments: str) -> tuple[int, str, str]:
    code = run(["--store", recorded.store, "train", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def same(one: Policy, other: Policy) -> bool:
    pairs = zip(one.layers, other.layers, strict=True)
    return all(np.array_equal(a, b) for layers in pairs for a, b in zip(*layers, strict=True))


def test_a_stopped_training_goes_on_from_the_terminal_to_the_same_bits(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "policy"
    code, text, _ = said(capsys, recorded, PLANT.name, "--resume", recorded.stopped, "--out", str(out), "--json")
    assert code == 0
    result = json.loads(text)
    assert result["steps"] == STEPS
    assert same(load(out, PLANT), recorded.best)
    assert same(load(out / "last", PLANT), recorded.last)
    with Historian(recorded.store) as historian:
        again = historian.find(result["run"])
        assert (again.status, again.seed) == ("completed", 1)
        assert (again.config["resumes"], again.config["resumed_at"]) == (recorded.stopped, BROKEN_OFF)
        assert historian.find(recorded.stopped).status == "stopped"
        curves = [historian.metrics_after(each) for each in (result["run"], recorded.whole)]
    first, second = ([(row.step, row.key, row.value) for row in curve if row.key != "train/steps_per_s"] for curve in curves)
    assert first == second


def test_with_more_steps_a_complete_training_goes_on_as_another_one(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = STEPS + 8192
    arguments = ("--resume", recorded.whole, "--steps", str(more), "--out", str(tmp_path / "p"), "--json")
    code, text, err = said(capsys, recorded, PLANT.name, *arguments)
    assert code == 0
    assert json.loads(text)["steps"] == more
    told = f"{more} decisions in place of {STEPS}: another training than {more} in one go"
    assert f"{told}\n" in err
    with Historian(recorded.store) as historian:
        kept = events(historian.store, json.loads(text)["run"])
    assert ("warning", told) in [(each.level, each.text) for each in kept]


REFUSED = {
    ("exothermic_cstr", "--resume", "WHOLE"): "run WHOLE: complete with 40960 decisions; give --steps above 40960 to go on, "
    "which is another training, or train anew",
    ("exothermic_cstr", "--resume", "STOPPED", "--steps", "9000"): "run STOPPED: begun with 40960 decisions; give --steps above "
    "40960 to go on, which is another training, or train anew",
    ("exothermic_cstr", "--resume", "STOPPED", "--seed", "2"): "--seed 2: run STOPPED was begun with seed 1; leave --seed out",
    (
        "exothermic_cstr",
        "--resume",
        "STOPPED",
        "--scenario",
        "boundary",
    ): "--scenario boundary: run STOPPED was begun on scenario 'tracking'; leave --scenario out",
    ("quadruple_tank", "--resume", "STOPPED"): "run STOPPED: trained on 'exothermic_cstr', asked to go on with 'quadruple_tank'; "
    "name the run's plant",
    ("exothermic_cstr", "--resume", "nobody-1"): "run 'nobody-1': not in the store; `setpoint runs` lists what it holds",
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.items())
def test_what_cannot_be_resumed_is_refused_in_one_line(
    arguments: tuple[str, ...], message: str, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"WHOLE": recorded.whole, "STOPPED": recorded.stopped}
    code, out, err = said(capsys, recorded, *(names.get(argument, argument) for argument in arguments))
    assert (code, out) == (2, "")
    for name, given in names.items():
        message = message.replace(name, given)
    assert err == f"setpoint: {message}\n"


def test_a_run_that_is_alive_or_no_training_or_left_no_checkpoint_is_refused(
    recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    with Historian(recorded.store) as historian:
        alive = historian.start("train", PLANT.name, "ppo", 0, {}, {})
        other = historian.start("benchmark", PLANT.name, "pid", 0, {}, {})
        empty = historian.start("train", PLANT.name, "ppo", 0, {}, {})
        historian.finish(empty, "stopped")
        pid = historian.find(alive)
    code, _, err = said(capsys, recorded, PLANT.name, "--resume", alive)
    assert (code, err) == (2, f"setpoint: run {alive}: still running (process {pid.pid} on {pid.host}); stop it first\n")
    code, _, err = said(capsys, recorded, PLANT.name, "--resume", other)
    assert (code, err) == (2, f"setpoint: run {other}: a benchmark, not a training; `setpoint runs` lists the trainings\n")
    code, _, err = said(capsys, recorded, PLANT.name, "--resume", empty)
    assert (code, err) == (2, f"setpoint: {checkpoints(empty)}: checkpoint: there is none; train anew\n")


def test_a_damaged_checkpoint_is_said_and_the_one_before_leads_to_the_same_bits(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = max(checkpoints(recorded.stopped).iterdir())
    (newest / "state.safetensors").write_bytes(b"\0" * 100)
    code, _, err = said(capsys, recorded, PLANT.name, "--resume", recorded.stopped, "--out", str(tmp_path / "policy"))
    assert code == 0
    assert (
        f"{newest}: sha256: cut short or altered since it was written; the checkpoint before it, of step 8192, is used\n" in err
    )
    assert same(load(tmp_path / "policy" / "last", PLANT), recorded.last)
