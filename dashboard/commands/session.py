"""What the commands share: the options given before them, and the ways to open a store and to pick controllers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashboard import terminal

if TYPE_CHECKING:
    from controller.historian import Historian
    from controller.interface import Controller
    from plant_models.core.plant import Plant
    from plant_models.weather.year import WeatherYear

PlantName = Annotated[str, typer.Argument(metavar="[PLANT]", help="A plant's name; `setpoint plants` lists them.")]
PlantFile = Annotated[Path | None, typer.Option("--plant", help="A plant file of your own, instead of a name.")]
MOST = 2_000_000_000
"""The largest seed and count: what every random generator, learner and database takes, with room for seeds side by side."""
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines, nothing else, on standard output.")]
Seed = Annotated[int, typer.Option(min=0, max=MOST, help="Seed; the same seed gives the same result.")]
Episodes = Annotated[int, typer.Option(min=1, max=10_000, help="Held-out episodes.")]
PolicyFolder = Annotated[Path | None, typer.Option("--policy", help="Folder of a trained policy, or champion: the released one.")]
CHAMPION = "champion"
"""In place of a policy's folder: that of the plant's champion."""
WeatherFile = Annotated[Path | None, typer.Option("--weather", help="EPW or TMY3 file to judge a building on.")]
ScenarioName = Annotated[str, typer.Option("--scenario", help="A scenario's name or a TOML file; the plant's first by default.")]
ScenarioNames = Annotated[
    str, typer.Option("--scenario", help="A scenario's name or TOML file, several with commas, or all; the first by default.")
]
ReplayLog = Annotated[Path | None, typer.Option("--replay", help="CSV or Parquet log of a real plant to run instead.")]


@dataclass(frozen=True)
class Session:
    """The options given before the command."""

    store: str | None
    debug: bool

    def historian(self) -> Historian:
        """Open the run store."""
        from controller.historian import Historian

        return Historian(self.store)


def session(context: typer.Context) -> Session:
    """Return the session of a command."""
    assert isinstance(context.obj, Session)
    return context.obj


def plant_with(name: str, file: Path | None, scenario: str = "") -> Plant:
    """Return a plant, by name or from the user's file, that has the scenario.

    Raises:
        BadInput: where both or neither are given.
        UnknownName: where the plant or its scenario is not known; the text suggests the nearest.
        NotAPlant: where the file cannot be used.
    """
    from plant_models.catalogue import get, load
    from plant_models.core.errors import BadInput

    if bool(name) == (file is not None):
        given = f"{name!r} and --plant {file}" if name else "no plant"
        raise BadInput(f"{given}: give either a plant's name or a file by --plant; `setpoint plants` lists the names")
    plant = get(name) if file is None else load(file)
    plant.scenario(scenario)
    return plant


def case(name: str, file: Path | None, scenario: str, replay: Path | None = None) -> tuple[Plant, str]:
    """Return a plant and the name of the scenario it shall run: one of its own, one from a file, or a log's.

    Raises:
        BadInput: where both a scenario and a log are given, or a file cannot be used.
        UnknownName: where the plant or its scenario is not known; the text suggests the nearest.
    """
    from plant_models.core.errors import BadInput
    from plant_models.env.replay import with_replay
    from plant_models.env.scenario_file import with_scenario

    if scenario and replay:
        raise BadInput(f"--scenario {scenario} and --replay {replay}: give one of them")
    if replay:
        plant = with_replay(plant_with(name, file), replay)
    elif scenario.endswith(".toml"):
        plant = with_scenario(plant_with(name, file), Path(scenario))
    else:
        return plant_with(name, file, scenario), scenario
    return plant, plant.scenarios[-1].name


def cases(name: str, file: Path | None, scenario: str) -> tuple[Plant, str]:
    """Return a plant and what it shall learn on: a scenario as in :func:`case`, or the names of several with commas between.

    Raises:
        BadInput: where scenarios cannot share a fleet, or a file cannot be used.
        UnknownName: where the plant or a scenario is not known; the text suggests the nearest.
    """
    from plant_models.env.mixture import label, left_out, mixture

    if not scenario or scenario.endswith(".toml"):
        return case(name, file, scenario)
    plant = plant_with(name, file)
    for other in left_out(plant, scenario):
        stated = f"{other.steps} decisions, the others {plant.scenario().steps}"
        terminal.note(f"--scenario {scenario}: {other.name} of {plant.name} is left out ({stated})")
    return plant, label(mixture(plant, scenario))


def weather(path: Path | None, plant: Plant) -> WeatherYear | None:
    """Read a weather file for a plant that has weather.

    Raises:
        BadInput: where the plant has none, or the file cannot be used.
    """
    from plant_models.core.errors import BadInput
    from plant_models.weather.readers import read

    if path is None:
        return None
    if not any(q.kind == "weather" for q in plant.Disturbance.quantities().values()):
        raise BadInput(f"--weather {path}: {plant.name} has no weather; leave the option out")
    return read(path)


def folder(opened: Session, plant: Plant, policy: Path | None, scenario: str) -> Path | None:
    """Return the folder of a policy, that of the champion where that word is given and no folder has this name.

    Raises:
        UnknownName: where the plant has no champion.
    """
    from controller.promotion import released

    if policy is None or str(policy) != CHAMPION or policy.exists():
        return policy
    with opened.historian() as historian:
        return Path(released(historian.store, plant.name, scenario).policy)


def controller_names(given: str) -> list[str]:
    """Return the controllers' names that stand between commas; raises BadInput where there is none."""
    from plant_models.core.errors import BadInput

    names = words(given)
    if not names:
        raise BadInput(f"controllers {given!r}: names none; give names with commas between, such as constant,pid")
    return names


def words(given: str) -> list[str]:
    """Return what stands between commas."""
    return [word.strip() for word in given.split(",") if word.strip()]


def controllers(plant: Plant, names: list[str], policy: Path | None) -> list[Controller]:
    """Return controllers by name; that of the algorithm that trained it, such as ``ppo``, is the policy in a folder.

    Raises:
        UnknownName: for a name that this plant has no controller of.
        BadInput: where a policy is asked for and none is given, another algorithm trained it, or it does not fit.
    """
    from controller.named import check, named

    for name in names:
        check(plant, name)
    return [named(plant, name, policy) for name in names]
