"""Every plant's controllers on held-out episodes of its first scenario: floor, rule, PID, NMPC, and PPO by training seed."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cells import beside, fingerprint, kept, known, text
from benchmarks.curve import followed, median
from controller import comfort, foresight, liveliness, nmpc
from controller.benchmark import baselines
from controller.comfort import Point, Tried
from controller.ground import VALIDATION_EPISODES
from controller.interface import Reading
from controller.methods import PPO_METHOD, Method
from controller.policy import Policy
from controller.rollout import Run, rollout
from controller.score import Scale
from controller.scores import kpis
from controller.statistics import Interval
from controller.train import CHECKS, train
from plant_models.catalogue import get
from plant_models.core.duty import Batch
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive import decision, observer, prediction, shooting, slopes
from plant_models.env.scenario import Episodes, draw

SEEDS, MORE_SEEDS = 5, 10
FLAGSHIPS = ("exothermic_cstr", "van_de_vusse_cstr", "semibatch_polymerization", "heat_pump_house")
"""Plants trained with ten seeds."""
CHUNK, SLOWER = 2, 2.5
"""NMPC's episodes in one cell, and by what twice the horizon is slower; it is tried on the first cell where time allows."""
COMFORT = 1.05
"""Share of the baseline's discomfort up to which a lower cost counts as it is; beyond it PID at the same discomfort is asked."""
DECISIONS = 5000
"""Decisions timed for the percentiles of one policy."""
WORKERS = 2
SEARCH = (nmpc, foresight, liveliness, observer, slopes, decision, prediction, shooting)
"""What a piece of NMPC depends on."""


@dataclass(frozen=True)
class Sizes:
    """How much is done: training seeds (of other plants, of flagships), judged episodes, share of each plant's training steps.

    ``budget`` are the seconds of NMPC on one plant after which no further episodes are begun.
    """

    seeds: int = SEEDS
    more: int = MORE_SEEDS
    episodes: int = 100
    share: float = 1.0
    budget: float = 1800.0

    def of(self, name: str) -> int:
        """Return the training seeds of a plant."""
        return self.more if name in FLAGSHIPS else self.seeds


