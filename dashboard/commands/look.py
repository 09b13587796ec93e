"""Look at what there is: plants, runs, and the dashboard in the browser."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from typing import Annotated, Any

import typer

from dashboard import terminal
from dashboard.commands.session import Json, PlantFile, plant_with, session

LISTED = 1000
"""Runs that are listed, the newest."""


def plants(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A plant, to see its card.")] = "",
    plant_file: PlantFile = None,
    as_json: Json = False,
) -> None:
    """List the plants, or show one: equations, tags, units, ranges, loops, sources."""
    from plant_models.catalogue import problems, usable
    from plant_models.derive.card import card

    if name or plant_file:
        shown = card(plant_with(name, plant_file).name)
        terminal.show_json(shown) if as_json else _show_card(shown)
        return
    for problem in problems().values():
        terminal.note(f"left out: {problem}")
    cards = [card(each) for each in usable()]
    if as_json:
        terminal.show_json([_summary(c) for c in cards])
        return
    rows = [[c["name"], c["title"], c["folder"], c["duty"]["kind"], str(len(c["vectors"]["states"])), _loops(c)] for c in cards]
    terminal.show_table("Plants", ("name", "title", "folder", "duty", "states", "loops"), rows)


def _loops(card: dict[str, Any]) -> str:
    return ", ".join(loop["tag"] for loop in card["loops"])


def _summary(card: dict[str, Any]) -> dict[str, Any]:
    vectors = {title: [q["name"] for q in quantities] for title, quantities in card["vectors"].items()}
    kept = ("name", "title", "folder", "loops", "margins", "scenarios", "sources", "validated")
    return {key: card[key] for key in kept} | vectors | {"objective": card["duty"]}


def _show_card(card: dict[str, Any]) -> None:
    terminal.say(f"{card['title']}  ({card['folder']}/{card['name']}.py)\n\n{card['equations']}\n")
    for title, quantities in card["vectors"].items():
        rows = [[q["name"], _value(q["nominal"]), q["unit"], f"{_value(q['low'])} .. {_value(q['high'])}", q["tag"], q["meaning"]]
                for q in quantities]  # fmt: skip
        terminal.show_table(title, ("name", "nominal", "unit", "range", "tag", "meaning"), rows)
    rows = [[loop["tag"], loop["pv"], loop["mv"] or loop["sp_of"], f"{loop['low']:g} .. {loop['high']:g} {loop['unit']}",
             ", ".join(f"{key} {value:.4g}" for key, value in loop["gains"].items() if value)]
            for loop in card["loops"]]  # fmt: skip
    terminal.show_table("loops", ("tag", "PV", "moves", "setpoint range", f"gains (time in {card['time_unit']})"), rows)
    rows = [[m["name"], m["kind"], f"{m['nominal']:.4g} {m['unit']}"] for m in card["margins"]]
    terminal.show_table("margins", ("name", "kind", "at the nominal point"), rows)
    rows = [[r["what"], r["kind"], _value(r["published"]), _value(r["ours"]), r["unit"], f"{100 * r['deviation']:+.2g} %"]
            for r in card["validated"]]  # fmt: skip
    terminal.show_table("reproduced", ("number", "kind", "published", "ours", "unit", "deviation"), rows)
    for source in card["sources"]:
        terminal.say(f"source: {source['text']} {source['doi']}".rstrip())


def _value(value: float | None) -> str:
    return "-" if value is None else terminal.number(value)


def runs(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="A run's id, to see its result and episodes.")] = "",
    as_json: Json = False,
) -> None:
    """List the recorded runs, or show one."""
    from controller.events import events

    with session(context).historian() as historian:
        if run:
            found = historian.find(run)
            episodes = [asdict(e) for e in historian.episodes(run)]
            record = asdict(found)
            said: list[dict[str, Any]] = [
                {"time": e.time, "level": e.level, "from": e.tag, "text": e.text} for e in events(historian.store, run)[::-1]
            ]
            if as_json:
                terminal.show_json(record | {"log": said, "episodes": episodes})
            else:
                _show_run(record, episodes)
                for line in said:
                    terminal.say(f"{_when(line['time'])} {line['level']}: {line['text']}")
            return
        records = historian.runs(limit=LISTED + 1)
    if len(records) > LISTED:
        records = records[:LISTED]
        terminal.note(f"the newest {LISTED} runs; the dashboard shows older ones, and `setpoint runs RUN` any")
    if as_json:
        terminal.show_json([{k: v for k, v in vars(r).items() if k != "config"} for r in records])
    elif not records:
        terminal.say("No runs yet. Try: setpoint demo, or: setpoint train exothermic_cstr")
    else:
        rows = [[r.id, r.status, r.kind, r.plant, str(r.seed), _when(r.started), _score(r.best)] for r in records]
        terminal.show_table("Runs", ("run", "status", "kind", "plant", "seed", "started", "best score"), rows)


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _score(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else terminal.number(value)


def _show_run(record: dict[str, Any], episodes: list[dict[str, Any]]) -> None:
    for key in ("id", "status", "kind", "plant", "controller", "seed"):
        terminal.say(f"{key:>11}: {record[key]}")
    for key, value in record["result"].items():
        if isinstance(value, int | float | str):
            terminal.say(f"{key:>11}: {value}")
    rows = [
        [e["scenario"], e["controller"], e["outcome"], terminal.number(e["kpis"].get("cost", float("nan")))] for e in episodes
    ]
    if rows:
        terminal.show_table("Episodes", ("scenario", "controller", "outcome", "cost"), rows)


def dashboard(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8050,
    host: Annotated[str, typer.Option(help="Address to serve on; any but this machine's own needs the token.")] = "127.0.0.1",
    token: Annotated[str, typer.Option(help="Token that opens the dashboard; made and printed where it is needed.")] = "",
    operator: Annotated[bool, typer.Option("--operator", help="Allow what changes something: start, stop, tag.")] = False,
    plant_file: PlantFile = None,
    as_json: Json = False,
) -> None:
    """Serve the dashboard, by default to this machine alone, until interrupted."""
    from dashboard.access import access
    from dashboard.server import serve

    if plant_file:
        plant_with("", plant_file)
    granted = access(host, token, operator=operator)

    def ready(address: str) -> None:
        if as_json:
            terminal.show_json({"address": address})
        else:
            terminal.say(f"Dashboard at {address}  ({_served(granted.loopback, granted.operator)}Ctrl-C ends it)")

    serve(session(context).store, port, granted, ready)


def _served(loopback: bool, operator: bool) -> str:
    """What whoever starts the dashboard should know of who can use it."""
    reach = "" if loopback else "whoever has this address sees every run; unencrypted, so put a TLS proxy before it; "
    return reach + ("whoever has this address may start, stop and tag; " if operator else "")
