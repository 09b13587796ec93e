"""What a training may be told beside its algorithm: what actions move, what holds PPO near its last policy, where it begins."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from controller.baselines import Pid
from controller.cloning import lessons
from controller.demo import recorded_training
from controller.ground import validation
from controller.historian import Historian
from controller.methods import Method
from controller.penalty import FIRST, TARGET, adapted
from controller.policy import load
from controller.rollout import returns
from controller.train import Progress, train
from dashboard.cli import run
from dashboard.commands.training import Request
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.derive.kernel import kernel
from plant_models.derive.layout import Level

PLANT = get("exothermic_cstr")
STEPS, BROKEN_OFF = 32_768, 8_192


def untrained(level: Level) -> float:
    first: list[float] = []
    train(PLANT, 0, 256, report=lambda progress: first.append(progress.score), method=Method(level=level))
    return first[0]


def test_the_weight_of_the_penalty_follows_its_target() -> None:
    assert [adapted(FIRST, TARGET * share) for share in (0.5, 0.7, 1.0, 1.4, 1.6)] == [0.5, 1.0, 1.0, 1.0, 2.0]
    assert adapted(0.0, 1.0) == 0.0  # where the ratio is clipped


def _interrupt(progress: Progress) -> None:
    if progress.step > BROKEN_OFF:
        raise KeyboardInterrupt


def test_a_penalised_training_learns_otherwise_and_goes_on_to_the_same_bits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, method = str(tmp_path / "s.db"), Method(level="absolute", penalty="kl")
    with Historian(store) as historian:
        _, whole = recorded_training(PLANT, historian, 1, STEPS, lambda progress: None, method=method)
        with pytest.raises(KeyboardInterrupt):
            recorded_training(PLANT, historian, 1, STEPS, _interrupt, method=method)
        (stopped,) = [each.id for each in historian.runs() if each.status == "stopped"]
    assert run(["--store", store, "train", PLANT.name, "--resume", stopped, "--out", str(tmp_path / "p"), "--json"]) == 0
    resumed = load(tmp_path / "p" / "last", PLANT)
    clipped = train(PLANT, 1, STEPS, method=Method(level="absolute")).last
    ours, theirs, others = (policy.layers[-1][0] for policy in (resumed, whole.last, clipped))
    assert np.array_equal(ours, theirs)
    assert not np.array_equal(ours, others)
    with Historian(store) as historian:
        weights = {row.value for row in historian.metrics_after(json.loads(capsys.readouterr().out)["run"])
                   if row.key == "train/penalty"}  # fmt: skip
    assert len(weights) > 1


@pytest.mark.parametrize("level", ["absolute", "direct"])
def test_a_clone_of_the_pid_layer_begins_far_above_the_middle_of_the_ranges(level: Level) -> None:
    told: list[Progress] = []
    trained = train(PLANT, 0, 256, report=told.append, method=Method(level=level, clone="pid"))
    notes = [progress.note for progress in told if progress.note]
    assert notes[0].startswith(f"cloned pid at level {level}: ")
    begun = next(progress.score for progress in told if not progress.note)
    middle = untrained(level)
    assert begun > middle + 0.8 * (trained.baseline - middle)
    assert trained.policy.level == level


def test_what_is_imitated_is_what_the_pid_layer_does() -> None:
    seen, done = lessons(PLANT, Method(level="absolute", clone="pid"), seed=0)
    assert len(seen) == len(done) == 64 * PLANT.scenario().steps
    assert np.abs(done).max() <= 1.0
    assert done.std() > 0.05
    names = [feature.name for feature in kernel(PLANT, "absolute").observation.features]
    steps, tag = PLANT.scenario().steps, PLANT.acted[0].tag
    sent, held = (seen[:, names.index(f"{tag} {what}")].reshape(steps, -1) for what in ("setpoint before offset", "setpoint"))
    done = done.reshape(steps, -1)
    np.testing.assert_allclose(held[1:], done[:-1], atol=1e-5)  # what was done is what is held
    # and about what the hierarchy, which still runs, would send; it moves within a decision, what was done does not
    assert np.corrcoef(sent[1:].ravel(), done[:-1].ravel())[0, 1] > 0.8


def test_a_policy_of_another_level_is_kept_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, out = str(tmp_path / "s.db"), str(tmp_path / "p")
    assert run(["--store", store, "train", PLANT.name, "--level", "direct", "--steps", "8192", "--out", out]) == 0
    assert (
        "level direct: the untrained policy holds the middle of every range, and is not the PID layer\n"
        in capsys.readouterr().err
    )
    assert load(tmp_path / "p", PLANT).level == "direct"
    arguments = ["benchmark", PLANT.name, "--controllers", "pid,ppo", "--policy", out, "--episodes", "2", "--json"]
    assert run(["--store", store, *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    with Historian(store) as historian:
        episodes = historian.episodes(found["run"])
        signals = {row.controller: {s.role for s in historian.read_episode(row.id).signals} for row in episodes}
    assert "offset" in signals["pid"]
    assert "offset" not in signals["ppo"]


def test_looking_up_what_to_train_on_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    request = Request(None, PLANT.name, None, "", 0, None, None, Method(level="direct"))
    assert request.case() == (PLANT, "")
    assert capsys.readouterr() == ("", "")


def test_the_pid_layer_stays_the_baseline_at_every_level() -> None:
    expected = -returns(Pid(PLANT), validation(PLANT)).mean() / PLANT.scale
    assert train(PLANT, 0, 256, method=Method(level="absolute")).baseline == pytest.approx(expected)


REFUSED = {
    ("--level", "dirct"): "unknown level 'dirct'; did you mean 'direct'?",
    ("--penalty", "kll"): "unknown penalty 'kll'; did you mean 'kl'?",
    ("--penalty", "kl", "--algorithm", "sac"): "penalty 'kl' with sac: only ppo has a choice",
    (
        "--clone",
        "pid",
    ): "clone 'pid' at level 'setpoint': there PPO begins as the PID layer anyway; give level absolute or direct",
    ("--clone", "nmpc", "--level", "absolute"): "clone 'nmpc' at level 'absolute': NMPC moves offsets or inputs",
    ("--clone", "pid", "--level", "direct", "--algorithm", "td3"): "clone 'pid' with td3: only ppo begins from a clone",
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.items())
def test_what_does_not_go_together_is_one_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", PLANT.name, *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"setpoint: {message}")
    assert err.count("\n") == 1


def test_names_are_checked_in_python_too() -> None:
    with pytest.raises(BadInput):
        Method(level="valve")  # type: ignore[arg-type]
