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
from dashboard.renew import NO_MORE, Renewed
from plant_models.core.errors import SetpointError

NAME, STOP, PROBLEM = "job-name", "job-stop", "job-stop-problem"
Found = tuple[Job, str]
"""A job and the end of its log."""


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The job named by ``query['id']``; raises UnknownName."""
    job = find(data.store, query["id"])
    return ui.page(
        job.id,
        *_renewed(data).placed(job.id),
        dcc.Store(id=NAME, data=job.id),
        note=ui.code(line(job.command)),
        actions=_stop(data, job),
    )


def register(app: Dash, data: Data) -> None:
    """Renew the job while it runs, and stop it."""
    _renewed(data).register(app)

    @app.callback(Output(STOP, "disabled"), Input(ids.tick("job"), "max_intervals"), prevent_initial_call=True)
    def ended(ticks: object) -> bool:
        return ticks == NO_MORE or not data.access.operator

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


def _renewed(data: Data) -> Renewed[Found]:
    return Renewed(
        "job", lambda name: _found(data, name), _mark, lambda found, _: _body(data, *found), lambda found: _open(found[0])
    )


def _found(data: Data, name: str) -> Found:
    job = find(data.store, name)
    return job, tail(job)


def _open(job: Job) -> bool:
    return job.state in ("waiting", "running")


def _mark(found: Found) -> list[object]:
    job, log = found
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
    text = html.Pre(log or f"nothing was printed{' yet' if _open(job) else ''}", className="log", tabIndex="0", **ui.aria("log"))
    return [ui.panel("State", ui.facts(pairs)), ui.panel("Log", text, aside="its end")]
