"""Whether a training that is killed and resumed ends with the very weights of one that ran through.

``python -m benchmarks.resume --json``. Each of twenty trainings a plant is killed by SIGKILL from outside, at a moment drawn
uniformly over its duration, then resumed in a new process and compared with the uninterrupted one, number by number.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from benchmarks.provenance import arguments, report
from controller.checkpoint import Checkpoint, latest
from controller.fingerprint import WEIGHTS
from controller.train import Progress, Trained, train
from plant_models.catalogue import get
from plant_models.core.errors import InvalidFile
from plant_models.core.plant import Plant

PLANTS = ("exothermic_cstr", "quadruple_tank", "batch_crystallizer")
KILLS, STEPS = 20, 3072
CHILD = "import sys; from benchmarks.resume import child; child(*sys.argv[1:])"
BEGUN = "begun"
NEVER = -1
"""A number of no event: they are counted, and none is fatal."""


def small(name: str) -> Plant:
    """Return a plant that learns from 256 decisions at a time, with a checkpoint before each update, and from no other's."""
    plant = get(name)
    return replace(plant, learning=replace(plant.learning, parallel=16, rollout=16, demonstrated=0.0))


def go_on(plant: Plant, folder: Path, steps: int = STEPS, events: Events | None = None) -> Trained:
    """Train to the end, from the last checkpoint in the folder where there is one."""
    return train(plant, 0, steps, keep=folder, report=(events or Events(0)).begin, start=last(plant, folder))


def last(plant: Plant, folder: Path) -> Checkpoint | None:
    """Return the last checkpoint in a folder; None where the training was killed before its first."""
    try:
        return latest(folder, plant)[0]
    except InvalidFile:
        return None


class Events:
    """Counts Python's calls and returns from the first validation on, and at a given one has SIGKILL end the process.

    The same number is the same place in every run; with number 0 nothing is counted, which costs nothing.
    """

    def __init__(self, fatal: int) -> None:
        self.count, self.said, self._fatal = 0, False, fatal

    def begin(self, progress: Progress) -> None:
        """Say that training is under way, and count from here on."""
        if not self.said:
            self.said = True
            print(BEGUN, flush=True)
        if self._fatal:
            sys.setprofile(self._event)

    def _event(self, *_: object) -> None:
        self.count += 1
        if self.count == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def child(name: str, folder: str, steps: str = str(STEPS), fatal: str = "0") -> None:
    """Train in a folder, and leave the best policy there and the last one in it."""
    events = Events(int(fatal))
    trained = go_on(small(name), Path(folder) / "checkpoints", int(steps), events)
    sys.setprofile(None)
    leave(trained, Path(folder))
    print(events.count)


def leave(trained: Trained, folder: Path) -> None:
    """Write both policies of a training."""
    trained.save(folder / "policy")


def weights(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Return the weights of both policies in a folder."""
    found = {which: load_file(folder / "policy" / which / WEIGHTS) for which in ("", "last")}
    return {f"{which}.{name}": part for which, parts in found.items() for name, part in parts.items()}


def difference(one: Path, other: Path) -> float:
    """Return the largest difference between two trainings' weights; infinite where one is no number in one of them only."""
    a, b = weights(one), weights(other)
    return max(0.0 if part.tobytes() == b[name].tobytes() else float(np.nan_to_num(np.abs(part - b[name]), nan=np.inf).max())
               for name, part in a.items())  # fmt: skip


@contextmanager
def _training(name: str, folder: Path, steps: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", CHILD, name, str(folder), str(steps)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _through(name: str, folder: Path, steps: int) -> float:
    """Train to the end in a process of its own; return the seconds from its first line, at the first validation, to its last."""
    with _training(name, folder, steps) as process:
        assert process.stdout is not None
        process.stdout.readline()
        begun = time.perf_counter()
        process.stdout.readline()
        seconds = time.perf_counter() - begun
        process.wait()
    if process.returncode:
        raise RuntimeError(f"training on {name} ended with {process.returncode}")
    return seconds


def _killed(name: str, folder: Path, steps: int, after: float) -> bool:
    """Kill a training some seconds after its first validation; return whether it was still running."""
    with _training(name, folder, steps) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    return process.returncode == -signal.SIGKILL


def measure_plant(name: str, kills: int, steps: int, where: Path) -> dict[str, Any]:
    """Measure one plant: the largest difference over all kills, and the step from which each training went on.

    A kill that struck after the last update is drawn again; one before the first checkpoint (null) has its training begin anew.
    """
    rng, worst = np.random.default_rng(0), 0.0
    resumed: list[int | None] = []
    seconds = _through(name, where / "whole", steps)
    while len(resumed) < kills:
        folder = Path(tempfile.mkdtemp(dir=where))
        if not _killed(name, folder, steps, float(rng.uniform(0.0, seconds))):
            continue
        start = last(small(name), folder / "checkpoints")
        if start is not None and start.step >= steps:
            continue
        resumed.append(start.step if start else None)
        _through(name, folder, steps)
        worst = max(worst, difference(where / "whole", folder))
    return {"kills": kills, "largest_difference": worst, "resumed_at_steps": resumed, "steps": steps}


def measure(quick: bool, plants: tuple[str, ...]) -> dict[str, Any]:
    """Measure some plants; ``largest_difference`` is over all of them."""
    with tempfile.TemporaryDirectory() as where:
        found = {}
        for name in plants:
            folder = Path(where) / name
            folder.mkdir()
            found[name] = measure_plant(name, 1 if quick else KILLS, STEPS // 3 if quick else STEPS, folder)
    return {"largest_difference": max(each["largest_difference"] for each in found.values()), "plants": found}


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    report(measure(options.quick, options.plants or PLANTS), options)
