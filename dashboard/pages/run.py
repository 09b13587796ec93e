"""One run: live while it trains, then its result, its episodes and its configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from controller.records import EpisodeRow, RunRecord
from dashboard import components as ui
from dashboard import curves, ids
from dashboard.data import Data, whole_number
from dashboard.figures import shown_name
from dashboard.results import result_card
from dashboard.trends import trends
from dashboard.verdict import verdicts
from plant_models.core.errors import BadInput, UnknownName

SHOWN = 300  # episodes in the picker and the table; a browser slows down with more


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The run named by ``query['id']``, its episode by ``query['episode']``; raises UnknownName."""
    run = data.run(query["id"])
    episodes = data.episodes(run.id)
    log = curves.log(run, data.metrics(run.id))
    training = run.kind in ("train", "demo") and (run.status == "running" or log.last > 0)
    stamp = _stamp(run, log.last, len(episodes))
    return ui.page(
        run.id,
        html.Div(_head(run, episodes), id=ids.RUN_HEAD),
        *(
            [ui.panel("Result", html.Div([result_card(result) for result in verdicts(run)], className="results"))]
            if verdicts(run)
            else []
        ),
        *(curves.panels(run, log) if training or log.last else []),
        _episodes(data, run, episodes, query.get("episode", "")),
        html.Details(
            [html.Summary("Configuration and versions"), ui.config_table({**run.config, "versions": run.versions})],
            className="panel",
        ),
        dcc.Store(id=ids.RUN_STAMP, data=stamp),
        dcc.Interval(id=ids.tick("run"), interval=2000, max_intervals=-1 if run.status == "running" else 0),
        note=[f"{run.kind} of ", ui.link(run.plant, f"/plants/{run.plant}"), f" · started {ui.moment(run.started)}"],
    )


def register(app: Dash, data: Data) -> None:
    """Let curves grow while the run trains, and show the episode that is picked."""
    _register_live(app, data)

    @app.callback(Output(ids.RUN_TREND, "children"), Input(ids.RUN_EPISODE, "value"), prevent_initial_call=True)
    def show(value: object) -> Any:
        return no_update if value is None else _trend(data, str(value))

    @app.callback(
        Output(ids.RUN_EPISODE, "value"), Input({"type": ids.PICK, "episode": ALL}, "n_clicks"), prevent_initial_call=True
    )
    def pick(clicks: object) -> Any:
        chosen = ctx.triggered_id
        clicked = isinstance(clicks, list) and any(clicks)
        return chosen["episode"] if clicked and isinstance(chosen, dict) else no_update

    app.clientside_callback(
        ClientsideFunction("setpoint", "remember"), Input(ids.RUN_EPISODE, "value"), prevent_initial_call=True
    )


def _register_live(app: Dash, data: Data) -> None:
    @app.callback(
        Output(ids.RUN_HEAD, "children"),
        Output(ids.RUN_STAMP, "data"),
        Output(ids.RUN_KPIS, "children"),
        Output(ids.RUN_EPISODE, "data"),
        Output(ids.tick("run"), "max_intervals"),
        Output({"type": ids.CURVE, "key": ALL}, "extendData"),
        Input(ids.tick("run"), "n_intervals"),
        State(ids.RUN_STAMP, "data"),
        prevent_initial_call=True,
    )
    def update(_ticks: int, seen: object) -> Any:
        keys = [str(output["id"]["key"]) for output in ctx.outputs_list[5]]
        old = seen if isinstance(seen, dict) else {}
        run = data.run(str(old.get("id")))
        episodes = data.episodes(run.id)
        rows = data.metrics(run.id, whole_number(str(old.get("row"))))
        stamp = _stamp(run, rows[-1].id if rows else old["row"], len(episodes))
        if stamp == old:
            return *([no_update] * 5), [no_update] * len(keys)
        fresh = len(episodes) != old.get("episodes")
        table = _kpis(episodes) if fresh else no_update
        options = _options(episodes) if fresh else no_update
        limit = -1 if run.status == "running" else 0
        return _head(run, episodes), stamp, table, options, limit, [curves.growth(run, key, rows) or no_update for key in keys]


