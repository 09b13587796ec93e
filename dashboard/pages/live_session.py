"""One live session: faceplates, trends, alarms and everything an operator may do; the page's script fills and moves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard import components as ui
from dashboard import ids as shared
from dashboard.data import Data
from dashboard.live import ids
from dashboard.live.figure import trend, unit_of
from plant_models.core.errors import UnknownName

SHOWN = 2
"""Loops on the trend where the address names none."""
CONFIG: Any = {**ui.GRAPH, "responsive": True}
BEAT = 250
"""Milliseconds between two questions of the page."""


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The session named by ``query['id']``, with the loops of ``query['loops']`` on its trend."""
    from dashboard.live.plan import plan

    try:
        session = data.live.sessions.get(query["id"])
    except UnknownName as error:
        return _ended(str(error), query)
    told = plan(session)
    tags = [loop["tag"] for loop in told["loops"]]
    chosen = [tag for tag in query.get("loops", "").split(",") if tag in tags] or tags[:SHOWN]
    unit, seconds = unit_of(told["period"])
    graph = _trend(told, chosen, tags, query)
    store = told | {"session": query["id"], "shown": chosen, "unit": {"name": unit, "seconds": seconds}}
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
    links = [_toggle(tag, chosen, tags, query) for tag in tags] if len(tags) > 1 else []
    head = html.Div(
        [html.Span("trend", className="lv-label"), *links, html.Div(id="live-spans", className="lv-spans")],
        className="lv-trendhead",
    )
    return html.Section(
        [head, html.Div(dcc.Graph(id=ids.TREND, figure=trend(told, chosen), config=CONFIG, className="graph"))],
        className="panel lv-trend",
    )


def _toggle(tag: str, chosen: list[str], tags: list[str], query: Mapping[str, str]) -> Component:
    """A link that shows a loop on the trend, or takes it off; the last one stays."""
    others = [other for other in tags if (other in chosen) != (other == tag)] or [tag]
    kept = {key: value for key, value in query.items() if key not in ("id", "loops")}
    address = ui.href(f"/live/{query['id']}", **kept, loops=",".join(others))
    return dcc.Link(tag, href=address, className="lv-chip on" if tag in chosen else "lv-chip")


def _ended(why: str, query: Mapping[str, str]) -> Component:
    """What stands where a session was; its address says how to start the same again."""
    again = {key: query[key] for key in ("plant", "scenario", "seed", "a", "b") if key in query}
    words = "Start the same again" if again else "Start a session"
    return ui.page("Live", ui.panel("This session has ended", ui.empty(why), ui.button(words, "/live", **again)))
