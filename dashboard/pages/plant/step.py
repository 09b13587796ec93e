"""A step test: an input or a setpoint is stepped, a model fitted, and rules of the books tried against the present tuning."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
import numpy as np
from dash import Dash, Input, Output, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import bench, ids, times
from dashboard import components as ui
from dashboard.data import Card, Data
from dashboard.figures import unit_text
from dashboard.plant_figures import PRESENT, TUNINGS, step, tunings
from plant_models.core.errors import SetpointError

_LASTS = "until settled, or as 8 h"
GOOD = 0.9  # share of the variance that a model must explain for rules to be worth much


def body(data: Data, card: Card, query: Mapping[str, str]) -> Sequence[Component]:
    """The choice of what is stepped, by how much and what is looked at, and a place for what comes of it."""
    name = str(card["name"])
    try:
        moves, outputs = bench.choices(name), bench.answers(name)
    except SetpointError as error:
        return [ui.panel("Step test", ui.empty(str(error)))]
    first, seen = bench.usual(name)
    moved = query["step"] if query.get("step") in moves else first
    fallback = seen if moved == first else next(iter(outputs))
    of = query["of"] if query.get("of") in outputs else fallback
    size, unit = times.real(query.get("size", "")), str(card.get("time_unit", ""))
    lasts = times.read(query.get("lasts", ""), unit)
    asked = {"name": name, "step": moved, "of": of, "size": size, "lasts": lasts}
    return [
        html.Div(
            [
                _picker("step", moves, moved, 350),
                _picker("of", outputs, of, 250),
                _field("size", "" if size is None else f"{size:g}", "size of the step", "size: 5 % of the range"),
                _field("lasts", "" if lasts is None else times.written(query["lasts"], unit), "length of the test", _LASTS),
            ],
            className="filters",
        ),
        ui.waiting(ids.PLANT_STEP, "stepping; the first test of a plant traces its equations"),
        dcc.Store(id=ids.PLANT_STEPPED, data=asked),
    ]


def register(app: Dash, data: Data) -> None:
    """Run the test."""

    @app.callback(Output(ids.PLANT_STEP, "children"), Input(ids.PLANT_STEPPED, "data"))
    def run(asked: object) -> Any:
        if not isinstance(asked, dict):
            return no_update
        name = str(data.card(str(asked.get("name")))["name"])
        size, lasts = (times.real(str(asked.get(key))) for key in ("size", "lasts"))
        return _result(name, str(asked.get("step")), size, str(asked.get("of")), lasts)


def _picker(field: str, words: Mapping[str, str], chosen: str, width: int) -> Component:
    titles = {"step": "what is stepped", "of": "the answer that is fitted"}
    options = [{"value": key, "label": text} for key, text in words.items()]
    return ui.picker(ids.choice(field, chosen), titles[field], options, chosen, width=width)


def _field(field: str, shown: str, name: str, hint: str) -> Component:
    """A number that goes into the address; empty, the page chooses."""
    text: Component = dmc.TextInput(
        id=ids.choice(field, shown), value=shown, placeholder=hint, size="xs", w=190, debounce=True,
        inputProps={"inputMode": "decimal"}, **ui.aria(name),
    )  # fmt: skip
    return text


def _result(name: str, moved: str, size: float | None, of: str, lasts: float | None) -> Component:
    if moved not in bench.choices(name) or of not in bench.answers(name):
        return ui.panel("Step test", ui.empty("There is no such input, loop or output."))
    try:
        answer = bench.answer(name, moved, size, of, lasts)
        tried = bench.preview(name, moved, size, of, lasts)
    except SetpointError as error:
        return ui.panel("Step test", ui.empty(str(error)))
    unit = _unit(answer)
    return html.Div([_answer(answer, unit), _preview(answer, tried, unit)], className="stack")


def _unit(found: bench.Answer) -> str:
    """The unit of all times on the page, by the fitted time constant, else by the length of the test."""
    slow = getattr(found.fit.model, "tau", None) if found.fit else None
    return times.longer(float(np.ptp(found.time)) / 5.0 if slow is None else float(slow), found.time_unit)


def _answer(found: bench.Answer, unit: str) -> Component:
    chosen = found.outputs[found.of]
    others = [line for k, line in enumerate(found.outputs) if k != found.of]
    time = found.time * times.factor(found.time_unit, unit)
    figure = ui.graph(step(time, unit, chosen, others, found.model), {"type": "step", "of": found.moved})
    size = f"{found.tag} stepped by {ui.quantity(found.size, found.size_unit)}"
    if found.fit is None:
        return ui.panel("Step test", html.P(found.why_not, className="note"), figure, aside=size)
    return ui.panel("Step test", _model(found, unit), figure, aside=size)


def _model(found: bench.Answer, unit: str) -> Component:
    """The fitted model's numbers with their units, by the times to 28.3 % and 63.2 %, or by the ramp's asymptote."""
    assert found.fit is not None
    model, scale = found.fit.model, times.factor(found.time_unit, unit)
    of, by = found.outputs[found.of].unit.replace("degC", "K"), found.size_unit
    ratio = _spoken(f"{of} per {by}")
    tau = getattr(model, "tau", None)
    if tau is None:
        pairs: dict[str, ui.Cell] = {
            "model": "k′ e^(−θs) / s", "slope k′": f"{ui.number(float(model.k) / scale)} {ratio} {unit}"
        }  # fmt: skip
    else:
        pairs = {
            "model": "k e^(−θs) / (τs + 1)", "gain k": f"{ui.number(float(model.k))} {ratio}",
            "time constant τ": f"{ui.number(scale * float(tau))} {unit}",
        }  # fmt: skip
    explained = f"{100 * found.fit.explained:.1f} %"
    pairs |= {"delay θ": f"{ui.number(scale * float(model.theta))} {unit}", "variance explained": explained}
    if found.fit.explained >= GOOD:
        return ui.facts(pairs)
    cause = "inverse response, oscillation or drift"
    words = f"▲ A first-order model hardly describes this answer ({cause}): take the rules with care, or shorten the test."
    return html.Div([ui.facts(pairs), html.P(words, className="unlike")])


def _preview(found: bench.Answer, tried: bench.Preview | None, unit: str) -> Component:
    if tried is None:
        hint = "No loop moves what was stepped by looking at this output, so there is nothing to tune here: choose another pair."
        return ui.panel("Tuning rules", ui.empty(found.why_not or hint))
    scale = times.factor(tried.time_unit, unit)
    trials = {words: replace(each.trial, time=scale * each.trial.time) for words, each in tried.tried.items()}
    figure = ui.graph(tunings(trials, tried.pv, tried.op, unit), {"type": "tunings", "of": tried.tag})
    size = ui.quantity(tried.size, tried.pv.unit.replace("degC", "K"))
    aside = f"setpoint of {tried.tag} stepped by {size}; setpoint weight, feed-forwards and schedule stay"
    return ui.panel(f"Tuning rules for {tried.tag}, in closed loop", _table(tried, unit), figure, aside=aside)


def _table(tried: bench.Preview, unit: str) -> Component:
    scale, pv = times.factor(tried.time_unit, unit), unit_text(tried.pv.unit.replace("degC", "K"))
    gains = [f"K_c ({_spoken(tried.gain_unit)})", f"T_i ({unit})", f"T_d ({unit})"]
    figures = [f"IAE ({pv} {unit})", "overshoot (%)", f"settling 5 % ({unit})", "travel (strokes)", "peak M_s"]
    heads = ["tuning", *(_whole(head) for head in (*gains, *figures))]
    rows: list[list[ui.Cell]] = []
    for place, (words, each) in enumerate(tried.tried.items()):
        g, j = each.gains, each.judged
        numbers = (g.K_c, scale * g.T_i, scale * g.T_d, scale * j.iae, j.overshoot, scale * j.settling, j.travel)
        peak = (
            ui.number(float(each.sensitivity), 3)
            if math.isfinite(each.sensitivity)
            else html.Span("▲ unstable", className="unlike")
        )
        label = (
            html.B(ui.swatch(words, TUNINGS[place % len(TUNINGS)]))
            if words == PRESENT
            else ui.swatch(words, TUNINGS[place % len(TUNINGS)])
        )
        rows.append([label, *(ui.number(float(value)) for value in numbers), "▲ tripped" if each.failed else peak])
    return ui.table(heads, rows, range(1, len(heads)), "tunings")


def _whole(head: str) -> str:
    """A head of a column whose unit stays on one line."""
    name, bracket, unit = head.partition(" (")
    return f"{name}{bracket}" + unit.replace(" ", "\u00a0")


def _spoken(unit: str) -> str:
    """A ratio of two units, of which one may be a plain number."""
    return " per ".join(unit_text(part) if part not in ("", "1") else "1" for part in unit.split(" per "))