def _stamp(run: RunRecord, row: int, episodes: int) -> dict[str, object]:
    """What the browser has seen of the run, sent back with its next question."""
    return {"id": run.id, "row": row, "episodes": episodes, "status": run.status, "step": run.step}


def _head(run: RunRecord, episodes: Sequence[EpisodeRow]) -> Component:
    pairs: dict[str, ui.Cell] = {
        "status": ui.status(run.status),
        "controller": ui.controller(run.controller),
        "seed": str(run.seed),
        "duration": ui.duration(run.seconds),
        "episodes": str(len(episodes)),
    }
    if run.step:
        pairs |= {"steps": f"{run.step:,}", "score": ui.number(run.score), "best score": ui.number(run.best)}
    parts: list[ui.Cell] = [ui.facts(pairs)]
    if run.status == "running":
        parts.append(ui.progress(run))
    if run.status == "stopped":
        parts.append(
            html.P("The process ended without closing this run; what it had recorded until then is here.", className="note")
        )
    if error := run.result.get("error"):
        parts.append(html.P(str(error), className="error"))
    if len({row.controller for row in episodes}) > 1:
        parts.append(ui.button("Compare the controllers", "/compare", run=run.id))
    return html.Section(parts, className="panel head")


def _episodes(data: Data, run: RunRecord, episodes: Sequence[EpisodeRow], wanted: str) -> Component:
    """The picker, the trend and the KPIs; the picker is there before the first episode so that it can fill."""
    own = [row for row in episodes if row.controller == run.controller] or list(episodes)
    chosen = wanted or (str(own[0].id) if own else None)
    picker = ui.picker(ids.RUN_EPISODE, "episode", _options(episodes), chosen, width=340)
    hint = "Episodes appear here once the policy is judged." if run.status == "running" else "This run recorded no episodes."
    trend = ui.empty(hint, f"setpoint benchmark {run.plant}") if chosen is None else _trend(data, chosen)
    return html.Div(
        [
            ui.panel("Episode", html.Div(trend, id=ids.RUN_TREND), aside=picker),
            html.Div(_kpis(episodes), id=ids.RUN_KPIS),
        ],
        className="stack",
    )


def _options(episodes: Sequence[EpisodeRow]) -> list[dict[str, str]]:
    return [
        {"value": str(row.id), "label": f"{row.scenario} · seed {row.seed} · {shown_name(row.controller)}"}
        for row in episodes[:SHOWN]
    ]


def _trend(data: Data, number: str) -> Component:
    try:
        record = data.episode(whole_number(number))
    except (UnknownName, BadInput) as error:
        return ui.empty(str(error))
    note = f"{record.scenario}, seed {record.seed}, {shown_name(record.controller)}: {record.outcome}"
    return html.Div([html.Div(note, className="note"), ui.graph(trends(record), ids.RUN_FIGURE)])


def _kpis(episodes: Sequence[EpisodeRow]) -> list[Component]:
    if not episodes:
        return []
    names = list(dict.fromkeys(name for row in episodes[:SHOWN] for name in row.kpis))
    units = {name: unit for row in episodes[:SHOWN] for name, unit in row.kpi_units.items()}
    heads = ["scenario", "seed", "controller", "outcome", *ui.kpi_heads(names, units)]
    rows: list[list[ui.Cell]] = [
        [
            html.Button(row.scenario, id={"type": ids.PICK, "episode": str(row.id)}, className="link"),
            str(row.seed),
            ui.controller(row.controller),
            ui.outcome(row.outcome),
            *(ui.number(row.kpis.get(name)) for name in names),
        ]
        for row in episodes[:SHOWN]
    ]
    aside = f"{len(episodes)} episodes" + (f", the first {SHOWN} shown" if len(episodes) > SHOWN else "")
    return [ui.panel("KPIs", ui.table(heads, rows, (1, *range(4, len(heads))), "KPIs of each episode"), aside=aside)]
