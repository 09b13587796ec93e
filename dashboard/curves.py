"""A training's curves: from logged metrics to panels, and what to add to them when more is logged."""

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
from dashboard.figures import decimated, shown_name, worded
from dashboard.learning import Vital, cost_terms, learning_curve, savings, vital, vitals_of

SCORE = "score"
BEST = "score/best"
PID = "score/pid"
COST, SAVED = "cost/", "saved/"

Curve = tuple[list[float], list[float]]
NOTHING: Curve = ([], [])


@dataclass(frozen=True)
class Log:
    """A run's metrics by key, as steps and values, and the last row read."""

    curves: Mapping[str, Curve]
    last: int

    @property
    def terms(self) -> list[str]:
        """The terms of an episode's cost that were logged."""
        return self._under(COST)

    @property
    def scenarios(self) -> list[str]:
        """What was saved in each of several scenarios, where it was logged."""
        return self._under(SAVED)

    def _under(self, kind: str) -> list[str]:
        return sorted(key for key in self.curves if key.startswith(kind))


def log(run: RunRecord, rows: Sequence[MetricRow]) -> Log:
    """Metrics as curves of at most as many points as a screen shows."""
    curves: dict[str, Curve] = {}
    for row in rows:
        steps, values = curves.setdefault(_key(run, row.key), ([], []))
        steps.append(float(row.step))
        values.append(row.value)
    return Log({key: _thinned(curve) for key, curve in curves.items()}, rows[-1].id if rows else 0)


def panels(run: RunRecord, log: Log, cost_unit: str, of: Mapping[str, str]) -> list[Component]:
    """The learning curve, what an episode costs by term, and the vital signs with their limits; costs are in ``cost_unit``.

    ``of`` says what the plant's quantities are.
    """
    total = max([ui.total_steps(run), *log.curves.get(SCORE, NOTHING)[0]])
    baselines = _baselines(run, log)
    hint: ui.Children = "" if "nmpc" in baselines else ["NMPC's line: ", html.Code(f"setpoint train {run.plant} --against nmpc")]
    parts = [ui.panel("Learning curve", _score(run, log, baselines, total), aside=hint)]
    if log.scenarios:
        saved = {key.removeprefix(SAVED): log.curves[key] for key in log.scenarios}
        figure = ui.graph(savings(saved, total), ids.curve(",".join(log.scenarios)))
        parts.append(ui.panel("Saved against PID by scenario", figure, aside="on validation episodes; higher is better"))
    if log.terms:
        terms = {worded(key.removeprefix(COST), of): log.curves[key] for key in log.terms}
        figure = ui.graph(cost_terms(terms, total, cost_unit), ids.curve(",".join(log.terms)))
        parts.append(ui.panel("Reward by component", figure, aside="mean cost of a validation episode by term; lower is better"))
    signs = [_sign(key, sign, log.curves.get(key, NOTHING), total) for key, sign in shown(run).items()]
    legend = "dashed: from here on unusual; dotted: from here on taken back"
    return [html.Div(parts, className="columns wide"), ui.panel("Vital signs", html.Div(signs, className="vitals"), aside=legend)]


def shown(run: RunRecord) -> dict[str, Vital]:
    """The vital signs that a run logs, by key."""
    return vitals_of(str(run.config.get("safety", "none")))


def growth(run: RunRecord, key: str, rows: Sequence[MetricRow]) -> list[Any] | None:
    """What a figure has to be extended by; None where nothing of it was logged. ``key`` names its lines, in their order."""
    lines = key.split(",")
    added = [(place, [row for row in rows if _key(run, row.key) == name]) for place, name in enumerate(lines)]
    added = [(place, points) for place, points in added if points]
    if not added:
        return None
    x = [[row.step for row in points] for _, points in added]
    y = [[row.value for row in points] for _, points in added]
    return [{"x": x, "y": y}, [place for place, _ in added]]


def latest(run: RunRecord, log: Log, key: str) -> Component | str:
    """The last value of a vital sign, marked where it is beyond the limit."""
    sign = shown(run).get(key)
    return "" if sign is None else _now(sign, log.curves.get(key, NOTHING))


def score_levels(run: RunRecord, log: Log) -> dict[str, float]:
    """The levels that are known to compare a training with, by controller."""
    return {name: value for name, value in _baselines(run, log).items() if math.isfinite(value)}


def _score(run: RunRecord, log: Log, baselines: Mapping[str, float], total: float) -> Component:
    curves = {shown_name(run.controller): log.curves.get(SCORE, NOTHING), "best so far": log.curves.get(BEST, NOTHING)}
    figure = learning_curve(curves, baselines, total, str(run.config.get("score_unit", "return")))
    return ui.graph(figure, ids.curve(f"{SCORE},{BEST},{PID}"))


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


def _sign(key: str, sign: Vital, curve: Curve, total: float) -> Component:
    advice = html.P([html.B("What to do: "), sign.remedy], className="remedy") if sign.remedy else ""
    head = html.Div([html.H3(sign.title), html.Div(_now(sign, curve), id=ids.now(key))], className="vital-head")
    words = html.Div([html.Div(sign.rule), advice], className="note")
    return html.Div([head, words, ui.graph(vital(sign, curve, total, key), ids.curve(key))])


def _now(sign: Vital, curve: Curve) -> Component:
    """The last value, marked where it is beyond the limit."""
    crossed, last = sign.crossed(curve[1]), curve[1][-1] if curve[1] else math.nan
    value = ui.quantity(ui.rounded(last), "" if sign.unit.startswith("share") or sign.unit == "count" else sign.unit)
    return html.Span(f"▲ {value}, unusual" if crossed else value, className="now crossed" if crossed else "now")
