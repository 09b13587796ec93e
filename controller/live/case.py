"""Which episode twin plants run, told in names and numbers, so that another process can draw the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

from controller.live.prescription import fitted
from plant_models.catalogue import get
from plant_models.core.duty import Tracking
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario
from plant_models.env.scenario import BLOCK, Episodes, draw

LONGEST = 5000
"""Decisions that a plant with targets is run for; where the scenario ends itself it is run to that end."""
NUMBERS = 40_000_000
"""Readings that drawing an episode may take, with those of the block that it is drawn in."""


@dataclass(frozen=True)
class Case:
    """A plant's name, the name of one of its scenarios, and the seed of a held-out episode."""

    plant: str
    scenario: str
    seed: int


def drawn(case: Case) -> Episodes:
    """Draw the episode of a plant any of whose valves may fail.

    Raises:
        UnknownName: for a plant or a scenario that there is not.
        BadInput: for a negative seed.
    """
    plant = get(case.plant)
    scenario = lengthened(plant, plant.scenario(case.scenario))
    return draw(fitted(plant), scenario, case.seed, 1, "judging")


def sound(case: Case) -> Episodes:
    """Draw the same episode of the plant as its file declares it, which is what controllers know."""
    plant = get(case.plant)
    return draw(plant, lengthened(plant, plant.scenario(case.scenario)), case.seed, 1, "judging")


def lengthened(plant: Plant, scenario: Scenario) -> Scenario:
    """Return a scenario that goes on for long where there are targets to follow; a day, a week or a batch ends by itself."""
    if not isinstance(plant.duty, Tracking):
        return scenario
    each = BLOCK * plant.loops_per_decision * len(plant.Output.names())
    return replace(scenario, steps=max(scenario.steps, min(LONGEST, NUMBERS // each)))
