"""A benchmark's figures as pure Plotly: intervals by case, performance profile, heat map, cost against discomfort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from controller.findings import Findings
from controller.overall import Trade, labels, profiles
from controller.standing import PID, Standing
from dashboard.figures import controller_colour, dressed, faint, shown_name, unit_text
from plant_models.core.scenario import Array

GAINS = np.linspace(-1.0, 1.0, 81)
"""Relative gains at which the profile is drawn."""
ROOM = {"l": 260, "r": 24, "t": 40, "b": 48}
GRID = "#e3e7ea"
FRONT = "PID's front"
MANY, LABELLED = 40, 14
"""Cases beyond which intervals are drawn of those without a variant alone, and columns up to which a heat map is labelled."""
ENDS = ("triangle-left", "triangle-right")
STEPS = (-100.0, -50.0, -10.0, 0.0, 10.0, 50.0, 100.0)
"""What the heat map's colours are labelled with."""


def intervals(findings: Findings) -> go.Figure:
    """Every controller's saving against PID in relative terms with its 95 % interval, by case."""
    standings = [each for each in findings.standings if each.saved is not None]
    if len(findings.cases) > MANY:
        standings = [each for each in standings if each.case.variant == "none"]
    order, span = list(dict.fromkeys(each.case.title for each in standings)), _span(standings)
    figure = go.Figure()
    names = list(dict.fromkeys(each.label for each in standings))
    for place, name in enumerate(names):
        rows = [each for each in standings if each.label == name]
        shift = (place - (len(names) - 1) / 2) * 0.7 / max(len(names), 1)
        figure.add_trace(_whiskers(rows, name, place, [order.index(each.case.title) + shift for each in rows], span))
    figure.add_vline(x=0.0, line={"color": controller_colour("pid"), "width": 1.5})
    dressed(figure, height=130 + max(26, 15 * len(names)) * len(order), revision="intervals")
    figure.update_layout(margin=ROOM, hovermode="closest")
    figure.update_yaxes(
        tickvals=list(range(len(order))), ticktext=order, range=[len(order) - 0.4, -0.6], showgrid=True, gridcolor=GRID, ticks=""
    )
    figure.update_xaxes(title_text="relative gain over PID (%, right is better; a triangle lies beyond)", range=span)
    return figure


def _whiskers(rows: Sequence[Standing], name: str, place: int, y: Sequence[float], span: Sequence[float]) -> go.Scatter:
    """Return a controller's points with their intervals; what lies beyond the axis stands at its end as a triangle."""
    points = [(each.saved, each) for each in rows]
    mean, low, high = ([100 * getattr(saved, key) / each.share for saved, each in points] for key in ("mean", "low", "high"))
    x = np.clip(mean, span[0], span[1])
    beyond = [np.less(mean, span[0]), np.greater(mean, span[1])]
    return go.Scatter(
        x=x, y=y, name=shown_name(name), mode="markers",
        marker={"color": controller_colour(name, place), "size": 8, "symbol": np.select(beyond, ENDS, "circle")},
        error_x={"type": "data", "symmetric": False, "array": np.maximum(np.subtract(high, x), 0.0),
                 "arrayminus": np.maximum(np.subtract(x, low), 0.0), "thickness": 1.6, "width": 3},
        customdata=np.stack([mean, low, high], axis=1), text=[each.case.title for each in rows],
        hovertemplate=f"<b>%{{text}}</b><br>{shown_name(name)} %{{customdata[0]:+.3g}} % "
        "(%{customdata[1]:+.3g} to %{customdata[2]:+.3g})<extra></extra>",
    )  # fmt: skip


def _span(standings: Sequence[Standing]) -> list[float]:
    """Return a range that shows most intervals: one far out must not squeeze the others to a line."""
    ends = [100 * end / each.share for each in standings if each.saved for end in (each.saved.low, each.saved.high)]
    finite = [end for end in ends if np.isfinite(end)] or [0.0]
    low, high = max(min(*finite, -5.0), -160.0), min(max(*finite, 5.0), 160.0)
    room = 0.04 * (high - low)
    return [low - room, high + room]


def profile(findings: Findings) -> go.Figure:
    """The share of runs that gain more over PID than a value, with its pointwise 95 % band, by controller."""
    figure = go.Figure()
    for place, (name, (share, low, high)) in enumerate(profiles(findings.cases, GAINS).items()):
        colour = controller_colour(name, place)
        figure.add_trace(_band(low, high, colour, name))
        hover = f"{shown_name(name)}: %{{y:.0f}} % of runs gain more<extra></extra>"
        line = {"color": colour, "width": 2, "dash": "dash" if "shield" in name else "solid"}
        figure.add_trace(
            go.Scatter(x=100 * GAINS, y=100 * share, name=shown_name(name), legendgroup=name, line=line, mode="lines",
                       hovertemplate=hover)
        )  # fmt: skip
    figure.add_vline(x=0.0, line={"color": controller_colour("pid"), "width": 1.5})
    figure.update_xaxes(title_text="relative gain over PID (%)")
    figure.update_yaxes(title_text="runs that gain more (%)", range=[0, 102], showgrid=True, gridcolor=GRID)
    return dressed(figure, height=380, revision="profile")


