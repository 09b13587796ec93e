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
from dashboard import times
from dashboard.figures import FORBIDDEN, LIMIT, POINTS, axis_text, decimated, dressed, label_colours, shown_name, unit_text
from dashboard.limit_figures import Bound, extremes, keyed, reach

_ROLE = {
    "pv": "#2b7fd4", "sp": "#c9791a", "baseline_sp": "#8a94a1", "target": "#8d68c7", "op": "#2a9d78", "disturbance": "#8a94a1",
    "offset": "#8d68c7", "cost": "#9a8460", "limit_low": LIMIT, "limit_high": LIMIT, "shield": "#c9791a",
}  # fmt: skip
_ROLE_TEXT = {
    "pv": "PV", "sp": "SP", "baseline_sp": "SP of the baseline", "target": "target", "op": "OP", "disturbance": "disturbance",
    "offset": "offset on SP", "cost": "cost", "limit_low": "limit", "limit_high": "limit", "shield": "held back by the shield",
}  # fmt: skip
_DASH = {"sp": "dash", "baseline_sp": "dot", "target": "dashdot"}
_REST = ("offset", "shield", "cost", "disturbance")
_ENDED = ("sp", "op", "offset", "shield", "cost")  # recorded at the end of the decision in which they held
_SHARED = ("disturbance", "target", "baseline_sp")
_AFTER = 1001  # in a legend: after the controllers, which have Plotly's own 1000
_UNCERTIFIED = "nothing certified: safe action"
BESIDE, ONE_LINE = 4, 7  # names of a legend that fit beside the first heading, and on a line of their own
_TOGETHER, _LEAST = 36_000, 800  # points of a whole figure and of one line: what a browser draws within a second

Window = tuple[float, float]
"""The part of the time axis that is looked at, in the unit that is shown."""


@dataclass(frozen=True)
class Row:
    """One axis of a stacked trend: the signals that share it, by their place in the record."""

    title: str
    unit: str
    members: tuple[int, ...]
    height: float
    role: str = "pv"


