"""Benchmark: plant by protocol by controller as a heat map with intervals, and each case down to its episodes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from controller.records import RunRecord
from controller.statistics import ROUNDING
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data
from dashboard.figures import shown_name, unit_text
from dashboard.matrix import KEYS, Case, Gain, Row, gain, kept, matrix, rows

CSV, JSON, RUN, FILE = "benchmark-csv", "benchmark-json", "benchmark-run", "benchmark-file"
FULL = 50.0
"""Relative gain in % at which a place has its full colour."""
COMMAND = "setpoint benchmark all --protocol all --controllers constant,pid,ppo --report report.html"


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The run named in the address, or the newest benchmark of most cases."""
    runs = [run for run in data.runs() if run.kind == "benchmark" and run.status == "completed" and rows(run)]
    if not runs:
        return ui.page("Benchmark", ui.panel("Begin here", ui.empty("No benchmark has been recorded yet.", COMMAND)))
    run = data.run(query["run"]) if query.get("run") else next((each for each in runs if each.result.get("standings")), runs[0])
    found = rows(run)
    cases = matrix(kept(found, query))
    chosen = next((case for case in cases if case.name == query.get("case")), next(iter(cases), None))
    return ui.page(
        "Benchmark",
        html.Div([_pick_run(runs, run), *(_filter(found, query, key) for key in KEYS)], className="filters"),
        _heat(cases, query, run, chosen),
        *([] if chosen is None else _case(data, run, chosen, cases[chosen])),
        dcc.Store(id=RUN, data=run.id), dcc.Download(id=FILE),
        note=["recorded by ", ui.link(run.id, f"/runs/{run.id}"), f" · {ui.moment(run.started)}"],
        actions=[html.Button("CSV", id=CSV, className="button"), html.Button("JSON", id=JSON, className="button")],
    )  # fmt: skip


def register(app: Dash, data: Data) -> None:
    """Hand out the run's standings as a file."""

    @app.callback(
        Output(FILE, "data"), Input(CSV, "n_clicks"), Input(JSON, "n_clicks"), State(RUN, "data"), prevent_initial_call=True
    )
    def export(as_csv: object, as_json: object, name: str) -> Any:
        if not as_csv and not as_json:
            return no_update
        run = data.run(name)
        if ctx.triggered_id == CSV:
            from dashboard.report import lines  # late: a report's figures know the plants' own equations

            return {"content": lines(rows(run)), "filename": f"{run.id}.csv", "type": "text/csv"}
        return {"content": json.dumps(rows(run), indent=1), "filename": f"{run.id}.json", "type": "application/json"}


def _pick_run(runs: Sequence[RunRecord], run: RunRecord) -> Component:
    named = {each.id: each for each in (*runs, run)}.values()
    options = [{"value": each.id, "label": f"{ui.moment(each.started)} · {each.plant} · {each.controller}"} for each in named]
    return ui.picker(ids.choice("run", run.id), "benchmark", options, run.id, width=420)


def _filter(found: Sequence[Row], query: Mapping[str, str], key: str) -> Component:
    options = list(dict.fromkeys(str(row.get(key, "")) for row in found if row.get(key)))
    value = query.get(key) if query.get(key) in options else None
    return ui.picker(ids.choice(key, value or ""), f"any {key}", options, value, width=190, empty=True)


def _heat(cases: Mapping[Case, Mapping[str, Row]], query: Mapping[str, str], run: RunRecord, chosen: Case | None) -> Component:
    if not cases:
        return ui.panel("Gain over PID", ui.empty("No case of this benchmark fits these filters.", COMMAND))
    names = [name for name in dict.fromkeys(name for row in cases.values() for name in row) if name != "pid"]
    head = html.Tr([html.Th("case", scope="col"), *(html.Th(shown_name(name), scope="col", className="num") for name in names)])
    kept_query = {**query, "run": run.id}
    body = [
        html.Tr(
            [_title(case, kept_query), *(_place(row.get(name), case, kept_query) for name in names)],
            className="chosen" if case == chosen else None,
        )
        for case, row in cases.items()
    ]
    told = "in %, with its 95 % interval; on tracking plants a share of PID's cost, else of PID's gain over the floor"
    if any(row[name]["violations"] for row in cases.values() for name in names if name in row):
        told += "; ▲\u00a0episodes beyond a hard limit"
    table = html.Table(
        [html.Thead(head), html.Tbody(body)], className="data heat", **ui.aria("gain over PID by case and controller")
    )
    return ui.panel("Gain over PID", html.Div(table, className="scroll"), aside=told)


def _title(case: Case, query: Mapping[str, str]) -> Component:
    link = ui.link(case.plant, "/benchmark", **{**query, "case": case.name})
    return html.Th([link, html.Span(case.words, className="note")], scope="row")


