"""The episodes of a run: one picked, or the best, the last or the worst, with all its signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, html, no_update
from dash.development.base_component import Component

from controller.records import EpisodeRow, RunRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data, headline, ranked, whole_number
from dashboard.figures import shown_name, unit_text
from dashboard.pages import zoom
from dashboard.pages.run import judged
from dashboard.subject import own_episodes
from plant_models.core.errors import BadInput, UnknownName

SHOWN = 300  # episodes in the picker and the table; a browser slows down with more
WORDS = ("best", "last", "worst")


def body(data: Data, run: RunRecord, query: Mapping[str, str]) -> Sequence[Component]:
    """The picker and the trend; without an episode there is nothing to pick, and the picker does not show."""
    rows = data.episodes(run.id)
    chosen = chosen_episode(run, rows, query.get("episode", ""))
    picker = html.Div(ui.picker(ids.RUN_EPISODE, "episode", _options(rows), chosen, width=330), hidden=not rows)
    trend = judged.nothing(data, run) if chosen is None else _trend(data, chosen)
    return [ui.panel("Episode", html.Div(trend, id=ids.RUN_TREND), aside=[*_shortcuts(run, rows), picker])]


def register(app: Dash, data: Data) -> None:
    """Show the episode that is picked, without drawing the page anew."""

    @app.callback(Output(ids.RUN_TREND, "children"), Input(ids.RUN_EPISODE, "value"), prevent_initial_call=True)
    def show(value: object) -> Any:
        return no_update if value is None else _trend(data, str(value))


def chosen_episode(run: RunRecord, rows: Sequence[EpisodeRow], wanted: str) -> str | None:
    """The episode that the address means: a number, or ``best``, ``last`` or ``worst`` of the run's own controller."""
    own = own_episodes(run, rows)
    if wanted in WORDS and own:
        ordered = ranked(own)
        return str({"best": ordered[0], "last": own[-1], "worst": ordered[-1]}[wanted].id)
    return wanted or (str(own[0].id) if own else None)


def _shortcuts(run: RunRecord, rows: Sequence[EpisodeRow]) -> list[Component]:
    own = own_episodes(run, rows)
    name = headline(own[0])[0] if own else ""
    return [
        html.Span(ui.link(word, f"/runs/{run.id}", tab="episodes", episode=word), title=f"by {name}" if word != "last" else "")
        for word in WORDS
        if own and (name or word == "last")
    ]


def _options(rows: Sequence[EpisodeRow]) -> list[dict[str, str]]:
    return [
        {"value": str(row.id), "label": f"{row.scenario} · seed {row.seed} · {shown_name(row.controller)}"}
        for row in rows[:SHOWN]
    ]


def _trend(data: Data, number: str) -> Component:
    try:
        at = whole_number(number)
        record = data.episode(at)
    except (UnknownName, BadInput) as error:
        return ui.empty(str(error))
    judged = f"{record.scenario}, seed {record.seed}, {shown_name(record.controller)}: {record.outcome}"
    size = f"{record.time.size:,} samples"
    parts: list[ui.Cell] = [judged, " · ", size, " · "]
    if "cost" in record.kpis:
        unit = unit_text(record.kpi_units.get("cost", ""))
        parts += [f"cost {ui.number(record.kpis['cost'])}", "" if unit == "–" else f" {unit}", " · "]
    download = html.A("signals as CSV", href=f"/episodes/{at}.csv", className="link", download=f"episode-{at}.csv")
    return html.Div([html.Div([*parts, download], className="note"), zoom.graph(data, "episode", {record.controller: at})])
