"""Small multiples as SVG: one panel a pair of what is moved and what answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 230, 130, 58, 26, 12, 30
INK, LINE, FRAME = "#5f6b7a", "#1f6feb", "#9aa4b2"
TICKS = 3


@dataclass(frozen=True)
class Panel:
    """One curve with the labels of its axes and a title; values that are not finite leave a gap."""

    title: str
    across: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def multiples(rows: Sequence[Sequence[Panel]], label: str) -> str:
    """Return an SVG of rows of panels."""
    width, height = WIDTH * max(map(len, rows)), HEIGHT * len(rows)
    body = "".join(
        f'<g transform="translate({WIDTH * j} {HEIGHT * i})">{_panel(panel)}</g>'
        for i, row in enumerate(rows)
        for j, panel in enumerate(row)
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img"'
    return f'{head} aria-label="{escape(label)}" font-family="sans-serif" font-size="9" fill="{INK}">{body}</svg>\n'


def _panel(panel: Panel) -> str:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    known = np.isfinite(panel.y)
    if known.sum() < 2:
        return f'<text x="{LEFT}" y="{HEIGHT // 2}">{escape(panel.title)}: no steady state</text>'
    x0, x1 = float(panel.x[0]), float(panel.x[-1])
    y0, y1 = _span(panel.y[known])
    px = LEFT + (panel.x - x0) / (x1 - x0) * (right - LEFT)
    py = bottom - (panel.y - y0) / (y1 - y0) * (bottom - TOP)
    frame = f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="{FRAME}"/>'
    curve = f'<path d="{_path(px, py, known)}" fill="none" stroke="{LINE}" stroke-width="1.6"/>'
    title = f'<text x="{LEFT}" y="{TOP - 10}" font-size="10">{escape(panel.title)}</text>'
    foot = f'<text x="{right}" y="{HEIGHT - 4}" text-anchor="end">{escape(panel.across)}</text>'
    upright = (
        (LEFT - 4, bottom - (v - y0) / (y1 - y0) * (bottom - TOP) + 3, "end", v, y1 - y0) for v in np.linspace(y0, y1, TICKS)
    )
    level = (
        (LEFT + (v - x0) / (x1 - x0) * (right - LEFT), bottom + 11, "middle", v, x1 - x0) for v in np.linspace(x0, x1, TICKS)
    )
    marks = "".join(
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_number(value, span)}</text>'
        for x, y, anchor, value, span in (*upright, *level)
    )
    return frame + curve + title + foot + marks


def _span(y: NDArray[np.float64]) -> tuple[float, float]:
    """Return bounds with room around the curve; a line that hardly moves is drawn flat."""
    low, high = float(y.min()), float(y.max())
    room = max(0.06 * (high - low), 1e-3 * max(abs(low), abs(high), 1e-9) if high - low < 1e-6 * abs(high) else 0.0, 1e-12)
    return low - room, high + room


def _path(px: NDArray[np.float64], py: NDArray[np.float64], known: NDArray[np.bool_]) -> str:
    pen, parts = "M", []
    for x, y, drawn in zip(px, py, known, strict=True):
        if drawn:
            parts.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L" if drawn else "M"
    return "".join(parts)


def _number(value: float, span: float) -> str:
    digits = max(0, 1 - int(np.floor(np.log10(span)))) if span < 1e4 else 0
    return f"{value:.{min(digits, 6)}f}" if abs(value) < 1e6 else f"{value:.3g}"
