"""Stacked trends of episodes as pure Plotly: one time axis, a row for each process variable and what acts on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from controller.records import EpisodeRecord, Role, Signal
from dashboard.figures import axis_text, controller_colour, decimated, dressed, shown_name, unit_text

_ROLE = {
    "pv": "#2b7fd4", "sp": "#c9791a", "baseline_sp": "#8a94a1", "target": "#8d68c7", "op": "#2a9d78", "disturbance": "#8a94a1",
    "offset": "#8d68c7", "cost": "#9a8460", "limit_low": "#d0504a", "limit_high": "#d0504a",
}  # fmt: skip
_ROLE_TEXT = {
    "pv": "PV", "sp": "SP", "baseline_sp": "SP of the baseline", "target": "target", "op": "OP", "disturbance": "disturbance",
    "offset": "offset on SP", "cost": "cost", "limit_low": "limit", "limit_high": "limit",
}  # fmt: skip
_DASH = {"sp": "dash", "baseline_sp": "dot", "target": "dashdot"}
_REST = ("offset", "cost", "disturbance")
_FORBIDDEN = "rgba(208, 80, 74, 0.13)"
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Row:
    """One axis of a stacked trend: the signals that share it, by their place in the record."""

    title: str
    unit: str
    members: tuple[int, ...]
    height: float


def rows_of(signals: Sequence[Signal]) -> list[Row]:
    """Which signals share an axis: a PV with its setpoints and limits, an OP with its limits, the rest by unit."""
    rows: list[Row] = []
    taken: set[int] = set()
    for role, height in (("pv", 2.0), ("op", 1.2)):
        leaders = [k for k, signal in enumerate(signals) if signal.role == role]
        for leader in leaders:
            members = (leader, *_companions(signals, leader, alone=len(leaders) == 1 and role == "pv"))
            taken.update(members)
            rows.append(_row(signals, members, height))
    rest = sorted((k for k in range(len(signals)) if k not in taken), key=lambda k: _place(signals[k].role))
    groups: dict[tuple[str, str], list[int]] = {}
    for k in rest:
        groups.setdefault((signals[k].role, signals[k].unit), []).append(k)
    return rows + [_row(signals, tuple(members), 0.9) for members in groups.values()]


def _place(role: Role) -> int:
    return _REST.index(role) if role in _REST else -1


def _companions(signals: Sequence[Signal], leader: int, *, alone: bool) -> list[int]:
    follow = ("sp", "baseline_sp", "target", "limit_low", "limit_high")
    names = {signals[leader].name} | ({""} if alone else set())
    return [k for k, s in enumerate(signals) if s.role in follow and s.of in names and s.unit == signals[leader].unit]


def _row(signals: Sequence[Signal], members: tuple[int, ...], height: float) -> Row:
    leaders = [signals[k] for k in members if signals[k].role == signals[members[0]].role]
    words = [" ".join(filter(None, (s.tag, s.meaning or s.name))) for s in leaders]
    title = ", ".join(dict.fromkeys(words))
    return Row(title, signals[members[0]].unit, members, height)


def trends(record: EpisodeRecord) -> go.Figure:
    """One episode: each PV with SP, target and shaded limits, then OP, offsets and disturbances, on one time axis."""
    return _stacked({record.controller: record}, by_role=True)


def overlay(records: Mapping[str, EpisodeRecord]) -> go.Figure:
    """Several controllers on the same scenario and seed, each in its colour, rows and zoom linked."""
    return _stacked(records, by_role=False)


def _stacked(records: Mapping[str, EpisodeRecord], *, by_role: bool) -> go.Figure:
    first = _fullest(records)
    rows = rows_of(first.signals)
    heights = [row.height for row in rows] or [1.0]
    total = 88 + 92 * sum(heights)
    spacing = min(34.0 / total, 0.9 / len(heights))
    figure = make_subplots(len(heights), 1, shared_xaxes=True, vertical_spacing=spacing, row_heights=heights)
    unit = time_unit(first)
    for place, row in enumerate(rows, 1):
        span = _span(records, row)
        for trace in (*_limits(first, row, unit, span), *_lines(records, row, unit, by_role=by_role)):
            figure.add_trace(trace, row=place, col=1)
        figure.update_yaxes(title_text=axis_text(row.unit), range=list(span), nticks=_ticks(row), row=place, col=1)
        _heading(figure, row.title, place)
    figure.update_xaxes(title_text=f"time ({unit})", row=len(heights), col=1)
    _name_once(figure)
    return dressed(figure, height=int(total), revision=f"{first.plant} {first.scenario} {first.seed}")


def _fullest(records: Mapping[str, EpisodeRecord]) -> EpisodeRecord:
    """The record with the most signals, which decides on the rows: a PID alone has no offset to show."""
    return max(records.values(), key=lambda record: len(record.signals))


def _lines(records: Mapping[str, EpisodeRecord], row: Row, unit: str, *, by_role: bool) -> list[go.Scatter]:
    """Every controller's lines of a row; what does not depend on the controller is drawn once."""
    first = _fullest(records)
    wanted = [first.signals[k] for k in row.members if not first.signals[k].role.startswith("limit")]
    lines: list[go.Scatter] = []
    for place, (label, record) in enumerate(records.items()):
        where = {(signal.name, signal.role): k for k, signal in enumerate(record.signals)}
        for signal in wanted:
            shared = signal.role in ("disturbance", "target", "baseline_sp")
            if (signal.name, signal.role) not in where or (shared and place > 0):
                continue
            own = by_role or shared
            text = _ROLE_TEXT[signal.role] if own else shown_name(label)
            colour = _ROLE[signal.role] if own else controller_colour(label, place)
            lines.append(_line(record, where[signal.name, signal.role], unit, colour, text))
    return lines


