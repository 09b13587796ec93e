"""What can be done with a run: compare it, stop it, go on with it, repeat it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from controller.ending import stop
from controller.records import EpisodeRow, RunRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data
from dashboard.jobs.start import start
from plant_models.core.errors import BadInput, SetpointError

_OPTIONS = {"scenario": "--scenario", "level": "--level", "penalty": "--penalty", "clone": "--clone", "safety": "--safety",
            "cost_limit": "--cost-limit"}  # fmt: skip
RESUME, REPEAT = "resume", "repeat"
_USUAL = {"level": "setpoint", "penalty": "clip", "safety": "none"}


def buttons(data: Data, run: RunRecord, rows: Sequence[EpisodeRow]) -> list[ui.Cell]:
    """The way to PPO against PID, and to the end of a run that is running."""
    controllers = {row.controller for row in rows}
    parts: list[ui.Cell] = [ui.button("Tick others to compare", "/runs", plant=run.plant, kind=run.kind)]
    if len(controllers) > 1:
        pair = "pid,ppo" if {"pid", "ppo"} <= controllers else ""
        parts = [ui.button("PPO against PID" if pair else "Compare the controllers", "/compare", run=run.id, controllers=pair)]
    elif (rival := data.rival(run.plant)) is not None:
        parts = [ui.button("PPO against PID", "/compare", run=rival.id, plant=run.plant, controllers="pid,ppo")]
    else:
        parts.append(ui.no_rival(run.plant))
    if run.status == "running":
        parts.append(_stop_button(data, run))
    return [html.Div(parts), html.Div(id=ids.RUN_STOPPED, className="note", role="status")]


def _stop_button(data: Data, run: RunRecord) -> Component:
    """A button that asks once more; one that does nothing says how the dashboard has to be started."""
    why = "" if data.access.operator else "start the dashboard with --operator to stop runs from here"
    button = html.Button("Stop", className="button danger", disabled=not data.access.operator, title=why)
    question = f"Stop {run.id}? What it has recorded is kept, and a training by PPO can be resumed."
    asking: Component = dcc.ConfirmDialogProvider(button, id=ids.RUN_STOP, message=question)
    return asking if data.access.operator else button


def register(app: Dash, data: Data) -> None:
    """Stop a run where this dashboard may."""

    @app.callback(
        Output(ids.RUN_STOPPED, "children"), Input(ids.RUN_STOP, "submit_n_clicks"), State(ids.RUN_STAMP, "data"),
        prevent_initial_call=True,
    )  # fmt: skip
    def end(clicks: object, seen: object) -> Any:
        if not clicks or not isinstance(seen, dict):
            return no_update
        try:
            data.access.require_operator("stop a run")
            sent = stop(data.run(str(seen.get("id"))))
        except SetpointError as error:
            return html.Span(str(error), className="error")
        return f"{sent} sent; it ends after its present update"

    @app.callback(
        Output(ids.RUN_STOPPED, "children", allow_duplicate=True), Input({"type": ids.RUN_GO, "what": ALL}, "n_clicks"),
        State(ids.RUN_STAMP, "data"), prevent_initial_call=True,
    )  # fmt: skip
    def go(clicks: object, seen: object) -> Any:
        chosen = ctx.triggered_id
        if not (isinstance(clicks, list) and any(clicks) and isinstance(chosen, dict) and isinstance(seen, dict)):
            return no_update
        try:
            data.access.require_operator("start a job")
            job = start(data.store, words(data.run(str(seen.get("id"))), str(chosen.get("what"))))
        except SetpointError as error:
            return html.Span(str(error), className="error")
        return ui.link(f"started as {job}", f"/jobs/{job}")


def words(run: RunRecord, what: str) -> tuple[str, ...]:
    """The arguments after ``setpoint`` that go on with a run or repeat it; raises BadInput where nothing does."""
    command = {RESUME: resumed, REPEAT: repeated}.get(what, lambda _: "")(run)
    if not command or "FOLDER" in command:
        raise BadInput(f"run {run.id}: not to be started from here; copy its command and complete it")
    return tuple(shlex.split(command)[1:])


def commands(data: Data, run: RunRecord) -> list[Component]:
    """The commands that go on with a run, and repeat it, to copy; a run that nothing repeats has none."""
    lines = [(RESUME, "Go on where it stood", resumed(run)), (REPEAT, "Repeat with another seed", repeated(run))]
    if run.status == "running":
        lines = [("", f"Stop it, on {run.host}", f"kill -INT {run.pid}"), *lines]
    shown = [_line(data, what, told, command) for what, told, command in lines if command]
    return [html.Details([html.Summary("Stop, resume, clone"), *shown], className="commands")] if shown else []


def _line(data: Data, what: str, told: str, command: str) -> Component:
    """A command to copy, and where this dashboard may, to start."""
    parts = [
        html.Span(told, className="note"),
        html.Code(command),
        dcc.Clipboard(content=command, title="copy", className="copy"),
    ]
    if what and data.access.operator and "FOLDER" not in command:
        parts.append(html.Button("Start as a job", id={"type": ids.RUN_GO, "what": what}, className="button"))
    return html.Div(parts, className="command")


def resumed(run: RunRecord) -> str:
    """The command that goes on with a training where its last checkpoint stands; empty where nothing can."""
    if run.kind != "train" or run.controller != "ppo" or run.status == "running" or run.plant.count("/"):
        return ""
    more = f" --steps {2 * int(run.config.get('total_steps', 0))}" if run.status == "completed" else ""
    return f"setpoint train {shlex.quote(run.plant)} --resume {run.id}{more}"


def repeated(run: RunRecord) -> str:
    """The command that does the same with the next seed; empty for what is more than one command."""
    config, plant, seed = run.config, shlex.quote(run.plant), run.seed + 1
    scenario = str(config.get("scenario", ""))
    if run.kind == "train":
        given = {
            option: config.get(key) for key, option in _OPTIONS.items() if config.get(key) not in (None, "", _USUAL.get(key))
        }
        options = "".join(f" {option} {shlex.quote(str(value))}" for option, value in given.items())
        algorithm = "" if run.controller == "ppo" else f" --algorithm {shlex.quote(run.controller)}"
        return f"setpoint train {plant} --seed {seed} --steps {config.get('total_steps', 0)}{algorithm}{options}"
    if run.kind in ("benchmark", "simulate"):
        option = "--controllers" if run.kind == "benchmark" else "--controller"
        learned = " --policy FOLDER" if "ppo" in run.controller.split(",") else ""
        base = f"setpoint {run.kind} {plant} {option} {shlex.quote(run.controller)}{learned}"
        return f"{base} --episodes {config.get('episodes', 1)} --seed {seed}" + (
            f" --scenario {shlex.quote(scenario)}" if scenario else ""
        )
    return f"setpoint demo --seed {seed} --no-dashboard" if run.kind == "demo" else ""
