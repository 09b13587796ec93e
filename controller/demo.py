"""The whole way once: train PPO on each plant, then compare it with the tuned PID and what stands below, on held-out episodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from controller.baselines import Pid
from controller.benchmark import Comparison, baselines, compare, record, versions
from controller.ground import ground, score
from controller.historian import Historian
from controller.methods import PPO_METHOD, Method
from controller.store import runs_folder
from controller.train import Progress, Trained, train
from controller.yardstick import Yardstick
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.env.mixture import label, mixture

PLANTS = ("exothermic_cstr", "heat_pump_house")


def demo(
    historian: Historian, report: Callable[[str, Progress], None] = lambda plant, progress: None,
    names: Sequence[str] = PLANTS, episodes: int = 50, seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Return ``{"plants": {name: {"pid": ..., "ppo": ..., "paired_difference": ..., ...}}}``."""
    return {"plants": {name: _one(get(name), historian, report, episodes, seed) for name in names}}


def _one(plant: Plant, historian: Historian, report: Callable[[str, Progress], None], episodes: int, seed: int) -> dict[str, Any]:
    learned, trained = recorded_training(plant, historian, seed, None, lambda progress: report(plant.name, progress))
    trained.save(runs_folder() / learned / "policy")
    with historian.run("demo", plant.name, "ppo", seed, {"episodes": episodes}, versions()) as run:
        comparison = compare(plant, [*baselines(plant), trained.policy], episodes, seed)
        record(comparison, historian, run)
        result = _result(comparison, trained)
        historian.finish(run, "completed", result)
    return result


def recorded_training(
    plant: Plant, historian: Historian, seed: int, steps: int | None, report: Callable[[Progress], None], scenario: str = "",
    group: str = "", method: Method = PPO_METHOD, against: Yardstick | None = None,
) -> tuple[str, Trained]:  # fmt: skip
    """Train, record the training as a run of its own, and return the run's id with the result.

    Trainings that differ in nothing but their seed share a ``group``. NMPC's return on the validation episodes is recorded
    beside PID's where it is given.
    """
    method = method.of(plant.learning)
    total = steps or method.steps(plant.learning)
    beside = {} if against is None else {"nmpc": against.score}
    watched = ground(plant, scenario, method)
    config = {"algorithm": method.algorithm.upper(), "total_steps": total, "scenario": label(mixture(plant, scenario)),
              "baseline": {"pid": score(watched.returns(Pid(plant)), plant)} | beside}  # fmt: skip
    config |= watched.by_scenario()
    config |= method.recorded() | ({"group": group} if group else {})
    config |= {} if against is None else {"nmpc": asdict(against)}
    with historian.run("train", plant.name, method.algorithm, seed, config, versions()) as run:
        historian.metrics(run, 0, {f"score/{name}": value for name, value in beside.items()})
        trained = train(plant, seed, total, scenario, historian, run, report, method=method)
        result = {"score": trained.score, "pid": trained.baseline, "seconds": trained.seconds}
        historian.finish(run, "completed", result | beside)
    return run, trained


def _result(comparison: Comparison, trained: Trained) -> dict[str, Any]:
    whole = comparison.as_json()
    table = whole["controllers"]
    return {
        **table,
        "paired_difference": comparison.difference("ppo").as_json(),
        "differences_to_pid": whole["against_pid"],
        "scenario": comparison.scenario,
        "units": whole["units"],
        "episodes": whole["episodes"],
        "train_seconds": trained.seconds,
        "train_steps": trained.steps,
    }
