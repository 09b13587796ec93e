"""Compare controllers: on one plant, or a whole benchmark of plants, protocols and variants with a report to hand on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashboard import terminal
from dashboard.commands import compare
from dashboard.commands.session import (
    MOST,
    Episodes,
    Json,
    PlantFile,
    ReplayLog,
    ScenarioName,
    Seed,
    Session,
    WeatherFile,
    controller_names,
    folder,
    plant_with,
    session,
    words,
)
from dashboard.commands.shielding import KINDS, Safety

if TYPE_CHECKING:
    from controller.campaign import Asked
    from controller.executor import Workers
    from controller.findings import Findings
    from controller.source import Source

Plants = Annotated[list[str] | None, typer.Argument(metavar="[PLANT ...|all]", help="Plants' names, or all of them.")]
Policies = Annotated[
    list[Path] | None, typer.Option("--policy", help="Folder of a trained policy, or champion; more for more seeds.")
]
ALL = "all"


def benchmark(
    context: typer.Context,
    plant: Plants = None,
    controllers: Annotated[str, typer.Option(help="Names, separated by commas; floor is each plant's own.")] = "constant,pid",
    protocol: Annotated[str, typer.Option(help="tracking, disturbance, boundary or all, separated by commas.")] = "",
    variant: Annotated[str, typer.Option(help="none, noise, delay, faults, drift, weather or all, separated by commas.")] = "",
    policy: Policies = None,
    scenario: ScenarioName = "",
    episodes: Episodes = 50,
    first: Annotated[int, typer.Option(min=0, max=MOST, help="Number of the first held-out episode.")] = 0,
    seed: Seed = 0,
    weather_file: WeatherFile = None,
    plant_file: PlantFile = None,
    replay: ReplayLog = None,
    safety: Safety = "none",
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: as many as the work is worth.")] = 0,
    cluster: Annotated[str, typer.Option(help="Dask cluster that computes: tcp://HOST:PORT, or local:N.")] = "",
    report: Annotated[Path | None, typer.Option(help="Also write a report: a .html, .md or .csv file.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Compute again what is kept from an earlier benchmark.")] = False,
    as_json: Json = False,
) -> None:
    """Compare controllers on the same held-out episodes, with paired differences to the PID layer."""
    from controller.methods import ALGORITHMS

    names, folders, rivals = plant or [], policy or [], controller_names(controllers)
    kept = not folders and any(name in ALGORITHMS for name in rivals)
    asked_more = protocol or variant or report or first or again or workers or cluster or kept
    if len(names) < 2 and ALL not in names and len(folders) < 2 and not asked_more:
        name, own = "".join(names), folders[0] if folders else None
        compare.one(context, name, rivals, own, scenario, episodes, seed, weather_file, plant_file, replay, safety, as_json)
        return
    _refuse(weather_file, replay, bool(scenario and protocol))
    if report is not None:
        _check_report(report)
    sources = _sources(names, plant_file, scenario)
    opened = session(context)
    released = [found for source in sources for path in folders if (found := folder(opened, source.case()[0], path, scenario))]
    asked = _asked(sources, rivals, protocol, variant, tuple(dict.fromkeys(released)), episodes, seed, first, safety)
    _whole(opened, asked, _crew(workers, cluster), report, again, as_json)


def _refuse(weather_file: Path | None, replay: Path | None, doubled: bool) -> None:
    from plant_models.core.errors import BadInput

    if weather_file or replay:
        given = f"--weather {weather_file}" if weather_file else f"--replay {replay}"
        raise BadInput(f"{given}: goes with one plant and no protocol, variant or report; leave it or them out")
    if doubled:
        raise BadInput("--scenario and --protocol: give one of them")


def _check_report(path: Path) -> None:
    """Refuse a file that cannot be written before anything runs; raises BadInput."""
    from dashboard.report import KINDS as WRITTEN
    from plant_models.core.errors import BadInput
    from plant_models.core.files import check_room

    if path.suffix not in WRITTEN:
        raise BadInput(f"--report {path}: a name that ends with {', '.join(WRITTEN)} allowed")
    if not path.parent.is_dir() or path.is_dir():
        raise BadInput(f"--report {path}: a file in a folder that exists allowed; make {path.parent} first")
    try:
        check_room(path.parent)
    except OSError as error:
        raise BadInput(f"--report {path}: cannot be written ({error.strerror}); name a file in another folder") from error


def _sources(names: Sequence[str], plant_file: Path | None, scenario: str) -> tuple[Source, ...]:
    """Return where every plant is found, each once; raises BadInput or UnknownName."""
    from controller.source import Source
    from plant_models.catalogue import usable

    if ALL in names and plant_file is None:
        names = usable()
    if plant_file is not None or not names:
        plant_with(", ".join(names), plant_file)
        return (Source("", plant_file, scenario),)
    found = tuple(Source(name, None, scenario) for name in dict.fromkeys(names))
    for source in found:
        source.case()
    return found


def _asked(
    sources: tuple[Source, ...], controllers: Sequence[str], protocol: str, variant: str, policies: Sequence[Path], episodes: int,
    seed: int, first: int, safety: str,
) -> Asked:  # fmt: skip
    from controller import campaign, variants
    from plant_models.core.errors import UnknownName, unknown

    if safety not in KINDS:
        raise UnknownName(unknown("safety", safety, KINDS))
    protocols = campaign.PROTOCOLS if protocol == ALL else tuple(campaign.protocol(name) for name in words(protocol))
    chosen = variants.VARIANTS if variant == ALL else tuple(variants.variant(name) for name in words(variant))
    shield = safety == "shield"
    return campaign.Asked(
        sources, tuple(controllers), tuple(dict.fromkeys(protocols)), tuple(dict.fromkeys(chosen)) or ("none",),
        tuple(policies), episodes, seed, first, shield,
    )  # fmt: skip


def _crew(processes: int, cluster: str) -> Workers | None:
    """Return who works, None where that is left to the work; raises BadInput for a cluster that cannot be used."""
    from controller.executor import Workers

    if cluster:
        from controller.cluster import check, connected

        check(cluster)
        if not cluster.startswith("local:"):
            with connected(cluster):  # before a run is begun that nobody could work on
                pass
    return Workers(processes, cluster) if processes or cluster else None


def _whole(opened: Session, asked: Asked, workers: Workers | None, report: Path | None, again: bool, as_json: bool) -> None:
    """Run a whole benchmark, record it, and tell it."""
    from controller.benchmark import versions
    from controller.campaign import planned
    from controller.findings import found, telling

    with opened.historian() as historian:
        plan = planned(asked, historian)
        names = [source.case()[0].name for source in asked.sources]
        shown = names[0] if len(names) == 1 else f"{len(names)} plants"
        config = {"episodes": asked.episodes, "first": asked.first, "plants": names, "protocols": list(asked.protocols),
                  "variants": list(asked.variants), "cells": len(plan.cells)}  # fmt: skip
        with historian.run("benchmark", shown, ",".join(asked.controllers)[:128], asked.seed, config, versions()) as run:
            with terminal.progress("benchmark") as bar:
                findings = found(plan, historian.store, asked.seed, again, run, workers, bar.update)
            trends = list(telling(findings))
            for _, records in trends:
                for record in records.values():
                    historian.episode(run, record)
            result = findings.as_json() | {"run": run}
            historian.finish(run, "completed", {key: result[key] for key in ("plants", "overall", "standings", "provenance")})
    if report is not None:
        from dashboard.report import write

        write(report, findings, trends)
    if as_json:
        terminal.show_json(result)
        return
    _show(findings)
    terminal.say(f"recorded as {run}" + (f"; report: {report}" if report else "; see it: setpoint dashboard"))


def _show(findings: Findings) -> None:
    """Print one table, and what it comes to in words."""
    from dashboard.standings import sentences, terminal_rows

    heads, rows = terminal_rows(findings)
    terminal.show_table(f"{findings.cells} cells on held-out episodes, means and 95 % intervals", heads, rows)
    for line in (*sentences(findings), *findings.notes):
        terminal.say(line)
