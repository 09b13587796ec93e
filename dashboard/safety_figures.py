"""Figures of the safety page, as pure Plotly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import controller_colour, dressed, shown_name
from dashboard.incidents import Standing

OFF, ON = "#c2587d", "#2a9d78"
"""The shield off and on."""


def crossed(standings: Sequence[Standing]) -> go.Figure:
    """The mean time beyond each limit that any controller crossed, in the unit of an episode's share in which it reads best."""
    figure = go.Figure()
    unit, factor = _unit(max((hours for each in standings for hours in each.hours.values()), default=0.0))
    names = list(dict.fromkeys(name for each in standings for name, hours in each.hours.items() if hours > 0.0))
    for place, each in enumerate(standings):
        bar: dict[str, Any] = {
            "x": [factor * each.hours.get(name, 0.0) for name in names], "y": [f"{name} " for name in names], "orientation": "h",
            "name": shown_name(each.controller), "marker": {"color": controller_colour(each.controller, place)},
            "hovertemplate": f"%{{x:.4g}} {unit} an episode<extra>%{{fullData.name}}</extra>",
        }  # fmt: skip
        figure.add_trace(go.Bar(bar))
    figure.update_layout(barmode="group", bargap=0.3)
    figure.update_xaxes(title_text=f"mean time beyond the limit ({unit} an episode)", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    dressed(figure, height=110 + (14 * max(len(standings), 1) + 12) * max(len(names), 1), revision="crossed")
    return figure.update_layout(hovermode="closest", margin={"l": 130, "r": 20, "t": 40, "b": 42})


def _unit(hours: float) -> tuple[str, float]:
    """The unit in which so many hours read best, and how many of it an hour has."""
    return next(
        (unit, factor) for unit, factor, least in (("h", 1.0, 1.0), ("min", 60.0, 1 / 60), ("s", 3600.0, 0.0)) if hours >= least
    )


def opposed(supervisors: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """Episodes that cross a hard limit under each supervisor, with the shield off and on."""
    names = list(supervisors)
    sides = (("shield off", "violating_unshielded", OFF), ("shield on", "violating", ON))
    figure = go.Figure()
    for text, key, colour in sides:
        shares = [100.0 * float(supervisors[name][key]) / max(int(supervisors[name]["episodes"]), 1) for name in names]
        hover = f"%{{x:.3g}} % with the {text}<extra></extra>"
        rows = [f"{shown_name(name)} " for name in names]
        bar = {"x": shares, "y": rows, "orientation": "h", "name": text, "marker": {"color": colour}, "hovertemplate": hover}
        figure.add_trace(go.Bar(bar))
    figure.update_layout(barmode="group", bargap=0.35)
    figure.update_xaxes(title_text="episodes that cross a hard limit (%)", range=[0, 100])
    figure.update_yaxes(autorange="reversed")
    dressed(figure, height=110 + 34 * max(len(names), 1), revision="opposed")
    return figure.update_layout(hovermode="closest", margin={"l": 130, "r": 20, "t": 40, "b": 42})


def sizes(cut: Mapping[str, NDArray[np.float64]]) -> go.Figure:
    """How much of the proposed move the shield cut away when it intervened, by controller."""
    figure = go.Figure()
    bins = {"start": -6.25, "end": 106.25, "size": 12.5}
    for place, (name, values) in enumerate(cut.items()):
        marker = {"color": controller_colour(name, place)}
        figure.add_trace(
            go.Histogram(x=100.0 * values, xbins=bins, histnorm="percent", name=shown_name(name), marker=marker,
                         hovertemplate="%{y:.3g} % of the interventions<extra>%{fullData.name}</extra>")
        )  # fmt: skip
    figure.update_xaxes(title_text="share of the move cut away (%)", range=[-8.0, 108.0])
    figure.update_yaxes(title_text="interventions (%)")
    dressed(figure, height=280, revision="sizes")
    return figure.update_layout(hovermode="closest", barmode="group")
