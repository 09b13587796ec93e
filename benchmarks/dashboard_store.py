"""A run store as a year of work leaves it: a thousand runs and fifty thousand episodes, one of them very long."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from controller import events, tags
from controller.historian import Historian
from controller.records import EpisodeRecord, Signal, pack
from controller.schema import EPISODE, METRIC, RUN

RUNS, EPISODES = 1000, 50_000
SEEDS = 5  # trainings of one configuration
TRAININGS = 800
EVALUATIONS = 60
LONG = 100_000  # samples of the longest episode
PLANTS = ("exothermic_cstr", "heat_pump_house", "quadruple_tank", "drum_boiler", "chiller_plant")
SIGNALS = (
    Signal("c_A", "mol/L", "pv", "AIC-101", "concentration of A"),
    Signal("c_A", "mol/L", "target", "AIC-101", "concentration target", of="c_A"),
    Signal("T", "K", "pv", "TIC-101", "reactor temperature"),
    Signal("T", "K", "sp", "TIC-101", "setpoint", of="T"),
    Signal("T_max", "K", "limit_high", "", "hard limit", of="T"),
    Signal("T_c", "K", "op", "TIC-101", "jacket temperature"),
    Signal("T_f", "K", "disturbance", "TI-102", "feed temperature"),
)
UNITS = {"IAE": "mol min/L", "overshoot": "%", "settling": "min", "hard-limit violations": "episodes", "T_c travel": "K"}


def fill(path: Path) -> dict[str, Any]:
    """Write the store; returns the ids of what a benchmark opens: a run, ten runs of one scenario, the long episode."""
    rng = np.random.default_rng(0)
    started = time.time() - 300 * 86_400
    with Historian(str(path)) as historian:
        rows = [_run(k, started + 25_000.0 * k, rng) for k in range(RUNS)]
        with historian.store.transaction() as connection:
            connection.execute(insert(RUN), rows)
            for row in rows:
                if row["kind"] == "train":
                    connection.execute(insert(METRIC), list(_metrics(row, rng)))
            for place, row in enumerate(rows):
                connection.execute(insert(EPISODE), list(_episodes(row, place, rng)))
        for row in rows[:: RUNS // 50]:
            tags.add(historian.store, row["id"], "paper" if row["seed"] % 2 else "review")
        for k in range(20):
            run = rows[-1 - k]
            journal = events.Event(run["finished"], "TIC-101", "hard limit", 1, "unacknowledged", "T above 333 K", run["id"])
            events.enter(historian.store, journal)
        benchmark = [row["id"] for row in rows if row["kind"] == "benchmark" and row["plant"] == PLANTS[0]]
        long = historian.episode(benchmark[-1], _record("ppo", 9999, LONG))
    return {"train": rows[0]["id"], "ten": benchmark[-10:], "long_run": benchmark[-1], "long": long}


def _run(k: int, start: float, rng: np.random.Generator) -> dict[str, Any]:
    """One row of the table of runs; the first are trainings in groups of seeds, the last benchmarks."""
    train = k < TRAININGS
    plant = PLANTS[(k // SEEDS) % len(PLANTS)] if train else PLANTS[k % len(PLANTS)]
    best = float(-2.1 + 0.3 * rng.standard_normal())
    config = {"plant": plant, "total_steps": 300_000, "ppo": {"gamma": 0.9, "learning_rate": 1e-4 * (1 + k // SEEDS % 40)}}
    row: dict[str, Any] = {
        "id": f"{plant.replace('_', '-')}-ppo-{k:06x}", "kind": "train" if train else "benchmark", "plant": plant,
        "controller": "ppo", "seed": k % SEEDS, "status": "failed" if k % 37 == 5 else "completed", "config": config,
        "result": {} if train else _result(rng), "versions": {"setpoint": "0.1.0"}, "started": start,
        "finished": start + 900.0 + k, "heartbeat": start + 900.0 + k, "pid": 1, "host": "benchmark",
        "step": 300_000 if train else 0, "score": best - 0.05 if train else None, "best": best if train else None,
    }  # fmt: skip
    return row


def _result(rng: np.random.Generator) -> dict[str, Any]:
    table = {name: {"cost": 1.6 + 0.2 * k, "hard-limit violations": 0.0} for k, name in enumerate(("nmpc", "ppo", "pid"))}
    gain = 0.2 + 0.1 * float(rng.standard_normal())
    difference = {"ppo": {"mean": gain, "low": gain - 0.1, "high": gain + 0.1}}
    return {"controllers": table, "against_pid": difference, "units": {"cost": "1"}, "episodes": 50}


def _metrics(row: dict[str, Any], rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    keys = ("score/ppo", "score/best", "train/kl", "train/clip_fraction", "train/entropy", "train/explained_variance",
            "train/value_loss", "train/steps_per_s", "train/hard_violations")  # fmt: skip
    for step, values in enumerate(rng.standard_normal((EVALUATIONS, len(keys)))):
        for key, value in zip(keys, values, strict=True):
            yield {"run": row["id"], "step": 5000 * (step + 1), "key": key, "value": float(value)}


def _episodes(row: dict[str, Any], place: int, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """A training's few episodes, or a benchmark's many; together ``EPISODES`` less the long one."""
    trained = 20
    count = trained if row["kind"] == "train" else (EPISODES - trained * TRAININGS) // (RUNS - TRAININGS)
    if place == RUNS - 1:
        count -= 1
    names = ("ppo",) if row["kind"] == "train" else ("pid", "ppo")
    for k in range(count):
        record = _record(names[k % len(names)], k // len(names), 120)
        kpis = {name: float(abs(1 + 0.2 * rng.standard_normal())) for name in UNITS}
        yield {"run": row["id"], "plant": row["plant"], "controller": record.controller, "scenario": record.scenario,
               "seed": record.seed, "outcome": "completed", "kpis": kpis, "kpi_units": UNITS, "time_unit": "min",
               "signals": [vars(signal) for signal in SIGNALS], "samples": 120, "block": pack(record)}  # fmt: skip


def _record(controller: str, seed: int, samples: int) -> EpisodeRecord:
    """An episode that looks like one: steps of a target, a lag, noise."""
    rng = np.random.default_rng([seed, controller == "ppo"])
    t = np.linspace(0.0, 0.25 * samples, samples)
    target = np.repeat(rng.uniform(0.85, 0.92, 6), -(-samples // 6))[:samples]
    c = target + 0.02 * np.exp(-((np.arange(samples) % (-(-samples // 6))) / 8.0)) + 2e-4 * rng.standard_normal(samples)
    temperature = 324.5 - 140.0 * (c - 0.877) + 0.05 * rng.standard_normal(samples)
    setpoint = 324.5 - 140.0 * (target - 0.877)
    feed = 350.0 + 2.0 * np.sin(0.4 * t + seed)
    values = np.vstack([c, target, temperature, setpoint, np.full(samples, 333.0), 300.0 - 220.0 * (target - c), feed])
    return EpisodeRecord("exothermic_cstr", controller, "tracking", seed, {"IAE": 0.1}, "completed", t, "min", SIGNALS, values,
                         {"IAE": "mol min/L"})  # fmt: skip


if __name__ == "__main__":
    print(fill(Path(sys.argv[1])))
