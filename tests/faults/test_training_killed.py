"""A training that is killed or interrupted: the store opens, what was recorded is there, the run shows as stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from controller.checkpoint import checkpoints, latest
from controller.historian import Historian
from plant_models.catalogue import get

PATIENCE = 120.0


def test_a_killed_training_leaves_what_it_recorded(tmp_path: Path) -> None:
    store = str(tmp_path / "runs.db")
    code = "import sys; from dashboard.cli import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "--store", store, "train", "exothermic_cstr", "--steps", "100000000"]
    with subprocess.Popen([*command, "--out", str(tmp_path / "policy")], stderr=subprocess.DEVNULL) as training:
        recorded = _wait_for_metrics(store)
        os.kill(training.pid, signal.SIGKILL)
    with Historian(store) as historian:
        (run,) = historian.runs()
        assert run.status == "stopped"
        assert len(historian.metrics_after(run.id)) >= recorded > 0
        assert run.config["baseline"]["pid"] < 0.0
    assert not (tmp_path / "policy").exists()


def interrupted(store: str, step: int, *more: str) -> str:
    """What is said last by a training that is interrupted once it has recorded something at a step."""
    code = "import sys; from dashboard.cli import run\nif __name__ == '__main__': sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "--store", store, "train", "exothermic_cstr", "--steps", "100000000", *more]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as training:
        _wait_for_metrics(store, step)
        training.send_signal(signal.SIGINT)
        _, said = training.communicate(timeout=PATIENCE)
    assert training.returncode == 130
    return said.splitlines()[-1]


def test_an_interrupted_training_says_how_to_go_on(tmp_path: Path) -> None:
    store = str(tmp_path / "runs.db")
    said = interrupted(store, 1)
    with Historian(store) as historian:
        (run,) = historian.runs()
    kept = f"setpoint: interrupted; what run {run.id} recorded is kept"
    assert run.status == "stopped"
    assert said == f"{kept}; go on from the last checkpoint by the same command with --resume {run.id}"
    assert latest(checkpoints(run.id), get("exothermic_cstr"))[0].course.total == 100_000_000


def test_an_interrupt_of_several_seeds_ends_them_all(tmp_path: Path) -> None:
    store = str(tmp_path / "runs.db")
    said = interrupted(store, 0, "--seeds", "3")
    assert said.endswith("go on with each by the same command with --resume RUN in place of --seed and --seeds")
    with Historian(store) as historian:
        runs = historian.runs()
        assert runs
        assert {run.status for run in runs} == {"stopped"}
        for run in runs:
            with pytest.raises(ProcessLookupError):
                os.kill(run.pid, 0)


def _wait_for_metrics(store: str, step: int = 0) -> int:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(0.5)
        if Path(store).exists():
            with Historian(store) as historian:
                recorded = [historian.metrics_after(run.id) for run in historian.runs()]
            if recorded and recorded[0] and recorded[0][-1].step >= step:
                return len(recorded[0])
    raise AssertionError("the training recorded nothing")
