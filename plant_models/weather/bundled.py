"""The typical years that come with the package, by name."""

from __future__ import annotations

import difflib
import functools
from importlib import resources

from plant_models.core.errors import UnknownName
from plant_models.weather import compact
from plant_models.weather.year import WeatherYear

SUFFIX = ".npz"
FOLDER = resources.files("plant_models.weather") / "data"


@functools.cache
def names() -> tuple[str, ...]:
    """Return the names of the bundled years, in alphabetical order."""
    return tuple(sorted(file.name.removesuffix(SUFFIX) for file in FOLDER.iterdir() if file.name.endswith(SUFFIX)))


@functools.cache
def load(name: str) -> WeatherYear:
    """Return the bundled year ``name``, read once; its source is in data/README.md.

    Raises:
        UnknownName: where no such year is bundled; the text suggests the nearest.
    """
    if name not in names():
        near = difflib.get_close_matches(name.lower(), names(), n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UnknownName(f"weather: {name!r} given, {', '.join(names())} or the path of an .epw or TMY3 .csv allowed{meant}")
    with (FOLDER / f"{name}{SUFFIX}").open("rb") as file:
        return compact.read(file)
