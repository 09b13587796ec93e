"""One live session: faceplates, trends, alarms and everything an operator may do; the page's script fills and moves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard import components as ui
from dashboard import ids as shared
from dashboard.data import Data
from dashboard.figures import shown_name
from dashboard.live import ids
from dashboard.live.figure import trend, unit_of
from plant_models.core.errors import UnknownName

SHOWN = 2
"""Loops on the trend where the address names none."""
CONFIG: Any = {**ui.GRAPH, "responsive": True}
SPANS, USUAL = (60, 120, 300, 1000), 120
"""Decisions that the trend shows."""
BEAT = 250
"""Milliseconds between two questions of the page."""


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The session named by ``query['id']``, with the loops of ``query['loops']`` on its trend."""
    from dashboard.live.plan import plan

    try:
        session = data.live.sessions.get(query["id"])
    except UnknownName:
        return _ended(query)
    told = plan(session)
    tags = [loop["tag"] for loop in told["loops"]]
    chosen = [tag for tag in query.get("loops", "").split(",") if tag in tags] or tags[:SHOWN]
    unit, seconds = unit_of(told["period"])
    graph = _trend(told, chosen, tags, query)
    store = told | {"session": query["id"], "shown": chosen, "span": _span(query), "unit": {"name": unit, "seconds": seconds}}
    return html.Div(
        [
            html.Div(id="live-top", className="lv-top"),
            html.Div(id="live-notes", className="lv-notes", role="status"),
            html.Div(
                [
                    html.Div(id="live-cards", className="lv-cards"),
                    html.Div([html.Div(id="live-twins", className="lv-twins"), graph], className="lv-mid"),
                    html.Div(id="live-side", className="lv-side"),
                ],
                className="lv-main",
            ),
            dcc.Store(id=ids.PLAN, data=store),
            dcc.Store(id=ids.BEAT),
            dcc.Interval(id=shared.tick(ids.PAGE), interval=BEAT),
        ],
        id=ids.SCREEN, className="lv page",
    )  # fmt: skip


def register(app: Dash, data: Data) -> None:
    """Have the script ask what is new at every beat."""
    app.clientside_callback(
        ClientsideFunction("live", "beat"),
        Output(ids.BEAT, "data"),
        Input(shared.tick(ids.PAGE), "n_intervals"),
        State(ids.PLAN, "data"),
    )


def _trend(told: Mapping[str, Any], chosen: list[str], tags: list[str], query: Mapping[str, str]) -> Component:
    loops = [_chip(tag, query, tag in chosen, loops=",".join(_toggled(tag, chosen, tags))) for tag in tags] if tags[1:] else []
    spans = [_chip(str(span), query, span == _span(query), span=str(span)) for span in SPANS]
    key = html.Span([html.Span(className="lv-key-line set"), "SP"], className="lv-keyed")
    parts = [html.Span("trend", className="lv-label"), *loops, key]
    head = html.Div([*parts, html.Span([*spans, "decisions"], className="lv-spans")], className="lv-trendhead")
    figure = dcc.Graph(id=ids.TREND, figure=trend(told, chosen), config=CONFIG, className="graph")
    return html.Section([head, html.Div(figure)], className="panel lv-trend")


def _span(query: Mapping[str, str]) -> int:
    return next((span for span in SPANS if str(span) == query.get("span")), USUAL)


def _toggled(tag: str, chosen: list[str], tags: list[str]) -> list[str]:
    """Return the loops on the trend once one was put on it or taken off; the last one stays."""
    return [other for other in tags if (other in chosen) != (other == tag)] or [tag]


def _chip(text: str, query: Mapping[str, str], on: bool, **changed: str) -> Component:
    """A link to the same session with another view."""
    kept = {key: value for key, value in query.items() if key != "id"}
    address = ui.href(f"/live/{query['id']}", **{**kept, **changed})
    return dcc.Link(text, href=address, className="lv-chip on" if on else "lv-chip")


def _ended(query: Mapping[str, str]) -> Component:
    """What stands where a session was; its address says what it was and how to start the same again."""
    why = "A session ends when somebody ends it, half an hour after anybody last watched it, and with the dashboard that runs it."
    again = {key: query[key] for key in ("plant", "scenario", "seed", "a", "b") if key in query}
    words = "Start the same again" if again else "Start a session"
    names = {"a": "twin A", "b": "twin B"}
    was = [ui.facts({names.get(key, key): shown_name(value) for key, value in again.items()})] if again else []
    return ui.page("Live", ui.panel("This session has ended", *was, ui.empty(why), ui.button(words, "/live", **again)))
