"""Overview: what is running, what went wrong lately, and the best controller of each plant against PID and NMPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import Dash, html
from dash.development.base_component import Component

from controller.events import Event
from controller.records import EpisodeRow, RunRecord
from dashboard import components as ui
from dashboard.data import Data
from dashboard.figures import unit_text
from dashboard.renew import Renewed
from dashboard.results import OUTCOME, outcome, saving
from dashboard.verdict import Standing, Verdict

SHOWN = 8
"""Latest runs."""
NEWEST = 5
"""Alarms and violations, so that the comparisons below them are seen without scrolling."""


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The page as it is now, with the clock that keeps it so."""
    return html.Div(_renewed(data).placed())


def register(app: Dash, data: Data) -> None:
    """Keep the page up to date while it is looked at."""
    _renewed(data).register(app)


def _renewed(data: Data) -> Renewed[str]:
    return Renewed("overview", lambda _: data.pulse(), lambda pulse: pulse, lambda _pulse, _of: _body(data))


def _body(data: Data) -> Component:
    runs = data.runs()
    if not runs:
        hint = (
            "Nothing has been recorded yet. The demo trains PPO on two plants and compares it with a tuned PID, in a few minutes."
        )
        return ui.page("Overview", ui.panel("Begin here", ui.empty(hint, ui.EXAMPLES["demo"], ui.EXAMPLES["train"])))
    running = [run for run in runs if run.status == "running"]
    offenders = data.offenders(NEWEST)
    trouble = html.Div([_alarms(data.journal(NEWEST), offenders), *_violations(offenders)], className="columns news")
    return ui.page("Overview", _jobs(data, running), trouble, _best(data, runs), _recent(runs[:SHOWN]), note=_tally(runs))


def _tally(runs: Sequence[RunRecord]) -> str:
    counts = {status: sum(run.status == status for run in runs) for status in ("running", "completed", "stopped", "failed")}
    return " · ".join(f"{count} {status}" for status, count in counts.items() if count)


def _jobs(data: Data, running: Sequence[RunRecord]) -> Component:
    if not running:
        return ui.panel("Running now", ui.empty("Nothing is running.", ui.EXAMPLES["train"], brief=True))
    data.digest.refresh()
    rows: list[list[ui.Cell]] = [
        [
            ui.link(run.id, f"/runs/{run.id}"),
            run.kind,
            run.plant,
            ui.controller(run.controller),
            ui.progress(run),
            ui.sparkline(data.digest.scores(run.id), f"score of {run.id}"),
            ui.number(run.score),
            ui.number(run.best),
        ]
        for run in running
    ]
    heads = ["run", "kind", "plant", "controller", "progress", "course of the score", "score", "best"]
    return ui.panel("Running now", ui.table(heads, rows, (6, 7), "running jobs"), aside=f"{len(running)} running")


def _alarms(events: Sequence[Event], offenders: Sequence[EpisodeRow]) -> Component:
    clean = "" if offenders else "none of the newest 400 episodes crossed a hard limit, tripped, or failed"
    if not events:
        return ui.panel("Alarms and events", html.P("None has been recorded.", className="note"), aside=clean)
    rows: list[list[ui.Cell]] = [
        [
            ui.priority(event.priority),
            html.Span(ui.moment(event.time), className="nowrap"),
            html.Span(event.tag, className="nowrap"),
            html.Div(_told(event), title=event.text),
            event.state,
        ]
        for event in events
    ]
    heads = ["priority", "time", "tag", "what", "state"]
    return ui.panel("Alarms and events", ui.table(heads, rows, (), "alarms and events"), aside=clean)


def _told(event: Event) -> ui.Cell:
    return ui.link(event.text, f"/runs/{event.run}", tab="log") if event.run else event.text


def _violations(episodes: Sequence[EpisodeRow]) -> list[Component]:
    rows: list[list[ui.Cell]] = [
        [
            ui.outcome(row.outcome) if row.outcome != "completed" else html.Span("▲ hard limit", className="status failed"),
            row.plant,
            ui.controller(row.controller),
            ui.link(f"{row.scenario}, seed {row.seed}", f"/runs/{row.run}", episode=row.id),
        ]
        for row in episodes
    ]
    table = ui.table(["what", "plant", "controller", "episode"], rows, (), "last violations")
    return [ui.panel("Last violations", table)] if rows else []


def _best(data: Data, runs: Sequence[RunRecord]) -> Component:
    standings = data.standings(runs)
    if not standings:
        hint = "No comparison of controllers has been recorded yet."
        return ui.panel("Best controller by plant", ui.empty(hint, ui.EXAMPLES["benchmark"]))
    verdicts = {verdict.plant: verdict for verdict in data.verdicts(runs)}
    rows = [_standing(standing, verdicts.get(standing.plant)) for standing in standings]
    words = {standing.headline for standing in standings}
    figure = words.pop() if len(words) == 1 else "figure"
    gains = ["PID's", "gain on PID", "NMPC's", "gain on NMPC"]
    heads = ["plant", "best controller", f"its {figure}", *gains, "PPO saves against PID", ""]
    legend = "newest comparison of each, on the same episodes; never who has more violations, trips or discomfort than PID"
    return ui.panel("Best controller by plant", ui.table(heads, rows, (2, 3, 4, 5, 6), "best controller by plant"), aside=legend)


def _standing(standing: Standing, verdict: Verdict | None) -> list[ui.Cell]:
    numbers = {name: figures[standing.headline] for name, figures in standing.figures.items()}
    unit = unit_text(standing.units.get(standing.headline, ""))
    best, pid, nmpc = (_figure(numbers.get(name), unit) for name in (standing.best, "pid", "nmpc"))
    row: list[ui.Cell] = [ui.link(standing.plant, f"/plants/{standing.plant}"), ui.controller(standing.best), best]
    row += [pid, _share(standing.gain("pid")), nmpc, _share(standing.gain("nmpc"))]
    if verdict is None or verdict.run.id != standing.run.id:
        return [*row, "–", ui.button("Trends", "/compare", run=standing.run.id, plant=standing.plant)]
    link = ui.button("PPO against PID", "/compare", run=verdict.run.id, plant=verdict.plant, controllers="pid,ppo")
    return [*row, saving(verdict), link]


def _figure(value: float | None, unit: str) -> str:
    return "–" if value is None else ui.number(value) + _spaced(unit)


def _spaced(unit: str) -> str:
    return "" if unit == "–" else f" {unit}"


def _share(gain: float | None) -> str:
    return "–" if gain is None else f"{100 * gain:+.1f} %".replace("-0.0", "0.0").replace("-", "−")


def _recent(runs: Sequence[RunRecord]) -> Component:
    rows: list[list[ui.Cell]] = [
        [ui.status(run.status), ui.link(run.id, f"/runs/{run.id}"), run.kind, run.plant, ui.controller(run.controller),
         outcome(run), ui.duration(run.seconds), html.Span(ui.moment(run.started), className="nowrap")]
        for run in runs
    ]  # fmt: skip
    heads = ["status", "run", "kind", "plant", "controller", OUTCOME, "duration", "started"]
    return ui.panel("Latest runs", ui.table(heads, rows, (5, 6, 7), "latest runs"), aside=ui.link("all runs", "/runs"))