def measure(names: Sequence[str], sizes: Sizes) -> dict[str, Any]:
    """Return the table of each plant; what earlier runs have kept is not computed again."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        begun = {name: _begun(pool, name, sizes) for name in names}
        return {name: _table(name, [cell.result() for cell in cells]) for name, cells in begun.items()}


def _begun(pool: ProcessPoolExecutor, name: str, sizes: Sizes) -> list[Future[Any]]:
    references = [pool.submit(cell, name, sizes) for cell in (_baselines, _nmpc, _shifted)]
    return references + [pool.submit(trained, name, seed, sizes) for seed in range(sizes.of(name))]


def judging(plant: Plant, count: int) -> Episodes:
    """Return the held-out episodes that everything is judged on."""
    return draw(plant, plant.scenario(), 0, count, "judging")


def _baselines(name: str, sizes: Sizes) -> dict[str, Any]:
    """Return the floor, what stands between, and the PID layer, in that order."""
    plant = get(name)
    judged = judging(plant, sizes.episodes)
    depends = fingerprint(judged) + repr(plant.duty)
    return kept(f"{name}-baselines", depends, lambda: {c.name: _outcome(rollout(c, judged)) for c in baselines(plant)})


def _shifted(name: str, sizes: Sizes) -> dict[str, Any]:
    """Return what the PID layer of a building brings with its setpoints held a little off; nothing for another plant."""
    plant = get(name)
    if plant.building is None:
        return {}
    judged = judging(plant, sizes.episodes)
    depends = fingerprint(judged) + repr(plant.duty) + text(comfort)
    return kept(f"{name}-shifted", depends, lambda: _plain(comfort.tried(judged)))


def _plain(tried: Tried) -> dict[str, Any]:
    points = [[point.cost.tolist(), point.discomfort.tolist()] for point in tried.points]
    return {"points": points, "price": tried.price}


def _nmpc(name: str, sizes: Sizes) -> dict[str, Any]:
    """Return NMPC on the episodes that are known, and on as many more as its time allows; nothing where there are none."""
    plant = get(name)
    judged = judging(plant, sizes.episodes)
    modules = text(*SEARCH) + searched_by(plant)
    parts: list[dict[str, Any]] = []
    for first in range(0, sizes.episodes, CHUNK):
        some = judged[slice(first, first + CHUNK)]
        cell = f"{name}-nmpc-{first}", fingerprint(some) + modules
        affordable = sum(part["seconds"] for part in parts) < sizes.budget
        found = kept(*cell, partial(_searched, some)) if affordable else known(*cell)
        if found is None:
            break
        parts.append(found)
    if not parts:
        return {}
    affordable = SLOWER * parts[0]["seconds"] < sizes.budget
    return _doubled(name, judged[slice(CHUNK)], modules, affordable) | {
        "cost": [cost for part in parts for cost in part["cost"]],
        "kpis": {key: [v for part in parts for v in part["kpis"][key]] for key in parts[0]["kpis"]},
        "failures": sum(part["failures"] for part in parts),
        "solves": {key: sum(part["solves"][key] for part in parts) for key in parts[0]["solves"]},
        "decision_us": {key: max(part["decision_us"][key] for part in parts) for key in ("p50", "p99")},
    }  # fmt: skip


def searched_by(plant: Plant) -> str:
    """Return what NMPC's search depends on beside its modules and the plant's closed loop."""
    return repr((plant.learning.horizon, plant.scale, plant.worst))


def _doubled(name: str, some: Episodes, modules: str, affordable: bool) -> dict[str, Any]:
    """Return NMPC with twice the horizon, where it is known or affordable; a batch is seen to its end in any case."""
    if isinstance(some.plant.duty, Batch):
        return {}
    cell = f"{name}-nmpc-doubled", fingerprint(some) + modules
    found = kept(*cell, partial(_searched, some, 2 * nmpc.decisions(some))) if affordable else known(*cell)
    return {} if found is None else {"doubled": found["cost"]}


def _searched(episodes: Episodes, horizon: int | None = None) -> dict[str, Any]:
    controller, begun = nmpc.Nmpc(episodes.plant, horizon=horizon), time.perf_counter()
    found = _outcome(rollout(controller, episodes))
    took = 1e6 * np.array([solve.seconds for solve in controller.solves])
    counts = {key: value for key, value in controller.account().items() if not key.startswith("seconds")}
    return found | {"seconds": time.perf_counter() - begun, "solves": counts, "decision_us": _percentiles(took)}


def _outcome(run: Run) -> dict[str, Any]:
    figures = {key: kpi.values.tolist() for key, kpi in kpis(run).items()}
    return {"cost": run.total.tolist(), "kpis": figures, "failures": int((run.tripped | run.failed).sum())}


def trained(name: str, seed: int, sizes: Sizes) -> dict[str, Any]:
    """Return what PPO of one training seed costs in the held-out episodes, and how its training went."""
    plant, judged = get(name), judging(get(name), sizes.episodes)
    cell = _training(plant, seed, sizes)
    return kept(*cell, lambda: _learned(plant, seed, _steps(plant, sizes), judged, beside(*cell)))


def policy(name: str, seed: int, sizes: Sizes) -> Path | None:
    """Return the folder of the policy that a training seed brought, None where it was not trained yet."""
    cell = _training(get(name), seed, sizes)
    return beside(*cell) if known(*cell) is not None and beside(*cell).is_dir() else None


def _training(plant: Plant, seed: int, sizes: Sizes) -> tuple[str, str]:
    """Return the name of a training's cell, and what it depends on."""
    judged, learning = judging(plant, sizes.episodes), draw(plant, plant.scenario(), seed, 2, "training")
    asked = repr((plant.learning, plant.scale, plant.worst, _steps(plant, sizes)))
    return f"{plant.name}-ppo-{seed}", fingerprint(judged) + fingerprint(learning) + asked + learner_fingerprint()


def _steps(plant: Plant, sizes: Sizes) -> int:
    return int(sizes.share * plant.learning.steps)


@cache
def learner_fingerprint(method: Method = PPO_METHOD) -> str:
    """Return what identifies the learner: the bits of the policies that a short training brings."""
    trained = train(get(FLAGSHIPS[0]), seed=0, steps=20_000, method=method)
    digest = hashlib.sha256(repr((CHECKS, VALIDATION_EPISODES)).encode())
    for weight, bias in (*trained.policy.layers, *trained.last.layers):
        digest.update(weight.tobytes() + bias.tobytes())
    return digest.hexdigest()


def _learned(plant: Plant, seed: int, steps: int, judged: Episodes, folder: Path) -> dict[str, Any]:
    curve = followed(plant, seed, steps)
    trained = curve.trained
    trained.policy.save(folder)
    return _outcome(rollout(trained.policy, judged)) | {
        "steps": trained.steps, "seconds": trained.seconds, "seconds_to_beat_pid": curve.lead,
        "curve": [[point.step, point.score] for point in curve.points], "baseline": trained.baseline,
        "decision_us": _percentiles(decisions(trained.policy, judged)),
    }  # fmt: skip


