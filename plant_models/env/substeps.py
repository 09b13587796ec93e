"""How finely a plant is integrated: found by halving the sub-step until trajectories stop changing, and kept.

The trajectories are closed-loop ones at their most demanding: uncertain parameters at their corners, and setpoint offsets
thrown from one end to the other. Each scenario has its own. With a method of order four, halving a step leaves a fifteenth of the
difference as error (Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, 1993, II.4).
"""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import os
import sys
from functools import cache
from pathlib import Path

import numpy as np
import platformdirs

from plant_models.core.building import SAMPLING
from plant_models.core.errors import IntegrationError
from plant_models.core.plant import SECONDS, Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.derive.identity import plant_hash
from plant_models.derive.interpreter import compiles_nothing
from plant_models.derive.layout import FAILED, RUNNING, Level
from plant_models.env.scenario import Episodes, draw
from plant_models.env.simulator import Simulator

TOLERANCE = 5e-6
"""Largest difference between whole and halved sub-steps, as a share of a state's range: half of what is promised."""
ORDER = 4.0
MOST = 256
EPISODES, STEPS = 512, 60
DECIDED = 16
"""Sub-steps from which a failure at twice as many too is the plant's own: it left the range where its equations hold."""
INTERPRETED = 4
"""Episodes where Numba compiles nothing, which is for tests and for looking inside."""


def fleet(plant: Plant, n: int, steps: int, level: Level = "setpoint", operated: bool = False) -> Simulator:
    """Return a simulator of ``n`` plants for episodes of ``steps`` decisions, integrated as finely as the plant needs."""
    return Simulator(plant, n, steps, substeps(plant), level, operated=operated)


def judged(plant: Plant, scenario: Scenario) -> int:
    """Return the sub-steps in a loop period with which a scenario is judged; a building's figures are sampled at 60 s or finer.

    Where nothing is compiled, each scenario makes do with those of the first: what is too coarse there, CVODES repeats.

    Raises:
        IntegrationError: where even the finest sub-step is too coarse; the text names the state.
    """
    enough = _kept(plant, plant.scenarios[0].name if compiles_nothing() else scenario.name)
    if plant.building is None:
        return enough
    return max(enough, math.ceil(plant.loop_period * SECONDS[plant.time_unit] / SAMPLING))


def substeps(plant: Plant) -> int:
    """Return the sub-steps in a loop period with which a plant is learned and tuned: enough for its first scenario.

    Raises:
        IntegrationError: where even the finest sub-step is too coarse; the text names the state.
    """
    return _kept(plant, plant.scenarios[0].name)


@cache
def _kept(plant: Plant, scenario: str) -> int:
    """Work out the sub-steps once and keep them beside the compiled kernels."""
    written = inspect.getsource(sys.modules[plant.derivative.__module__])
    key = hashlib.sha256(f"{plant_hash(plant)}{written}{scenario}{_trajectories()}".encode()).hexdigest()[:32]
    path = Path(platformdirs.user_cache_dir("setpoint")) / "substeps" / f"{key}.json"
    try:
        return int(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        found = choose(plant, plant.scenario(scenario))
    _keep(path, found)
    return found


def choose(plant: Plant, scenario: Scenario) -> int:
    """Find the sub-steps in a loop period that a scenario needs.

    Raises:
        IntegrationError: where even the finest sub-step is too coarse; the text names the state.
    """
    count, coarse, needed = 1, _states(plant, scenario, 1), 1
    while count <= MOST:
        fine = _states(plant, scenario, 2 * count)
        worst = _difference(plant, coarse, fine, count >= DECIDED)
        if worst.max() <= TOLERANCE:
            return min(count, needed)
        needed = math.ceil(min(count * (worst.max() / TOLERANCE) ** (1.0 / ORDER), 2.0 * MOST))
        count, coarse = 2 * count, fine
    state = plant.State.names()[int(worst.argmax())]
    raise IntegrationError(
        f"{plant.name}: {state} still changes by {worst.max():.1e} of its range when {MOST} sub-steps in a loop period are "
        f"halved; allowed is {TOLERANCE:.0e}: shorten loop_period, or slow down what is fastest"
    )


def _difference(plant: Plant, coarse: Array, fine: Array, decided: bool) -> Array:
    """Return the largest difference of each state as a share of its range, while both plants run."""
    spans = np.array([q.high - q.low for q in plant.State.quantities().values()])
    worst: Array = _apart(coarse, fine, decided) / spans
    return worst


def _apart(coarse: Array, fine: Array, decided: bool) -> Array:
    """Where only one of two fails they are infinitely far apart; where both do, unless steps are fine enough to tell."""
    a, b = np.isinf(coarse), np.isinf(fine)
    with np.errstate(invalid="ignore"):
        far = np.where(a & b & decided, np.nan, np.where(a | b, np.inf, np.abs(coarse - fine)))
    return np.asarray(np.nanmax(far, axis=(0, 2), initial=0.0))


def _states(plant: Plant, scenario: Scenario, count: int) -> Array:
    """Return the states after each decision, (steps, states, episodes), NaN from a trip on, infinite from a failure on."""
    n = _trajectories()
    episodes = cornered(draw(plant, scenario, 0, n, "tuning"))
    simulator = Simulator(plant, n, scenario.steps, count, mend=False)
    simulator.load(episodes, np.arange(n))
    rng, path = np.random.default_rng(0), []
    for _ in range(min(STEPS, scenario.steps)):
        simulator.step(rng.choice([-1.0, 0.0, 1.0], (n, simulator.kernel.layout.actions)))
        status = simulator.S.read("status")[0]
        states = np.where(status == RUNNING, simulator.S.read("x"), np.nan)
        path.append(np.where(status == FAILED, np.inf, states))
    return np.stack(path)


def _trajectories() -> int:
    return INTERPRETED if compiles_nothing() else EPISODES


def cornered(episodes: Episodes) -> Episodes:
    """Return the episodes with every uncertain parameter at one end of its range, drawn by chance."""
    plant, rng = episodes.plant, np.random.default_rng(1)
    spread = np.array([0.0 if episodes.scenario.exact else q.uncertain for q in plant.Parameter.quantities().values()])
    middle = episodes.parameters.mean(axis=0)
    corners = middle * (1.0 + spread * rng.choice([-1.0, 1.0], episodes.parameters.shape))
    return episodes.under(np.where(spread > 0.0, corners, episodes.parameters))


def _keep(path: Path, found: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(found))
        temporary.replace(path)
    except OSError:
        return
