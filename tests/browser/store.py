"""A store as a few weeks of work leave it: finished, failed, stopped and running runs on two plants."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.historian import Historian
from controller.records import EpisodeRecord, Signal

TOTAL = 300_000
VERSIONS = {"setpoint": "0.1.0", "python": "3.11"}
REACTOR_RESULT = {
    "constant": {"cost": 3.1, "hard-limit violations": 0.0},
    "pid": {"cost": 2.12, "hard-limit violations": 0.0},
    "ppo": {"cost": 1.74, "hard-limit violations": 0.0},
    "paired_difference": {"mean": 0.38, "low": 0.31, "high": 0.45},
    "units": {"cost": "1", "hard-limit violations": "episodes"},
    "episodes": 50,
}
HOUSE_RESULT = {
    "rule": {"cost": 72.7, "discomfort": 14.1},
    "pid": {"cost": 64.8, "discomfort": 7.3},
    "ppo": {"cost": 55.2, "discomfort": 7.0},
    "paired_difference": {"mean": 9.6, "low": 7.1, "high": 12.2},
    "units": {"cost": "EUR", "discomfort": "K h"},
    "episodes": 50,
}
_REACTOR = (
    Signal("c_A", "mol/L", "pv", "AIC-101", "concentration of A"),
    Signal("c_A", "mol/L", "target", "AIC-101", "concentration target", of="c_A"),
    Signal("T", "K", "pv", "TIC-101", "reactor temperature"),
    Signal("T", "K", "sp", "TIC-101", "setpoint", of="T"),
    Signal("T_max", "K", "limit_high", "", "hard limit", of="T"),
    Signal("T_c", "K", "op", "TIC-101", "jacket temperature"),
    Signal("TIC-101", "K", "offset", "TIC-101", "offset on the setpoint"),
    Signal("T_f", "K", "disturbance", "TI-102", "feed temperature"),
    Signal("c_f", "mol/L", "disturbance", "", "feed concentration of A"),
)
_HOUSE = (
    Signal("T_zone", "degC", "pv", "TIC-201", "zone temperature"),
    Signal("T_zone", "degC", "sp", "TIC-201", "setpoint", of="T_zone"),
    Signal("T_zone", "degC", "baseline_sp", "TIC-201", "schedule", of="T_zone"),
    Signal("T_low", "degC", "limit_low", "", "lower comfort limit", of="T_zone"),
    Signal("T_high", "degC", "limit_high", "", "upper comfort limit", of="T_zone"),
    Signal("m", "1", "op", "TIC-201", "compressor speed"),
    Signal("T_out", "degC", "disturbance", "", "outdoor temperature"),
    Signal("I_sol", "W/m2", "disturbance", "", "irradiance"),
    Signal("price", "EUR/kWh", "disturbance", "", "electricity price"),
)


def reactor_episode(controller: str, seed: int, samples: int = 601) -> EpisodeRecord:
    """Concentration targets in steps; PPO settles faster than PID."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 30.0, samples)
    target = np.repeat(rng.uniform(0.85, 0.92, 5), -(-samples // 5))[:samples]
    lag = 0.5 if controller == "ppo" else 1.1
    c = _followed(target, lag / (t[1] - t[0])) + 2e-4 * rng.standard_normal(samples)
    T = 324.5 - 140.0 * (c - 0.877) + 0.05 * rng.standard_normal(samples)
    sp = 324.5 - 140.0 * (target - 0.877)
    T_c = 300.0 - 220.0 * (target - c) - 40.0 * (target - 0.877)
    T_f = 350.0 + 2.0 * np.sin(0.4 * t + seed)
    offset = np.clip(40.0 * (target - c), -4, 4) if controller == "ppo" else np.zeros(samples)
    values = np.vstack([c, target, T, sp + offset, np.full(samples, 333.0), T_c, offset, T_f, 1 + 0.004 * np.sin(0.2 * t)])
    iae = float(np.abs(c - target).mean() * 30.0)
    kpis = {
        "return": -40 * iae,
        "IAE": iae,
        "overshoot": 3.0 * lag,
        "settling": 2.2 * lag,
        "T_c travel": 40.0 / lag,
        "hard-limit violations": 0.0,
    }
    units = {"IAE": "mol min/L", "overshoot": "%", "settling": "min", "T_c travel": "K"}
    return EpisodeRecord("exothermic_cstr", controller, "tracking", seed, kpis, "completed", t, "min", _REACTOR, values, units)


def house_episode(controller: str, seed: int, samples: int = 2017) -> EpisodeRecord:
    """A winter week: PPO preheats before the dear hours."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 7 * 24.0, samples)
    hour = t % 24
    occupied = (hour > 6) & (hour < 22)
    schedule = np.where(occupied, 21.0, 18.0)
    lead = 2.0 if controller == "ppo" else 0.0
    sp = np.where(((hour + lead) > 6) & (hour < 22), 21.0, 18.0)
    zone = _followed(sp, 2.5 / (t[1] - t[0])) + 0.05 * rng.standard_normal(samples)
    out = 2 + 4 * np.sin((hour - 9) / 24 * 2 * np.pi) + np.cumsum(0.05 * rng.standard_normal(samples))
    sun = np.clip(350 * np.sin((hour - 8) / 9 * np.pi), 0, None) * ((hour > 8) & (hour < 17))
    price = 0.22 + 0.12 * ((hour > 17) & (hour < 21))
    speed = np.clip(0.35 + 0.4 * (sp - zone) - 0.01 * out, 0, 1)
    values = np.vstack([zone, sp, schedule, np.where(occupied, 20.0, 16.0), np.full(samples, 24.0), speed, out, sun, price])
    money = 47.0 if controller == "ppo" else 58.0
    kpis = {"return": -money - seed % 5, "money": money + seed % 5, "energy": 3.9 * money, "discomfort": 4.0 + seed % 3}
    units = {"money": "EUR", "energy": "kWh", "discomfort": "K h"}
    return EpisodeRecord("heat_pump_house", controller, "winter", seed, kpis, "completed", t, "h", _HOUSE, values, units)


def _followed(target: NDArray[np.float64], lag: float) -> NDArray[np.float64]:
    value, out = target[0], np.empty_like(target)
    for k, wanted in enumerate(target):
        value += (wanted - value) / max(lag, 1.0)
        out[k] = value
    return out


def metrics(step: int, rng: np.random.Generator) -> dict[str, float]:
    """What training logs at a step."""
    progress = step / TOTAL
    best = -2.6 + 0.9 * (1 - np.exp(-5 * progress))
    return {
        "score/ppo": best + 0.03 * rng.standard_normal(),
        "score/best": best,
        "train/kl": 0.012 + 0.003 * rng.standard_normal(),
        "train/clip_fraction": 0.11 + 0.02 * rng.standard_normal(),
        "train/entropy": 1.4 - 1.1 * progress,
        "train/explained_variance": 0.93 * (1 - np.exp(-9 * progress)),
        "train/value_loss": 0.4 * np.exp(-4 * progress) + 0.05,
        "train/steps_per_s": 48_000 + 900 * rng.standard_normal(),
        "train/hard_violations": float(rng.poisson(6 * (1 - progress) ** 3)),
    }


def training_config(plant: str) -> dict[str, Any]:
    """The configuration of a training run."""
    baseline = {"pid": -2.1, "constant": -2.55}
    return {
        "algorithm": "ppo",
        "plant": plant,
        "total_steps": TOTAL,
        "baseline": baseline,
        "ppo": {"gamma": 0.9, "net": [32, 32]},
    }


def training(store: Historian, plant: str, seed: int, upto: float = 1.0, status: str = "completed") -> str:
    """A training run, as far as ``upto`` of its steps."""
    rng = np.random.default_rng(seed)
    run = store.start("train", plant, "ppo", seed, training_config(plant), VERSIONS)
    for step in np.linspace(4096, TOTAL * upto, int(70 * upto) + 2).astype(int):
        store.metrics(run, int(step), metrics(int(step), rng))
    if status == "completed":
        store.finish(run, "completed", {"policy": "policies/" + run})
    if status == "failed":
        store.finish(run, "failed", {"error": "IntegrationError: T left its valid range [250, 650] K at t = 3.4 min"})
    return run


def benchmark(store: Historian, plant: str, episodes: int, result: Mapping[str, object]) -> str:
    """A benchmark of PPO against PID on the same scenarios and seeds."""
    make = reactor_episode if plant == "exothermic_cstr" else house_episode
    with store.run("benchmark", plant, "ppo", 0, {"scenarios": episodes}, VERSIONS) as run:
        for seed in range(episodes):
            for controller in ("pid", "ppo"):
                store.episode(run, make(controller, seed))
        store.finish(run, "completed", result)
    return run


def fill(path: Path) -> dict[str, str]:
    """Write everything; returns the ids of the runs that tests open."""
    with Historian(str(path)) as store:
        ids = {
            "failed": training(store, "exothermic_cstr", 1, 0.3, "failed"),
            "stopped": training(store, "exothermic_cstr", 2, 0.5, "abandoned"),
            "trained": training(store, "exothermic_cstr", 0),
            "house": benchmark(store, "heat_pump_house", 5, HOUSE_RESULT),
            "reactor": benchmark(store, "exothermic_cstr", 6, REACTOR_RESULT),
            "running": training(store, "heat_pump_house", 3, 0.4, "running"),
        }
    _age(path, ids["stopped"])
    return ids


def _age(path: Path, run: str) -> None:
    """Make a run look abandoned a day ago."""
    raw = sqlite3.connect(path)
    raw.execute("UPDATE run SET started = ?, heartbeat = ? WHERE id = ?", (time.time() - 90_000, time.time() - 86_400, run))
    raw.commit()
    raw.close()
