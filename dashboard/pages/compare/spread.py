"""How controllers stand over all episodes: what one figure costs in another, and how far they spread over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from controller.kpi import meaning
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data
from dashboard.figures import label_colours, shown_name
from dashboard.fronts import Figure, boxes, front
from dashboard.pages.compare.choice import Choice

PANELS = 6
_MAIN = ("cost", "IAE", "return")
_AGAINST = ("travel", "beyond", "discomfort", "interventions", "energy")


def fronts(data: Data, choice: Choice, query: Mapping[str, str]) -> Sequence[Component]:
    """Scatter plots of the mean cost, or IAE, against travel, time beyond limits and discomfort, each with its Pareto front."""
    main, others = _axes(choice)
    if not main or not others:
        return [ui.panel("Pareto fronts", ui.empty("These episodes hold no two figures that are traded for each other."))]
    parts, of = [], data.meanings(choice.case.plant)
    for name in others[:PANELS]:
        points = {label: (_mean(choice, label, name), _mean(choice, label, main)) for label in choice.labels}
        figure = front(points, _figure(choice, name, of), _figure(choice, main, of), label_colours(list(choice.labels)))
        parts.append(ui.graph(figure, {"type": "front", "of": name}))
    legend = f"means over {len(choice.shared)} episodes; the line joins those that none beats in both"
    return [ui.panel("Pareto fronts", html.Div(parts, className="columns"), aside=legend)]


def seeds(data: Data, choice: Choice, query: Mapping[str, str]) -> Sequence[Component]:
    """A box a controller for one figure over all shared scenarios and seeds, every episode a point."""
    names = _names(choice)
    if not names:
        return [ui.panel("Spread over seeds", ui.empty("These episodes hold no figures."))]
    name = query["kpi"] if query.get("kpi") in names else next((each for each in _MAIN if each in names), names[0])
    values = {label: [rows[label].kpis.get(name, float("nan")) for rows in choice.shared] for label in choice.labels}
    of = _figure(choice, name, data.meanings(choice.case.plant))
    figure = boxes(values, of, label_colours(list(choice.labels)))
    picker = ui.picker(ids.choice("kpi", name), "figure", names, name, width=260)
    title = f"{name} over {len(choice.shared)} scenarios and seeds"
    whole = ui.panel(title, ui.graph(figure, {"type": "boxes", "of": name}), aside=picker)
    return [html.Div([whole, _paired(choice, name, of.unit, values)], className="columns wide")]


def _paired(choice: Choice, name: str, unit: str, values: Mapping[str, Sequence[float]]) -> Component:
    """The differences on the same scenario and seed, which say more than the spread between scenarios."""
    base = values[choice.base]
    gaps = {label: [a - b for a, b in zip(own, base, strict=True)] for label, own in values.items() if label != choice.base}
    figure = boxes(gaps, Figure(f"difference to {shown_name(choice.base)}", unit), label_colours(list(choice.labels)))
    figure.add_hline(y=0.0, line={"color": "#8a94a1", "width": 1, "dash": "dot"})
    title = f"{name}, difference to {shown_name(choice.base)} on the same scenario and seed"
    return ui.panel(title, ui.graph(figure, {"type": "boxes", "of": f"{name} difference"}))


def _names(choice: Choice) -> list[str]:
    return list(dict.fromkeys(name for rows in choice.shared for label in choice.labels for name in rows[label].kpis))


def _axes(choice: Choice) -> tuple[str, list[str]]:
    """The figure to be low, and those that it is traded for, as far as any controller differs in them."""
    names = _names(choice)
    main = next((name for name in _MAIN if name in names), "")
    others = [name for word in _AGAINST for name in names if word in name and name != main and not name.endswith("cost")]
    differing = [name for name in others if len({round(_mean(choice, label, name), 9) for label in choice.labels}) > 1]
    return main, list(dict.fromkeys(differing))


def _mean(choice: Choice, label: str, name: str) -> float:
    values = [value for rows in choice.shared if (value := rows[label].kpis.get(name)) is not None]
    return sum(values) / len(values) if values else float("nan")


def _figure(choice: Choice, name: str, of: Mapping[str, str]) -> Figure:
    """A figure in words, its name where that needs none; ``of`` says what the plant's inputs and outputs are."""
    units = {key: unit for rows in choice.shared for row in rows.values() for key, unit in row.kpi_units.items()}
    return Figure(meaning(name, of) or name, units.get(name, ""), higher_is_better=name == "return")
