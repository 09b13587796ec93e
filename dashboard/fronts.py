"""Figures over many episodes as pure Plotly: two figures against each other with their Pareto front, and boxes over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from dashboard.figures import dressed, faint, shown_name, unit_text

Point = tuple[float, float]
LEAST = 5
"""Values from which a box is drawn around them."""


@dataclass(frozen=True)
class Figure:
    """A figure of an episode, with its unit; lower is better unless it says otherwise."""

    name: str
    unit: str
    higher_is_better: bool = False

    @property
    def text(self) -> str:
        """The axis title."""
        unit = unit_text(self.unit)
        return self.name if unit == "–" else f"{self.name} ({unit})"

    def cost(self, value: float) -> float:
        """The value, lower being better."""
        return -value if self.higher_is_better else value


def undominated(points: Mapping[str, Point], x: Figure, y: Figure) -> list[str]:
    """The labels that no other beats in one figure without being beaten in the other, from left to right."""
    costs = {label: (x.cost(a), y.cost(b)) for label, (a, b) in points.items() if math.isfinite(a) and math.isfinite(b)}

    def beaten(label: str) -> bool:
        a, b = costs[label]
        return any(c <= a and d <= b and (c < a or d < b) for other, (c, d) in costs.items() if other != label)

    return sorted((label for label in costs if not beaten(label)), key=lambda label: points[label])


def front(points: Mapping[str, Point], x: Figure, y: Figure, colours: Mapping[str, str]) -> go.Figure:
    """Each controller as a named point, and a line through those that none beats in both figures."""
    figure = go.Figure()
    best = undominated(points, x, y)
    line = {"color": "#8a94a1", "width": 1.2, "dash": "dot", "shape": "hv"}
    figure.add_trace(go.Scatter(x=[points[label][0] for label in best], y=[points[label][1] for label in best], mode="lines",
                                line=line, hoverinfo="skip", name="Pareto front", showlegend=len(best) > 1))  # fmt: skip
    for label, (a, b) in points.items():
        hover = f"{shown_name(label)}<br>{x.text} %{{x:.5g}}<br>{y.text} %{{y:.5g}}<extra></extra>"
        symbol = "circle" if label in best else "circle-open"
        marker = {"size": 11, "color": colours[label], "symbol": symbol, "line": {"width": 2, "color": colours[label]}}
        figure.add_trace(go.Scatter(x=[a], y=[b], mode="markers", name=shown_name(label), marker=marker, hovertemplate=hover))
    figure.update_xaxes(title_text=x.text, range=_room([a for a, _ in points.values()]))
    figure.update_yaxes(title_text=y.text, range=_room([b for _, b in points.values()]))
    return dressed(figure, height=320, revision=f"{x.name} {y.name}").update_layout(hovermode="closest")


def _room(values: Sequence[float]) -> list[float] | None:
    """A range in which points that lie within 2 % of each other do not look far apart; None where they lie farther."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    least = 0.02 * max(abs(low), abs(high))
    middle = 0.5 * (low + high)
    return [middle - 0.5 * least, middle + 0.5 * least] if high - low < 0.8 * least else None


def _outline(count: int, colour: str) -> dict[str, Any]:
    few = count < LEAST
    return {"line": {"width": 0 if few else 1.4}, "fillcolor": "rgba(0,0,0,0)" if few else faint(colour, 0.25)}


def boxes(values: Mapping[str, Sequence[float]], of: Figure, colours: Mapping[str, str]) -> go.Figure:
    """Quartiles of a figure by controller, whiskers to the last value within 1.5 of their distance, every episode a point.

    Fewer than ``LEAST`` episodes have no quartiles worth a box: they are points alone.
    """
    figure = go.Figure()
    for label, own in values.items():
        figure.add_trace(
            go.Box(y=[value for value in own if math.isfinite(value)], name=shown_name(label), boxpoints="all", jitter=0.4,
                   pointpos=0, marker={"color": colours[label], "size": 6, "opacity": 0.8}, **_outline(len(own), colours[label]),
                   hovertemplate=f"%{{y:.5g}} {unit_text(of.unit)}<extra>{shown_name(label)}</extra>")
        )  # fmt: skip
    figure.update_yaxes(title_text=of.text)
    dressed(figure, height=430, revision=of.name)
    return figure.update_layout(showlegend=False, hovermode="closest")
