"""Figures of a policy as pure Plotly: what it decides over two observed quantities, and how often it decides what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import CONTROLLERS, axis_text, dressed, unit_text

_SIGNED = ["#b5651d", "#d9a066", "#e9ebed", "#7fb0e0", "#1f5fa8"]
_RISING = ["#e9ebed", "#1f5fa8"]
_DOTS = 1500
_BINS = 41

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """What an axis shows: a name and its unit."""

    name: str
    unit: str

    @property
    def text(self) -> str:
        """The axis title."""
        unit = unit_text(self.unit)
        return f"{self.name} (–)" if unit == "–" else f"{self.name} ({unit})"


def section(
    x: tuple[Scale, Values], y: tuple[Scale, Values], moved: Scale, values: Values, seen: tuple[Values, Values],
    point: tuple[float, float],
) -> go.Figure:  # fmt: skip
    """A map of what one action does: ``values`` (y, x), where the policy has been, and the operating point of the section."""
    signed = bool(values.min() < 0.0 < values.max())
    bound = float(np.abs(values).max())
    hover = f"{x[0].name} %{{x:.5g}}<br>{y[0].name} %{{y:.5g}}<br>{moved.name} %{{z:.4g}} {unit_text(moved.unit)}<extra></extra>"
    figure = go.Figure(
        go.Heatmap(x=x[1], y=y[1], z=values, colorscale=_SIGNED if signed else _RISING, hovertemplate=hover,
                   zmin=-bound if signed else None, zmax=bound if signed else None,
                   colorbar={"title": {"text": axis_text(moved.unit)}, "thickness": 12, "outlinewidth": 0})
    )  # fmt: skip
    every = max(1, len(seen[0]) // _DOTS)
    dots = {"size": 3, "color": "rgba(40, 48, 56, 0.35)"}
    figure.add_trace(
        go.Scatter(x=seen[0][::every], y=seen[1][::every], mode="markers", marker=dots, name="visited", hoverinfo="skip")
    )
    cross = {"size": 11, "symbol": "cross-thin", "line": {"width": 2, "color": "#1b242d"}}
    figure.add_trace(go.Scatter(x=[point[0]], y=[point[1]], mode="markers", marker=cross, name="operating point"))
    figure.update_xaxes(title_text=x[0].text, range=[float(x[1].min()), float(x[1].max())])
    figure.update_yaxes(title_text=y[0].text, range=[float(y[1].min()), float(y[1].max())])
    dressed(figure, height=430, revision=f"{x[0].name} {y[0].name} {moved.name}")
    return figure.update_layout(hovermode="closest", legend_itemsizing="constant")


def histogram(moved: Scale, values: Values, reach: tuple[float, float]) -> go.Figure:
    """How often a policy decides what, in % of its decisions; the ends of the axis are the ends of its authority."""
    counts, edges = np.histogram(values, bins=_BINS, range=reach)
    share = 100.0 * counts / max(len(values), 1)
    hover = f"%{{x:.4g}} {unit_text(moved.unit)}: %{{y:.3g}} %<extra></extra>"
    middle = 0.5 * (edges[1:] + edges[:-1])
    figure = go.Figure(go.Bar(x=middle, y=share, marker={"color": CONTROLLERS["ppo"]}, hovertemplate=hover))
    figure.update_xaxes(title_text=moved.text, range=list(reach))
    figure.update_yaxes(title_text="% of decisions", rangemode="tozero")
    dressed(figure, height=240, revision=moved.name)
    return figure.update_layout(bargap=0.05, showlegend=False, hovermode="closest", margin={"l": 66, "r": 14, "t": 12, "b": 42})


def at_ends(actions: NDArray[np.float32]) -> float:
    """The share of actions in [-1, 1] that stand at an end, in %."""
    return float(100.0 * np.mean(np.abs(actions) >= 0.999)) if len(actions) else 0.0
