"""Runs: every run in one table, sorted and filtered by the page's address."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from controller.records import RunRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data, whole_number
from plant_models.core.errors import BadInput

PAGE = 100
_FILTERS = ("plant", "kind", "status", "controller")
_KEYS: dict[str, Callable[[RunRecord], Any]] = {
    "status": lambda run: run.status,
    "plant": lambda run: run.plant,
    "kind": lambda run: run.kind,
    "controller": lambda run: run.controller,
    "seed": lambda run: run.seed,
    "score": lambda run: _last(run.score),
    "best": lambda run: _last(run.best),
    "duration": lambda run: run.seconds,
    "started": lambda run: run.started,
}
_NUMERIC = ("seed", "score", "best", "duration", "started")


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The filters, the table, and the clock that keeps it up to date."""
    runs = data.runs()
    if not runs:
        hint = "No run has been recorded yet."
        return ui.page("Runs", ui.panel("Begin here", ui.empty(hint, ui.EXAMPLES["demo"], ui.EXAMPLES["train"])))
    return ui.page(
        "Runs",
        html.Div([_filter(runs, query, name) for name in _FILTERS], className="filters"),
        html.Div(_table(runs, query), id=ids.RUNS),
        dcc.Store(id=ids.RUNS_STAMP, data=_stamp(runs)),
        dcc.Interval(id=ids.tick("runs"), interval=2000),
        note=f"{len(runs)} in this store",
    )


def register(app: Dash, data: Data) -> None:
    """Renew the table when a run changed."""

    @app.callback(
        Output(ids.RUNS, "children"),
        Output(ids.RUNS_STAMP, "data"),
        Input(ids.tick("runs"), "n_intervals"),
        State(ids.RUNS_STAMP, "data"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    def update(_ticks: int, seen: object, search: object) -> Any:
        runs = data.runs()
        stamp = _stamp(runs)
        return (no_update, no_update) if stamp == seen else (_table(runs, _query(search)), stamp)


def _query(search: object) -> dict[str, str]:
    return dict(parse_qsl(str(search or "").removeprefix("?")))


def _stamp(runs: Sequence[RunRecord]) -> list[object]:
    """What changes when any run does, short enough to send back and forth."""
    return [len(runs), sum(run.step for run in runs), *(f"{run.id} {run.status}" for run in runs if run.status == "running")]


def _filter(runs: Sequence[RunRecord], query: Mapping[str, str], name: str) -> Component:
    options = sorted({str(_KEYS[name](run)) for run in runs})
    chosen = query.get(name)
    value = chosen if chosen in options else None
    return ui.picker(ids.choice(name, value or ""), f"any {name}", options, value, width=190, empty=True)


def _table(runs: Sequence[RunRecord], query: Mapping[str, str]) -> Component:
    kept = [run for run in runs if all(str(_KEYS[name](run)) == query[name] for name in _FILTERS if query.get(name))]
    if not kept:
        return ui.panel("Runs", ui.empty("No run fits these filters.", ui.EXAMPLES["train"]))
    key, downwards = _order(query)
    kept = sorted(kept, key=_KEYS[key], reverse=downwards)
    first = _first(query, len(kept))
    heads: list[ui.Cell] = ["run", *(_head(name, query) for name in _KEYS)]
    numeric = [1 + k for k, name in enumerate(_KEYS) if name in _NUMERIC]
    rows = [_row(run) for run in kept[first : first + PAGE]]
    return ui.panel(f"{len(kept)} runs", ui.table(heads, rows, numeric, "runs"), aside=_pages(query, first, len(kept)))


def _order(query: Mapping[str, str]) -> tuple[str, bool]:
    """Which column sorts, and whether downwards; newest first unless the address says otherwise."""
    wanted = query.get("sort", "-started")
    key = wanted.removeprefix("-")
    return (key, wanted.startswith("-")) if key in _KEYS else ("started", True)


def _first(query: Mapping[str, str], count: int) -> int:
    try:
        page = whole_number(query.get("page", "1"))
    except BadInput:
        page = 1
    return PAGE * (min(max(page, 1), math.ceil(count / PAGE)) - 1)


def _head(name: str, query: Mapping[str, str]) -> Component:
    """A column's name, which sorts by it, and once more the other way."""
    key, downwards = _order(query)
    arrow = (" ↓" if downwards else " ↑") if key == name else ""
    order = name if key == name and downwards else f"-{name}"
    return dcc.Link(f"{name}{arrow}", href=ui.href("/runs", **{**query, "sort": order, "page": ""}), className="sort")


def _pages(query: Mapping[str, str], first: int, count: int) -> list[Component | str]:
    if count <= PAGE:
        return []
    here = first // PAGE + 1
    parts: list[Component | str] = [f"{first + 1} to {min(first + PAGE, count)} "]
    if first:
        parts.append(ui.link("previous", "/runs", **{**query, "page": here - 1}))
    if first + PAGE < count:
        parts.append(ui.link("next", "/runs", **{**query, "page": here + 1}))
    return parts


def _row(run: RunRecord) -> list[ui.Cell]:
    return [
        ui.link(run.id, f"/runs/{run.id}"), ui.status(run.status), ui.link(run.plant, f"/plants/{run.plant}"), run.kind,
        ui.controller(run.controller), str(run.seed), ui.number(run.score), ui.number(run.best), ui.duration(run.seconds),
        ui.moment(run.started),
    ]  # fmt: skip


def _last(value: float) -> float:
    """A missing score sorts below every other."""
    return -math.inf if math.isnan(value) else value
