"""What can be done with a run: compare it, stop it, go on with it, repeat it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from controller.ending import stop
from controller.events import say
from controller.records import EpisodeRow, RunRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data
from dashboard.jobs.form import line
from dashboard.jobs.start import start
from plant_models.core.errors import BadInput, SetpointError

_OPTIONS = {"scenario": "--scenario", "level": "--level", "penalty": "--penalty", "clone": "--clone", "safety": "--safety",
            "cost_limit": "--cost-limit"}  # fmt: skip
RESUME, REPEAT = "resume", "repeat"
FOLDER = "FOLDER"
"""Stands where whoever copies a command names the policy."""
_USUAL = {"level": "setpoint", "penalty": "clip", "safety": "none"}


def buttons(data: Data, run: RunRecord, rows: Sequence[EpisodeRow]) -> list[ui.Cell]:
    """The way to PPO against PID, and to the end of a run that is running."""
    controllers = {row.controller for row in rows}
    comparable = bool(rows) or run.kind == "train"
    parts: list[ui.Cell] = [ui.button("Tick others to compare", "/runs", plant=run.plant, kind=run.kind)] if comparable else []
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
        Output(ids.RUN_STOPPED, "children"), Input(ids.RUN_STOP, "submit_n_clicks"), State(ids.RUN_NAME, "data"),
        prevent_initial_call=True,
    )  # fmt: skip
    def end(clicks: object, name: object) -> Any:
        if not clicks:
            return no_update
        try:
            data.access.require_operator("stop a run")
            run = data.run(str(name))
            sent = stop(run)
            say(data.store, run.id, "operator", f"stopped from the dashboard: {sent} sent", "warning")
        except SetpointError as error:
            return html.Span(str(error), className="error")
        return f"{sent} sent; it ends after its present update"

    @app.callback(
        Output(ids.RUN_STOPPED, "children", allow_duplicate=True), Input({"type": ids.RUN_GO, "what": ALL}, "n_clicks"),
        State(ids.RUN_NAME, "data"), prevent_initial_call=True,
    )  # fmt: skip
    def go(clicks: object, name: object) -> Any:
        chosen = ctx.triggered_id
        if not (isinstance(clicks, list) and any(clicks) and isinstance(chosen, dict)):
            return no_update
        try:
            data.access.require_operator("start a job")
            job = start(data.store, words(data.run(str(name)), str(chosen.get("what"))))
        except SetpointError as error:
            return html.Span(str(error), className="error")
        return ui.link(f"started as {job}", f"/jobs/{job}")


def words(run: RunRecord, what: str) -> tuple[str, ...]:
    """The arguments after ``setpoint`` that go on with a run or repeat it; raises BadInput where nothing does.

    A store may be shared: what stands in a run must not become an option of a job of this user.
    """
    found = {RESUME: resumed, REPEAT: repeated}.get(what, _nothing)(run)
    if not found or FOLDER in found:
        raise BadInput(f"run {run.id}: not to be started from here; copy its command and complete it")
    return found


def commands(data: Data, run: RunRecord) -> list[Component]:
    """The commands that go on with a run, and repeat it, to copy; a run that nothing repeats has none."""
    lines = [(RESUME, "Go on where it stood", resumed), (REPEAT, "Repeat with another seed", repeated)]
    shown = [_line(data, what, told, found) for what, told, of in lines if (found := _readable(of, run))]
    if run.status == "running":
        shown = [_copied(f"Stop it, on {run.host}", f"kill -INT {run.pid}"), *shown]
    return [html.Details([html.Summary("Stop, resume, clone"), *shown], className="commands")] if shown else []


def _readable(of: Callable[[RunRecord], tuple[str, ...]], run: RunRecord) -> tuple[str, ...]:
    try:
        return of(run)
    except BadInput:
        return ()


def _line(data: Data, what: str, told: str, found: tuple[str, ...]) -> Component:
    """A command to copy, and where this dashboard may, to start."""
    if not data.access.operator or FOLDER in found:
        return _copied(told, line(found))
    return _copied(told, line(found), html.Button("Start as a job", id={"type": ids.RUN_GO, "what": what}, className="button"))


def _copied(told: str, command: str, *more: Component) -> Component:
    copy = dcc.Clipboard(content=command, title="copy", className="copy")
    return html.Div([html.Span(told, className="note"), ui.code(command), copy, *more], className="command")


def _nothing(_: RunRecord) -> tuple[str, ...]:
    return ()


def resumed(run: RunRecord) -> tuple[str, ...]:
    """The arguments that go on with a training where its last checkpoint stands; none where nothing can; raises BadInput."""
    if run.kind != "train" or run.controller != "ppo" or run.status == "running" or run.plant.count("/"):
        return ()
    more = ("--steps", _whole(run, "total_steps", 0, times=2)) if run.status == "completed" else ()
    return ("train", _name(run, run.plant), "--resume", _name(run, run.id), *more)


def repeated(run: RunRecord) -> tuple[str, ...]:
    """The arguments that do the same with the next seed; none for what is more than one command; raises BadInput."""
    seed = ("--seed", str(run.seed + 1))
    if run.kind == "train":
        steps = ("--steps", _whole(run, "total_steps", 0))
        algorithm = () if run.controller == "ppo" else ("--algorithm", _name(run, run.controller))
        return ("train", _name(run, run.plant), *seed, *steps, *algorithm, *_given(run, _OPTIONS))
    if run.kind in ("benchmark", "simulate"):
        option = "--controllers" if run.kind == "benchmark" else "--controller"
        learned = ("--policy", FOLDER) if "ppo" in run.controller.split(",") else ()
        base = (run.kind, _name(run, run.plant), option, _name(run, run.controller), *learned)
        return (*base, "--episodes", _whole(run, "episodes", 1), *seed, *_given(run, {"scenario": "--scenario"}))
    return ("demo", *seed, "--no-dashboard") if run.kind == "demo" else ()


def _given(run: RunRecord, options: Mapping[str, str]) -> tuple[str, ...]:
    """The options that a run was given otherwise than usual."""
    found = {option: run.config.get(key) for key, option in options.items() if run.config.get(key) != _USUAL.get(key)}
    return tuple(word for option, value in found.items() if value not in (None, "") for word in (option, _name(run, value)))


def _name(run: RunRecord, value: object) -> str:
    """A value as one argument; raises BadInput for one that would be read as an option."""
    if str(value).startswith("-"):
        raise BadInput(f"run {run.id}: {str(value)[:40]!r} in it begins with a hyphen; no command is made from it")
    return str(value)


def _whole(run: RunRecord, key: str, otherwise: int, times: int = 1) -> str:
    """A number of the configuration as one argument; raises BadInput for what is none, or negative."""
    value = run.config.get(key, otherwise)
    if not isinstance(value, int) or value < 0:
        raise BadInput(f"run {run.id}: {key} {str(value)[:40]!r} in it is no whole number; no command is made from it")
    return str(int(value) * times)
