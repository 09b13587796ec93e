"""Overview: what is running now, and how PPO stands against PID on each plant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from controller.records import RunRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data
from dashboard.results import result_card
from dashboard.verdict import Verdict


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The page as it is now, with the clock that keeps it so."""
    runs = data.runs()
    return html.Div(
        [
            html.Div(_body(data, runs), id=ids.OVERVIEW),
            dcc.Store(id=ids.OVERVIEW_STAMP, data=_stamp(runs)),
            dcc.Interval(id=ids.tick("overview"), interval=2000),
        ]
    )


def register(app: Dash, data: Data) -> None:
    """Keep the page up to date while it is looked at."""

    @app.callback(
        Output(ids.OVERVIEW, "children"),
        Output(ids.OVERVIEW_STAMP, "data"),
        Input(ids.tick("overview"), "n_intervals"),
        State(ids.OVERVIEW_STAMP, "data"),
        prevent_initial_call=True,
    )
    def update(_ticks: int, seen: object) -> Any:
        runs = data.runs()
        stamp = _stamp(runs)
        return (no_update, no_update) if stamp == seen else (_body(data, runs), stamp)


def _stamp(runs: Sequence[RunRecord]) -> list[list[object]]:
    """What of the runs shows here, as JSON gives it back."""
    return [[run.id, run.status, run.step, None if math.isnan(run.best) else run.best] for run in runs[:50]]


def _body(data: Data, runs: Sequence[RunRecord]) -> Component:
    if not runs:
        hint = (
            "Nothing has been recorded yet. The demo trains PPO on two plants and compares it with a tuned PID, in a few minutes."
        )
        return ui.page("Overview", ui.panel("Begin here", ui.empty(hint, ui.EXAMPLES["demo"], ui.EXAMPLES["train"])))
    running = [run for run in runs if run.status == "running"]
    return ui.page("Overview", _jobs(running), _results(data.verdicts()), _recent(runs[:8]), note=_tally(runs))


def _tally(runs: Sequence[RunRecord]) -> str:
    counts = {status: sum(run.status == status for run in runs) for status in ("running", "completed", "stopped", "failed")}
    return " · ".join(f"{count} {status}" for status, count in counts.items() if count)


def _jobs(running: Sequence[RunRecord]) -> Component:
    if not running:
        return ui.panel("Running now", ui.empty("Nothing is running.", ui.EXAMPLES["train"]))
    rows: list[list[ui.Cell]] = [
        [
            ui.link(run.id, f"/runs/{run.id}"),
            run.plant,
            ui.controller(run.controller),
            ui.progress(run),
            ui.number(run.score),
            ui.number(run.best),
        ]
        for run in running
    ]
    return ui.panel(
        "Running now", ui.table(["run", "plant", "controller", "progress", "score", "best"], rows, (4, 5), "running jobs")
    )


def _results(results: Sequence[Verdict]) -> Component:
    if not results:
        hint = "No comparison of PPO with PID has been recorded yet."
        return ui.panel("PPO against PID", ui.empty(hint, ui.EXAMPLES["benchmark"]))
    legend = "mean gain of PPO over PID on the same scenarios and seeds, with its 95 % interval; right of the line PPO is better"
    return ui.panel("PPO against PID", html.Div([result_card(result) for result in results], className="results"), aside=legend)


def _recent(runs: Sequence[RunRecord]) -> Component:
    rows: list[list[ui.Cell]] = [
        [ui.status(run.status), ui.link(run.id, f"/runs/{run.id}"), run.kind, run.plant, ui.controller(run.controller),
         ui.number(run.best), ui.duration(run.seconds), ui.moment(run.started)]
        for run in runs
    ]  # fmt: skip
    heads = ["status", "run", "kind", "plant", "controller", "best score", "duration", "started"]
    return ui.panel("Latest runs", ui.table(heads, rows, (5, 6, 7), "latest runs"), aside=ui.link("all runs", "/runs"))
