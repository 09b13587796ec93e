"""Runs: every run in one grid, its scores and figures, sorted, filtered and grouped as the page's address says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from controller.records import RunRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.data import MOST_RUNS, Data
from dashboard.figures import unit_text
from dashboard.grid import grid
from dashboard.run_columns import columns
from dashboard.run_rows import OF, Row, figure_names, group_of, grouped, in_address, row, shown_figures, units
from plant_models.core.errors import SetpointError

_FILTERS = ("plant", "kind", "status", "controller", "tag")
_NONE = "No run fits these filters."
_ACTS = {"tag": "Tag", "untag": "Remove tag", "archive": "Archive", "restore": "Restore"}


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The filters, the grid, and the clock that keeps it up to date."""
    runs, tags = data.runs(), data.tags()
    if not runs:
        hint = "No run has been recorded yet."
        return ui.page("Runs", ui.panel("Begin here", ui.empty(hint, ui.EXAMPLES["demo"], ui.EXAMPLES["train"])))
    data.digest.refresh()
    kept = _kept(runs, tags, query)
    rows = _rows(data, kept, tags, query)
    names = figure_names(rows)
    shown = shown_figures(names, query.get("figures", ""))
    return ui.page(
        "Runs",
        html.Div(_pickers(runs, tags, query, names, shown), className="filters"),
        _panel(data, query, rows, shown) if kept else ui.panel("Runs", ui.empty(_NONE, ui.EXAMPLES["train"])),
        dcc.Store(id=ids.RUNS_STAMP, data=_stamp(data, runs)),
        dcc.Interval(id=ids.tick("runs"), interval=2000),
        note=_note(len(kept), len(runs), query),
    )  # fmt: skip


