"""Start live sessions: two controllers on twin plants, and those that run already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import components as ui
from dashboard import ids as shared
from dashboard.data import Data, whole_number
from dashboard.figures import shown_name
from dashboard.live import ids, routes
from dashboard.live.desk import Choice, Start
from plant_models.core.errors import BadInput, SetpointError

FIRST = "exothermic_cstr"
"""Where the form begins where the address names no plant."""


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The form, filled from the address, and the sessions that run; raises UnknownName."""
    names = data.plant_names()
    plant = query.get("plant") or (FIRST if FIRST in names else names[0])
    card = data.card(plant)
    choices = data.live.controllers(plant)
    return ui.page(
        "Live",
        _open(data),
        ui.panel("Start a session", _form(names, plant, card, choices, query)),
        note="Twin plants in the same scenario, each under a controller of its own, with you at their loops",
    )


def register(app: Dash, data: Data) -> None:
    """Register the requests of the live page, and the button that starts a session."""
    routes.register(app, data.live, data.access)

    @app.callback(
        Output(shared.URL, "href"),
        Output(ids.PROBLEM, "children"),
        Input(ids.START, "n_clicks"),
        State(shared.URL, "search"),
        State(ids.FORM, "data"),
        State(ids.SEED, "value"),
        prevent_initial_call=True,
    )
    def start(clicks: object, _search: object, chosen: object, seed: object) -> Any:
        if not clicks:
            return no_update, no_update
        try:
            data.access.require_twins()
            wanted = _start(chosen, str(seed))
            name = data.live.start(wanted)
        except SetpointError as error:
            return no_update, html.P(str(error), className="error")
        a, b = wanted.controllers
        address = ui.href(f"/live/{name}", plant=wanted.plant, scenario=wanted.scenario, seed=wanted.seed, a=a, b=b)
        return address, ""


def _start(chosen: object, seed: str) -> Start:
    if not isinstance(chosen, list) or len(chosen) != 4 or not all(isinstance(part, str) for part in chosen):
        raise BadInput("a plant, a scenario and two controllers are needed")
    plant, scenario, a, b = chosen
    return Start(plant, scenario, whole_number(seed), (a, b))


def _form(
    names: Sequence[str], plant: str, card: Mapping[str, Any], choices: Sequence[Choice], query: Mapping[str, str]
) -> Component:
    scenarios = [str(scenario["name"]) for scenario in card["scenarios"]]
    scenario = query.get("scenario", "") if query.get("scenario") in scenarios else scenarios[0]
    known = [choice.name for choice in choices]
    a = query.get("a", "") if query.get("a") in known else "pid"
    b = query.get("b", "") if query.get("b") in known else known[1]
    options = [{"value": choice.name, "label": choice.words} for choice in choices]
    fields = [
        _field("plant", ui.picker(shared.choice("plant", plant), "plant", list(names), plant, width=200)),
        _field("scenario", ui.picker(shared.choice("scenario", scenario), "scenario", scenarios, scenario, width=130)),
        _field("seed", dcc.Input(id=ids.SEED, type="number", min=0, step=1, value=_seed(query), className="lv-seed"), ids.SEED),
        _field("twin A", ui.picker(shared.choice("a", a), "controller of twin A", options, a, width=270)),
        _field("twin B", ui.picker(shared.choice("b", b), "controller of twin B", options, b, width=270)),
    ]
    words = {str(s["name"]): str(s["description"]) for s in card["scenarios"]}
    button = html.Button("Start", id=ids.START, className="button primary")
    parts: list[ui.Cell] = [
        html.Div(fields, className="filters"), html.P(f"{card['title']}: {words[scenario]}.", className="note"), button,
        html.Div(id=ids.PROBLEM, role="alert"), dcc.Store(id=ids.FORM, data=[plant, scenario, a, b]),
    ]  # fmt: skip
    if not any(name not in ("pid", "nmpc") for name in known):
        parts.append(
            ui.empty(f"No PPO policy of {plant} is kept yet; train one to drive a twin with it:", f"setpoint train {plant}")
        )
    return html.Div(parts, className="stack")


def _seed(query: Mapping[str, str]) -> int:
    try:
        return max(0, whole_number(query.get("seed", "0")))
    except BadInput:
        return 0


def _field(name: str, control: Component, of: str | None = None) -> Component:
    """A control under its name; ``of`` is the id of an input that has no name of its own for a screen reader."""
    return html.Div([html.Label(name, htmlFor=of, className="lv-label"), control], className="lv-field")


def _open(data: Data) -> Component:
    """The sessions that have not been ended, the newest first."""
    rows: list[list[ui.Cell]] = []
    for name, session in reversed(list(data.live.sessions.all().items())):
        view = session.view()
        twins = " · ".join(f"{twin} {shown_name(seen.controller)}" for twin, seen in view.twins.items())
        state = "■ episode over" if view.over else "▶ running" if view.running else "❚❚ paused"
        case = session.case
        done = f"{view.decision:,} of {session.steps:,}"
        rows.append([ui.link(name, f"/live/{name}"), case.plant, case.scenario, str(case.seed), twins, done, state])
    if not rows:
        return html.Div()
    heads = ["session", "plant", "scenario", "seed", "controllers", "decision", "clock"]
    return ui.panel("Open sessions", ui.table(heads, rows, (3, 5), "live sessions"))
