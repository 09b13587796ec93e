"""Figures of a plant as pure Plotly: where it comes to rest, how it answers to a step, how tunings compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from dashboard.figures import CONTROLLERS, OTHERS, axis_text, dressed, unit_text
from dashboard.limit_figures import Bound, extremes, limited, out_of_range, reach

Values = NDArray[np.float64]
PRESENT = "present tuning"
TUNINGS = (CONTROLLERS["pid"], CONTROLLERS["ppo"], CONTROLLERS["nmpc"], CONTROLLERS["schedule"], OTHERS[0])
_DASHES = ("solid", "solid", "dash", "dot", "dashdot")  # a grey screen has little colour to tell them by
_FIT = "#c2587d"


@dataclass(frozen=True)
class Line:
    """A quantity over something: its tag or name, what it means, its unit, its values, and its limits."""

    name: str
    meaning: str
    unit: str
    values: Values
    limits: tuple[Bound, ...] = ()

    @property
    def axis(self) -> str:
        """The axis title."""
        return f"{self.name} {axis_text(self.unit)}" if self.unit in ("", "1") else f"{self.name} ({unit_text(self.unit)})"


def grid(moved: Line, outputs: Sequence[Line], nominal: float) -> go.Figure:
    """Steady outputs with their limits over one input; the dotted line is the nominal point, a gap means no rest."""
    columns = min(3, len(outputs))
    rows = -(-len(outputs) // columns)
    figure = make_subplots(rows, columns, horizontal_spacing=0.09, vertical_spacing=min(0.3, 70.0 / (190.0 * rows)))
    for k, line in enumerate(outputs):
        row, col = k // columns + 1, k % columns + 1
        hover = f"{moved.name} %{{x:.5g}} {unit_text(moved.unit)}<br>{line.name} %{{y:.5g}} {unit_text(line.unit)}<extra></extra>"
        style = {"color": CONTROLLERS["ppo"], "width": 1.8}
        figure.add_trace(go.Scatter(x=moved.values, y=line.values, mode="lines+markers", line=style, marker={"size": 4},
                                    hovertemplate=hover), row=row, col=col)  # fmt: skip
        figure.add_vline(x=nominal, line={"color": "#8a94a1", "width": 1, "dash": "dot"}, row=row, col=col)
        out_of_range(figure, *extremes([moved.values]), row, col)
        figure.update_xaxes(title_text=moved.axis, nticks=6, row=row, col=col)
        _bounded(figure, line, [line.values], row, col)
    dressed(figure, height=72 + 210 * rows, revision=moved.name)
    return figure.update_layout(showlegend=False, hovermode="closest", margin={"l": 66, "r": 14, "t": 26, "b": 42})


def _bounded(figure: go.Figure, line: Line, drawn: Sequence[Values], row: int, col: int = 1) -> None:
    """The axis of a quantity, long enough for what is drawn of it, with its limits."""
    span = reach(*extremes(drawn), [(each.value, each.value) for each in line.limits])
    limited(figure, line.limits, line.unit, span, row, col)
    figure.update_yaxes(title_text=line.axis, range=span, nticks=5, row=row, col=col)


def step(time: Values, unit: str, answer: Line, others: Sequence[Line], model: Values | None) -> go.Figure:
    """What a step brought: the chosen output with the fitted model, and every other output below."""
    lines = [answer, *others]
    heights = [2.4, *([1.0] * len(others))]
    total = 90 + 96 * sum(heights)
    figure = make_subplots(len(lines), 1, shared_xaxes=True, row_heights=heights, vertical_spacing=min(0.2, 26.0 / total))
    for k, line in enumerate(lines, 1):
        hover = f"{line.name} %{{y:.5g}} {unit_text(line.unit)}<extra></extra>"
        style = {"color": CONTROLLERS["ppo"], "width": 2.0 if k == 1 else 1.5}
        figure.add_trace(
            go.Scatter(x=time, y=line.values, mode="lines", name=line.name, line=style, hovertemplate=hover, showlegend=k == 1),
            row=k, col=1,
        )  # fmt: skip
        _bounded(figure, line, [line.values, *([model] if k == 1 and model is not None else [])], k)
    if model is not None:
        style = {"color": _FIT, "width": 1.8, "dash": "dash"}
        hover = f"model %{{y:.5g}} {unit_text(answer.unit)}<extra></extra>"
        figure.add_trace(
            go.Scatter(x=time, y=model, mode="lines", name="fitted model", line=style, hovertemplate=hover), row=1, col=1
        )
    figure.add_vline(x=0.0, line={"color": "#8a94a1", "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text=f"time from the step ({unit})", row=len(lines), col=1)
    return dressed(figure, height=int(total), revision=answer.name)


@dataclass(frozen=True)
class Loop:
    """A loop's setpoint step under one tuning: time, setpoint, PV and OP, in display units."""

    time: Values
    setpoint: Values
    pv: Values
    op: Values


def tunings(trials: Mapping[str, Loop], pv: Line, op: Line, unit: str) -> go.Figure:
    """The same setpoint step under several tunings: PV and setpoint, and the output below."""
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[2.0, 1.2], vertical_spacing=0.07)
    first = next(iter(trials.values()))
    style = {"color": "#8a94a1", "width": 1.4, "dash": "dash", "shape": "hv"}
    hover = f"setpoint %{{y:.5g}} {unit_text(pv.unit)}<extra></extra>"
    figure.add_trace(
        go.Scatter(x=first.time, y=first.setpoint, mode="lines", name="setpoint", line=style, hovertemplate=hover), row=1, col=1
    )
    for place, (name, trial) in enumerate(trials.items()):
        line = {
            "color": TUNINGS[place % len(TUNINGS)],
            "dash": _DASHES[place % len(_DASHES)],
            "width": 2.2 if name == PRESENT else 1.5,
        }
        for row, values, of in ((1, trial.pv, pv), (2, trial.op, op)):
            hover = f"{name} {of.name} %{{y:.5g}} {unit_text(of.unit)}<extra></extra>"
            figure.add_trace(
                go.Scatter(x=trial.time, y=values, mode="lines", name=name, legendgroup=name, line=line, hovertemplate=hover,
                           showlegend=row == 1),
                row=row, col=1,
            )  # fmt: skip
    for row, of in ((1, pv), (2, op)):
        figure.update_yaxes(title_text=of.axis, nticks=6, row=row, col=1)
    span = _shown(first)
    figure.update_yaxes(range=span, row=1, col=1)
    limited(figure, pv.limits, pv.unit, span, 1)
    figure.update_xaxes(title_text=f"time from the step ({unit})", row=2, col=1)
    dressed(figure, height=470, revision=pv.name)
    return _lifted(figure) if pv.limits else figure


def _lifted(figure: go.Figure) -> go.Figure:
    """Lift a legend of many names above the line in which the limits are told: on a narrow screen they would meet."""
    height = int(figure.layout.height or 0)
    return figure.update_layout(height=height + 22, margin_t=68, legend_y=1.0 + 22.0 / (height - 88))


def _shown(first: Loop) -> tuple[float, float]:
    """An axis around the step: a tuning that runs away must not squeeze the others flat."""
    low, high = float(first.setpoint.min()), float(first.setpoint.max())
    size = (high - low) or 1.0
    ends = [min(low - 0.6 * size, float(first.pv.min())), max(high + 0.6 * size, float(first.pv.max()))]
    return ends[0] - 0.05 * size, ends[1] + 0.05 * size
