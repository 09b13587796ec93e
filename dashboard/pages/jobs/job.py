"""One job: how it stands, its run, the end of its log, and, for operators, the button that stops it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from controller.events import say
from controller.jobs import Job, find
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data
from dashboard.jobs.form import line
from dashboard.jobs.start import stop, tail
from dashboard.pages.jobs.listing import seconds, state
from plant_models.core.errors import SetpointError

BODY, STAMP, NAME, STOP, PROBLEM = "job-body", "job-stamp", "job-name", "job-stop", "job-stop-problem"


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The job named by ``query['id']``; raises UnknownName."""
    job = find(data.store, query["id"])
    log = tail(job)
    return ui.page(
        job.id,
        html.Div(_body(data, job, log), id=BODY),
        dcc.Store(id=NAME, data=job.id),
        dcc.Store(id=STAMP, data=_stamp(job, log)),
        dcc.Interval(id=ids.tick("job"), interval=2000, max_intervals=-1 if _open(job) else 0),
        note=html.Code(line(job.command)),
        actions=_stop(data, job),
    )


def register(app: Dash, data: Data) -> None:
    """Renew the job while it runs, and stop it."""

    @app.callback(
        Output(BODY, "children"),
        Output(STAMP, "data"),
        Output(ids.tick("job"), "max_intervals"),
        Output(STOP, "disabled"),
        Input(ids.tick("job"), "n_intervals"),
        State(STAMP, "data"),
        State(NAME, "data"),
        prevent_initial_call=True,
    )
    def update(_ticks: int, seen: object, name: str) -> Any:
        job = find(data.store, name)
        log = tail(job)
        stamp = _stamp(job, log)
        if stamp == seen:
            return no_update, no_update, no_update, no_update
        return _body(data, job, log), stamp, -1 if _open(job) else 0, not (_open(job) and data.access.operator)

    @app.callback(Output(PROBLEM, "children"), Input(STOP, "n_clicks"), State(NAME, "data"), prevent_initial_call=True)
    def end(clicks: object, name: str) -> Any:
        if not clicks:
            return no_update
        try:
            data.access.require_operator("stop a job")
            stop(data.store, name)
            if run := find(data.store, name).run:
                say(data.store, run, "operator", f"{name} stopped from the dashboard", "warning")
        except SetpointError as error:
            return str(error)
        return "interrupted; it keeps what it has and ends"


def _open(job: Job) -> bool:
    return job.state in ("waiting", "running")


def _stamp(job: Job, log: str) -> list[object]:
    return [job.state, job.run, round(job.heartbeat), len(log)]


def _stop(data: Data, job: Job) -> list[Component]:
    button = html.Button("Stop", id=STOP, className="button", disabled=not (_open(job) and data.access.operator))
    return [html.Span(id=PROBLEM, className="note", role="status"), button]


def _body(data: Data, job: Job, log: str) -> list[Component]:
    pairs: dict[str, ui.Cell] = {"state": state(job), "duration": ui.duration(seconds(job)), "on": job.host}
    if job.run:
        run = data.run(job.run)
        pairs |= {"run": ui.link(run.id, f"/runs/{run.id}"), "score": ui.number(run.score), "best": ui.number(run.best)}
        pairs |= {"progress": ui.progress(run)} if run.status == "running" else {}
    text = html.Pre(log or "nothing was printed yet", className="log", tabIndex="0", **ui.aria("log"))
    return [ui.panel("State", ui.facts(pairs)), ui.panel("Log", text, aside="its end")]
