"""A training's curves: from logged metrics to figures, and what to add to them when more is logged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dash import html
from dash.development.base_component import Component

from controller.records import MetricRow, RunRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.figures import VITALS, decimated, learning_curve, shown_name, vital

SCORE = "score"
BEST = "score/best"
PID = "score/pid"

Curve = tuple[list[float], list[float]]


@dataclass(frozen=True)
class Log:
    """A run's metrics by key, as steps and values, and the last row read."""

    curves: Mapping[str, Curve]
    last: int


def log(run: RunRecord, rows: Sequence[MetricRow]) -> Log:
    """Metrics as curves of at most as many points as a screen shows."""
    curves: dict[str, Curve] = {}
    for row in rows:
        steps, values = curves.setdefault(_key(run, row.key), ([], []))
        steps.append(float(row.step))
        values.append(row.value)
    return Log({key: _thinned(curve) for key, curve in curves.items()}, rows[-1].id if rows else 0)


def panels(run: RunRecord, log: Log) -> list[Component]:
    """The learning curve, and PPO's vital signs below it."""
    nothing: Curve = ([], [])
    curves = {shown_name(run.controller): log.curves.get(SCORE, nothing), "best so far": log.curves.get(BEST, nothing)}
    total = max([ui.total_steps(run), *log.curves.get(SCORE, nothing)[0]])
    unit = str(run.config.get("score_unit", "return"))
    score = ui.graph(learning_curve(curves, _baselines(run, log), total, unit), ids.curve(SCORE))
    signs = [_sign(key, log.curves.get(key, nothing), total) for key in VITALS]
    return [
        ui.panel("Learning curve", score),
        ui.panel("PPO's vital signs", html.Div(signs, className="vitals"), aside="usual range shaded"),
    ]


def growth(run: RunRecord, key: str, rows: Sequence[MetricRow]) -> list[Any] | None:
    """What a figure has to be extended by; None where nothing of it was logged."""
    shown = (SCORE, BEST, PID) if key == SCORE else (key,)
    added = [(place, [row for row in rows if _key(run, row.key) == name]) for place, name in enumerate(shown)]
    added = [(place, points) for place, points in added if points]
    if not added:
        return None
    x = [[row.step for row in points] for _, points in added]
    y = [[row.value for row in points] for _, points in added]
    return [{"x": x, "y": y}, [place for place, _ in added]]


def _key(run: RunRecord, key: str) -> str:
    """The score of the controller in training goes by one name, whatever the controller's."""
    return SCORE if key == f"score/{run.controller}" else key


def _thinned(curve: Curve) -> Curve:
    steps, values = np.array(curve[0]), np.array(curve[1])
    keep = decimated(steps, values)
    return steps[keep].tolist(), values[keep].tolist()


def _baselines(run: RunRecord, log: Log) -> dict[str, float]:
    """Levels to compare with, declared by the run or logged as ``score/...``; PID first, also while it is not known yet."""
    given = run.config.get("baseline")
    declared = {str(name): float(value) for name, value in given.items()} if isinstance(given, Mapping) else {}
    logged = {key.removeprefix("score/"): values[-1] for key, (_, values) in log.curves.items() if key.startswith("score/")}
    logged.pop("best", None)
    return {"pid": math.nan, **logged, **declared}


def _sign(key: str, curve: Curve, total: float) -> Component:
    sign = VITALS[key]
    return html.Div(
        [html.H3(sign.title), html.Div(sign.advice, className="note"), ui.graph(vital(key, *curve, total), ids.curve(key))]
    )
