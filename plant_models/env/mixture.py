"""Several scenarios of a plant side by side in one fleet: how they are named, and which can share it.

What a fleet shares is the length of its episodes. Signals, parameters, faults and settings of the loops come with each episode.
"""

from __future__ import annotations

from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario

ALL, BETWEEN = "all", ","
"""Stands for every scenario that can share a fleet; and what stands between the names of several."""


def mixture(plant: Plant, given: str = "") -> tuple[Scenario, ...]:
    """Return the scenarios that a text names: one (no text: the first), several with commas between, or ``all`` that fit.

    Raises:
        UnknownName: where there is none of a name; the text suggests the nearest.
        BadInput: where one is named twice or left empty, or they are not equally long.
    """
    if given == ALL and ALL not in _named(plant):
        return tuple(each for each in plant.scenarios if each.steps == plant.scenario().steps)
    if given in _named(plant) or BETWEEN not in given:
        return (plant.scenario(given),)
    names = [name.strip() for name in given.split(BETWEEN)]
    if "" in names:
        raise BadInput(f"scenarios {given!r} of {plant.name}: no name beside a comma; give names with commas between")
    found = [plant.scenario(name) for name in names]
    _check(plant, found, given)
    return tuple(found)


def label(scenarios: tuple[Scenario, ...]) -> str:
    """Return the text that names scenarios, as :func:`mixture` takes it."""
    return BETWEEN.join(each.name for each in scenarios)


def left_out(plant: Plant, given: str) -> tuple[Scenario, ...]:
    """Return the scenarios that ``all`` leaves out, since their episodes are of another length."""
    chosen = mixture(plant, given)
    return tuple(each for each in plant.scenarios if given == ALL and each not in chosen)


def _named(plant: Plant) -> set[str]:
    return {each.name for each in plant.scenarios}


def _check(plant: Plant, found: list[Scenario], given: str) -> None:
    first, *others = found
    if len({each.name for each in found}) < len(found):
        raise BadInput(f"scenarios {given!r} of {plant.name}: one is named twice; name each once")
    for other in others:
        if other.steps != first.steps:
            stated = f"{first.name!r} has {first.steps} decisions, {other.name!r} {other.steps}"
            raise BadInput(
                f"scenarios {given!r} of {plant.name}: {stated}; plants in one fleet run equally many, so leave one out"
            )
