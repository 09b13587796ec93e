"""Jobs: commands that were started from the dashboard, the running ones with how far they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import Dash, html
from dash.development.base_component import Component

from controller.jobs import Job, jobs
from controller.records import RunRecord
from dashboard import components as ui
from dashboard.data import Data
from dashboard.jobs.form import COMMANDS, line
from dashboard.renew import Renewed

Listed = Sequence[tuple[Job, RunRecord | None]]
"""Jobs, each with the run that it records."""


def layout(data: Data, _query: Mapping[str, str]) -> Component:
    """The jobs, newest first, and the ways to a new one."""
    return ui.page(
        "Jobs",
        *_renewed(data).placed(),
        note="each is a process of its own: it goes on when the dashboard or the browser ends",
        actions=[ui.button(f"New: {command}", "/jobs/new", command=command) for command in COMMANDS],
    )


def register(app: Dash, data: Data) -> None:
    """Renew the table when a job or its run changed."""
    _renewed(data).register(app)


def _renewed(data: Data) -> Renewed[Listed]:
    return Renewed("jobs", lambda _: _found(data), _mark, lambda found, _: _table(found, operator=data.access.operator))


def _found(data: Data) -> Listed:
    listed = jobs(data.store)
    runs = {run.id: run for run in data.runs()} if any(job.run for job in listed) else {}
    return [(job, runs.get(job.run or "")) for job in listed]


def _mark(found: Listed) -> list[list[object]]:
    return [[job.id, job.state, job.run, None if run is None else run.step] for job, run in found]


def _table(found: Listed, *, operator: bool) -> Component:
    if not found:
        hint = "Nothing was started from here yet. Commands typed in a terminal show among the runs."
        to_start, command = ("", []) if operator else (" To start jobs from here:", ["setpoint dashboard --operator"])
        return ui.panel("Jobs", ui.empty(hint + to_start, *command))
    rows = [_row(job, run) for job, run in found]
    heads = ["job", "state", "command", "progress", "run", "started", "duration"]
    return ui.panel("1 job" if len(rows) == 1 else f"{len(rows)} jobs", ui.table(heads, rows, (5, 6), "jobs"))


def _row(job: Job, run: RunRecord | None) -> list[ui.Cell]:
    under_way = job.state == "running" and run is not None
    return [
        ui.link(job.id, f"/jobs/{job.id}"), state(job), ui.code(line(job.command)),
        ui.progress(run) if under_way and run is not None else "",
        "" if run is None else ui.link(run.id, f"/runs/{run.id}"),
        ui.moment(job.started or job.created), ui.duration(seconds(job)),
    ]  # fmt: skip


def state(job: Job) -> Component:
    """A job's state, told by word, shape and colour; what waits looks as what runs."""
    shown = ui.status("running" if job.state == "waiting" else job.state)
    return html.Span([shown, f" exit code {job.code}"]) if job.code else shown


def seconds(job: Job) -> float:
    """How long a job ran, or has been running."""
    return max((job.heartbeat if job.finished is None else job.finished) - (job.started or job.created), 0.0)