@dataclass(frozen=True)
class _View:
    """What of records is drawn: their time unit, the window, and how many points a line may have."""

    unit: str
    window: Window | None
    points: int

    def kept(self, record: EpisodeRecord, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """The samples of a line to draw: those within the window with one more on each side, thinned."""
        time, first, last = record.time * _factor(record, self.unit), 0, record.time.size
        if self.window is not None and time.size:
            first = max(int(np.searchsorted(time, self.window[0])) - 1, 0)
            last = min(int(np.searchsorted(time, self.window[1], side="right")) + 1, time.size)
        if last - first < 2:
            first, last = 0, time.size
        return decimated(time[first:last], values[first:last], self.points) + first

    def line(self, record: EpisodeRecord, values: NDArray[np.float64], style: go.Scatter) -> go.Scatter:
        """The line of these values, (samples,), drawn as ``style`` says."""
        keep = self.kept(record, values)
        style.update(x=record.time[keep] * _factor(record, self.unit), y=values[keep], mode="lines")
        return style


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
    title, role = ", ".join(dict.fromkeys(words)), str(signals[members[0]].role)
    if role == "shield":
        return Row("shield, share of the move held back", "%", members, height, role)
    return Row(title, signals[members[0]].unit, members, height, role)


def trends(record: EpisodeRecord, window: Window | None = None) -> go.Figure:
    """One episode: each PV with SP, target and shaded limits, then OP, offsets, shield and disturbances, on one time axis."""
    return _stacked({record.controller: record}, window, by_role=True)


def overlay(records: Mapping[str, EpisodeRecord], window: Window | None = None) -> go.Figure:
    """Several controllers on the same scenario and seed, each in its colour, rows and zoom linked."""
    return _stacked(records, window, by_role=False)


def differences(records: Mapping[str, EpisodeRecord], base: str, window: Window | None = None) -> go.Figure:
    """By how much each controller's PVs, setpoints and OPs lie above those of the controller ``base``, at the same times."""
    first = records[base]
    rows = [row for row in rows_of(first.signals) if row.role in ("pv", "op")]
    figure, view = _frame(rows), _view(records, window)
    colours = label_colours(list(records))
    for place, row in enumerate(rows, 1):
        signal, own = first.signals[row.members[0]], first.values[row.members[0]]
        style = {"color": colours[base], "width": 1.3, "dash": "dot"}
        figure.add_trace(view.line(first, 0.0 * own, _style(shown_name(base), signal, style)), row=place, col=1)
        for label, record in records.items():
            at = _found(record, signal)
            if label != base and at is not None:
                other = np.interp(first.time, record.time, record.values[at]) - own
                shape = "vh" if signal.role in _ENDED else "linear"
                line = {"color": colours[label], "width": 1.8, "shape": shape}
                figure.add_trace(view.line(first, other, _style(shown_name(label), signal, line)), row=place, col=1)
        unit = "K" if row.unit == "degC" else row.unit
        figure.update_yaxes(title_text=axis_text(unit), nticks=5, row=place, col=1)
        _heading(figure, f"{row.title}, difference to {shown_name(base)}", place)
    return _finished(figure, rows, first, view).update_layout(margin_l=82)  # small differences have long tick labels


def cumulated(records: Mapping[str, EpisodeRecord], window: Window | None = None) -> go.Figure | None:
    """What each controller has cost until then; the area of the errors where costs were not recorded, None without targets."""
    costs = {label: cost for label, record in records.items() if (cost := running_cost(record)) is not None}
    if not costs:
        return None
    first, view, colours = _fullest(records), _view(records, window), label_colours(list(records))
    words, unit, _ = next(iter(costs.values()))
    row = Row(words, unit, (0,), 2.6)
    figure = _frame([row])
    for label, (_, own, values) in costs.items():
        if own == unit:
            style = _style(shown_name(label), Signal(words, unit, "cost"), {"color": colours[label], "width": 1.9})
            figure.add_trace(view.line(records[label], values, style), row=1, col=1)
    figure.update_yaxes(title_text=axis_text(unit, "cost"), row=1, col=1)
    _heading(figure, words, 1)
    return _finished(figure, [row], first, view)


def running_cost(record: EpisodeRecord) -> tuple[str, str, NDArray[np.float64]] | None:
    """What it is, its unit, and its running sum: of the recorded cost, else of the absolute error of what has a target."""
    for k in record.of_role("cost"):
        return "cumulative cost", record.signals[k].unit, np.nancumsum(np.concatenate([[0.0], record.values[k][1:]]))
    for k in record.of_role("target"):
        target = record.signals[k]
        for i in record.of_role("pv"):
            if record.signals[i].name == target.of:
                gaps = np.diff(record.time, prepend=record.time[:1])
                error = np.cumsum(np.abs(record.values[i] - record.values[k]) * gaps)
                return f"cumulative absolute error of {target.of}", f"{target.unit} {record.time_unit}", error
    return None


def _view(records: Mapping[str, EpisodeRecord], window: Window | None) -> _View:
    lines = sum(len(record.signals) for record in records.values())
    return _View(time_unit(_fullest(records)), window, min(POINTS, max(_LEAST, _TOGETHER // max(lines, 1))))


def thinned(records: Mapping[str, EpisodeRecord], record: EpisodeRecord) -> bool:
    """Whether one of several records has more samples than are drawn when all of it is seen."""
    return bool(record.time.size > _view(records, None).points)


def _frame(rows: Sequence[Row]) -> go.Figure:
    heights = [row.height for row in rows] or [1.0]
    spacing = min(34.0 / _height(rows), 0.9 / len(heights))
    return make_subplots(len(heights), 1, shared_xaxes=True, vertical_spacing=spacing, row_heights=heights)


def _height(rows: Sequence[Row]) -> float:
    return 88 + 92 * sum([row.height for row in rows] or [1.0])


def _finished(figure: go.Figure, rows: Sequence[Row], first: EpisodeRecord, view: _View) -> go.Figure:
    """The figure with its look; of a part that is zoomed into only the lines are sent, and so it needs none."""
    if view.window is not None:
        return figure
    unit = view.unit
    figure.update_xaxes(title_text=f"time ({unit})", row=max(len(rows), 1), col=1)
    _name_once(figure)
    return _with_room(dressed(figure, height=int(_height(rows)), revision=f"{first.plant} {first.scenario} {first.seed}"))


def _with_room(figure: go.Figure) -> go.Figure:
    """Lift a legend that does not fit beside the first row's heading above it."""
    names = sum(bool(trace.showlegend) for trace in cast("tuple[go.Scatter, ...]", figure.data))
    if names > BESIDE:
        more, height = 22 * (-(-names // ONE_LINE)), int(figure.layout.height or 0)
        figure.update_layout(height=height + more, margin_t=46 + more, legend_y=1.0 + 22.0 / (height - 88))
    return figure


def _stacked(records: Mapping[str, EpisodeRecord], window: Window | None, *, by_role: bool) -> go.Figure:
    first, view = _fullest(records), _view(records, window)
    rows = rows_of(first.signals)
    figure = _frame(rows)
    for place, row in enumerate(rows, 1):
        if row.role == "shield":
            traces, span = _held_back(records, row, view, by_role=by_role), (0.0, 105.0)
        else:
            span = _span(records, row)
            traces = [*_limits(first, row, view, span), *_lines(records, row, view, by_role=by_role)]
        for trace in traces:
            figure.add_trace(trace, row=place, col=1)
        if window is None:
            figure.update_yaxes(title_text=axis_text(row.unit), range=list(span), nticks=_ticks(row), row=place, col=1)
            _heading(figure, row.title, place, keyed(_constant(first, row), row.unit, span))
    return _finished(figure, rows, first, view)


def _fullest(records: Mapping[str, EpisodeRecord]) -> EpisodeRecord:
    """The record with the most signals, which decides on the rows: a PID alone has no offset to show."""
    return max(records.values(), key=lambda record: len(record.signals))


def _found(record: EpisodeRecord, signal: Signal) -> int | None:
    """Where a record holds a signal of this name and role."""
    places = [k for k, s in enumerate(record.signals) if (s.name, s.role) == (signal.name, signal.role)]
    return places[0] if places else None


def _lines(records: Mapping[str, EpisodeRecord], row: Row, view: _View, *, by_role: bool) -> list[go.Scatter]:
    """Every controller's lines of a row; what does not depend on the controller is drawn once."""
    first, colours = _fullest(records), label_colours(list(records))
    wanted = [first.signals[k] for k in row.members if not first.signals[k].role.startswith("limit")]
    lines: list[go.Scatter] = []
    for place, (label, record) in enumerate(records.items()):
        for signal in wanted:
            at, shared = _found(record, signal), signal.role in _SHARED
            if at is None or (shared and place > 0):
                continue
            own = by_role or shared
            text = _ROLE_TEXT[signal.role] if own else shown_name(label)
            line = _line(record, at, view, _ROLE[signal.role] if own else colours[label], text)
            line.legendrank = _AFTER if shared else None
            lines.append(line)
    return lines


def _line(record: EpisodeRecord, k: int, view: _View, colour: str, text: str) -> go.Scatter:
    signal = record.signals[k]
    shape = "linear" if signal.role == "pv" else "vh" if signal.role in _ENDED else "hv"
    line = {"color": colour, "width": _width(signal.role), "dash": _DASH.get(signal.role, "solid"), "shape": shape}
    values = record.values[k]
    if signal.role == "cost" and values.size > 1:  # before the first decision nothing was spent
        values = np.concatenate([values[1:2], values[1:]])
    return view.line(record, values, _style(text, signal, line))


def _style(text: str, signal: Signal, line: Mapping[str, object]) -> go.Scatter:
    hover = f"{text} {signal.name} %{{y:.5g}} {unit_text(signal.unit)}<extra></extra>"
    return go.Scatter(name=text, legendgroup=text, line=dict(line), hovertemplate=hover)


def _held_back(records: Mapping[str, EpisodeRecord], row: Row, view: _View, *, by_role: bool) -> list[go.Scatter]:
    """The share of each move that the shield held back, and where nothing was certified, as filled steps."""
    first, colours, traces = _fullest(records), label_colours(list(records)), list[go.Scatter]()
    for label, record in records.items():
        at = _found(record, first.signals[row.members[0]])
        if at is None:
            continue
        share = np.clip(record.values[at], -1.0, 1.0)
        words = _ROLE_TEXT["shield"] if by_role else shown_name(label)
        parts = {words: (100.0 * (1.0 - np.maximum(share, 0.0)), _ROLE["shield"] if by_role else colours[label]),
                 _UNCERTIFIED: (np.where(share < 0.0, 100.0, 0.0), _ROLE["limit_high"])}  # fmt: skip
        for text, (values, colour) in parts.items():
            style = _style(text, Signal("", "%", "cost"), {"color": colour, "width": 1.0, "shape": "vh"})
            style.update(fill="tozeroy")
            if text != _UNCERTIFIED or values.any():
                traces.append(view.line(record, values, style))
    return traces


def _limits(record: EpisodeRecord, row: Row, view: _View, span: tuple[float, float]) -> list[go.Scatter]:
    """Each limit as a thin line, and the side of it that must not be entered, shaded to the edge of the axis."""
    traces: list[go.Scatter] = []
    for k in row.members:
        signal = record.signals[k]
        if not signal.role.startswith("limit"):
            continue
        limit = _line(record, k, view, _ROLE[signal.role], "limit")
        limit.legendrank = _AFTER
        y = np.asarray(limit.y)
        edge = np.minimum(y, span[0]) if signal.role == "limit_low" else np.maximum(y, span[1])
        shade = go.Scatter(x=limit.x, y=edge, name="limit", legendgroup="limit", mode="lines", hoverinfo="skip")
        shade.update(line={"width": 0, "shape": "hv"}, fill="tonexty", fillcolor=FORBIDDEN)
        traces += [limit, shade]
    return traces


def _constant(record: EpisodeRecord, row: Row) -> list[Bound]:
    """The limits of a row where all of them stay where they are, which can be told; none otherwise."""
    sides = {k: record.signals[k].role.removeprefix("limit_") for k in row.members if record.signals[k].role.startswith("limit")}
    ends = {k: extremes([record.values[k]]) for k in sides}
    return [Bound(low, sides[k]) for k, (low, _) in ends.items()] if all(low == high for low, high in ends.values()) else []


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
    limits = [extremes([first.values[k]]) for k in row.members if first.signals[k].role.startswith("limit")]
    return reach(*extremes(lines), limits)


def time_unit(record: EpisodeRecord) -> str:
    """The unit in which the episode's length reads best; an unknown one stays."""
    return times.best(float(np.ptp(record.time)), record.time_unit) if record.time.size else record.time_unit


def _factor(record: EpisodeRecord, unit: str) -> float:
    return times.factor(record.time_unit, unit)


def _heading(figure: go.Figure, text: str, place: int, beside: str = "") -> None:
    axis = "" if place == 1 else str(place)
    figure.add_annotation(
        text=f"<b>{text}</b>  {beside}".strip(), x=0, y=1, xref=f"x{axis} domain", yref=f"y{axis} domain",
        xanchor="left", yanchor="bottom", showarrow=False, font={"size": 11.5}, yshift=1,
    )  # fmt: skip
