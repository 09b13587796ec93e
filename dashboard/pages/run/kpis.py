"""The figures of a run's episodes: the mean by controller, and every episode."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from dash import html
from dash.development.base_component import Component

from controller.records import EpisodeRow, RunRecord
from controller.statistics import paired_difference
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data
from dashboard.figures import label_colours, shown_name, unit_text
from dashboard.pages.run.episodes import SHOWN
from plant_models.core.scenario import Array


def body(data: Data, run: RunRecord, query: Mapping[str, str]) -> Sequence[Component]:
    """The means over all recorded episodes with their spread, then one row an episode."""
    rows = data.episodes(run.id)
    if not rows:
        hint = "Figures appear here once episodes are recorded."
        return [ui.panel("KPIs", ui.empty(hint, f"setpoint benchmark {run.plant}"))]
    download = html.A("as CSV", href=f"/artifacts/{run.id}/kpis.csv", className="link", download=f"{run.id}-kpis.csv")
    return [
        ui.panel("Mean of all recorded episodes", _means(rows), aside="± half of its 95 % interval over episodes"),
        html.Div(_each(run, rows, download), id=ids.RUN_KPIS),
    ]


def _means(rows: Sequence[EpisodeRow]) -> Component:
    names, units = kpi_names(rows)
    controllers = list(dict.fromkeys(row.controller for row in rows))
    colours = label_colours(controllers)
    heads: list[ui.Cell] = ["KPI", "unit", *(ui.swatch(shown_name(name), colours[name]) for name in controllers)]
    lines: list[list[ui.Cell]] = []
    for name in names:
        found = [np.array([row.kpis.get(name, np.nan) for row in rows if row.controller == one]) for one in controllers]
        lines.append([name, unit_text(units.get(name, "")), *(_spread(values[np.isfinite(values)]) for values in found)])
    return ui.table(heads, lines, range(2, len(heads)), "mean KPIs by controller")


def _spread(values: Array) -> ui.Cell:
    if not len(values):
        return "–"
    interval = paired_difference(values, np.zeros(len(values)))
    half = interval.high - interval.mean
    share = f"± {ui.number(half, 2)}" if 0.0 < half < math.inf else ""
    return html.Span([ui.number(interval.mean), html.Span(share, className="share")])


def kpi_names(rows: Sequence[EpisodeRow]) -> tuple[list[str], dict[str, str]]:
    """The names of all figures in the order they came, and their units."""
    names = list(dict.fromkeys(name for row in rows[:SHOWN] for name in row.kpis))
    return names, {name: unit for row in rows[:SHOWN] for name, unit in row.kpi_units.items()}


def _each(run: RunRecord, rows: Sequence[EpisodeRow], download: Component) -> Component:
    names, units = kpi_names(rows)
    colours = label_colours(list(dict.fromkeys(row.controller for row in rows)))
    heads = ["scenario", "seed", "controller", "outcome", *ui.kpi_heads(names, units)]
    lines: list[list[ui.Cell]] = [
        [
            ui.link(row.scenario, f"/runs/{run.id}", tab="episodes", episode=row.id),
            str(row.seed),
            ui.swatch(shown_name(row.controller), colours[row.controller]),
            ui.outcome(row.outcome),
            *(ui.number(row.kpis.get(name)) for name in names),
        ]
        for row in rows[:SHOWN]
    ]
    count = f"{len(rows)} episodes" + (f", the first {SHOWN} shown" if len(rows) > SHOWN else "")
    table = ui.table(heads, lines, (1, *range(4, len(heads))), f"KPIs of each episode, {shown_name(run.controller)}")
    return ui.panel("Every episode", table, aside=[count, " · ", download])
