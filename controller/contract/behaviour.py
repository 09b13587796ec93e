"""How the plant is run: by its PID layer, better than by what stands below it, and scored so that learning can start."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from controller.baselines import Constant, Pid, Published
from controller.benchmark import best_constant
from controller.contract.check import Broken, Check, episodes
from controller.rollout import Run, returns, rollout
from plant_models.core.duty import Batch, Tracking
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario
from plant_models.derive.interpreter import compiles_nothing

FEWEST = 4
LEAST, MOST = 0.3, 3.0
"""Bounds of the tuned PID layer's mean stage cost in units of ``scale``, on a tracking duty."""


@lru_cache(maxsize=8)
def _run(plant: Plant, scenario: Scenario) -> Run:
    return rollout(Pid(plant), episodes(plant, scenario, _sized(16)))


def _sized(n: int) -> int:
    """Return how many episodes are looked at: fewer where nothing is compiled, which is hundreds of times slower."""
    return FEWEST if compiles_nothing() else n


def _constant(plant: Plant) -> Constant:
    return best_constant(plant, FEWEST, rounds=1, looks=1) if compiles_nothing() else best_constant(plant)


def holds(plant: Plant) -> None:
    """Under the PID layer no episode costs as much as losing every decision, and everyday ones neither trip nor fail."""
    for scenario in plant.scenarios:
        run = _run(plant, scenario)
        if not run.total.max() < plant.worst * scenario.steps:
            raise Broken(f"the PID layer loses an episode of scenario {scenario.name!r} altogether", scenario.name)
        lost = int((run.tripped | run.failed).sum())
        if lost and scenario.protocol == "tracking":
            raise Broken(f"the PID layer loses {lost} of {len(run.total)} episodes of scenario {scenario.name!r}", scenario.name)


def worst_dominates(plant: Plant) -> None:
    """No decision that the plant survives costs the PID layer as much as one lost to a trip."""
    for scenario in plant.scenarios:
        run = _run(plant, scenario)
        kept = run.cost[~(run.tripped | run.failed)]
        if kept.size and not kept.max() < plant.worst:
            raise Broken(f"a decision of scenario {scenario.name!r} costs {kept.max():.4g}; worst is {plant.worst:.4g}", "worst")


def scored(plant: Plant) -> None:
    """On a tracking duty the tuned PID layer's reward for a decision is between -3 and -0.3."""
    if not isinstance(plant.duty, Tracking):
        return
    cost = returns(Pid(plant), episodes(plant, plant.scenario(), _sized(64), "tuning")).mean() / plant.scenario().steps
    if not LEAST <= cost / plant.scale <= MOST:
        raise Broken(f"a decision costs the PID layer {cost:.4g} on average, {cost / plant.scale:.3g} times scale", "scale")


def constants_found(plant: Plant) -> None:
    """The best constant setpoints of a plant that is no batch lie within the ranges of their loops."""
    if isinstance(plant.duty, Batch):
        return
    for loop, setpoint in zip(plant.masters, _constant(plant).setpoints, strict=True):
        if not loop.low <= setpoint <= loop.high:
            raise Broken(f"the best constant setpoint of {loop.tag} is {setpoint:.6g}, outside its range", loop.tag)


def beats_floor(plant: Plant) -> None:
    """The PID layer costs less than the best constant setpoints, or than a batch's published recipe.

    Money without a schedule or a rule declared has no such floor: then nothing is asked.
    """
    judged = episodes(plant, plant.scenario(), 32)
    if not isinstance(plant.duty, Tracking | Batch) and not (plant.duty.schedule or plant.duty.rule):
        return
    floor = Published(plant, plant.duty.published) if isinstance(plant.duty, Batch) else _constant(plant)
    saved = returns(floor, judged) - returns(Pid(plant), judged)
    least = saved.mean() - (2.0 * saved.std() / np.sqrt(len(saved)) if isinstance(plant.duty, Tracking) else 0.0)
    if not least > 0.0:
        amount = f"{saved.mean():.4g}" if plant.worth == "1" else f"{saved.mean():.4g} {plant.worth}"
        raise Broken(f"the PID layer saves {amount} an episode against {floor.name}", "loops")


CHECKS = (
    Check("the PID layer holds every scenario", holds, "tune the gains by `setpoint tune`, or ask less of the plant"),
    Check("losing the plant costs most", worst_dominates, "raise worst above every stage cost met in operation"),
    Check("rewards are of order one", scored, "set scale near the mean cost of a decision under the PID layer"),
    Check("constant setpoints can be found", constants_found, "widen the loop's low and high"),
    Check("the PID layer beats its floor", beats_floor, "tune the gains by `setpoint tune`, and move what is tracked"),
)
