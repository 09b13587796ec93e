"""Put a plant under stress: what adversaries achieve against it, with the safety shield on and off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboard import terminal
from dashboard.attacks import HEADS, attacked
from dashboard.commands import fault_table
from dashboard.commands.session import (
    Episodes,
    Json,
    PlantFile,
    PlantName,
    PolicyFolder,
    ScenarioName,
    Seed,
    case,
    folder,
    session,
)
from dashboard.commands.shielding import shield_of

if TYPE_CHECKING:
    from pathlib import Path

    from controller.safety.governor import Calibration
    from controller.safety.stress import Opposed, Outcome
    from plant_models.core.plant import Plant
    from plant_models.core.scenario import Scenario

TOLD = ("python", "setpoint", "numpy", "numba")
"""Versions that the table is told with; the store keeps them all."""
Search = Annotated[int, typer.Option(min=0, max=1_000_000, help="Episodes in which worse cases are searched for, and kept.")]
Generations = Annotated[int, typer.Option(min=1, max=10_000, help="Generations in which the CMA-ES attack is fitted.")]


@dataclass(frozen=True)
class Request:
    """What is put under stress, and how."""

    plant: Plant
    scenario: Scenario
    episodes: int
    seed: int
    generations: int
    search: int
    policy: Path | None


def stress(
    context: typer.Context,
    plant: PlantName = "",
    episodes: Episodes = 200,
    generations: Generations = 30,
    search: Search = 0,
    policy: PolicyFolder = None,
    faults: Annotated[
        bool, typer.Option("--faults", help="Try the fault catalogue on the plant, in place of adversaries.")
    ] = False,
    scenario: ScenarioName = "",
    seed: Seed = 0,
    plant_file: PlantFile = None,
    as_json: Json = False,
) -> None:
    """Attack a plant with the safety shield on and off and count the episodes that cross a hard limit, or break what it has."""
    chosen, scenario = case(plant, plant_file, scenario)
    released = folder(session(context), chosen, policy, scenario)
    request = Request(chosen, chosen.scenario(scenario), episodes, seed, generations, search, released)
    result = _with_faults(context, request) if faults else _recorded(context, request)
    if as_json:
        terminal.show_json(result)
    elif faults:
        fault_table.show(result)
    else:
        _show(result, chosen)


def _recorded(context: typer.Context, request: Request) -> dict[str, Any]:
    """Put the plant under stress and keep the table in the run store."""
    plant, learned, known = request.plant, _policy(request), shield_of(request.plant, request.scenario)
    from controller.benchmark import versions

    asked = {name: value for name, value in vars(request).items() if name in ("episodes", "generations", "search")}
    config = asked | {"scenario": request.scenario.name, "policy": str(request.policy or "")}
    opened, seed = session(context), request.seed
    with opened.historian() as historian, historian.run("stress", plant.name, "shield", seed, config, versions()) as run:
        rows = {row.supervisor: row.as_json() for row in (*_rows(request, known, learned), *_worst(request, known))}
        result = _result(request, known, rows)
        historian.finish(run, "completed", result)
    return result | {"versions": versions(), "run": run}


def _with_faults(context: typer.Context, request: Request) -> dict[str, Any]:
    """Try the fault catalogue on the plant and keep the table in the run store."""
    plant, scenario, seed = request.plant, request.scenario, request.seed
    known = shield_of(plant, scenario)
    from controller.benchmark import versions

    opened, config = session(context), {"scenario": scenario.name, "faults": True}
    with opened.historian() as historian, historian.run("stress", plant.name, "shell", seed, config, versions()) as run:
        found = [each.as_json() for each in fault_table.verdicts(plant, scenario, known, seed)]
        result = {"plant": plant.name, "scenario": scenario.name, "seed": seed, "faults": found}
        historian.finish(run, "completed", result)
    return result | {"versions": versions(), "run": run}


def _policy(request: Request) -> list[Opposed]:
    """Load the policy that shall be judged beside the adversaries, where there is one."""
    from controller.policy import load
    from controller.safety.opponents import steered
    from controller.safety.stress import alike

    return [] if request.policy is None else [alike(steered(load(request.policy, request.plant)))]


def _rows(request: Request, known: Calibration, learned: list[Opposed]) -> Iterator[Outcome]:
    """Try the PID layer, the policy where there is one, and each adversary."""
    from controller.baselines import Pid
    from controller.safety.opponents import steered
    from controller.safety.stress import ADVERSARIES, adversary, alike, stressed

    plant, scenario, seed = request.plant, request.scenario, request.seed
    given = [alike(steered(Pid(plant))), *learned]
    for place, name in enumerate((*(each.shielded.name for each in given), *ADVERSARIES)):
        with terminal.progress(f"{plant.name}: {name}") as bar:
            opposed = given[place] if place < len(given) else adversary(name, plant, scenario, known, seed, request.generations)
            yield stressed(
                opposed, known, plant, scenario, request.episodes, seed, lambda done: bar.update(done, request.episodes, "")
            )


def _worst(request: Request, known: Calibration) -> Iterator[Outcome]:
    """Search for worse cases where that is asked for, and try the worst that were ever found."""
    from controller.safety import corpus
    from controller.safety.stress import outcome
    from controller.safety.worst_case import NAME, Space, met, search

    plant, scenario, budget = request.plant, request.scenario, request.search
    space, path = Space.of(plant, scenario, request.seed), corpus.place(plant, scenario, request.seed)
    if budget:
        with terminal.progress(f"{plant.name}: searching for the worst") as bar:
            found = search(space, known, request.seed, budget, lambda done: bar.update(done, budget, ""))
        points = corpus.keep(path, space, found.points, known)
    else:
        points = corpus.read(path, space)
    if len(points):
        yield outcome(plant, NAME, met(space, points, known), met(space, points, None))


def _result(request: Request, known: Calibration, rows: dict[str, Any]) -> dict[str, Any]:
    from controller.safety.helpless import helpless

    warning = helpless(rows["pid"]["decided"]["uncertified"])
    shield = {"corners": len(known.signs) - 1, "horizon": known.horizon, "margins": known.margins.tolist()}
    return {"plant": request.plant.name, "scenario": request.scenario.name, "seed": request.seed,
            "episodes": request.episodes, "shield": shield, "supervisors": rows, "warning": warning}  # fmt: skip


def _show(result: dict[str, Any], plant: Plant) -> None:
    from plant_models.derive.margin_units import margin_units

    units = margin_units(plant)
    rows = [list(attacked(row, terminal.number, units)) for row in result["supervisors"].values()]
    title = f"{result['plant']}, {result['scenario']}: {result['episodes']} held-out episodes, those that cross a hard limit"
    terminal.show_table(title, HEADS, rows)
    shield, versions = result["shield"], result["versions"]
    terminal.say(
        f"seed {result['seed']}; shield: the nominal plant and {shield['corners']} corners over {shield['horizon']} decisions; "
        f"{', '.join(f'{name} {number}' for name, number in versions.items() if name in TOLD)}"
    )
    if result["warning"]:
        terminal.note(f"{result['plant']}: {result['warning']}")
    terminal.say(f"recorded as {result['run']}")
