"""A new job: the form of a command, the command itself to copy, and, for operators, the button that starts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from controller.store import runs_folder
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data
from dashboard.jobs.form import COMMANDS, Field, arguments, fields, line
from dashboard.jobs.start import start
from plant_models.core.errors import SetpointError

START, PROBLEM, MISSING, LINE, NAME = "job-start", "job-problem", "job-missing", "job-line", "job-command"
FIELD: dict[str, Any] = {"type": "job-field", "field": ALL}
FIRST = "train"
UNSAID: Mapping[str, str] = {"clone": "as the plant says"}
"""What becomes of a choice that is left open, where that is not nothing at all."""


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The form as the address fills it; every field is a part of the address."""
    command = query.get("command", FIRST)
    others = [ui.button(name, "/jobs/new", command=name, plant=query.get("plant", "")) for name in COMMANDS if name != command]
    parts = [_part(data, field, query.get(field.name, "")) for field in fields(command)]
    shown, problem, missing, ready = _told(data, command, query)
    copy = dcc.Clipboard(target_id=LINE, title="copy", className="copy")
    return ui.page(
        f"New job: {command}",
        ui.panel("What to do", html.Div(parts, className="job-form")),
        ui.panel(
            "The command",
            html.Div([html.Code(ui.words(shown), id=LINE), copy], className="command"),
            html.P(problem, id=PROBLEM, className="error", role="alert"),
            html.P(missing, id=MISSING, className="note"),
            html.Button("Start", id=START, className="button", disabled=not ready),
            html.Span(
                "" if data.access.operator else [" to start jobs from here: ", html.Code("setpoint dashboard --operator")],
                className="note",
            ),
        ),
        dcc.Store(id=NAME, data=command),
        note="what is left empty is the command's own default",
        actions=others,
    )


def register(app: Dash, data: Data) -> None:
    """Keep the command, and the address, as the fields are; start the command, and show its job."""

    @app.callback(
        Output(LINE, "children"),
        Output(PROBLEM, "children"),
        Output(MISSING, "children"),
        Output(START, "disabled"),
        Input(FIELD, "value"),
        State(FIELD, "id"),
        State(NAME, "data"),
        prevent_initial_call=True,
    )
    def change(values: Sequence[object], named: Sequence[Mapping[str, str]], command: str) -> Any:
        shown, problem, missing, ready = _told(data, command, _given(values, named))
        return ui.words(shown), problem, missing, not ready

    @app.callback(
        Output(ids.URL, "href"),
        Output(PROBLEM, "children", allow_duplicate=True),
        Input(START, "n_clicks"),
        State(FIELD, "value"),
        State(FIELD, "id"),
        State(NAME, "data"),
        prevent_initial_call=True,
    )
    def begin(clicks: object, values: Sequence[object], named: Sequence[Mapping[str, str]], command: str) -> Any:
        if not clicks:
            return no_update, no_update
        try:
            data.access.require_operator("start a job")
            job = start(data.store, _words(data, command, _given(values, named)))
        except SetpointError as error:
            return no_update, str(error)
        return f"/jobs/{job}", ""

    app.clientside_callback(
        ClientsideFunction("jobs", "remember"), Input(FIELD, "value"), State(FIELD, "id"), prevent_initial_call=True
    )


def _given(values: Sequence[object], named: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {str(each["field"]): str(value or "") for each, value in zip(named, values, strict=True)}


def _words(data: Data, command: str, given: Mapping[str, str]) -> tuple[str, ...]:
    """The command that the fields make; raises SetpointError for what cannot be asked."""
    if given.get("plant"):
        data.card(given["plant"])
    policy = given.get("policy")
    return arguments(command, {**given, "policy": str(runs_folder() / data.run(policy).id / "policy")} if policy else given)


def _told(data: Data, command: str, given: Mapping[str, str]) -> tuple[str, str, str, bool]:
    """The command to copy, what is wrong with it, what it still needs, and whether it may be started here."""
    try:
        words = _words(data, command, given)
    except SetpointError as error:
        return f"setpoint {command}", str(error), "", False
    chosen = bool(given.get("plant"))
    return line(words), "", "" if chosen else "It needs a plant: choose one above.", chosen and data.access.operator


def _part(data: Data, field: Field, value: str) -> Component:
    name = field.flag.removeprefix("--") or field.name
    words = html.Div([html.B(name), html.Span(ui.words(field.help.replace("`", "")), className="note")])
    return html.Div([words, _control(data, field, value, name)], className="job-field")


def _control(data: Data, field: Field, value: str, name: str) -> Component:
    """What a field is filled in with; a choice where what may be chosen is known."""
    ident = {"type": FIELD["type"], "field": field.name}
    options = ["on"] if field.kind == "switch" else [each for each in _known(data, field) or field.choices if each]
    usually = "off" if field.kind == "switch" else "" if field.default is None else str(field.default)
    if options:
        empty = usually or UNSAID.get(field.name) or ("none" if field.choices else "choose one")
        return ui.picker(ident, empty, options, value if value in options else None, width=260, empty=True, label=name)
    control: Component = dmc.TextInput(
        id=ident, value=value, debounce=True, placeholder=usually, size="xs", w=260, **ui.aria(name)
    )
    return control


def _known(data: Data, field: Field) -> Sequence[str]:
    """What the store or the catalogue offers for a field."""
    if field.name == "plant":
        return data.plant_names()
    if field.name in ("policy", "resume"):
        return [run.id for run in data.runs() if run.kind == "train"]
    return ()