def decisions(policy: Policy, episodes: Episodes) -> Array:
    """Return the time of each decision for one plant in microseconds, the garbage collector at rest."""
    entries = policy.layers[0][0].shape[1]
    readings = [Reading(each[None]) for each in np.random.default_rng(0).uniform(-1.0, 1.0, (100, entries)).astype(np.float32)]
    took = np.empty(DECISIONS)
    gc.disable()
    try:
        for i in range(DECISIONS):
            begun = time.perf_counter_ns()
            policy.act(readings[i % len(readings)])
            took[i] = 1e-3 * (time.perf_counter_ns() - begun)
    finally:
        gc.enable()
    return took


def _percentiles(took: Array) -> dict[str, float]:
    p50, p99 = np.percentile(took, [50.0, 99.0])
    return {"p50": float(p50), "p99": float(p99)}


def _table(name: str, cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one plant's row: every controller on the scale from PID to NMPC, and what training took."""
    plant, (below, searched, shifted, *learned) = get(name), cells
    floor, pid = next(iter(below)), next(reversed(below))
    scale = Scale(*(np.array(each) for each in (below[floor]["cost"], below[pid]["cost"], searched.get("cost", []))))
    costs = np.array([each["cost"] for each in learned])
    together = {
        "kpis": {key: np.mean([each["kpis"][key] for each in learned], axis=0) for key in learned[0]["kpis"]},
        "failures": sum(each["failures"] for each in learned),
        "decision_us": {key: float(np.median([each["decision_us"][key] for each in learned])) for key in ("p50", "p99")},
    }
    rows = {
        key: _row(plant, scale, np.array([each["cost"]]), each)
        for key, each in (below | ({"nmpc": searched} if searched else {})).items()
    }
    if "doubled" in searched:
        rows["nmpc"]["doubled_horizon"] = float(np.mean(searched["doubled"]) / np.mean(searched["cost"][:CHUNK]) - 1.0)
    leads, each_score = [each["seconds_to_beat_pid"] for each in learned], scale.scores(costs).tolist() if searched else None
    beside = {"comfort": _comfort(shifted, costs.mean(axis=0), together["kpis"]["tdis"])} if shifted else {}
    return {
        "duty": plant.duty.kind, "scenario": plant.scenario().name, "unit": plant.worth, "floor": floor,
        "episodes": {"all": len(scale.pid), "nmpc": len(scale.nmpc)}, "gap": None if scale.undecided else scale.gap,
        "pid_over_floor": _share(scale, -scale.against_pid(scale.floor[None]).mean, scale.against_pid(scale.floor[None])),
        "controllers": rows | {"ppo": _row(plant, scale, costs, together) | {"each": each_score}},
        "train": {"seconds_to_beat_pid": median(leads), "steps": learned[0]["steps"], "seeds": len(learned),
                  "seconds": float(np.median([each["seconds"] for each in learned]))},
    } | beside  # fmt: skip


def _comfort(shifted: dict[str, Any], cost: Array, discomfort: Array) -> dict[str, Any]:
    """Return the discomfort of PID at its best schedule and of PPO in K h/zone, and whether a lower cost of PPO counts.

    ``front`` are PID's discomforts and costs, ``saved`` what PPO costs less than PID on it at PPO's own discomfort.
    """
    tried = Tried(tuple(Point(np.array(c), np.array(d)) for c, d in shifted["points"]), shifted["price"])
    baseline, reached = float(tried.points[0].discomfort.mean()), float(discomfort.mean())
    saved = comfort.saved(tried.points, tried.point(cost, discomfort))
    return {
        "pid": baseline, "ppo": reached, "counts": reached <= COMFORT * baseline or saved.low > 0.0, "price": tried.price,
        "front": [[float(point.discomfort.mean()), float(point.cost.mean())] for point in comfort.front(tried.points)],
        "saved": saved.as_json(),
    }  # fmt: skip


def _share(scale: Scale, mean: float, interval: Interval) -> dict[str, float]:
    """Return what PID gains over its floor, in the unit of the cost."""
    return {"mean": scale.unit * mean, "low": -abs(scale.unit) * interval.high, "high": -abs(scale.unit) * interval.low}


def _row(plant: Plant, scale: Scale, costs: Array, each: dict[str, Any]) -> dict[str, Any]:
    score = scale.score(costs)
    return {
        "score": None if score is None else {"iqm": score.mean, "low": score.low, "high": score.high},
        "against_pid": scale.against_pid(costs).as_json(),
        "return_median": float(np.median(-costs.mean(axis=1) / plant.scale)), "cost_mean": float(costs.mean()),
        "kpis": {key: float(np.mean(values)) for key, values in each["kpis"].items()},
        "decision_us": each.get("decision_us"), "failures": each["failures"],
    } | ({"solves": each["solves"]} if "solves" in each else {})  # fmt: skip
