"""What a run found that recorded no episodes: adversaries and faults of a stress run, the trials of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from controller.records import RunRecord
from dashboard import components as ui
from dashboard.attacks import HEADS, WORDS, attacked
from dashboard.data import Data
from dashboard.figures import shown_name, unit_text
from dashboard.safety_figures import opposed
from plant_models.core.errors import UnknownName

STRESS = ("supervisors", "faults")
"""What a stress run may have found."""


def body(data: Data, run: RunRecord, query: Mapping[str, str]) -> Sequence[Component]:
    """What a run found; one that has found nothing says so."""
    nothing = "It is still looking." if run.status == "running" else "It ended before it found anything."
    return panels(data, run) or [ui.panel("What it found", html.P(nothing, className="note"))]


def panels(data: Data, run: RunRecord) -> list[Component]:
    """What a run found, as far as it found anything of this kind."""
    parts = {"supervisors": _attacks, "faults": _faults, "trials": _trials}
    return [part(data, run) for key, part in parts.items() if run.result.get(key)]


def count(value: int) -> Component:
    """A number of what should not have happened."""
    return html.Span(str(value), className="bad") if value else html.Span("0")


def _attacks(data: Data, run: RunRecord) -> Component:
    rows, units = run.result["supervisors"], _units(data, run.plant)
    table = ui.table(HEADS, [_attacked(row, units) for row in rows.values()], range(1, 7), "under attack")
    words = f"{run.result['episodes']} held-out episodes each, {run.result['scenario']}, seed {run.result['seed']}: "
    return ui.panel(
        "Under attack", table, ui.graph(opposed(rows), "safety-opposed"), aside=[words, ui.link(run.id, f"/runs/{run.id}")]
    )


def _units(data: Data, plant: str) -> dict[str, str]:
    """The unit of each margin, as far as the plant is known here."""
    try:
        return {str(margin["name"]): unit_text(str(margin["unit"])) for margin in data.card(plant)["margins"]}
    except UnknownName:
        return {}


def _attacked(row: Mapping[str, Any], units: Mapping[str, str]) -> list[ui.Cell]:
    who, without, _, bound, intervened, uncertified, _, nearest = attacked(row, ui.number, units)
    name = ui.explained(shown_name(who), WORDS.get(who, ""))
    return [
        name,
        without,
        count(row["violating"]),
        bound,
        intervened,
        uncertified,
        count(row["trips"]),
        html.Span(nearest, className="nowrap"),
    ]


def _faults(data: Data, run: RunRecord) -> Component:
    heads = ["code", "fault", "expected", "mode", "decisions", "what the shell said", "limits crossed", "as expected"]
    rows: list[list[ui.Cell]] = [
        [each["code"], each["fault"], each["expected"], each["mode"], _after(each["decisions"]), each["said"] or "nothing",
         ", ".join(each["crossed"]) or "none", html.Span("yes") if each["kept"] else html.Span("▲ no", className="bad")]
        for each in run.result["faults"]
    ]  # fmt: skip
    return ui.panel("Faults", ui.table(heads, rows, (4,), "faults"), aside=ui.link(run.id, f"/runs/{run.id}"))


def _after(decisions: int | None) -> str:
    """After how many decisions the shell answered a fault."""
    return "never" if decisions is None else str(decisions)


def _trials(data: Data, run: RunRecord) -> Component:
    """How each trial of a sweep learned, best first, by what differs between them; number 0 is what the plant declares."""
    trials = run.result["trials"]
    names = [name for name in trials[0]["learning"] if len({str(trial["learning"].get(name)) for trial in trials}) > 1]
    rows: list[list[ui.Cell]] = [
        [str(trial["number"]), ui.number(trial["score"]), *(_setting(trial["learning"].get(name)) for name in names)]
        for trial in trials
    ]
    heads = ["trial", "score", *names]
    return ui.panel(
        "Trials",
        ui.table(heads, rows, range(len(heads)), "trials"),
        aside=f"the mean over seeds; PID {ui.number(run.result['pid'])}",
    )


def _setting(value: object) -> str:
    return ui.number(value) if isinstance(value, float) else str(value)
