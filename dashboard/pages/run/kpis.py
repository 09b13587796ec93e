"""The figures of a run's episodes: the mean by controller, and every episode."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from dash import html
from dash.development.base_component import Component

from controller.kpi import is_boptest
from controller.records import EpisodeRow, RunRecord
from controller.statistics import paired_difference
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data
from dashboard.figures import label_colours, shown_name, unit_text
from dashboard.pages.run import judged
from dashboard.pages.run.episodes import SHOWN
from plant_models.core.scenario import Array

MOST = 10
"""Figures of every episode that a screen is wide enough for."""


def body(data: Data, run: RunRecord, query: Mapping[str, str]) -> Sequence[Component]:
    """The means over all recorded episodes with their spread, then one row an episode."""
    rows = data.episodes(run.id)
    if not rows:
        return [ui.panel("KPIs", judged.nothing(data, run))]
    of = data.meanings(run.plant)
    download = html.A("as CSV", href=f"/artifacts/{run.id}/kpis.csv", className="link", download=f"{run.id}-kpis.csv")
    every = query.get("figures") == "all"
    return [
        ui.panel("Mean of all recorded episodes", _means(rows, of), aside=_counted(run, rows)),
        html.Div(_each(run, rows, of, download, every=every), id=ids.RUN_KPIS, className="every" if every else None),
    ]


def _counted(run: RunRecord, rows: Sequence[EpisodeRow]) -> str:
    """What the means are of, where a run judged more episodes than it kept with their signals."""
    counts = Counter(row.controller for row in rows).values()
    kept = f"{min(counts)}" + (f" to {max(counts)}" if min(counts) < max(counts) else "")
    judged = run.result.get("episodes")
    more = f" of the {judged} judged" if isinstance(judged, int) and judged > max(counts) else ""
    return f"{kept}{more} of each controller; ± half of the 95 % interval over episodes"


def _means(rows: Sequence[EpisodeRow], of: Mapping[str, str]) -> Component:
    names, units = kpi_names(rows)
    controllers = list(dict.fromkeys(row.controller for row in rows))
    colours = label_colours(controllers)
    heads: list[ui.Cell] = ["KPI", "unit", *(ui.swatch(shown_name(name), colours[name]) for name in controllers)]
    lines: list[list[ui.Cell]] = []
    for name in names:
        found = [np.array([row.kpis.get(name, np.nan) for row in rows if row.controller == one]) for one in controllers]
        lines.append(
            [
                ui.kpi(name, of),
                html.Span(unit_text(units.get(name, "")), className="nowrap"),
                *(_spread(values[np.isfinite(values)]) for values in found),
            ]
        )
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


def _each(run: RunRecord, rows: Sequence[EpisodeRow], of: Mapping[str, str], download: Component, *, every: bool) -> Component:
    """One row an episode; what is the same in all of them is said once, and figures beyond a screen's width on demand."""
    names, units = kpi_names(rows)
    listed, heads = rows[:SHOWN], dict(zip(names, ui.kpi_heads(names, units), strict=True))
    told = {"seed": [str(row.seed) for row in listed], "outcome": [str(row.outcome) for row in listed]}
    told |= {heads[name]: [ui.number(row.kpis.get(name)) for row in listed] for name in names}
    same = {head: values[0] for head, values in told.items() if len(set(values)) == 1 < len(listed)}
    differ = [name for name in names if heads[name] not in same]
    shown = differ if every else [name for name in differ if not is_boptest(name)][:MOST]
    colours = label_colours(list(dict.fromkeys(row.controller for row in rows)))
    extra = [head for head in ("seed", "outcome") if head not in same]
    lines: list[list[ui.Cell]] = [
        [
            ui.link(row.scenario, f"/runs/{run.id}", tab="episodes", episode=row.id),
            ui.swatch(shown_name(row.controller), colours[row.controller]),
            *(str(row.seed) if head == "seed" else ui.outcome(row.outcome) for head in extra),
            *(ui.number(row.kpis.get(name)) for name in shown),
        ]
        for row in listed
    ]
    columns: list[ui.Cell] = ["scenario", "controller", *extra, *(ui.kpi_head(name, heads[name], of) for name in shown)]
    numeric = range(2 + len(extra), len(columns))
    note = html.P(f"The same in every episode: {', '.join(f'{head} {value}' for head, value in same.items())}.", className="note")
    count = f"{len(rows)} episodes" + (f", the first {SHOWN} shown" if len(rows) > SHOWN else "")
    more = _more(run.id, len(differ), len(shown), every=every)
    table = ui.table(columns, lines, numeric, f"KPIs of each episode, {shown_name(run.controller)}")
    return ui.panel("Every episode", *([note] if same else []), table, aside=[count, *more, " · ", download])


def _more(run: str, all_: int, shown: int, *, every: bool) -> list[Component | str]:
    """The way to the figures that are left out, and back."""
    if every:
        return [" · ", ui.link("fewer figures", f"/runs/{run}", tab="kpis")]
    return [" · ", ui.link(f"all {all_} figures", f"/runs/{run}", tab="kpis", figures="all")] if shown < all_ else []
