"""How fast a benchmark is: the smallest useful one from the shell, and a thousand episodes of PID.

``python -m benchmarks.benchmark --json --out benchmarks/results/benchmark.json``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.provenance import arguments, report
from controller.campaign import Asked, planned
from controller.executor import Workers
from controller.findings import found
from controller.historian import Historian
from controller.source import Source
from controller.train import train
from plant_models.catalogue import get

PLANT = "exothermic_cstr"
STEPS, ROUNDS = 100_000, 3


def measure(quick: bool = False) -> dict[str, Any]:
    """Return the seconds that the two take."""
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy"
        train(get(PLANT), seed=0, steps=2000 if quick else STEPS).policy.save(policy)
        return {
            "smallest_seconds": min(_smallest(Path(folder), policy, 2 if quick else 50) for _ in range(ROUNDS)),
            "thousand_pid_seconds": min(_pid(Path(folder), 64 if quick else 1000, i) for i in range(ROUNDS)),
            "load": os.getloadavg()[0],
        }


def _smallest(folder: Path, policy: Path, episodes: int) -> float:
    """Return the seconds of a whole command in a new process, with a new store; kernels are compiled already."""
    words = ["--store", str(folder / "smallest.db"), "benchmark", PLANT, "--controllers", "pid,ppo", "--policy", str(policy)]
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "setpoint", *words, "--episodes", str(episodes)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _pid(folder: Path, episodes: int, number: int) -> float:
    asked = Asked((Source(PLANT),), ("pid",), (), ("none",), (), episodes, seed=0)
    with Historian(str(folder / f"thousand{number}.db")) as historian:
        begun = time.perf_counter()
        found(planned(asked, historian), historian.store, 0, workers=Workers(1))
        return time.perf_counter() - begun


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    report(measure(options.quick), options)