def register(app: Dash, data: Data) -> None:
    """Renew rows that changed; the rest is the browser's own: search, address, selection, CSV."""

    @app.callback(
        Output(ids.RUNS, "rowTransaction"),
        Output(ids.RUNS, "rowData"),
        Output(ids.RUNS_STAMP, "data"),
        Input(ids.tick("runs"), "n_intervals"),
        State(ids.RUNS_STAMP, "data"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    def update(_ticks: int, seen: object, search: object) -> Any:
        return _changes(data, seen if isinstance(seen, dict) else {}, _query(search))

    @app.callback(
        Output(ids.RUNS_WORDS, "children"),
        Input({"type": ids.RUNS_ACT, "what": ALL}, "n_clicks"),
        State(ids.RUNS_TAG, "value"),
        State(ids.RUNS, "selectedRows"),
        prevent_initial_call=True,
    )
    def act(clicks: object, tag: object, rows: object) -> Any:
        chosen = ctx.triggered_id
        if not isinstance(chosen, dict) or not (isinstance(clicks, list) and any(clicks)):
            return no_update
        ticked = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        runs = [str(row.get("id")) for row in ticked if "runs" not in row]  # other rows are several seeds together
        return _acted(data, str(chosen["what"]), runs, str(tag or ""))

    _register_browser(app)


def _register_browser(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("runs", "search"), Input(ids.RUNS_SEARCH, "value"), State(ids.RUNS, "id"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("runs", "remember"),
        Input(ids.RUNS, "columnState"),
        Input(ids.RUNS, "filterModel"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("runs", "choose"),
        Output(ids.RUNS_COMPARE, "children"),
        Output(ids.RUNS_COMPARE, "href"),
        Output(ids.RUNS_STAMP, "data", allow_duplicate=True),
        Input(ids.RUNS, "selectedRows"),
        State(ids.RUNS_STAMP, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("runs", "csv"), Input(ids.RUNS_CSV, "n_clicks"), State(ids.RUNS, "id"), prevent_initial_call=True
    )


def _query(search: object) -> dict[str, str]:
    return dict(parse_qsl(str(search or "").removeprefix("?")))


def _kept(runs: Sequence[RunRecord], tags: Mapping[str, Sequence[str]], query: Mapping[str, str]) -> list[RunRecord]:
    """The runs that the address asks for."""
    group = query.get("group")
    return [
        run
        for run in runs
        if all(query[name] in _values(run, tags, name) for name in _FILTERS if query.get(name))
        and (not run.archived or query.get("archived") == "shown")
        and (not group or group_of(run) == group)
    ]


def _values(run: RunRecord, tags: Mapping[str, Sequence[str]], name: str) -> Sequence[str]:
    return tags.get(run.id, ()) if name == "tag" else (str(getattr(run, name)),)


def _rows(data: Data, runs: Sequence[RunRecord], tags: Mapping[str, Sequence[str]], query: Mapping[str, str]) -> list[Row]:
    of = query.get("of", "mean")
    rows = [row(run, tags.get(run.id, ()), data.digest, of if of in OF else "mean") for run in runs]
    return grouped(runs, rows) if query.get("seeds") == "together" else rows


def _pickers(
    runs: Sequence[RunRecord],
    tags: Mapping[str, Sequence[str]],
    query: Mapping[str, str],
    names: Sequence[str],
    shown: Sequence[str],
) -> list[Component]:
    pickers = [_filter(runs, tags, query, name) for name in _FILTERS]
    pickers.append(_choice(query, "archived", "without archived", {"shown": "archived too"}))
    pickers.append(_choice(query, "seeds", "each seed by itself", {"together": "seeds together"}))
    pickers.append(_choice(query, "of", "mean of the episodes", {key: f"{word} of those recorded" for key, word in OF.items()}))
    options = [{"value": in_address(name), "label": name} for name in names]
    chosen = [in_address(name) for name in shown]
    figures: Component = dmc.MultiSelect(
        id=ids.choice("figures", ",".join(chosen)), data=options, value=chosen, size="xs", miw=220, maxDropdownHeight=420,
        **ui.aria("figures of the episodes"),
    )  # fmt: skip
    return [*pickers, *([figures] if names else [])]


def _filter(runs: Sequence[RunRecord], tags: Mapping[str, Sequence[str]], query: Mapping[str, str], name: str) -> Component:
    options = sorted({value for run in runs for value in _values(run, tags, name)})
    value = query.get(name) if query.get(name) in options else None
    return ui.picker(ids.choice(name, value or ""), f"any {name}", options, value, width=170, empty=True)


def _choice(query: Mapping[str, str], name: str, usual: str, options: Mapping[str, str]) -> Component:
    value = query.get(name) if query.get(name) in options else None
    listed = [{"value": key, "label": label} for key, label in options.items()]
    return ui.picker(ids.choice(name, value or ""), usual, listed, value, width=170, empty=True)


def _panel(data: Data, query: Mapping[str, str], rows: Sequence[Row], shown: Sequence[str]) -> Component:
    together = query.get("seeds") == "together"
    plants = sorted({one["plant"] for one in rows})
    known = units(data.digest, plants)
    options = {
        "context": {"units": {plant: {name: unit_text(unit) for name, unit in known[plant].items()} for plant in plants}},
        "initialState": _state(query),
        "rowSelection": {"mode": "multiRow", "headerCheckbox": False, "enableClickSelection": False},
        "quickFilterText": query.get("search", ""),
        "selectionColumnDef": {"width": 42, "minWidth": 42},
    }
    table = grid(ids.RUNS, columns(shown, known, together=together), rows, options=options)
    head = [
        _search(query),
        ui.button_like(ids.RUNS_CSV, "CSV"),
        dcc.Link("Tick rows to compare", href="", id=ids.RUNS_COMPARE, className="button"),
    ]
    title = f"{len(rows)} configurations" if together else f"{len(rows)} runs"
    acts = [_acts()] if data.access.operator and not together else []
    return ui.panel(title, *acts, table, aside=head)


def _search(query: Mapping[str, str]) -> Component:
    field: Component = dmc.TextInput(
        id=ids.RUNS_SEARCH,
        value=query.get("search", ""),
        placeholder="search",
        size="xs",
        w=170,
        **ui.aria("search in all columns"),
    )
    return field


def _acts() -> Component:
    field = dmc.TextInput(id=ids.RUNS_TAG, placeholder="tag", size="xs", w=150, **ui.aria("tag"))
    buttons = [ui.button_like({"type": ids.RUNS_ACT, "what": what}, words) for what, words in _ACTS.items()]
    return html.Div([field, *buttons, html.Span(id=ids.RUNS_WORDS, className="note")], className="filters acts")


def _state(query: Mapping[str, str]) -> dict[str, Any]:
    """AG Grid's own state: in the address ``sort`` is a column, with a minus for downwards, and ``filter`` the model as JSON."""
    wanted = query.get("sort", "-started")
    sort = {"colId": wanted.removeprefix("-"), "sort": "desc" if wanted.startswith("-") else "asc"}
    state: dict[str, Any] = {"sort": {"sortModel": [sort]}}
    try:
        model = json.loads(query.get("filter", ""))
    except (ValueError, RecursionError):
        return state
    return {**state, "filter": {"filterModel": model}} if isinstance(model, dict) else state


def _note(kept: int, total: int, query: Mapping[str, str]) -> list[ui.Cell]:
    held = f"{total} in this store" if total < MOST_RUNS else f"the newest {total} of this store"
    words = held if kept == total else f"{kept} of {held}"
    if not query.get("group"):
        return [words]
    rest = {key: value for key, value in query.items() if key != "group"}
    return [words, " · seeds of one configuration · ", ui.link("all runs", "/runs", **rest)]


def _stamp(data: Data, runs: Sequence[RunRecord]) -> dict[str, Any]:
    """What the browser has seen, as it sends it back."""
    running = [run.id for run in runs if run.status == "running"]
    return {"pulse": data.pulse(), "running": running, "newest": runs[0].started, "chosen": []}


def _changes(data: Data, seen: Mapping[str, Any], query: Mapping[str, str]) -> Any:
    """The rows that are new or were not yet finished when the browser last asked; all rows where they are grouped."""
    if data.pulse() == seen.get("pulse"):
        return no_update, no_update, no_update
    data.digest.refresh()
    runs, tags = data.runs(), data.tags()
    kept = _kept(runs, tags, query)
    stamp = {**_stamp(data, runs), "chosen": seen.get("chosen", [])}
    rows = _rows(data, kept, tags, query)
    if query.get("seeds") == "together":
        return no_update, rows, stamp
    newest, chosen = float(seen.get("newest", 0.0)), [str(run) for run in stamp["chosen"]]
    renewed = {*seen.get("running", ()), *chosen}
    fresh = [one for run, one in zip(kept, rows, strict=True) if run.started > newest]
    changed = [one for run, one in zip(kept, rows, strict=True) if run.id in renewed and run.started <= newest]
    gone = [{"id": run} for run in set(chosen) - {run.id for run in kept}]
    return {"add": fresh, "update": changed, "remove": gone}, no_update, stamp


def _acted(data: Data, what: str, runs: Sequence[str], tag: str) -> str:
    """Tag or archive the ticked runs, and say so; what is wrong is said in its place."""
    if not runs:
        return "Tick the runs first."
    try:
        for run in runs:
            if what in ("tag", "untag"):
                data.tag(run, tag, on=what == "tag")
            else:
                data.archive(run, what == "archive")
    except SetpointError as error:
        return str(error)
    return f"{_ACTS.get(what, what)}: {len(runs)} runs"
