"""A training that is killed or interrupted: the store opens, what was recorded is there, the run shows as stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from controller.historian import Historian

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


def test_an_interrupt_of_several_seeds_ends_them_all(tmp_path: Path) -> None:
    store = str(tmp_path / "runs.db")
    code = "import sys; from dashboard.cli import run\nif __name__ == '__main__': sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "--store", store, "train", "exothermic_cstr", "--steps", "100000000", "--seeds", "3"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as training:
        _wait_for_metrics(store)
        training.send_signal(signal.SIGINT)
        assert training.wait(PATIENCE) == 130
    with Historian(store) as historian:
        runs = historian.runs()
        assert runs
        assert {run.status for run in runs} == {"stopped"}
        for run in runs:
            with pytest.raises(ProcessLookupError):
                os.kill(run.pid, 0)


def _wait_for_metrics(store: str) -> int:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(0.5)
        if Path(store).exists():
            with Historian(store) as historian:
                counts = [len(historian.metrics_after(run.id)) for run in historian.runs()]
            if counts and counts[0]:
                return counts[0]
    raise AssertionError("the training recorded nothing")
