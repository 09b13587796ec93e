"""The trend of a live session as pure Plotly: empty lines that the page's script fills, told apart by what stands in ``meta``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures import FORBIDDEN, LIMIT, axis_text, dressed
from dashboard.limit_figures import shade

PENS = {"A": "#6f7a84", "B": "#2b7fd4"}
"""Middle tones; the script exchanges them for the theme's own."""
WIDTHS = {"A": 3.4, "B": 1.5}
"""A wide line below and a thin one above it: both are seen where twins do the same."""
HEIGHTS = {"pv": 1.7, "op": 0.8, "share": 0.4}
TALL = {1: 230, 2: 176, 3: 150}
"""Pixels of a row of height 1, by how many loops are shown."""
TWINS = ("A", "B")


def trend(plan: Mapping[str, Any], tags: Sequence[str]) -> go.Figure:
    """Each chosen loop with PV, SP, what NMPC foresees and shaded limits, then its OP; at the end what the shield held back."""
    loops = [(i, loop) for i, loop in enumerate(plan["loops"]) if loop["tag"] in tags]
    kinds = [kind for _ in loops for kind in ("pv", "op")] + (["share"] if plan["shield"] else [])
    heights = [HEIGHTS[kind] for kind in kinds]
    total = 70 + TALL.get(len(loops), 130) * sum(heights)
    figure = make_subplots(len(kinds), 1, shared_xaxes=True, vertical_spacing=26 / total, row_heights=heights)
    for place, (i, loop) in enumerate(loops):
        row = 2 * place + 1
        _values(figure, i, loop, row)
        _outputs(figure, i, loop, row + 1)
    if plan["shield"]:
        _shield(figure, len(kinds))
    figure.update_xaxes(title_text=f"plant time ({unit_of(float(plan['period']))[0]})", row=len(kinds), col=1)
    return dressed(figure, height=int(total), revision="live").update_layout(
        height=None, autosize=True, hovermode="x", showlegend=False, barmode="group", bargap=0.2,
        margin={"l": 62, "r": 12, "t": 24, "b": 40},
    )  # fmt: skip


def unit_of(period: float) -> tuple[str, float]:
    """Return the unit of the time axis for decisions ``period`` seconds apart, and its seconds."""
    return ("min", 60.0) if period < 120.0 else ("h", 3600.0)


def _values(figure: go.Figure, i: int, loop: Mapping[str, Any], row: int) -> None:
    for twin in TWINS:
        _line(figure, twin, "sp", i, row, f"SP {twin}", dash="dash", width=0.6, shape="hv")
    for twin in TWINS:
        _line(figure, twin, "pv", i, row, f"PV {twin}", dash="solid", width=1.0)
        _line(figure, twin, "ahead", i, row, f"foreseen {twin}", dash="dot", width=0.8)
    for place, limit in enumerate(loop["varying"]):
        _varying(figure, i, place, limit, row)
    far = 1e3 * abs(loop["scale"][1] - loop["scale"][0])
    for limit in loop["limits"]:
        shade(figure, limit["value"], limit["side"], far, row)
    _head(figure, f"<b>{loop['tag']}</b> {loop['meaning']}", row)
    figure.update_yaxes(title_text=axis_text(loop["unit"]), range=loop["setpoints"], nticks=6, row=row, col=1)


def _varying(figure: go.Figure, i: int, place: int, limit: Mapping[str, str], row: int) -> None:
    """A limit that changes in time, and its far side shaded to where no axis reaches."""
    meta: dict[str, Any] = {"twin": "A", "kind": "bound", "loop": i, "place": place}
    hover = f"limit {limit['name']} %{{y:.5g}}<extra></extra>"
    line = {"color": LIMIT, "width": 1.2, "shape": "hv"}
    figure.add_trace(
        go.Scatter(x=[], y=[], name="limit", mode="lines", line=line, meta=meta, hovertemplate=hover), row=row, col=1
    )
    edge = go.Scatter(x=[], y=[], name="limit", mode="lines", line={"width": 0, "shape": "hv"}, hoverinfo="skip",
                      meta=meta | {"kind": "edge", "side": limit["side"]}, fill="tonexty", fillcolor=FORBIDDEN)  # fmt: skip
    figure.add_trace(edge, row=row, col=1)


def _outputs(figure: go.Figure, i: int, loop: Mapping[str, Any], row: int) -> None:
    for twin in TWINS:
        _line(figure, twin, "op", i, row, f"OP {twin}", dash="solid", width=0.9, shape="hv")
    _head(figure, f"OP to {loop['out']['tag']}", row)
    figure.update_yaxes(title_text=axis_text(loop["out"]["unit"]), range=loop["out"]["range"], nticks=4, row=row, col=1)


def _shield(figure: go.Figure, row: int) -> None:
    for twin in TWINS:
        meta = {"twin": twin, "kind": "share", "loop": 0}
        hover = f"shield {twin} held back %{{y:.0f}} %<extra></extra>"
        figure.add_trace(go.Bar(x=[], y=[], name=f"shield {twin}", marker_color=PENS[twin], meta=meta, hovertemplate=hover),
                         row=row, col=1)  # fmt: skip
    _head(figure, "held back by the shield", row)
    figure.update_yaxes(title_text="%", range=[0, 100], nticks=3, row=row, col=1)


def _line(
    figure: go.Figure, twin: str, kind: str, i: int, row: int, name: str, *, dash: str, width: float, shape: str = "linear"
) -> None:
    line = {"color": PENS[twin], "width": width * WIDTHS[twin], "dash": dash, "shape": shape}
    meta = {"twin": twin, "kind": kind, "loop": i}
    hover = f"{name} %{{y:.5g}}<extra></extra>"
    figure.add_trace(go.Scatter(x=[], y=[], name=name, mode="lines", line=line, meta=meta, hovertemplate=hover), row=row, col=1)


def _head(figure: go.Figure, text: str, row: int) -> None:
    axis = "" if row == 1 else str(row)
    figure.add_annotation(text=text, x=0, y=1, xref=f"x{axis} domain", yref=f"y{axis} domain", xanchor="left", yanchor="bottom",
                          showarrow=False, font={"size": 11.5}, yshift=1)  # fmt: skip
