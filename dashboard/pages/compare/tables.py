"""The figures of a comparison: of this episode, and as means over all that every shown controller ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from dashboard import components as ui
from dashboard.data import Data
from dashboard.figures import label_colours, shown_name, unit_text
from dashboard.pages.compare.choice import Choice


def this_case(data: Data, choice: Choice) -> Component:
    """The figures of the episode that is shown, and of those that did not end as they should how they ended."""
    rows = {label: choice.cases[choice.case][label] for label in choice.labels}
    values = {label: row.kpis for label, row in rows.items()}
    units = {name: unit for row in rows.values() for name, unit in row.kpi_units.items()}
    outcomes = [f"{shown_name(label)} {row.outcome}" for label, row in rows.items() if row.outcome != "completed"]
    table = _differences(values, units, choice.base, data.meanings(choice.case.plant))
    return ui.panel("KPIs of this episode", table, aside=", ".join(outcomes))


def all_cases(data: Data, choice: Choice) -> Component:
    """Means over the cases that all shown controllers share."""
    shared = choice.shared
    names = list(dict.fromkeys(name for rows in shared for label in choice.labels for name in rows[label].kpis))
    values = {label: {name: _mean([rows[label].kpis.get(name) for rows in shared]) for name in names} for label in choice.labels}
    units = {name: unit for rows in shared for row in rows.values() for name, unit in row.kpi_units.items()}
    title = f"Mean over {len(shared)} episodes"
    table = _differences(values, units, choice.base, data.meanings(choice.case.plant))
    return ui.panel(title, table, aside="scenarios and seeds that all of them ran")


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")


def _differences(
    values: Mapping[str, Mapping[str, float]], units: Mapping[str, str], base: str, of: Mapping[str, str]
) -> Component:
    """KPIs down, controllers across, then each controller's difference to the baseline."""
    labels, colours = list(values), label_colours(list(values))
    others = [label for label in labels if label != base]
    names = list(dict.fromkeys(name for label in labels for name in values[label]))
    heads: list[ui.Cell] = ["KPI", "unit", *(ui.swatch(shown_name(label), colours[label]) for label in labels)]
    heads += [f"{shown_name(label)} − {shown_name(base)}" for label in others]
    rows: list[list[ui.Cell]] = []
    for name in names:
        reference = values[base].get(name, float("nan"))
        row: list[ui.Cell] = [ui.kpi(name, of), html.Span(unit_text(units.get(name, "")), className="nowrap")]
        row += [ui.number(values[label].get(name)) for label in labels]
        rows.append(row + [_difference(values[label].get(name, float("nan")), reference) for label in others])
    return ui.table(heads, rows, range(2, len(heads)), "KPIs by controller")


def _difference(value: float, reference: float) -> Component:
    """The difference, and its share of the reference where that is not zero."""
    share = (value - reference) / abs(reference) if reference else float("nan")
    apart = ui.apart(value, reference)
    text = f"{100 * share:+.1f} %".replace("-", "−") if apart not in ("0", "–") and abs(share) < 100 else ""
    return html.Span([apart, html.Span(text, className="share")])