def _band(low: Array, high: Array, colour: str, name: str) -> go.Scatter:
    return go.Scatter(
        x=100 * np.concatenate([GAINS, GAINS[::-1]]), y=100 * np.concatenate([low, high[::-1]]), fill="toself", mode="lines",
        fillcolor=faint(colour, 0.14), line={"width": 0}, hoverinfo="skip", showlegend=False, legendgroup=name,
    )  # fmt: skip


def heat(findings: Findings) -> go.Figure:
    """The saving against PID by scenario, controller and variant; blue is better than PID, red worse."""
    standings = {(_scenario(each), _column(each)): each for each in findings.standings if each.saved is not None}
    rows = list(dict.fromkeys(row for row, _ in standings))
    names = [name for name in labels(findings.cases) if name != PID]
    columns = sorted(dict.fromkeys(column for _, column in standings), key=lambda column: names.index(column[0]))
    z = np.array([[_share(standings.get((row, column))) for column in columns] for row in rows])
    few = len(columns) <= LABELLED
    marks: Any = [[f"{value:+.0f}" if few and np.isfinite(value) else "" for value in row] for row in z]
    heads = [shown_name(name) + ("" if variant == "none" else f", {variant}") for name, variant in columns]
    figure = go.Figure(
        go.Heatmap(
            z=_root(np.clip(z, -100.0, 100.0)), x=np.array(heads), y=np.array(rows), zmid=0.0, zmin=-10.0, zmax=10.0,
            colorscale=[(0.0, "#b53832"), (0.5, "#f4f5f6"), (1.0, "#1f69b5")], customdata=z, xgap=2, ygap=2, text=marks,
            texttemplate="%{text}", hovertemplate="%{y}<br>%{x}: %{customdata:+.3g} %<extra></extra>",
            colorbar={"title": {"text": "gain, %"}, "thickness": 12, "tickvals": _root(np.array(STEPS)),
                      "ticktext": [f"{step:+.0f}" for step in STEPS]},
        )
    )  # fmt: skip
    above = 56 if few else 130
    dressed(figure, height=70 + above + 24 * len(rows), revision="heat")
    figure.update_layout(margin=ROOM | {"t": above}, hovermode="closest")
    figure.update_yaxes(autorange="reversed", ticks="", showline=False)
    return figure.update_xaxes(side="top", ticks="", showline=False, tickangle=0 if few else -60)


def _scenario(each: Standing) -> str:
    return f"{each.case.plant.name}, {each.case.scenario}"


def _column(each: Standing) -> tuple[str, str]:
    return each.label, each.case.variant


def _root(values: Array) -> Array:
    """Return square roots with their signs, so that small gains have a colour too."""
    return np.asarray(np.sign(values) * np.sqrt(np.abs(values)))


def _share(standing: Standing | None) -> float:
    return float("nan") if standing is None or standing.saved is None else 100 * standing.saved.mean / standing.share


def fronts(trades: Sequence[Trade], columns: int = 3) -> go.Figure:
    """Cost against discomfort or time beyond limits for each economic plant; the line is PID with its setpoints shifted."""
    lines = -(-len(trades) // columns)
    across = min(columns, len(trades))
    figure = make_subplots(
        lines, across, subplot_titles=[trade.title for trade in trades], horizontal_spacing=0.07,
        vertical_spacing=min(0.5, 90 / (300 * lines)),
    )  # fmt: skip
    shown: set[str] = set()
    for i, trade in enumerate(trades):
        line, column = i // columns + 1, i % columns + 1
        if trade.front:
            x, y = zip(*trade.front, strict=True)
            figure.add_trace(_curve(x, y, FRONT not in shown), row=line, col=column)
            shown.add(FRONT)
        for place, (name, point) in enumerate(trade.points.items()):
            figure.add_trace(_dot(point, name, place, name not in shown), row=line, col=column)
            shown.add(name)
        figure.update_xaxes(title_text=trade.x, row=line, col=column)
        figure.update_yaxes(title_text=f"cost ({unit_text(trade.unit)})", automargin=True, row=line, col=column)
    dressed(figure, height=90 + 300 * lines, revision="fronts")
    figure.update_layout(hovermode="closest", legend={"y": 1 + 40 / (300 * lines)}, margin={"t": 80})
    return figure.update_annotations(font_size=12)


def _curve(x: Sequence[float], y: Sequence[float], legend: bool) -> go.Scatter:
    line = {"color": controller_colour("pid"), "width": 1.5, "dash": "dot"}
    return go.Scatter(
        x=x, y=y, mode="lines+markers", marker={"size": 4}, line=line, name=FRONT, legendgroup=FRONT, showlegend=legend
    )


def _dot(point: tuple[float, float], name: str, place: int, legend: bool) -> go.Scatter:
    return go.Scatter(
        x=[point[0]], y=[point[1]], mode="markers", name=shown_name(name), legendgroup=name, showlegend=legend,
        marker={"color": controller_colour(name, place), "size": 10, "symbol": "diamond" if "shield" in name else "circle"},
        hovertemplate=f"{shown_name(name)}<br>%{{x:.4g}}, %{{y:.5g}}<extra></extra>",
    )  # fmt: skip
