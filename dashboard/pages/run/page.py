"""A run's page: its head, its tabs, and what changes while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from controller.records import EpisodeRow, RunRecord
from dashboard import components as ui
from dashboard import curves, findings, ids
from dashboard.data import Data, whole_number
from dashboard.pages import zoom
from dashboard.pages.run import actions, artifacts, configuration, episodes, kpis, log, policy, training
from dashboard.results import result_card
from dashboard.verdict import verdicts


@dataclass(frozen=True)
class Tab:
    """One tab: its name, what it shows of a run, and whether only a training has it."""

    name: str
    body: Callable[[Data, RunRecord, Mapping[str, str]], Sequence[Component]]
    training: bool = False


TABS = {
    "training": Tab("Training", training.body, training=True),
    "episodes": Tab("Episodes", episodes.body),
    "kpis": Tab("KPIs", kpis.body),
    "policy": Tab("Policy map", policy.body, training=True),
    "configuration": Tab("Configuration", configuration.body),
    "log": Tab("Log", log.body),
    "artifacts": Tab("Artifacts", artifacts.body),
}


WITHOUT = ("sweep", "stress")
"""Kinds of run that keep what they found, not its episodes."""
_KEPT = ("configuration", "log", "artifacts")
FOUND = {"episodes": Tab("What it found", findings.body), **{key: TABS[key] for key in _KEPT}}
"""Of a run that records no episodes."""


class _Seen(NamedTuple):
    """What the browser has seen of the run, sent back with its next question."""

    id: str
    row: int
    episodes: int
    status: str
    step: int
    keys: str
    said: int


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The run named by ``query['id']``, its tab by ``query['tab']``; raises UnknownName."""
    run = data.run(query["id"])
    rows, logged = data.episodes(run.id), curves.log(run, data.metrics(run.id))
    chosen = _tab(run, query, learned=_learned(run, logged))
    return ui.page(
        run.id,
        html.Div(_head(data, run, rows), id=ids.RUN_HEAD),
        *(_results(run) if chosen == "episodes" else []),
        _bar(run, query, chosen, learned=_learned(run, logged)),
        html.Div(list(_shown(data, run, query, chosen)), id=ids.RUN_BODY, className="stack"),
        dcc.Store(id=ids.RUN_NAME, data=run.id),
        dcc.Store(id=ids.RUN_STAMP, data=_seen(data, run, logged, len(rows))._asdict()),
        dcc.Interval(id=ids.tick("run"), interval=2000, max_intervals=-1 if run.status == "running" else 0),
        note=[
            f"{run.kind} of ",
            ui.link(run.plant, f"/plants/{run.plant}"),
            f" · started {ui.moment(run.started)}",
            *_job(data, run),
        ],
        actions=actions.buttons(data, run, rows),
    )


def register(app: Dash, data: Data) -> None:
    """Let the page grow while the run does, show the episode that is picked, and hand out files."""
    _register_live(app, data)
    episodes.register(app, data)
    actions.register(app, data)
    artifacts.register(app, data)
    zoom.register(app, data)
    app.clientside_callback(
        ClientsideFunction("setpoint", "remember"), Input(ids.RUN_EPISODE, "value"), prevent_initial_call=True
    )


