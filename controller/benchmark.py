"""Compare controllers on the same held-out scenarios and seeds, and keep what happened."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from controller.baselines import Constant, Pid, Published, Scheduled
from controller.historian import Historian
from controller.interface import Controller
from controller.recording import episode_record
from controller.rollout import Run, returns, rollout
from controller.safety.governor import Calibration
from controller.scores import kpis
from controller.statistics import Interval, paired_difference
from plant_models.core.duty import Batch, Economic
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.scenario import draw

TUNING_EPISODES = 96
BEHIND = " + shield"
"""After the name of a controller that runs behind the shield."""
ROUNDS, LOOKS = 3, 24
"""Searches of every master's setpoint in turn, and evaluations in each."""


@dataclass(frozen=True)
class Comparison:
    """The runs of several controllers on the same judging episodes."""

    plant: Plant
    scenario: str
    seed: int
    runs: dict[str, Run]

    def table(self) -> dict[str, dict[str, float]]:
        """Return the mean of every figure by controller; violations and trips are counts of episodes."""
        return {name: {k: _pooled(k, v.values) for k, v in kpis(run).items()} for name, run in self.runs.items()}

    def units(self) -> dict[str, str]:
        """Return the unit of every figure."""
        return {name: kpi.unit for name, kpi in kpis(next(iter(self.runs.values()))).items()}

    def difference(self, name: str, against: str = "pid") -> Interval:
        """Return how much less a controller costs than another, over the same episodes."""
        return paired_difference(self.runs[against].total, self.runs[name].total)

    def as_json(self) -> dict[str, Any]:
        """Return the table, the units, and each controller's difference to the PID layer."""
        others = [name for name in self.runs if name != "pid"] if "pid" in self.runs else []
        return {
            "plant": self.plant.name, "scenario": self.scenario, "seed": self.seed,
            "episodes": len(next(iter(self.runs.values())).total), "units": self.units(), "controllers": self.table(),
            "against_pid": {name: self.difference(name).as_json() for name in others},
        }  # fmt: skip


def _pooled(name: str, values: Any) -> float:
    counted = name in ("hard-limit violations", "trips", "failed integrations")
    return float(np.sum(values) if counted else np.mean(values))


def compare(
    plant: Plant, controllers: Sequence[Controller], episodes: int, seed: int = 0, scenario: str = "", weather: Any = None,
    shield: Calibration | None = None,
) -> Comparison:  # fmt: skip
    """Run every controller on the same held-out episodes, and where there is a ``shield`` behind it too.

    Raises:
        BadInput: where two controllers share a name.
    """
    names = [controller.name for controller in controllers]
    if len(set(names)) != len(names):
        raise BadInput(f"controllers {', '.join(names)}: a name is given twice; give each controller once")
    chosen = plant.scenario(scenario)
    judged = draw(plant, chosen, seed, episodes, "judging", weather=weather)
    runs = {controller.name: rollout(controller, judged) for controller in controllers}
    if shield is not None:
        runs = {name: replace(run, share=np.ones_like(run.cost)) for name, run in runs.items()}
        runs |= {f"{controller.name}{BEHIND}": rollout(controller, judged, shield=shield) for controller in controllers}
    return Comparison(plant, chosen.name, seed, runs)


def ladder(plant: Plant) -> dict[str, Callable[[], Controller]]:
    """Return how to make what needs no training and no search: the floor first, the PID layer last."""
    duty = plant.duty
    if isinstance(duty, Batch):
        return {"published recipe": lambda: Published(plant, duty.published), "pid": lambda: Pid(plant)}
    found: dict[str, Callable[[], Controller]] = {"constant": lambda: best_constant(plant)}
    if isinstance(duty, Economic) and duty.rule:
        found["rule"] = lambda: Scheduled(plant, duty.rule, "rule")
    return found | {"pid": lambda: Pid(plant)}


def baselines(plant: Plant) -> list[Controller]:
    """Return the ladder, lowest first: published recipe, or best constant setpoints and published rule; the tuned PID layer."""
    return [make() for make in ladder(plant).values()]


@cache
def best_constant(plant: Plant, episodes: int = TUNING_EPISODES, rounds: int = ROUNDS, looks: int = LOOKS) -> Constant:
    """Return the constant setpoints of the master loops that do best on tuning episodes, found one after the other."""
    tuning = draw(plant, plant.scenario(), 0, episodes, "tuning")
    best = np.array([plant.Output.quantities()[loop.pv].nominal for loop in plant.masters])
    for _ in range(1 if len(best) == 1 else rounds):
        for i, loop in enumerate(plant.masters):
            found = minimize_scalar(
                lambda value, at=i: returns(Constant(plant, _with(best, at, value)), tuning).mean(),
                bounds=(loop.low, loop.high), method="bounded", options={"maxiter": looks},
            )  # fmt: skip
            best[i] = found.x
    return Constant(plant, tuple(best.tolist()))


def _with(values: Array, at: int, value: float) -> tuple[float, ...]:
    changed = values.copy()
    changed[at] = value
    return tuple(changed.tolist())


def record(comparison: Comparison, historian: Historian, run_id: str, most: int = 8) -> None:
    """Store the first episodes of every controller with their figures."""
    units = comparison.units()
    for name, run in comparison.runs.items():
        figures = {k: v.values for k, v in kpis(run).items()}
        shown = run if name.endswith(BEHIND) else replace(run, share=None)
        for e in range(min(most, len(run.total))):
            numbers = {k: float(values[e]) for k, values in figures.items()}
            historian.episode(run_id, episode_record(shown, name, e, comparison.seed, numbers, units))


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    packages = ("setpoint", "numpy", "numba", "casadi", "gymnasium", "stable_baselines3", "torch")
    return {"python": sys.version.split()[0], **{name: version(name) for name in packages}}
