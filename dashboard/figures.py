"""Figures as pure Plotly: learning curves and PPO's vital signs, and what all figures have in common.

Text, grid and backgrounds take their colours from the page's style sheet, so that a figure follows light and dark
without being drawn again; the lines' own colours are middle tones that read on both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

POINTS = 4000  # a trace: more do not show on a screen, and slow the browser
CONTROLLERS = {
    "ppo": "#2b7fd4",
    "pid": "#c9791a",
    "nmpc": "#2a9d78",
    "schedule": "#8d68c7",
    "rule": "#4aa3b8",
    "constant": "#8a94a1",
}
OTHERS = ("#c2587d", "#5d9c3b", "#6f6fd0", "#a7673f")
_USUAL = "rgba(42, 157, 120, 0.13)"
SUPERSCRIPT = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")


@dataclass(frozen=True)
class Vital:
    """One of PPO's vital signs: what it is called, its unit, and where it usually lies (None: no general range)."""

    title: str
    unit: str
    low: float | None
    high: float | None
    advice: str


VITALS = {
    "train/kl": Vital("KL divergence", "nat", 0.002, 0.03, "usually 0.002 to 0.03; above: lower the learning rate"),
    "train/clip_fraction": Vital("Clip fraction", "share of samples", 0.02, 0.3, "usually 0.02 to 0.3; above: steps too large"),
    "train/entropy": Vital("Entropy", "nat", None, None, "should fall slowly; a sudden fall ends the search too early"),
    "train/explained_variance": Vital(
        "Explained variance", "share", 0.5, 1.0, "0.5 to 1 once trained; at 0 the critic knows nothing"
    ),
    "train/value_loss": Vital("Value loss", "reward²", None, None, "should settle; a rise means that returns changed"),
    "train/steps_per_s": Vital("Training speed", "steps/s", None, None, "environment steps learned from per second"),
    "train/hard_violations": Vital("Hard-limit violations", "count", None, None, "while exploring; should fall to zero"),
}


def unit_text(unit: str) -> str:
    """A unit as it is printed: degC as °C, m2 as m², 1 as a dash."""
    if unit in ("", "1"):
        return "–"
    dressed = re.sub(r"(?<=[A-Za-z)])(?:\*\*|\^)?(-?\d)", lambda match: match.group(1).translate(SUPERSCRIPT), unit)
    return dressed.replace("delta_degC", "K").replace("degC", "°C").replace("*", "·")


def axis_text(unit: str) -> str:
    """A unit as an axis title, where a bare dash set upright would read as a bar."""
    return unit_text(unit) if unit not in ("", "1") else "(–)"


def controller_colour(name: str, place: int = 0) -> str:
    """The colour a controller has on every page; ``place`` chooses among the spare ones."""
    return CONTROLLERS.get(name, OTHERS[place % len(OTHERS)])


def shown_name(name: str) -> str:
    """Controllers known by their initials in capitals, others as they are."""
    first, *rest = name.split(" ", 1)
    return " ".join([first.upper() if first in ("ppo", "pid", "nmpc") else first, *rest])


def decimated(time: NDArray[np.float64], values: NDArray[np.float64], points: int = POINTS) -> NDArray[np.intp]:
    """Indices of at most ``points`` samples that keep the lowest and highest of each stretch, so that peaks stay."""
    if values.size <= points:
        return np.arange(values.size)
    bins = (points - 2) // 2
    edges = np.linspace(0, values.size, bins + 1).astype(np.intp)
    width = int(np.diff(edges).max())
    index = np.minimum(edges[:-1, None] + np.arange(width), edges[1:, None] - 1)
    chunk = values[index]
    low = np.where(np.isnan(chunk), np.inf, chunk).argmin(1)
    high = np.where(np.isnan(chunk), -np.inf, chunk).argmax(1)
    rows = np.arange(bins)
    return np.unique(np.concatenate([[0, time.size - 1], index[rows, low], index[rows, high]]))


def learning_curve(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], baselines: Mapping[str, float], total_steps: float, unit: str
) -> go.Figure:
    """Score over environment steps: the policy now, the best so far, and a line for each baseline.

    ``curves`` maps a legend text to its steps and scores; they come first, in order, so that a reader can extend them.
    """
    figure = go.Figure()
    styles = (
        {"color": CONTROLLERS["ppo"], "width": 2},
        {"color": CONTROLLERS["ppo"], "width": 1.2, "dash": "dot", "shape": "hv"},
    )
    for (text, (steps, scores)), line in zip(curves.items(), styles, strict=False):
        hover = f"{text} %{{y:.5g}} {unit}<extra></extra>"
        figure.add_trace(go.Scatter(x=list(steps), y=list(scores), name=text, mode="lines", line=line, hovertemplate=hover))
    for place, (name, value) in enumerate(baselines.items()):
        text = shown_name(name)
        line = {"color": controller_colour(name, place), "width": 1.6, "dash": "dash"}
        hover = f"{text} %{{y:.5g}} {unit}<extra></extra>"
        figure.add_trace(
            go.Scatter(x=[0, total_steps], y=[value, value], name=text, mode="lines", line=line, hovertemplate=hover)
        )
    figure.update_yaxes(title_text=f"score on validation scenarios ({unit})")
    figure.update_xaxes(title_text="environment steps", range=[0, total_steps] if total_steps > 0 else None)
    return dressed(figure, height=330, revision="learning")


def vital(key: str, steps: Sequence[float], values: Sequence[float], total_steps: float) -> go.Figure:
    """One of PPO's vital signs over environment steps, its usual range shaded."""
    sign = VITALS[key]
    figure = go.Figure()
    hover = f"%{{y:.4g}} {sign.unit}<extra></extra>"
    line = {"color": CONTROLLERS["ppo"], "width": 1.6}
    figure.add_trace(go.Scatter(x=list(steps), y=list(values), mode="lines", name=sign.title, line=line, hovertemplate=hover))
    if sign.low is not None and sign.high is not None:
        figure.add_hrect(y0=sign.low, y1=sign.high, fillcolor=_USUAL, line_width=0, layer="below")
    figure.update_yaxes(title_text=sign.unit, rangemode="tozero" if sign.unit in ("count", "steps/s") else "normal")
    figure.update_xaxes(title_text="environment steps", range=[0, total_steps] if total_steps > 0 else None, nticks=5)
    dressed(figure, height=190, revision=key)
    figure.update_xaxes(tickformat="~s", tickangle=0)
    return figure.update_layout(showlegend=False, margin={"l": 58, "r": 10, "t": 8, "b": 36})


def dressed(figure: go.Figure, *, height: int, revision: str) -> go.Figure:
    """The look that all figures share; ``revision`` says while what stays the same a reader's zoom is kept."""
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 66, "r": 14, "t": 46, "b": 42},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif", "size": 11.5},
        hovermode="x unified",
        hoverlabel={"font": {"size": 11.5}},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "yref": "paper"},
        uirevision=revision,
        dragmode="zoom",
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": "#8a94a1", "activecolor": CONTROLLERS["ppo"]},
    )
    figure.update_xaxes(
        title_font_size=11.5,
        zeroline=False,
        showline=True,
        linewidth=1,
        ticks="outside",
        ticklen=3,
        hoverformat=".5g",
        exponentformat="none",
    )
    figure.update_yaxes(
        title_font_size=11.5, zeroline=False, showline=True, linewidth=1, ticks="outside", ticklen=3, automargin=False
    )
    return figure
