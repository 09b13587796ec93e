"""Adversaries that are fitted to a plant by simulation: bang-bang at the resonance period, and a CMA-ES attack on the shield."""

from __future__ import annotations

import math

import numpy as np

from controller.safety.adversaries import channels
from controller.safety.evolution import least
from controller.safety.governor import Calibration
from controller.safety.opponents import along, in_turn
from controller.safety.trial import Supervisor, smallest, trial
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.env.scenario import concatenate, draw

PERIODS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
"""Periods in decisions among which the resonance is looked for."""
LISTENED = 32
"""Episodes that each of them is tried on."""
KNOTS = 8
"""Moments of an episode, evenly spaced, at which the attack changes what it sends."""
SIDES, SEQUENCES = 4, 8
"""Episodes on which a sequence is tried, and the sequences that the attack keeps."""
GENERATIONS = 30


def resonance(plant: Plant, scenario: Scenario, seed: int) -> int:
    """Return the period in decisions at which bang-bang brings unshielded plants nearest to, or farthest over, their limits."""
    episodes = draw(plant, scenario, seed, LISTENED, "tuning")
    periods = [period for period in PERIODS if period <= max(scenario.steps, PERIODS[0])]
    reached = [smallest(plant, trial(along("bang-bang", period, seed), episodes, None).lowest).mean() for period in periods]
    return periods[int(np.argmin(reached))]


def courses(knots: Array, steps: int) -> Array:
    """Return moves, (n, steps, rows), that are held from each of their knots, (n, knots, rows), to the next."""
    held: Array = knots[:, np.arange(steps) * knots.shape[1] // steps]
    return held


def sequences(plant: Plant, scenario: Scenario, known: Calibration | None, seed: int, generations: int = GENERATIONS) -> Array:
    """Return the knots, (sequences, knots, channels), that bring shielded tuning episodes nearest to the limits.

    Without ``known`` they are fitted to plants without a shield.
    """
    count, knots = channels(plant), min(KNOTS, scenario.steps)
    size = knots * count
    population = 4 + math.floor(3.0 * math.log(size))
    episodes = concatenate([draw(plant, scenario, seed, SIDES, "tuning")] * population)

    def nearness(generation: Array) -> Array:
        moves = np.repeat(courses(generation.reshape(-1, knots, count), scenario.steps), SIDES, axis=0)
        lowest = smallest(plant, trial(in_turn("", moves), episodes, known).lowest)
        worst: Array = lowest.reshape(-1, SIDES).min(axis=1)
        return worst

    return least(nearness, size, generations, population, seed, SEQUENCES).points.reshape(-1, knots, count)


def attack(scenario: Scenario, knots: Array) -> Supervisor:
    """Return the adversary that sends these sequences, (sequences, knots, channels), one an episode."""
    return in_turn("CMA-ES", courses(knots, scenario.steps))
