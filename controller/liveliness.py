"""How a scenario moves what nobody measures, told from its training episodes, as whoever runs the plant knows from experience."""

from __future__ import annotations

import numpy as np

from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario
from plant_models.derive.observer import Liveliness, unmeasured
from plant_models.env.scenario import BLOCK, draw


def liveliness(plant: Plant, scenario: Scenario) -> Liveliness:
    """Return mean and deviation of every unmeasured disturbance, and its autocorrelation over one decision.

    Episodes of training alone are drawn, none that anything is judged on. What never moves keeps its deviation of zero for an
    episode.
    """
    drawn = draw(plant, scenario, 0, BLOCK, "training").exogenous[:, : scenario.steps + 1, unmeasured(plant)]
    usual = drawn.mean(axis=(0, 1))
    variance = ((drawn - usual) ** 2).mean(axis=(0, 1))
    moved = (np.diff(drawn, axis=1) ** 2).mean(axis=(0, 1))
    correlation = 1.0 - moved / np.maximum(2.0 * variance, np.finfo(float).tiny)
    kept = np.clip(correlation, 0.0, np.exp(-1.0 / scenario.steps))
    return Liveliness(*(tuple(float(value) for value in each) for each in (usual, np.sqrt(variance), kept)))
