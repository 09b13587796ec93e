"""Declared limits on a plot, as pure Plotly: where the axis ends, the side that must not be entered, and the limits in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import FORBIDDEN, LIMIT, faint, unit_text

Span = tuple[float, float]
NEAR = 3.0
"""Heights of what is drawn at which a limit is still shown: farther off, the lines would be squeezed flat."""
_OUT_OF_RANGE = faint("#8a94a1", 0.22)


@dataclass(frozen=True)
class Bound:
    """A limit that does not change in time: its value in display units, its side, low or high, and what crossing it means.

    A record of an episode does not know the kind.
    """

    value: float
    side: str
    kind: str = ""


def told(bounds: Sequence[Bound], unit: str, span: Span) -> str:
    """Limits in words by what crossing them means, with their unit and an arrow to those that an axis does not reach."""
    kinds = dict.fromkeys(bound.kind for bound in bounds)
    parts = (f"{kind} {_between([each for each in bounds if each.kind == kind], unit, span)}" for kind in kinds)
    return " · ".join(part.strip() for part in parts)


def keyed(bounds: Sequence[Bound], unit: str, span: Span) -> str:
    """Limits in words after the line that they are drawn as; nothing where there is none."""
    ordered = sorted(bounds, key=lambda each: each.value)
    words = f"{'limit' if len(bounds) == 1 else 'limits'} {told(ordered, unit, span)}"
    return f'<span style="color:{LIMIT}">▬</span> {words}' if bounds else ""


def _between(bounds: Sequence[Bound], unit: str, span: Span) -> str:
    shown = "" if unit in ("", "1") else f" {unit_text(unit)}"
    ends = [f"{each.value:.5g}{'↓' * (each.value < span[0])}{'↑' * (each.value > span[1])}".replace("-", "−") for each in bounds]
    if [each.side for each in bounds] == ["low", "high"]:
        return f"{' to '.join(ends)}{shown}"
    return ", ".join(f"{'≤' if each.side == 'high' else '≥'} {end}" for each, end in zip(bounds, ends, strict=True)) + shown


def extremes(lines: Iterable[NDArray[np.float64]]) -> Span:
    """The lowest and highest finite value of several lines; 0 and 1 where there is none."""
    finite = [line[np.isfinite(line)] for line in lines]
    finite = [line for line in finite if line.size]
    if not finite:
        return 0.0, 1.0
    return float(min(line.min() for line in finite)), float(max(line.max() for line in finite))


def reach(low: float, high: float, limits: Iterable[Span]) -> Span:
    """The axis: all that is drawn with some air, and every limit, from its lowest to its highest value, that lies near."""
    air = max(high - low, 1e-3 * max(abs(low), abs(high))) or 1.0
    for lowest, highest in limits:
        low = min(low, lowest) if low - lowest < NEAR * air else low
        high = max(high, highest) if highest - high < NEAR * air else high
    margin = 0.08 * (high - low) if high - low >= air else 0.5 * air
    return low - margin, high + margin


def shade(figure: go.Figure, value: float, side: str, far: float, row: int, col: int = 1) -> None:
    """A limit as a line, and what lies beyond it shaded as ``far`` as no axis reaches."""
    beyond = value + (far if side == "high" else -far)
    figure.add_hrect(y0=value, y1=beyond, fillcolor=FORBIDDEN, line_width=0, layer="below", row=row, col=col)
    figure.add_hline(y=value, line={"color": LIMIT, "width": 1}, row=row, col=col)


def limited(figure: go.Figure, bounds: Sequence[Bound], unit: str, span: Span, row: int, col: int = 1) -> None:
    """Every limit of a plot whose axis has this span, told above it."""
    for bound in bounds:
        shade(figure, bound.value, bound.side, 1e3 * (span[1] - span[0]), row, col)
    if bounds:
        figure.add_annotation(
            text=keyed(bounds, unit, span), x=0, y=1, xref="x domain", yref="y domain",
            xanchor="left", yanchor="bottom", showarrow=False, font={"size": 11}, row=row, col=col,
        )  # fmt: skip


def out_of_range(figure: go.Figure, low: float, high: float, row: int, col: int) -> None:
    """What an input cannot reach, shaded on both sides of a horizontal axis that shows a little of it."""
    air = 0.05 * (high - low)
    for end, beyond in ((low, low - 20.0 * air), (high, high + 20.0 * air)):
        figure.add_vrect(x0=end, x1=beyond, fillcolor=_OUT_OF_RANGE, line_width=0, layer="below", row=row, col=col)
    figure.update_xaxes(range=[low - air, high + air], row=row, col=col)
