"""How fast a full run store answers: a thousand runs with fifty episodes each.

``python -m benchmarks.store --json --out benchmarks/results/store.json``; ``--store URL`` fills an empty PostgreSQL database
instead. The processor time of `setpoint runs` is told beside its seconds, which depend on what else the machine does.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from benchmarks.provenance import parser, report
from controller.baselines import Pid
from controller.benchmark import compare
from controller.historian import Historian
from controller.recording import episode_record
from controller.records import EpisodeRecord
from controller.schema import EPISODE
from controller.scores import kpis
from plant_models.catalogue import get

RUNS, EPISODES, METRICS = 1000, 50, 24
ROUNDS = 5
PLANT = "exothermic_cstr"


def measure(url: str, runs: int, episodes: int) -> dict[str, Any]:
    """Fill a store, and return the seconds that a user waits for it, each the median of some rounds."""
    with Historian(url) as historian:
        begun = time.perf_counter()
        last = _fill(historian, runs, episodes)
        filled = time.perf_counter() - begun
        numbers = [row.id for row in historian.episodes(last)]
        found = {
            "runs": runs,
            "episodes": runs * episodes,
            "fill_seconds": filled,
            "list_seconds": _median(historian.runs),
            "episodes_of_a_run_ms": 1e3 * _median(lambda: historian.episodes(last)),
            "episode_read_ms": 1e3 * _median(lambda: historian.read_episode(numbers[len(numbers) // 2])),
            "metrics_of_a_run_ms": 1e3 * _median(lambda: historian.metrics_after(last)),
        }
    command = [sys.executable, "-m", "setpoint", "--store", url, "runs"]
    before = _children()
    shell = _median(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    processor = (_children() - before) / ROUNDS
    return found | {"setpoint_runs_seconds": shell, "setpoint_runs_processor_seconds": processor, "load": os.getloadavg()[0]}


def _children() -> float:
    """Return the processor time that processes begun here took so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _fill(historian: Historian, runs: int, episodes: int) -> str:
    """Enter runs as a training enters them, and their episodes all alike; return the last run."""
    record = _episode()
    for seed in range(runs):
        config = {"total_steps": 800_000, "scenario": "tracking", "baseline": {"pid": -40.6}, "level": "setpoint"}
        run = historian.start("train", PLANT, "ppo", seed, config, {"setpoint": "0.1.0", "python": "3.11"})
        for step in range(METRICS):
            historian.metrics(run, step, {"score/ppo": -float(step), "score/best": -1.0, "train/kl": 0.01})
        number = historian.episode(run, record)
        _copies(historian, number, episodes - 1)
        historian.finish(run, "completed", {"score": -40.1, "pid": -40.6, "seconds": 12.0})
    return run


def _copies(historian: Historian, number: int, count: int) -> None:
    """Enter an episode many times more."""
    columns = [column for column in EPISODE.c if column.name != "id"]
    with historian.store.transaction() as connection:
        row = connection.execute(EPISODE.select().where(EPISODE.c.id == number)).one()._asdict()
        copy = {column.name: row[column.name] for column in columns}
        if count:
            connection.execute(insert(EPISODE), [copy] * count)


def _episode() -> EpisodeRecord:
    """Return a real episode: the PID layer on the stirred tank."""
    run = compare(get(PLANT), [Pid(get(PLANT))], 1).runs["pid"]
    figures = kpis(run)
    units = {name: kpi.unit for name, kpi in figures.items()}
    return episode_record(run, "pid", 0, 0, {name: float(kpi.values[0]) for name, kpi in figures.items()}, units)


def _median(call: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return float(np.median(seconds))


if __name__ == "__main__":
    own = parser(__doc__ or "")
    own.add_argument("--store", default="", help="URL of an empty database to fill; a file of its own by default")
    options = own.parse_args()
    sizes = (20, 5) if options.quick else (RUNS, EPISODES)
    with tempfile.TemporaryDirectory() as folder:
        report(measure(options.store or str(Path(folder) / "runs.db"), *sizes), options)