def _place(row: Row | None, case: Case, query: Mapping[str, str]) -> Component:
    found = None if row is None else gain(row)
    if found is None:
        return html.Td("–" if row is None else "did as PID" if row.get("saved") else "–", className="num")
    crossed = (
        html.Span(f"▲ {row['violations']}", className="bad", title="episodes that crossed a hard limit")
        if row and row["violations"]
        else ""
    )
    label = dcc.Link(
        [html.B(_percent(found.mean)), html.Span(f" {_percent(found.low)} to {_percent(found.high)}", className="note"), crossed],
        href=ui.href("/benchmark", **{**query, "case": case.name}),
    )
    return html.Td(label, className=f"num {found.verdict}", style={"background": _colour(found)})


def _percent(value: float) -> str:
    text = f"{value:+,.0f}" if abs(value) >= 10 else f"{value:+.1f}"
    return text.replace("-0.0", "0.0").replace("+0.0", "0.0").replace("-", "−")


def _colour(found: Gain) -> str:
    """Nothing where the interval holds zero; else the better or worse colour, deeper the larger the gain."""
    if found.verdict == "level":
        return "transparent"
    depth = 8.0 + 34.0 * min(abs(found.mean) / FULL, 1.0) ** 0.5
    return f"color-mix(in srgb, var(--{'good' if found.verdict == 'ahead' else 'bad'}) {depth:.0f}%, transparent)"


def _case(data: Data, run: RunRecord, case: Case, found: Mapping[str, Row]) -> list[Component]:
    figures, plant = _figures(found, data.meanings(case.plant)), ui.link("the plant", f"/plants/{case.plant}")
    return [
        ui.panel(f"{case.plant}, {case.words}", _standings(found), figures, aside=plant),
        _episodes(data, run, case),
        *_repeat(found),
    ]


def _standings(found: Mapping[str, Row]) -> Component:
    unit = next(iter(found.values())).get("unit", "")
    cost = f"cost ({unit_text(unit)})" if unit not in ("", "1") else "cost"
    heads = [
        "controller",
        "episodes",
        "policies",
        cost,
        "saves against PID",
        "wins",
        "worst tenth",
        "score",
        "hard limits crossed",
        "trips",
    ]
    cells = [_standing(name, row, k) for k, (name, row) in enumerate(found.items())]
    return ui.table(heads, cells, range(1, len(heads)), "standings")


def _standing(name: str, row: Row, place: int) -> list[ui.Cell]:
    score, wins = row.get("score"), row.get("win_rate")
    told = row.get("gap") or "–" if score is None else _interval(score)
    return [
        ui.controller(name, place), str(row.get("episodes", "–")), str(row["policies"]), ui.number(row.get("cost")),
        _saved(row), "–" if wins is None else f"{100 * wins:.0f} %",
        ui.number(row.get("worst_tenth")),
        told, html.Span(str(row["violations"]), className="bad" if row["violations"] else ""), str(row.get("trips", 0)),
    ]  # fmt: skip


def _saved(row: Row) -> str:
    """What a controller saves; differences of the last bits are none."""
    saved, cost = row.get("saved"), abs(row.get("cost") or 0.0)
    if not saved:
        return "–"
    return "0" if max(abs(each) for each in saved.values()) <= ROUNDING * cost else _interval(saved)


def _interval(found: Mapping[str, float]) -> str:
    mean, low, high = (ui.within(found[key], found["low"], found["high"]) for key in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def _figures(found: Mapping[str, Row], of: Mapping[str, str]) -> Component:
    units: Mapping[str, str] = next(iter(found.values())).get("units", {})
    names = [name for name in units if any(row.get("kpis", {}).get(name) is not None for row in found.values())]
    rows_: list[list[ui.Cell]] = [
        [ui.kpi(name, of), unit_text(units[name]), *(ui.number(row.get("kpis", {}).get(name)) for row in found.values())]
        for name in names
    ]
    heads = ["mean figure", "unit", *(shown_name(name) for name in found)]
    return html.Details([html.Summary("All figures"), ui.table(heads, rows_, range(2, len(heads)), "figures")])


def _episodes(data: Data, run: RunRecord, case: Case) -> Component:
    listed = [row for row in data.episodes(run.id) if row.plant == case.plant and row.scenario.startswith(case.scenario)]
    if not listed:
        return ui.panel("Episodes", html.P("No episode of this case was recorded with its signals.", className="note"))
    heads = ["episode", "controller", "scenario", "cost", "outcome"]
    cells: list[list[ui.Cell]] = [
        [ui.link(str(row.id), f"/runs/{run.id}", tab="episodes", episode=row.id), ui.controller(row.controller), row.scenario,
         ui.number(row.kpis.get("cost")), ui.outcome(row.outcome)]
        for row in listed
    ]  # fmt: skip
    beside = ui.button("Compare trends", "/compare", run=run.id, plant=case.plant)
    return ui.panel("Episodes", ui.table(heads, cells, (3,), "episodes"), aside=beside)


def _repeat(found: Mapping[str, Row]) -> list[Component]:
    commands = [command for row in found.values() for command in row.get("commands", ())]
    if not commands:
        return []
    text = html.Pre("\n".join(commands), className="log", tabIndex="0", **ui.aria("commands"))
    return [html.Details([html.Summary("The commands that compute this case again"), text], className="panel")]
