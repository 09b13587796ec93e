"""Add a plant of one's own: write its file from a template, and check it against the contract that every plant keeps."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dashboard import terminal
from dashboard.commands.session import Json, PlantFile, plant_with

if TYPE_CHECKING:
    from controller.contract.suite import Finding
    from plant_models.core.plant import Plant


def new(
    what: Annotated[Literal["plant"], typer.Argument(metavar="plant", help="What to write.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The plant's name: small letters, digits, underscores.")],
    folder: Annotated[Path, typer.Option(help="Folder for the file.")] = Path(),
    as_json: Json = False,
) -> None:
    """Write NAME.py, a small plant that works, to be changed piece by piece into your own."""
    from controller.contract.template import write

    path = write(name, folder)
    if as_json:
        terminal.show_json({what: name, "file": str(path)})
        return
    terminal.say(f"written: {path}")
    terminal.say(f"change it, then: setpoint check {path}")


def check(
    plant: Annotated[str, typer.Argument(metavar="[FILE]", help="A plant file of your own, or a plant's name.")] = "",
    plant_file: PlantFile = None,
    as_json: Json = False,
) -> None:
    """Check a plant file against the contract that every plant keeps; says file, line and remedy of what is broken."""
    from controller.contract.suite import CHECKS, examine

    file = Path(plant) if plant.endswith(".py") and plant_file is None else plant_file
    chosen = _loaded("" if file is not None and str(file) == plant else plant, file)
    findings: list[Finding] = []
    with terminal.progress(f"checking {chosen.name}") as bar:
        for finding in examine(chosen):
            findings.append(finding)
            bar.update(len(findings), len(CHECKS), f"{finding.check.title}: {finding.status}")
    holds = all(finding.status == "holds" for finding in findings)
    if as_json:
        terminal.show_json({"plant": chosen.name, "holds": holds, "checks": [_as_json(finding) for finding in findings]})
    else:
        _show(chosen.name, findings)
    if not holds:
        raise typer.Exit(2)


def _loaded(name: str, file: Path | None) -> Plant:
    """Return the plant; a file of the catalogue is that plant, and what Python says of a broken file is given its remedy."""
    from plant_models.catalogue import NotAPlant

    path = file.resolve() if file is not None else None
    try:
        return plant_with(path.stem, None) if path is not None and _listed(path) else plant_with(name, path)
    except NotAPlant as error:
        if error.__cause__ is None:
            raise
        raise NotAPlant(f"{error}; correct what this line declares, then check again") from error


def _listed(path: Path) -> bool:
    from plant_models.catalogue import files

    module = files().get(path.stem)
    spec = find_spec(module) if module else None
    return spec is not None and spec.origin == str(path)


def _as_json(finding: Finding) -> dict[str, Any]:
    shown = {"group": finding.group, "check": finding.check.title, "status": finding.status}
    if finding.status != "broken":
        return shown
    place = {"file": str(finding.file), "line": finding.line}
    return shown | {"wrong": finding.wrong, "remedy": finding.remedy} | place


def _show(name: str, findings: list[Finding]) -> None:
    rows = [[finding.check.title, finding.group, finding.status] for finding in findings]
    terminal.show_table(f"Contract of {name}", ("check", "group", "finding"), rows)
    broken = [finding for finding in findings if finding.status == "broken"]
    for finding in broken:
        terminal.say(str(finding))
    if not broken:
        terminal.say(f"{name} keeps the whole contract")
