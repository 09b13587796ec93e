"""A scenario from a file of the user's: one of the plant's own, longer or shorter, exact or not, with what goes wrong.

name = "worn instruments"     # default: the file's name
base = "tracking"             # the scenario whose signals are drawn; default: the plant's first
steps = 80                    # decisions; default: those of the base
exact = false                 # nominal parameters in every episode; default: that of the base
[[faults]]
kind = "bias"                 # the names of plant_models.core.fault in lower case
output = "T"
size = 0.5
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

from plant_models.core.errors import InvalidFile, unknown
from plant_models.core.fault import Fault
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario

KINDS: dict[str, Any] = {kind.__name__.lower(): kind for kind in get_args(Fault)}
KEYS: dict[str, tuple[type, str]] = {
    "name": (str, "a name"), "base": (str, "the name of a scenario"), "steps": (int, "a whole number of at least 1"),
    "exact": (bool, "true or false"), "faults": (list, "a list of [[faults]]"),
}  # fmt: skip


def with_scenario(plant: Plant, path: Path) -> Plant:
    """Return the plant with the scenario of a file added last.

    Raises:
        InvalidFile: where the file is missing, is no TOML, or holds a key or value that is not allowed.
    """
    given = _read(path)
    base = str(given.get("base", plant.scenarios[0].name))
    known = {scenario.name: scenario for scenario in plant.scenarios}
    if base not in known:
        raise InvalidFile(path, "base", unknown("scenario", base, known))
    scenario = replace(
        known[base],
        name=str(given.get("name", path.stem)),
        description=f"{path.name}: {known[base].description}",
        steps=_steps(path, given, known[base]),
        exact=bool(given.get("exact", known[base].exact)),
        faults=tuple(_fault(path, plant, i, fault) for i, fault in enumerate(given.get("faults", []))),
    )
    return added(plant, scenario, path)


def added(plant: Plant, scenario: Scenario, path: Path) -> Plant:
    """Return the plant with one more scenario.

    Raises:
        InvalidFile: where the plant has one of that name.
    """
    if scenario.name in [other.name for other in plant.scenarios]:
        raise InvalidFile(path, "name", f"{scenario.name!r} given, which {plant.name} has already; give another")
    return replace(plant, scenarios=(*plant.scenarios, scenario))


def _read(path: Path) -> dict[str, Any]:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidFile(path, "file", f"not readable ({error.strerror}); the path of a TOML file is allowed") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidFile(path, "file", f"not TOML ({error}); see the documentation of scenario files") from error
    for key, value in given.items():
        if key not in KEYS:
            raise InvalidFile(path, key, unknown("key", key, KEYS))
        kind, allowed = KEYS[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InvalidFile(path, key, f"{value!r} given, {allowed} allowed")
    return given


def _steps(path: Path, given: Mapping[str, Any], base: Scenario) -> int:
    steps = int(given.get("steps", base.steps))
    if not 1 <= steps <= 100_000:
        raise InvalidFile(path, "steps", f"{steps} given, 1 to 100000 allowed")
    return steps


def _fault(path: Path, plant: Plant, i: int, given: Any) -> Fault:
    where = f"faults[{i}]"
    if not isinstance(given, dict) or given.get("kind") not in KINDS:
        kind = given.get("kind", "") if isinstance(given, dict) else given
        raise InvalidFile(path, f"{where}.kind", unknown("kind of fault", str(kind), KINDS))
    kind = KINDS[given["kind"]]
    names = [field.name for field in fields(kind)]
    for key in given:
        if key not in ("kind", *names):
            raise InvalidFile(path, f"{where}.{key}", unknown("key", key, ("kind", *names)))
    values = {name: _value(path, plant, f"{where}.{name}", name, given.get(name)) for name in names}
    fault: Fault = kind(**values)
    return fault


def _value(path: Path, plant: Plant, where: str, name: str, value: Any) -> str | float:
    vectors = {"output": plant.Output, "input": plant.Input, "parameter": plant.Parameter}
    if name in vectors:
        if value not in vectors[name].names():
            raise InvalidFile(path, where, unknown(name, str(value), vectors[name].names()))
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0.0:
        raise InvalidFile(path, where, f"{value!r} given, a number of at least 0 allowed")
    if name in ("chance", "share") and value > 1.0:
        raise InvalidFile(path, where, f"{value!r} given, 0 to 1 allowed")
    return float(value)
