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

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

from plant_models.core.errors import InvalidFile, unknown
from plant_models.core.fault import Fault, Timed
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario
from plant_models.derive.layout import HELD
from plant_models.env.scenario import BLOCK

KINDS: dict[str, Any] = {kind.__name__.lower(): kind for kind in get_args(Fault)}
KEYS: dict[str, tuple[type, str]] = {
    "name": (str, "a name"), "base": (str, "the name of a scenario"), "steps": (int, "a whole number of at least 1"),
    "exact": (bool, "true or false"), "faults": (list, "a list of [[faults]]"),
}  # fmt: skip
LONGEST, LARGEST = 100_000, 2**30
"""Decisions, and bytes of what one block of episodes draws: no scenario from a file may be longer, or draw more."""


def with_scenario(plant: Plant, path: Path) -> Plant:
    """Return the plant with the scenario of a file added last.

    Raises:
        InvalidFile: where the file is missing, is no TOML, or holds a key or value that is not allowed.
    """
    given = _read(path)
    base, name = str(given.get("base", plant.scenarios[0].name)), str(given.get("name", path.stem))
    if not name.strip():
        raise InvalidFile(path, "name", f"{name!r} given, a name allowed; leave it out to use the file's")
    known = {scenario.name: scenario for scenario in plant.scenarios}
    if base not in known:
        raise InvalidFile(path, "base", unknown("scenario", base, known))
    scenario = replace(
        known[base],
        name=name,
        description=f"{path.name}: {known[base].description}",
        steps=_steps(path, plant, given, known[base]),
        exact=bool(given.get("exact", known[base].exact)),
        faults=tuple(_fault(path, plant, i, fault) for i, fault in enumerate(given.get("faults", []))),
    )
    _check_times(path, plant, scenario)
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
    except ValueError as error:  # no TOML, no UTF-8, or an integer of thousands of digits
        raise InvalidFile(path, "file", f"not TOML ({error}); see the documentation of scenario files") from error
    for key, value in given.items():
        if key not in KEYS:
            raise InvalidFile(path, key, unknown("key", key, KEYS))
        kind, allowed = KEYS[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InvalidFile(path, key, f"{value!r} given, {allowed} allowed")
    return given


def _steps(path: Path, plant: Plant, given: Mapping[str, Any], base: Scenario) -> int:
    steps, longest = int(given.get("steps", base.steps)), max(base.steps, min(LONGEST, LARGEST // _drawn(plant)))
    if not 1 <= steps <= longest:
        raise InvalidFile(path, "steps", f"{steps} given, 1 to {longest} allowed")
    return steps


def _drawn(plant: Plant) -> int:
    """Return about how many bytes one block of episodes draws for each decision: readings, signals and forecasts."""
    signals = len(plant.Disturbance.names()) + len(plant.masters) + len(plant.targets)
    entries = len(plant.leads) * sum(q.forecast for q in plant.Disturbance.quantities().values())
    return BLOCK * (4 * plant.loops_per_decision * len(plant.Output.names()) + 8 * signals + 4 * entries)


def _fault(path: Path, plant: Plant, i: int, given: Any) -> Fault:
    where = f"faults[{i}]"
    if not isinstance(given, dict):
        raise InvalidFile(path, where, f"{given!r} given, a table [[faults]] with its kind allowed")
    if "kind" not in given:
        raise InvalidFile(path, f"{where}.kind", f"is missing; one of {', '.join(KINDS)} allowed")
    if not isinstance(given["kind"], str) or given["kind"] not in KINDS:
        raise InvalidFile(path, f"{where}.kind", unknown("kind of fault", str(given["kind"]), KINDS))
    kind = KINDS[given["kind"]]
    names = [field.name for field in fields(kind)]
    for key in given:
        if key not in ("kind", *names):
            raise InvalidFile(path, f"{where}.{key}", unknown("key", key, ("kind", *names)))
    values = {name: _value(path, plant, f"{where}.{name}", name, given) for name in names}
    fault: Fault = kind(**values)
    return fault


def _value(path: Path, plant: Plant, where: str, name: str, given: Mapping[str, Any]) -> str | float:
    vectors = {"output": plant.Output, "input": plant.Input, "parameter": plant.Parameter}
    if name in vectors:
        return _named(path, where, name, given, vectors[name].names())
    highest, allowed = (1.0, "0 to 1") if name in ("chance", "share") else (HELD, f"a number of at least 0, below {HELD:g},")
    if name not in given:
        raise InvalidFile(path, where, f"is missing; {allowed} allowed")
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= highest or value >= HELD:
        raise InvalidFile(path, where, f"{value!r} given, {allowed} allowed")
    return float(value)


def _named(path: Path, where: str, name: str, given: Mapping[str, Any], known: tuple[str, ...]) -> str:
    if name not in given:
        raise InvalidFile(path, where, f"is missing; one of {', '.join(known)} allowed")
    if given[name] not in known:
        raise InvalidFile(path, where, unknown(name, str(given[name]), known))
    return str(given[name])


def _check_times(path: Path, plant: Plant, scenario: Scenario) -> None:
    """Refuse a fault that outlasts the episode: what is remembered of a delayed reading grows with its time."""
    episode = scenario.steps * plant.decision
    for i, fault in enumerate(scenario.faults):
        if isinstance(fault, Timed) and fault.time > episode * (1.0 + 1e-9):
            allowed = f"0 to {episode:g} {plant.time_unit}, the episode's length, allowed"
            raise InvalidFile(path, f"faults[{i}].time", f"{fault.time:g} {plant.time_unit} given, {allowed}")
