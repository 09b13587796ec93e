"""What all figures have in common, as pure Plotly: the look, colours, units, and how a long line is thinned.

Text, grid and backgrounds take their colours from the page's style sheet, so that a figure follows light and dark
without being drawn again; the lines' own colours are middle tones that read on both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

POINTS = 2400  # a trace: two a pixel of a plot; more do not show on a screen, and slow the browser
CONTROLLERS = {
    "ppo": "#2b7fd4",
    "pid": "#c9791a",
    "nmpc": "#2a9d78",
    "schedule": "#8d68c7",
    "rule": "#4aa3b8",
    "constant": "#8a94a1",
    "ppo + shield": "#6f6fd0",
    "pid + shield": "#a7673f",
    "nmpc + shield": "#5d9c3b",
}
OTHERS = ("#c2587d", "#5d9c3b", "#6f6fd0", "#a7673f", "#3f7f8c", "#b0894f")
INITIALS = ("ppo", "pid", "nmpc", "a2c", "trpo", "sac", "td3", "ddpg", "reinforce")
SUPERSCRIPT = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")


def unit_text(unit: str) -> str:
    """A unit as it is printed: degC as °C, um as µm, m2 as m², 1 as a dash."""
    if unit in ("", "1"):
        return "–"
    unit = re.sub(r"(?<![A-Za-z])um(?![A-Za-z])", "µm", unit)
    dressed = re.sub(r"(?<=[A-Za-z)])(?:\*\*|\^)?(-?\d)", lambda match: match.group(1).translate(SUPERSCRIPT), unit)
    return dressed.replace("delta_degC", "K").replace("degC", "°C").replace("*", "·")


def axis_text(unit: str, otherwise: str = "(–)") -> str:
    """A unit as an axis title; what has none says ``otherwise``, as a bare dash set upright would read as a bar."""
    return unit_text(unit) if unit not in ("", "1", "–") else otherwise


def faint(colour: str, opacity: float) -> str:
    """A colour such as ``#d0504a`` that what lies below shines through."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


LIMIT = "#d0504a"
FORBIDDEN = faint(LIMIT, 0.13)
"""A limit on every trend, and what lies beyond it."""


def controller_colour(name: str, place: int = 0) -> str:
    """The colour a controller has on every page; ``place`` chooses among the spare ones."""
    return CONTROLLERS.get(name, OTHERS[place % len(OTHERS)])


def label_colours(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each of several labels, which begin with a controller's name: its own for the first, spare ones for others."""
    colours: dict[str, str] = {}
    for label in labels:
        own = CONTROLLERS.get(_controller(label), "")
        if own and own not in colours.values():
            colours[label] = own
    spare = [colour for colour in (*OTHERS, *CONTROLLERS.values()) if colour not in colours.values()] or list(OTHERS)
    left = [label for label in labels if label not in colours]
    return colours | {label: spare[k % len(spare)] for k, label in enumerate(left)}


def _controller(label: str) -> str:
    """The controller that a label begins with, with its shield where it has one."""
    name, *rest = label.split(" ")
    return f"{name} + shield" if rest[:2] == ["+", "shield"] else name


def shown_name(name: str) -> str:
    """Controllers known by their initials in capitals, others as they are."""
    first, *rest = name.split(" ", 1)
    return " ".join([first.upper() if first in INITIALS else first, *rest])


def worded(name: str, of: Mapping[str, str]) -> str:
    """A name that begins with a quantity's with what that is, which ``of`` says."""
    words = of.get(name.split(" ", maxsplit=1)[0], "")
    return f"{name}, {words}" if words else name


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
