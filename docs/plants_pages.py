"""Write one page for every plant in the catalogue, from the card that terminal and dashboard show too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safety_pages
import training_pages
from pictures import Panel, multiples

from controller.recording import shown as displayed
from dashboard.report import worded
from plant_models import environment_id
from plant_models.catalogue import get, usable
from plant_models.core.plant import SECONDS, Plant
from plant_models.derive.card import KINDS, card
from plant_models.derive.responses import Response, SteadyMap, steady_maps, steps

MOST_ROWS = 5
"""Outputs drawn on a page: targets and what loops control come first."""

LONG = 7200.0
"""Seconds from which a response is drawn in hours."""


def write(folder: Path) -> None:
    """Write the pages; one that is current is left alone, so that a second build does nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"summary.txt": summary()} | safety_pages.tables() | training_pages.tables()
    files = {f"{name}.md": page(name) for name in usable()} | tables
    for name in usable():
        files |= pictures(name)
    for stale in set(folder.iterdir()) - {folder / file for file in files}:
        stale.unlink()
    for file, text in files.items():
        _replace(folder / file, text)


def summary() -> str:
    """Return a table of all plants, each with one number that it reproduces, a printed one where there is any."""
    heads = ("plant", "family", "duty", "states", "acts on", "reproduces, for example")
    return worded(heads, (_line(card(name)) for name in usable())) + "\n"


def _line(shown: dict[str, Any]) -> list[str]:
    acted = ", ".join(loop["tag"] for loop in shown["loops"] if loop["authority"])
    claims = sorted(shown["validated"], key=lambda claim: claim["kind"] != "printed")
    example = "".join(f"{r['what']}: {_number(r['published'], r['unit'])}, ours {r['ours']:.6g}" for r in claims[:1])
    link = f"[{shown['title']}](_generated/{shown['name']}.md)"
    return [link, shown["folder"], shown["duty"]["kind"], str(len(shown["vectors"]["states"])), acted, example]


def pictures(name: str) -> dict[str, str]:
    """Return the pictures of a plant by file name: how it answers steps of its inputs, and where it comes to rest."""
    plant = get(name)
    controlled = dict.fromkeys((*plant.targets, *(loop.pv for loop in plant.loops if loop.gains.K_c)))
    shown = list(controlled)[:MOST_ROWS] or plant.Output.names()
    rows = {output: plant.Output.names().index(output) for output in shown}
    responses = steps(plant)
    found = {f"{name}_steps.svg": multiples([[_answer(plant, r, o, i) for r in responses] for o, i in rows.items()], "steps")}
    maps = steady_maps(plant)
    if maps:
        found[f"{name}_steady.svg"] = multiples([[_rest(plant, m, o, i) for m in maps] for o, i in rows.items()], "steady states")
    return found


def _answer(plant: Plant, response: Response, output: str, i: int) -> Panel:
    q, moved = plant.Output.quantities()[output], plant.Input.quantities()[response.moved]
    title = f"{output} [{q.shown}] after {response.moved} {response.step:+.3g} {moved.unit}"
    long = plant.time_unit == "s" and response.time[-1] > LONG
    unit, time = ("h", response.time / SECONDS["h"]) if long else (plant.time_unit, response.time)
    return Panel(title, f"time [{unit}]", time, displayed(q, response.outputs[i]))


def _rest(plant: Plant, steady: SteadyMap, output: str, i: int) -> Panel:
    q, moved = plant.Output.quantities()[output], plant.Input.quantities()[steady.moved]
    return Panel(
        f"{output} [{q.shown}] at rest", f"{steady.moved} [{moved.unit}]", steady.values, displayed(q, steady.outputs[i])
    )


def page(name: str) -> str:
    """Return the page of a plant."""
    return "\n\n".join(_parts(card(name))) + "\n"


