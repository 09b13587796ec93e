"""A run's configuration and versions, and how another run differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from controller.records import RunRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data

OFFERED = 50  # runs to compare with


def body(data: Data, run: RunRecord, query: Mapping[str, str]) -> Sequence[Component]:
    """The settings, beside those of the run that the address names; raises UnknownName for one that there is not."""
    other = data.run(query["with"]) if query.get("with") else None
    offered = [each for each in data.runs() if each.id != run.id and each.kind == run.kind]
    offered.sort(key=lambda each: each.plant != run.plant)
    listed = [*([other] if other else []), *(each for each in offered[:OFFERED] if other is None or each.id != other.id)]
    options = [{"value": each.id, "label": f"{each.id} · {ui.moment(each.started)}"} for each in listed]
    chosen = other.id if other else None
    picker = ui.picker(ids.choice("with", chosen or ""), "compare with another run", options, chosen, width=340, empty=True)
    table = ui.config_table(settings(run)) if other is None else _difference(run, other)
    return [ui.panel("Configuration and versions", table, aside=picker)]


def settings(run: RunRecord) -> dict[str, Any]:
    """Everything that a result depends on."""
    return {"plant": run.plant, "controller": run.controller, "seed": run.seed, **run.config, "versions": run.versions}


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, str, bool]]:
    """Each setting with both values and whether they differ; those that do come first."""
    left, right = dict(ui.flat(one)), dict(ui.flat(other))
    rows = [(key, _said(left, key), _said(right, key)) for key in dict.fromkeys((*left, *right))]
    return sorted(((*row, row[1] != row[2]) for row in rows), key=lambda row: not row[3])


def _said(values: Mapping[str, Any], key: str) -> str:
    return str(values[key]) if key in values else "–"


def _difference(run: RunRecord, other: RunRecord) -> Component:
    found = differing(settings(run), settings(other))
    rows: list[list[ui.Cell]] = [
        [key, html.Code(mine), html.Code(theirs), html.Span("≠ differs" if unlike else "", className="unlike")]
        for key, mine, theirs, unlike in found
    ]
    count = sum(unlike for *_, unlike in found)
    words = "nothing differs" if not count else f"{count} of {len(found)} settings differ"
    heads: list[ui.Cell] = ["setting", "this run", ui.link(other.id, f"/runs/{other.id}", tab="configuration"), words]
    return ui.table(heads, rows, name="configuration of both runs")
