"""Finds the plants by walking the folders: one file is one plant, and the file's name is its id everywhere."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

from plant_models.core.errors import SetpointError, UnknownName, unknown
from plant_models.core.plant import Plant

FAMILIES = ("reactors", "hvac", "process_units", "energy")


class NotAPlant(SetpointError):
    """A file in a plant folder that does not declare a PLANT."""


@cache
def files() -> dict[str, str]:
    """Return the module of every plant by name, without importing any.

    Raises:
        NotAPlant: where two files share a name.
    """
    found: dict[str, str] = {}
    for family in FAMILIES:
        for path in sorted((Path(__file__).parent / family).glob("[!_]*.py")):
            if path.stem in found:
                raise NotAPlant(f"{path}: the name {path.stem!r} is used twice; rename one of the files")
            found[path.stem] = f"plant_models.{family}.{path.stem}"
    return found


def names() -> tuple[str, ...]:
    """Return the names of all plants."""
    return tuple(files())


@cache
def get(name: str) -> Plant:
    """Return a plant by name.

    Raises:
        UnknownName: where there is none; the text suggests the nearest.
        NotAPlant: where the file declares no PLANT.
    """
    if name not in files():
        raise UnknownName(unknown("plant", name, names()))
    module = importlib.import_module(files()[name])
    plant = vars(module).get("PLANT")
    if not isinstance(plant, Plant):
        raise NotAPlant(f"{module.__file__}: no PLANT is declared; end the file with PLANT = Plant(...)")
    return plant