def _line(record: EpisodeRecord, k: int, unit: str, colour: str, text: str) -> go.Scatter:
    signal = record.signals[k]
    keep = decimated(record.time, record.values[k])
    shape = "linear" if signal.role == "pv" else "hv"
    return go.Scatter(
        x=record.time[keep] * _factor(record, unit),
        y=record.values[k][keep],
        name=text,
        legendgroup=text,
        mode="lines",
        line={"color": colour, "width": _width(signal.role), "dash": _DASH.get(signal.role, "solid"), "shape": shape},
        hovertemplate=f"{text} {signal.name} %{{y:.5g}} {unit_text(signal.unit)}<extra></extra>",
    )


def _limits(record: EpisodeRecord, row: Row, unit: str, span: tuple[float, float]) -> list[go.Scatter]:
    """Each limit as a thin line, and the side of it that must not be entered, shaded to the edge of the axis."""
    traces: list[go.Scatter] = []
    for k in row.members:
        signal = record.signals[k]
        if not signal.role.startswith("limit"):
            continue
        limit = _line(record, k, unit, _ROLE[signal.role], "limit")
        y = np.asarray(limit.y)
        edge = np.minimum(y, span[0]) if signal.role == "limit_low" else np.maximum(y, span[1])
        shade = go.Scatter(x=limit.x, y=edge, name="limit", legendgroup="limit", mode="lines", hoverinfo="skip")
        shade.update(line={"width": 0, "shape": "hv"}, fill="tonexty", fillcolor=_FORBIDDEN)
        traces += [limit, shade]
    return traces


def _name_once(figure: go.Figure) -> None:
    """Show each name once in the legend, however many rows it has lines in."""
    seen: set[str] = set()
    for trace in cast("tuple[go.Scatter, ...]", figure.data):
        name = str(trace.name)
        trace.showlegend = name not in seen
        seen.add(name)


def _ticks(row: Row) -> int:
    return 6 if row.height > 1.5 else 5


def _width(role: Role) -> float:
    return {"pv": 2.0, "op": 1.6, "offset": 1.6}.get(role, 1.3)


def _span(records: Mapping[str, EpisodeRecord], row: Row) -> tuple[float, float]:
    """The axis: all lines with some air, and a limit unless it lies so far off that the lines would be squeezed flat."""
    first = _fullest(records)
    wanted = {(s.name, s.role) for s in (first.signals[k] for k in row.members) if not s.role.startswith("limit")}
    lines = [r.values[k] for r in records.values() for k, s in enumerate(r.signals) if (s.name, s.role) in wanted]
    low, high = _extremes(lines)
    air = max(high - low, 1e-3 * max(abs(low), abs(high))) or 1.0
    for k in row.members:
        if first.signals[k].role.startswith("limit"):
            limit_low, limit_high = _extremes([first.values[k]])
            low = min(low, limit_low) if low - limit_low < 3 * air else low
            high = max(high, limit_high) if limit_high - high < 3 * air else high
    margin = 0.08 * (high - low) if high - low >= air else 0.5 * air
    return low - margin, high + margin


def _extremes(lines: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    finite = [line[np.isfinite(line)] for line in lines]
    finite = [line for line in finite if line.size]
    if not finite:
        return 0.0, 1.0
    return float(min(line.min() for line in finite)), float(max(line.max() for line in finite))


def time_unit(record: EpisodeRecord) -> str:
    """The unit in which the episode's length reads best; an unknown one stays."""
    if record.time_unit not in _SECONDS or not record.time.size:
        return record.time_unit
    seconds = float(np.ptp(record.time)) * _SECONDS[record.time_unit]
    return next((unit for unit, least in (("d", 3 * 86400.0), ("h", 5 * 3600.0), ("min", 300.0)) if seconds > least), "s")


def _factor(record: EpisodeRecord, unit: str) -> float:
    return _SECONDS.get(record.time_unit, 1.0) / _SECONDS.get(unit, 1.0)


def _heading(figure: go.Figure, text: str, place: int) -> None:
    axis = "" if place == 1 else str(place)
    figure.add_annotation(
        text=f"<b>{text}</b>", x=0, y=1, xref=f"x{axis} domain", yref=f"y{axis} domain", xanchor="left", yanchor="bottom",
        showarrow=False, font={"size": 11.5}, yshift=1,
    )  # fmt: skip