def _replace(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    temporary = path.with_suffix(f".{os.getpid()}.part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def _parts(shown: dict[str, Any]) -> Iterator[str]:
    yield f"# {shown['title']}"
    yield _clocks(shown)
    yield f"```text\n{shown['equations']}\n```"
    for title, quantities in shown["vectors"].items():
        yield f"## {title.capitalize()}"
        yield _quantities(title, quantities)
    yield f"## Loops\n\nTimes in {shown['time_unit']}."
    yield worded(("tag", "PV", "moves", "setpoint range", "authority", "gains"), map(_loop, shown["loops"]))
    yield "## Margins\n\nThe plant is safe while every margin is at least zero."
    yield worded(("name", "kind", "at the nominal point"), map(_margin, shown["margins"]))
    yield "## Duty"
    yield worded(("declared", "value"), ([key, _declared(value)] for key, value in shown["duty"].items()))
    yield "## Scenarios"
    yield worded(("name", "decisions", "role", "description"), map(_scenario, shown["scenarios"]))
    yield f"## Numbers reproduced\n\n{KINDS}"
    heads = ("number", "kind", "published", "ours", "deviation", "allowed", "source and remark")
    yield worded(heads, map(_reproduced, shown["validated"]))
    yield "## Step responses"
    yield "Open loop, the PID layer off, every other input and all disturbances nominal."
    yield f"![step responses]({shown['name']}_steps.svg)"
    if shown["duty"]["kind"] != "batch":
        yield "## Steady-state map"
        yield "Where the plant comes to rest for each value of an input, followed from the nominal point."
        yield f"![steady-state map]({shown['name']}_steady.svg)"
    yield from filter(None, [safety_pages.section(shown["name"])])
    yield "## Sources"
    yield "\n".join(f"- {_source(source)}" for source in shown["sources"])


def _declared(value: Any) -> str:
    """Return what a duty declares; each part of a schedule or recipe by itself."""
    if isinstance(value, (tuple, list)) and all(isinstance(part, dict) for part in value):
        return "; ".join(f"`{', '.join(f'{key} {_plain(each)}' for key, each in part.items())}`" for part in value)
    return f"`{value}`"


def _plain(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return " ".join(_plain(each) for each in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _clocks(shown: dict[str, Any]) -> str:
    name, unit = shown["name"], shown["time_unit"]
    where = f"`{name}`, environment `{environment_id(name)}`, file `plant_models/{shown['folder']}/{name}.py`."
    return f"{where} One decision every {shown['decision']:.4g} {unit}, PID loops every {shown['loop_period']:.4g} {unit}."


def _quantities(title: str, quantities: list[dict[str, Any]]) -> str:
    heads = ("name", "nominal", "unit", "range", "tag", "meaning")
    extra = {"disturbances": ("kind", "known"), "parameters": ("uncertain", "source")}.get(title, ())
    return worded((*heads, *extra), (_row(title, q) for q in quantities))


def _row(title: str, q: dict[str, Any]) -> list[str]:
    bounds = "" if q["low"] is None or q["high"] is None else f"{q['low']:.6g} to {q['high']:.6g}"
    cells = [f"`{q['name']}`", f"{q['nominal']:.6g}", q["unit"], bounds, q["tag"], q["meaning"]]
    if title == "disturbances":
        known = [word for word, yes in (("measured", q["measured"]), ("forecast", q["forecast"])) if yes]
        return [*cells, q["kind"], ", ".join(known) or "no"]
    if title == "parameters":
        return [*cells, f"±{100 * q['uncertain']:.3g} %" if q["uncertain"] else "", q["source"]]
    return cells


def _loop(loop: dict[str, Any]) -> list[str]:
    moves = f"`{loop['mv']}`" if loop["mv"] else f"setpoint of {loop['sp_of']}"
    gains = ", ".join(f"{key} {value:.4g}" for key, value in loop["gains"].items() if value)
    authority = f"±{loop['authority']:.4g} {loop['unit']}" if loop["authority"] else "none"
    return [loop["tag"], f"`{loop['pv']}`", moves, f"{loop['low']:.6g} to {loop['high']:.6g} {loop['unit']}", authority, gains]


def _margin(margin: dict[str, Any]) -> list[str]:
    return [margin["name"], margin["kind"], f"{margin['nominal']:.4g} {margin['unit']}".strip()]


def _scenario(scenario: dict[str, Any]) -> list[str]:
    return [f"`{scenario['name']}`", str(scenario["steps"]), scenario["role"], scenario["description"]]


def _reproduced(r: dict[str, Any]) -> list[str]:
    said = f"{r['source']}{', doi:' + r['doi'] if r['doi'] else ''}{'; ' + r['remark'] if r['remark'] else ''}"
    numbers = [_number(r[whose], r["unit"]) for whose in ("published", "ours")]
    return [r["what"], r["kind"], *numbers, f"{100 * r['deviation']:+.2g} %", f"±{100 * r['tolerance']:.2g} %", said]


def _number(value: float, unit: str) -> str:
    """Return a number with its unit; one without dimension stands alone."""
    return f"{value:.6g}" if unit == "1" else f"{value:.6g} {unit}"


def _source(source: dict[str, str]) -> str:
    return f"{source['text']}, doi:{source['doi']}" if source["doi"] else source["text"]
