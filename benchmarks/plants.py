"""Every plant's controllers on held-out episodes of its first scenario: floor, rule, PID, NMPC, and PPO by training seed."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks.cells import beside, fingerprint, kept, known, text
from benchmarks.curve import followed, median
from controller import cloning, comfort, demonstrations, foresight, liveliness, nmpc
from controller.benchmark import baselines
from controller.comfort import Point, Tried
from controller.ground import VALIDATION_EPISODES
from controller.interface import Reading
from controller.methods import PPO_METHOD, Method
from controller.policy import Policy, load
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
DECISIONS, ROUNDS = 5000, 5
"""Decisions timed for the percentiles of one policy, and rounds of them: the median round counts, others share the machine."""
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


def measure(names: Sequence[str], sizes: Sizes, earlier: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """Return the table of each plant; what earlier runs have kept is not computed again.

    Of plants in ``earlier`` PPO's rows are taken from there, where the plant is the same and no score is asked of them.
    """
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        begun = {name: [pool.submit(cell, name, sizes) for cell in (_baselines, _nmpc, _shifted)] for name in names}
        tables = {name: _begun(pool, name, sizes, cells, earlier.get(name)) for name, cells in begun.items()}
        return {name: table() for name, table in tables.items()}


def _begun(
    pool: ProcessPoolExecutor, name: str, sizes: Sizes, cells: list[Future[Any]], earlier: Mapping[str, Any] | None
) -> Callable[[], dict[str, Any]]:
    """Have a plant's policies trained, where the earlier table does not serve; return what gives its table."""
    beside = Beside(get(name), *(cell.result() for cell in cells))
    if earlier and beside.serves(earlier):
        return partial(beside.with_earlier, earlier)
    pool.submit(_demonstrated, name).result()
    trainings = [pool.submit(trained, name, seed, sizes) for seed in range(sizes.of(name))]
    return lambda: beside.with_trained([training.result() | _timed(name, seed, sizes) for seed, training in enumerate(trainings)])


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
        "decision_us": {key: float(np.median([part["decision_us"][key] for part in parts])) for key in ("p50", "p99")},
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


def _demonstrated(name: str) -> None:
    """Have NMPC demonstrate once what all training seeds of a plant learn from, where they do."""
    method = PPO_METHOD.of(get(name).learning)
    if method.clone == "nmpc":
        demonstrations.demonstrations(get(name), method.level)


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
    asked += text(cloning, demonstrations, *SEARCH) if PPO_METHOD.of(plant.learning).cloned else ""
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
    }  # fmt: skip


def _timed(name: str, seed: int, sizes: Sizes) -> dict[str, Any]:
    """Return the percentiles of a kept policy's decisions, timed when nothing learns any more."""
    folder = policy(name, seed, sizes)
    assert folder is not None
    rounds = [_percentiles(decisions(load(folder, get(name)))) for _ in range(ROUNDS)]
    return {"decision_us": {key: float(np.median([each[key] for each in rounds])) for key in ("p50", "p99")}}


def decisions(policy: Policy) -> Array:
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


@dataclass(frozen=True)
class Beside:
    """What a plant's policies are judged beside: floor, rule and PID, NMPC, and PID with its setpoints held a little off."""

    plant: Plant
    below: dict[str, Any]
    searched: dict[str, Any]
    shifted: dict[str, Any]

    @property
    def floor(self) -> str:
        """The floor's name."""
        return next(iter(self.below))

    @property
    def pid(self) -> str:
        """The name of the PID layer under the plant's hierarchy."""
        return next(reversed(self.below))

    @property
    def scale(self) -> Scale:
        """From the PID layer to NMPC."""
        costs = self.below[self.floor]["cost"], self.below[self.pid]["cost"], self.searched.get("cost", [])
        return Scale(*(np.array(each) for each in costs))

    def serves(self, earlier: Mapping[str, Any]) -> bool:
        """Return whether an earlier table of this plant says of PPO what it would say now: same episodes, same PID, no score."""
        before, now = earlier["controllers"].get(self.pid, {}).get("cost_mean", np.nan), np.mean(self.below[self.pid]["cost"])
        return not self.scale.gap and bool(np.isclose(before, now, rtol=1e-9, atol=0.0))

    def with_earlier(self, earlier: Mapping[str, Any]) -> dict[str, Any]:
        """Return the plant's table with an earlier one's PPO; ``policies_of`` and ``policies_on`` tell what trained it."""
        ppo = earlier["controllers"]["ppo"] | {"score": None, "each": None}
        comfort = {"comfort": earlier["comfort"]} if "comfort" in earlier else {}
        return self._table(ppo, earlier["train"]) | comfort | {key: earlier[key] for key in ("policies_of", "policies_on")}

    def with_trained(self, learned: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the plant's table with PPO's policies, one a training seed."""
        costs = np.array([each["cost"] for each in learned])
        together = {
            "kpis": {key: np.mean([each["kpis"][key] for each in learned], axis=0) for key in learned[0]["kpis"]},
            "failures": sum(each["failures"] for each in learned),
            "decision_us": {key: float(np.median([each["decision_us"][key] for each in learned])) for key in ("p50", "p99")},
        }
        ppo = _row(self.plant, self.scale, costs, together)
        ppo["each"] = self.scale.scores(costs).tolist() if self.searched else None
        leads = [each["seconds_to_beat_pid"] for each in learned]
        train = {"seconds_to_beat_pid": median(leads), "steps": learned[0]["steps"], "seeds": len(learned),
                 "seconds": float(np.median([each["seconds"] for each in learned]))}  # fmt: skip
        comfort = {"comfort": _comfort(self.shifted, costs.mean(axis=0), together["kpis"]["tdis"])} if self.shifted else {}
        return self._table(ppo, train) | comfort

    def _run(self, name: str) -> tuple[Array, dict[str, Any]]:
        return np.array([self.below[name]["cost"]]), self.below[name]

    def _table(self, ppo: dict[str, Any], train: dict[str, Any]) -> dict[str, Any]:
        plant, scale = self.plant, self.scale
        rows = {name: _row(plant, scale, *self._run(name)) for name in self.below}
        if self.searched:
            rows["nmpc"] = _row(plant, scale, np.array([self.searched["cost"]]), self.searched)
        if "doubled" in self.searched:
            doubled = float(np.mean(self.searched["doubled"]) / np.mean(self.searched["cost"][:CHUNK]) - 1.0)
            rows["nmpc"]["doubled_horizon"] = doubled
        return {
            "duty": plant.duty.kind, "scenario": plant.scenario().name, "unit": plant.worth, "floor": self.floor,
            "episodes": {"all": len(scale.pid), "nmpc": len(scale.nmpc)}, "gap": None if scale.undecided else scale.gap,
            "pid_over_floor": _share(scale, -scale.against_pid(scale.floor[None]).mean, scale.against_pid(scale.floor[None])),
            "controllers": rows | {"ppo": ppo}, "train": train,
        }  # fmt: skip


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
