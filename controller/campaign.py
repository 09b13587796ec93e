"""A whole benchmark as a list of cells, worked out before the first of them runs: what cannot be run is refused or said here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import get_args

from controller.benchmark import ladder
from controller.cell import SHIELD, Cell, digest
from controller.comfort import shifts
from controller.historian import Historian
from controller.methods import ALGORITHMS
from controller.named import SEARCHING, SHIFTED, check, named
from controller.records import RunRecord
from controller.source import Source
from controller.store import runs_folder
from controller.variants import SHIELDED, Variant, meaningless
from plant_models.core.errors import BadInput, InvalidFile, SetpointError, UnknownName, unknown
from plant_models.core.files import json_object, read_plain
from plant_models.core.plant import Plant
from plant_models.core.scenario import Protocol, Scenario
from plant_models.env.scenario import BLOCK

FLOOR = "floor"
"""Stands for each plant's own: the best constant setpoints, or a batch's published recipe."""
SEARCHED = 2
"""Episodes in one cell of a controller that searches."""
MANIFEST = 1_000_000
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)


@dataclass(frozen=True)
class Asked:
    """What the user asked for; no ``protocols`` stand for the scenario that each source names.

    ``policies`` are folders of trained policies, ``shield`` asks for every controller behind the shield too.
    """

    sources: tuple[Source, ...]
    controllers: tuple[str, ...]
    protocols: tuple[Protocol, ...]
    variants: tuple[Variant, ...]
    policies: tuple[Path, ...]
    episodes: int
    seed: int
    first: int = 0
    shield: bool = False


@dataclass(frozen=True)
class Plan:
    """All cells, those that read best first, and what was left out and why."""

    cells: tuple[Cell, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Runner:
    """A controller of one plant, with the policy it needs."""

    name: str
    policy: str = ""
    digest: str = ""


def protocol(name: str) -> Protocol:
    """Return a protocol by name.

    Raises:
        UnknownName: where there is none of that name; the text suggests the nearest.
    """
    for known in PROTOCOLS:
        if name == known:
            return known
    raise UnknownName(unknown("protocol", name, (*PROTOCOLS, "all")))


def planned(asked: Asked, historian: Historian) -> Plan:
    """Return the cells of a benchmark.

    Raises:
        BadInput: for a controller given twice or a policy that belongs to none of the plants; where one plant was asked for, also
            for a controller, a variant or a policy that it does not have. Of several plants these are left out, and noted.
    """
    if len(set(asked.controllers)) != len(asked.controllers):
        raise BadInput(f"controllers {', '.join(asked.controllers)}: a name is given twice; give each controller once")
    plants = {source: source.case()[0] for source in asked.sources}
    belonging = _belonging(asked.policies, tuple(plants.values()))
    cells: list[Cell] = []
    notes: list[str] = []
    for source, plant in plants.items():
        runners = _runners(asked, plant, belonging.get(plant.name, []), historian, notes)
        for scenario in _scenarios(asked, source, plant):
            for variant in _variants(asked, plant, notes):
                where = replace(source, scenario=source.scenario if source.scenario.endswith(".toml") else scenario.name)
                cells += _cells(asked, where, plant, scenario, variant, runners, notes)
    return Plan(tuple(cells), tuple(dict.fromkeys(notes)))


def _scenarios(asked: Asked, source: Source, plant: Plant) -> Sequence[Scenario]:
    if not asked.protocols:
        return [plant.scenario(source.case()[1])]
    return [scenario for name in asked.protocols for scenario in plant.scenarios if scenario.protocol == name]


def _variants(asked: Asked, plant: Plant, notes: list[str]) -> list[Variant]:
    """Return the variants that mean something on a plant."""
    found: list[Variant] = []
    for variant in asked.variants:
        reason = meaningless(plant, variant)
        if not reason:
            found.append(variant)
        elif len(asked.sources) == len(asked.variants) == 1:
            raise BadInput(f"variant {variant!r} means nothing on {plant.name}: {reason}; choose another")
        else:
            notes.append(f"{plant.name}: variant {variant!r} left out, {reason}")
    return found


def _runners(asked: Asked, plant: Plant, folders: list[Path], historian: Historian, notes: list[str]) -> list[_Runner]:
    """Return the controllers of a plant, each policy by itself; a controller that it lacks is refused or noted."""
    found: list[_Runner] = []
    for given in asked.controllers:
        name = next(iter(ladder(plant))) if given == FLOOR else given
        try:
            check(plant, name)
            found += _policies(plant, name, folders, historian) if name in ALGORITHMS else [_Runner(name)]
        except SetpointError as error:
            if len(asked.sources) == 1:
                raise
            notes.append(f"{plant.name}: {given} left out, {error}")
    unique: dict[tuple[str, str], _Runner] = {}
    for runner in found:  # one policy in two folders is one policy
        unique.setdefault((runner.name, runner.digest), runner)
    return list(unique.values())


def _policies(plant: Plant, name: str, folders: list[Path], historian: Historian) -> list[_Runner]:
    """Return the policies given that this algorithm trained, else those of its last training in the store; raises BadInput."""
    if folders:
        chosen = [folder for folder in folders if _manifest(folder).get("algorithm", "ppo") == name]
        chosen = chosen or (
            folders if len(folders) == 1 else []
        )  # the one policy's own trouble says more than that none is there
    else:
        chosen = trained(plant, name, historian)
    if not chosen:
        named(plant, name)  # says how to train one
    for folder in chosen:
        named(plant, name, folder)
    return [_Runner(name, str(folder), digest(folder)) for folder in chosen]


def trained(plant: Plant, algorithm: str, historian: Historian) -> list[Path]:
    """Return the policies of the last completed training of a plant, with all seeds that were trained beside it."""
    runs = historian.runs(plant=plant.name, kind="train", controller=algorithm, status="completed")
    last = next((run for run in runs if _fits(_policy(run), plant)), None)
    if last is None:
        return []
    group = last.config.get("group")
    beside = [run for run in runs if run.config.get("group") == group and _fits(_policy(run), plant)] if group else [last]
    return [_policy(run) for run in sorted(beside, key=lambda run: run.seed)]


def _policy(run: RunRecord) -> Path:
    return runs_folder() / run.id / "policy"


def _fits(folder: Path, plant: Plant) -> bool:
    if not folder.is_dir():
        return False
    try:
        from controller.policy import load

        load(folder, plant)
    except SetpointError:
        return False
    return True


def _belonging(folders: Sequence[Path], plants: Sequence[Plant]) -> Mapping[str, list[Path]]:
    """Return the policies by plant; raises BadInput for one of another plant."""
    names, found = [plant.name for plant in plants], dict[str, list[Path]]()
    for folder in folders:
        plant = str(_manifest(folder).get("plant"))
        if plant not in names:
            raise InvalidFile(folder / "manifest.json", "plant", f"trained on {plant!r}, asked to run {', '.join(names)}")
        found.setdefault(plant, []).append(folder)
    return found


def _manifest(folder: Path) -> dict[str, object]:
    path = folder / "manifest.json"
    return json_object(path, read_plain(path, MANIFEST, InvalidFile, "; give the folder that training wrote"), InvalidFile)


def _cells(
    asked: Asked,
    source: Source,
    plant: Plant,
    scenario: Scenario,
    variant: Variant,
    runners: Sequence[_Runner],
    notes: list[str],
) -> list[Cell]:
    shielded = _shielded(asked, plant, scenario, variant, notes)
    runners = [*runners, *_front(plant, variant, runners)]
    found = []
    for runner in runners:
        for shield in (False, True) if shielded and not runner.name.startswith(SHIFTED) else (False,):
            for first, count in _parts(asked, SEARCHED if runner.name in SEARCHING else BLOCK):
                found.append(Cell(source, variant, runner.name, asked.seed, first, count, runner.policy, runner.digest, shield))
    return found


def _front(plant: Plant, variant: Variant, runners: Sequence[_Runner]) -> list[_Runner]:
    """Return the PID layer with shifted setpoints, which a building is compared with at equal comfort."""
    if plant.building is None or variant != "none" or len(runners) < 2:
        return []
    return [_Runner(f"{SHIFTED}{i}") for i in range(len(shifts(plant)))]


def _shielded(asked: Asked, plant: Plant, scenario: Scenario, variant: Variant, notes: list[str]) -> bool:
    if not asked.shield:
        return False
    if variant not in SHIELDED:
        notes.append(f"{plant.name}: no row{SHIELD} in variant {variant!r}, whose plant the shield does not look ahead by")
        return False
    from controller.safety.known import check

    try:
        check(plant, scenario)
    except BadInput as error:
        if len(asked.sources) == 1 and not asked.protocols:
            raise
        notes.append(f"{plant.name}, {scenario.name}: no row{SHIELD}, {error}")
        return False
    return True


def _parts(asked: Asked, size: int) -> list[tuple[int, int]]:
    """Return the first number and the count of each cell; where they are cut does not depend on how many are asked for."""
    end = asked.first + asked.episodes
    cuts = [asked.first, *range((asked.first // size + 1) * size, end, size), end]
    return [(a, b - a) for a, b in pairwise(cuts)]
