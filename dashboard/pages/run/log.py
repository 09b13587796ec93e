"""A run's log: how it began and ended, what it said on the way, and what the job that records it printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dash import html
from dash.development.base_component import Component

from controller import jobs
from controller.events import Level
from controller.records import RunRecord
from dashboard import components as ui
from dashboard.data import Data
from dashboard.jobs.start import tail

_SHAPES: Mapping[str, tuple[str, str]] = {"error": ("▲", "failed"), "warning": ("◆", "stopped")}


class Line(NamedTuple):
    """One line: when (seconds since 1970), of which level, who says what."""

    time: float
    level: Level
    who: str
    text: str


def body(data: Data, run: RunRecord, query: Mapping[str, str]) -> Sequence[Component]:
    """The run's own lines with their times and levels, and the end of what its job printed."""
    said = [Line(event.time, event.level, event.tag, event.text) for event in data.said(run.id)]
    shown = lines(run, said)
    rows: list[list[ui.Cell]] = [
        [html.Span(ui.instant(line.time), className="nowrap"), _level(line.level), line.who, line.text] for line in shown
    ]
    table = ui.table(["time", "level", "from", "what"], rows, name=f"log of {run.id}")
    notes = "1 note" if len(said) == 1 else f"{len(said)} notes"
    count = f"{notes} of its own" if said else "it said nothing of its own"
    return [ui.panel("Log", html.Div(table, className="said"), aside=count), *_printed(data, run)]


def lines(run: RunRecord, said: Sequence[Line]) -> list[Line]:
    """What was said between a run's beginning and its end, oldest first."""
    end = _end(run)
    return [_begin(run), *said, *([] if end is None else [end])]


def _begin(run: RunRecord) -> Line:
    version = run.versions.get("setpoint", "")
    by = f", setpoint {version}" if version else ""
    resumed = f"; goes on with {run.config['resumes']} at step {run.config.get('resumed_at')}" if "resumes" in run.config else ""
    return Line(run.started, "info", "setpoint", f"{run.kind} began: process {run.pid} on {run.host}{by}{resumed}")


def _end(run: RunRecord) -> Line | None:
    """How a run ended; of one that was killed only its last sign of life is known."""
    if run.status == "running":
        return None
    if run.finished is None:
        words = "last sign of life; its process ended without closing the run: killed, or its machine went down"
        return Line(run.heartbeat, "error", "setpoint", words)
    ends: Mapping[str, tuple[Level, str]] = {
        "completed": ("info", f"completed after {ui.duration(run.seconds)}"),
        "stopped": ("warning", f"interrupted after {ui.duration(run.seconds)}; what it had recorded is kept"),
        "failed": ("error", f"failed: {run.result.get('error', 'it left no reason')}"),
    }
    level, words = ends[run.status]
    return Line(run.finished, level, "setpoint", words)


def _level(level: Level) -> ui.Cell:
    """A level, told by word, shape and colour."""
    shape, look = _SHAPES.get(level, ("", ""))
    return html.Span([html.Span(shape, className="mark"), level], className=f"status {look}") if shape else level


def job_of(data: Data, run: RunRecord) -> jobs.Job | None:
    """The job that records a run, where one does."""
    return next((job for job in jobs.jobs(data.store) if job.run == run.id), None)


def _printed(data: Data, run: RunRecord) -> list[Component]:
    """The end of what a job of this machine printed."""
    job = job_of(data, run)
    text = tail(job) if job else ""
    if job is None or not text:
        return []
    shown = html.Pre(text, className="log", tabIndex="0", **ui.aria("what the job printed"))
    return [ui.panel("Printed", shown, aside=["its end · ", ui.link(job.id, f"/jobs/{job.id}")])]