def _register_live(app: Dash, data: Data) -> None:
    @app.callback(
        Output(ids.RUN_HEAD, "children"),
        Output(ids.RUN_STAMP, "data"),
        Output(ids.RUN_BODY, "children"),
        Output(ids.tick("run"), "max_intervals"),
        Output({"type": ids.CURVE, "key": ALL}, "extendData"),
        Output({"type": ids.NOW, "key": ALL}, "children"),
        Input(ids.tick("run"), "n_intervals"),
        State(ids.RUN_NAME, "data"),
        State(ids.RUN_STAMP, "data"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    def update(_ticks: int, name: object, seen: object, search: object) -> Any:
        shown, now = ([str(output["id"]["key"]) for output in ctx.outputs_list[place]] for place in (4, 5))
        old = seen if isinstance(seen, dict) else {}
        run = data.run(str(name))
        rows, logged = data.episodes(run.id), curves.log(run, data.metrics(run.id))
        fresh = _seen(data, run, logged, len(rows))
        if fresh._asdict() == old:
            return *([no_update] * 4), [no_update] * len(shown), [no_update] * len(now)
        query = {**dict(parse_qsl(str(search or "").removeprefix("?"))), "id": run.id}
        tab = _tab(run, query, learned=_learned(run, logged))
        again = _redrawn(tab, old, fresh)
        body = list(_shown(data, run, query, tab)) if again else no_update
        added = [] if again else data.metrics(run.id, whole_number(str(old.get("row"))))
        grown = [curves.growth(run, key, added) or no_update for key in shown]
        signs = [no_update if again else curves.latest(run, logged, key) for key in now]
        return _head(data, run, rows), fresh._asdict(), body, -1 if run.status == "running" else 0, grown, signs


def _redrawn(tab: str, old: Mapping[str, Any], fresh: _Seen) -> bool:
    """Whether the tab has another shape than before; a figure that only grows is not drawn anew, or it would lose its zoom.

    What was seen is of another run where an answer that the page before had asked for came when this one stood.
    """
    if old.get("id") != fresh.id:
        return True
    if tab == "training":
        return bool(old.get("keys") != fresh.keys)
    ended = old.get("status") != fresh.status
    if tab == "log":
        return ended or bool(old.get("said") != fresh.said)
    if tab in ("kpis", "episodes"):
        return bool(old.get("episodes") != fresh.episodes) and (tab == "kpis" or not old.get("episodes") or ended)
    return ended and tab in ("policy", "artifacts")


def _seen(data: Data, run: RunRecord, logged: curves.Log, count: int) -> _Seen:
    said = data.last_said(run.id)
    return _Seen(run.id, logged.last, count, run.status, run.step, ",".join(logged.terms), said)


def _learned(run: RunRecord, logged: curves.Log) -> bool:
    """Whether it logged how it learned; what a sweep and a stress run log are trials."""
    return bool(logged.last) and run.kind not in WITHOUT


def _tab(run: RunRecord, query: Mapping[str, str], *, learned: bool) -> str:
    """The tab that the address names, else the one that says most of this kind of run."""
    wanted = query.get("tab", "")
    if wanted in _tabs(run, learned=learned):
        return wanted
    return "training" if _trains(run, learned=learned) and not query.get("episode") else "episodes"


def _tabs(run: RunRecord, *, learned: bool) -> Mapping[str, Tab]:
    """The tabs that a run of its kind has."""
    if run.kind in WITHOUT:
        return FOUND
    return {key: tab for key, tab in TABS.items() if _trains(run, learned=learned) or not tab.training}


def _shown(data: Data, run: RunRecord, query: Mapping[str, str], tab: str) -> Sequence[Component]:
    return (FOUND if run.kind in WITHOUT else TABS)[tab].body(data, run, query)


def _trains(run: RunRecord, *, learned: bool) -> bool:
    return run.kind == "train" or learned


def _bar(run: RunRecord, query: Mapping[str, str], chosen: str, *, learned: bool) -> Component:
    tabs = {
        key: (tab.name, {"tab": key, "episode": query.get("episode", "") if key == "episodes" else ""})
        for key, tab in _tabs(run, learned=learned).items()
    }
    return ui.tabs(f"/runs/{run.id}", tabs, chosen)


def _results(run: RunRecord) -> list[Component]:
    found = verdicts(run)
    return [ui.panel("Result", html.Div([result_card(result) for result in found], className="results wide"))] if found else []


def _job(data: Data, run: RunRecord) -> list[ui.Cell]:
    """The way to the job that records this run, where one does."""
    job = log.job_of(data, run)
    return [] if job is None else [" · ", ui.link(job.id, f"/jobs/{job.id}")]


def _head(data: Data, run: RunRecord, rows: Sequence[EpisodeRow]) -> Component:
    pairs: dict[str, ui.Cell] = {
        "status": ui.status(run.status),
        "controller": ui.controller(run.controller),
        "seed": str(run.seed),
        "duration": ui.duration(run.seconds),
    }
    if run.kind not in WITHOUT and (rows or not run.step):
        pairs["episodes"] = str(len(rows))
    if run.step:
        unit = str(run.config.get("score_unit", "return"))
        done = "trials" if run.kind == "sweep" else "steps"
        pairs |= {done: f"{run.step:,}", f"score ({unit})": ui.number(run.score), f"best score ({unit})": ui.number(run.best)}
    parts: list[ui.Cell] = [ui.facts(pairs)]
    if run.status == "running":
        parts.append(ui.progress(run))
    if run.status == "stopped":
        parts.append(html.P("This run was ended before its time; what it had recorded until then is here.", className="note"))
    if error := run.result.get("error"):
        parts.append(html.P(str(error), className="error"))
    parts += actions.commands(data, run)
    return html.Section(parts, className="panel head")
