"""The compiled integration beside CVODES, over a thousand trajectories of each plant."""

from __future__ import annotations

import numpy as np
import pytest

from controller.contract.numerics import exactly
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import RUNNING
from plant_models.derive.twin import twin
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator
from plant_models.env.substeps import cornered, judged
from tests.contracts.every import plants

TRAJECTORIES, INTEGRATIONS = 1000, 300
TOLERANCE = 1e-12
"""Of CVODES, which at 1e-10 is itself 1e-4 off where the plant runs away without its controller."""
ALLOWED = 1e-5
"""Largest distance of any state from that of CVODES, as a share of the state's range."""


@pytest.mark.slow
@plants
def test_a_thousand_trajectories_stay_within_1e_5_of_cvodes(plant: Plant) -> None:
    """Every scenario, parameters at their corners; a third of the setpoints by the PID layer, random and bang-bang each."""
    each = -(-TRAJECTORIES // len(plant.scenarios))
    worst = np.zeros(len(plant.State.names()))
    for scenario in plant.scenarios:
        count = judged(plant, scenario)
        decisions = max(3, INTEGRATIONS // (plant.loops_per_decision * count))
        simulator = Simulator(plant, each, scenario.steps, count)
        simulator.load(cornered(draw(plant, scenario, 5, each, "judging")), np.arange(each))
        worst = np.maximum(worst, farthest(simulator, min(decisions, scenario.steps)))
    assert (worst <= ALLOWED).all(), dict(zip(plant.State.names(), worst, strict=True))


def farthest(simulator: Simulator, decisions: int) -> Array:
    """Run kernel and CVODES side by side, never brought together, until a trip; the largest distance of each state."""
    plant, rows = simulator.plant, simulator.kernel.layout.S
    exact = twin(plant, "setpoint", simulator.substeps, TOLERANCE)
    spans = np.array([q.high - q.low for q in plant.State.quantities().values()])
    columns, worst = [simulator.S.column(e) for e in range(simulator.n)], np.zeros(len(spans))
    rng = np.random.default_rng(0)
    for k in range(decisions):
        simulator.step(setpoints(rng, simulator.n, simulator.kernel.layout.actions))
        for e in map(int, np.flatnonzero(simulator.S.read("status")[0] == RUNNING)):
            columns[e] = exactly(exact, simulator, e, k, columns[e])
            worst = np.maximum(worst, np.abs(columns[e][rows["x"]] - simulator.S.column(e)[rows["x"]]) / spans)
    return worst


def setpoints(rng: np.random.Generator, n: int, actions: int) -> Array:
    """Return a third of the actions zero, a third random, a third at one end or the other."""
    found = np.zeros((n, actions))
    found[n // 3 : 2 * n // 3] = rng.uniform(-1.0, 1.0, found[n // 3 : 2 * n // 3].shape)
    found[2 * n // 3 :] = rng.choice([-1.0, 1.0], found[2 * n // 3 :].shape)
    return found
