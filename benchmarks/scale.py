"""How much faster a benchmark is on two workers than on one: the whole command, each time with a new store.

``python -m benchmarks.scale --json --out benchmarks/results/scale.json``. The ways are taken in turn, so that what else the
machine does slows all of them; ``load`` says how much that was. On two cores that do nothing else ``cluster`` is 1.7 or more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.provenance import parser, report

PLANT, EPISODES = "exothermic_cstr", 800
WAYS = {"one": ("--workers", "1"), "processes": ("--workers", "2"), "cluster": ("--cluster", "local:2")}


def measure(episodes: int, rounds: int) -> dict[str, Any]:
    """Return the seconds of every way, how often each is faster than one worker, and whether all found the same numbers."""
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    results, loads = [], []
    for _ in range(rounds):
        for name, options in WAYS.items():
            begun = time.perf_counter()
            results.append(_benchmark(episodes, options))
            seconds[name].append(time.perf_counter() - begun)
            loads.append(os.getloadavg()[0])
    faster = {name: float(np.median(np.divide(seconds["one"], taken))) for name, taken in seconds.items() if name != "one"}
    return {"plant": PLANT, "episodes": episodes, "seconds": seconds, "times_faster": faster,
            "same": all(result == results[0] for result in results), "load": loads}  # fmt: skip


def _benchmark(episodes: int, options: tuple[str, ...]) -> Any:
    """Run the command, and return what it found of the controllers."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--store", str(Path(folder) / "runs.db"), "benchmark", PLANT, "--controllers", "pid,nmpc"]
        command = [sys.executable, "-m", "setpoint", *words, "--episodes", str(episodes), *options, "--json"]
        found = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(found.stdout)["plants"]


if __name__ == "__main__":
    own = parser(__doc__ or "")
    own.add_argument("--episodes", type=int, default=EPISODES, help="held-out episodes (800: minutes a core)")
    own.add_argument("--rounds", type=int, default=1, help="times that every way is taken")
    options = own.parse_args()
    report(measure(8 if options.quick else options.episodes, options.rounds), options)
