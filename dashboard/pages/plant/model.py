"""One plant as its file declares it: equations, quantities with units and ranges, loops, margins, scenarios, sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard import bench, times
from dashboard import components as ui
from dashboard.data import Card, Data
from dashboard.figures import unit_text
from dashboard.results import OUTCOME, outcome
from plant_models.core.plant import SECONDS
from plant_models.core.quantity import ZERO_C
from plant_models.derive.card import KINDS

_PERIODS = (("h", 3600.0, 7200.0), ("min", 60.0, 120.0), ("s", 1.0, 0.0))
MOST_LINES = 45
"""Lines of set equations that are shown unasked."""
MOST_ROWS = 60
"""Quantities that are listed unasked."""
TIMES = ("T_i", "T_d")
"""Gains of a loop that are times."""
Entry = Mapping[str, Any]
Column = tuple[str, Callable[[Entry], ui.Cell]]


def body(data: Data, card: Card, query: Mapping[str, str]) -> Sequence[Component]:
    """Everything that the plant's file declares, and its latest runs."""
    vectors = card.get("vectors", {})
    tables = [_quantities(title, vectors.get(key, ()), columns) for key, (title, columns) in _tables(card).items()]
    return [
        _facts(card),
        _equations(card),
        _loops(card),
        html.Div([_margins(card), _scenarios(card)], className="columns"),
        *tables,
        _reproduced(card),
        _sources(card),
        _runs(data, str(card["name"])),
    ]


def _facts(card: Card) -> Component:
    unit = str(card.get("time_unit", ""))
    duty = card.get("duty", {})
    pairs: dict[str, ui.Cell] = {
        "duty": " · ".join(
            _spoken(key, duty[key]) for key in sorted(duty, key=_kind_first) if key != "source" and _short(duty[key])
        ),
        "decision period": _period(card.get("decision"), unit),
        "loop period": _period(card.get("loop_period"), unit),
        "folder": str(card.get("folder", "")),
    }
    return html.Section(ui.facts(pairs), className="panel head")


def _period(value: object, unit: str) -> str:
    """A period in the unit in which it reads best."""
    if not isinstance(value, (int, float)) or unit not in SECONDS:
        return ui.quantity(value, unit)
    seconds = value * SECONDS[unit]
    shown, factor = next((name, size) for name, size, least in _PERIODS if seconds >= least)
    return f"{ui.exact(float(f'{seconds / factor:.4g}'))} {shown}"


def _kind_first(key: str) -> bool:
    return key != "kind"


def _short(value: object) -> bool:
    return isinstance(value, (str, int, float)) and value != ""


def _spoken(key: str, value: object) -> str:
    text = ui.exact(value) if isinstance(value, (int, float)) else str(value)
    return text if key == "kind" else f"{key} {text}"


def _equations(card: Card) -> Component:
    """The equations as the file's head states them, and as they are computed, set from the very expressions."""
    stated = html.Pre(str(card.get("equations", "")).strip(), className="equations")
    lines = bench.equations(str(card["name"]))
    if not lines:
        return ui.panel("Equations", stated)
    set_lines = [dcc.Markdown(rf"$$\displaystyle {line}$$", mathjax=True) for line in lines]
    words = f"as computed, {len(lines)} lines"
    computed = html.Details([html.Summary(words), html.Div(set_lines, className="typeset")], open=len(lines) <= MOST_LINES)
    return ui.panel("Equations", stated, computed)


def _tables(card: Card) -> dict[str, tuple[str, list[Column]]]:
    """The columns that make sense for each kind of quantity."""
    per = str(card.get("time_unit", ""))
    symbol: list[Column] = [("symbol", lambda q: html.Code(str(q["name"]))), ("meaning", lambda q: str(q.get("meaning", "")))]
    tag: Column = ("tag", lambda q: html.Span(str(q.get("tag") or "–"), className="nowrap"))
    value: list[Column] = [("unit", _unit), ("nominal", lambda q: ui.exact(q.get("nominal")))]
    span: Column = ("range", lambda q: _range(q.get("low"), q.get("high")))
    valid: Column = ("valid", lambda q: _range(*(q.get("valid") or (None, None))))
    numbers = _numbered(card)
    source: Column = ("source", lambda q: _source(q.get("source"), numbers))
    return {
        "outputs": ("Instruments", [tag, *symbol, *value, span, ("noise, 1 sd", lambda q: ui.exact(q.get("noise") or 0.0))]),
        "states": ("States", [*symbol, *value, span, valid]),
        "inputs": (
            "Inputs",
            [tag, *symbol, *value, span, (f"rate limit, per {per}", lambda q: ui.exact(q.get("rate"))), source],
        ),
        "disturbances": (
            "Disturbances",
            [tag, *symbol, *value, span, ("kind", lambda q: str(q.get("kind", ""))), _flag("measured"), _flag("forecast")],
        ),
        "parameters": ("Parameters", [*symbol, *value, ("uncertainty", _uncertainty), source]),
    }


def _flag(key: str) -> Column:
    return key, lambda q: "yes" if q.get(key) else "no"


def _shown(entry: Entry) -> Entry:
    """The quantity in the unit of its displays: kelvins as degrees Celsius where the plant shows them so."""
    if (entry.get("unit"), entry.get("shown")) != ("K", "degC"):
        return entry
    moved = {key: _celsius(entry.get(key)) for key in ("nominal", "low", "high")}
    return {**entry, **moved, "valid": [_celsius(bound) for bound in entry.get("valid") or ()], "unit": "degC"}


def _celsius(value: object) -> object:
    return round(value - ZERO_C, 6) if isinstance(value, (int, float)) else value


def _unit(entry: Entry) -> ui.Cell:
    return html.Span(unit_text(str(entry.get("unit", ""))), className="nowrap")


def _range(low: object, high: object) -> str:
    """A range, open where a bound is missing."""
    ends = [ui.exact(low), ui.exact(high)]
    if ends == ["–", "–"]:
        return "–"
    return f"{ends[0]} to {ends[1]}" if "–" not in ends else f"at least {ends[0]}" if ends[1] == "–" else f"at most {ends[1]}"


def _uncertainty(entry: Entry) -> str:
    share = entry.get("uncertain")
    return f"±{100 * share:.3g} %" if isinstance(share, (int, float)) and share else "–"


def _numbered(card: Card) -> dict[str, int]:
    """The number of each source in the list of them, by its text."""
    return {str(source.get("text", "")): k for k, source in enumerate(card.get("sources", ()), 1)}


def _source(source: object, numbers: Mapping[str, int]) -> ui.Cell:
    """A source by its number in the list of sources, where it stands there."""
    text = str(source.get("text", "")) if isinstance(source, Mapping) else str(source or "")
    shown = f"[{numbers[text]}]" if text in numbers else text or "–"
    return html.Span(shown, className="source", title=text)


def _quantities(title: str, entries: Sequence[Entry], columns: Sequence[Column]) -> Component:
    heads = [head for head, _ in columns]
    numeric = [
        k for k, head in enumerate(heads) if head in ("nominal", "range", "valid", "noise, 1 sd", "uncertainty") or "rate" in head
    ]
    if not entries:
        return ui.panel(title, html.P("none", className="note"))
    body = ui.table(heads, [[cell(entry) for _, cell in columns] for entry in map(_shown, entries)], numeric, title)
    return ui.panel(title, body if len(entries) <= MOST_ROWS else html.Details([html.Summary(f"all {len(entries)}"), body]))


def _loops(card: Card) -> Component:
    loops = card.get("loops", ())
    gains = list(
        dict.fromkeys(key for loop in loops for key, value in loop.get("gains", {}).items() if isinstance(value, (int, float)))
    )
    units = _units(card)
    unit = str(card.get("time_unit", ""))
    warm = {str(q["name"]) for q in card.get("vectors", {}).get("outputs", ()) if q.get("shown") == "degC"}
    heads = [
        "tag",
        "PV",
        "moves",
        "SP range",
        "authority",
        *gains,
    ]
    rows: list[list[ui.Cell]] = [
        [
            html.B(str(loop["tag"])),
            str(loop.get("pv", "")),
            _moves(loop),
            _reach(loop, celsius=str(loop.get("pv", "")) in warm),
            _authority(loop),
            *(_time(loop["gains"].get(key), unit) if key in TIMES else _gain(loop, key, units) for key in gains),
        ]
        for loop in loops
    ]
    return ui.panel("Loops", ui.table(heads, rows, range(5, len(heads)), "loops") if rows else html.P("none", className="note"))


def _reach(loop: Entry, *, celsius: bool) -> str:
    """The range of a loop's setpoint, as its display shows it."""
    shown = _shown({**loop, "shown": "degC"}) if celsius else loop
    return f"{_range(shown.get('low'), shown.get('high'))} {unit_text(str(shown.get('unit', '')))}".removesuffix(" –")


def _units(card: Card) -> dict[str, str]:
    """The unit of every input, output and disturbance, and under a loop's tag of what it measures; differences in kelvins."""
    vectors = card.get("vectors", {})
    found = {
        str(q["name"]): str(q.get("unit", "")) for key in ("inputs", "outputs", "disturbances") for q in vectors.get(key, ())
    }
    found |= {str(loop["tag"]): found.get(str(loop.get("pv")), "") for loop in card.get("loops", ())}
    return {name: unit.replace("degC", "K") for name, unit in found.items()}


def _time(value: object, unit: str) -> ui.Cell:
    """One of a loop's times in the unit in which it reads best."""
    if not isinstance(value, (int, float)) or not value:
        return ui.exact(value)
    shown = times.best(value, unit)
    return html.Span([ui.exact(ui.rounded(value * times.factor(unit, shown), 4)), html.Span(f" {shown}", className="unit")],
                     className="nowrap", title=None if shown == unit else ui.quantity(value, unit))  # fmt: skip


def _gain(loop: Entry, key: str, units: Mapping[str, str]) -> ui.Cell:
    """One of a loop's gains, those that turn one quantity into another with both units."""
    value = ui.exact(loop.get("gains", {}).get(key))
    name = key.removesuffix(" feed-forward")
    by = units.get(str(loop.get("pv")), "") if key in ("K_c", "setpoint feed-forward") else units.get(name, "")
    if value == "–" or (key != "K_c" and name == key):
        return value
    out = units.get(str(loop.get("sp_of") or loop.get("mv")), "")
    ratio = "" if out == by else f" {_plain(out)}" + ("" if by in ("", "1") else f"/{_divisor(by)}")
    return html.Span([value, html.Span(ratio, className="unit")], className="nowrap")


def _divisor(unit: str) -> str:
    text = _plain(unit)
    return f"({text})" if re.search(r"[/ ·]", text) else text


def _plain(unit: str) -> str:
    return unit_text(unit) if unit not in ("", "1") else "1"


def _moves(loop: Entry) -> str:
    return f"SP of {loop['sp_of']}" if loop.get("sp_of") else str(loop.get("mv", ""))


def _authority(loop: Entry) -> str:
    """How far a supervisor may move the setpoint."""
    reach = loop.get("authority")
    return f"±{ui.quantity(reach, str(loop.get('unit', '')))}" if isinstance(reach, (int, float)) and reach else "–"


def _margins(card: Card) -> Component:
    rows: list[list[ui.Cell]] = [
        [str(margin["name"]), html.Span(str(margin.get("kind", "")), className=f"margin {margin.get('kind', '')}"),
         _rounded(margin.get("nominal"), str(margin.get("unit", "")))]
        for margin in card.get("margins", ())
    ]  # fmt: skip
    return ui.panel(
        "Margins", ui.table(["margin", "kind", "at the nominal point"], rows, (2,), "margins"), aside="safe while at least zero"
    )


def _rounded(value: object, unit: str) -> str:
    return ui.quantity(ui.rounded(value, 4) if isinstance(value, float) else value, unit)


def _scenarios(card: Card) -> Component:
    rows: list[list[ui.Cell]] = [
        [
            str(scenario["name"]),
            str(scenario.get("description", "")),
            ui.exact(scenario.get("steps")),
            str(scenario.get("role", "")),
        ]
        for scenario in card.get("scenarios", ())
    ]
    return ui.panel("Scenarios", ui.table(["scenario", "description", "decisions", "role"], rows, (2,), "scenarios"))


def _sources(card: Card) -> Component:
    sources = card.get("sources", ())
    lines = [html.Li(_reference(source)) for source in sources]
    return ui.panel("Sources", html.Ol(lines, className="sources") if lines else html.P("none", className="note"))


def _reproduced(card: Card) -> Component:
    """Published numbers beside ours: what the plant may be trusted for."""
    numbers = _numbered(card)
    rows: list[list[ui.Cell]] = [
        [
            str(claim["what"]), str(claim["kind"]), f"{claim['published']:.6g}", f"{claim['ours']:.6g}",
            unit_text(str(claim.get("unit", ""))),
            _deviation(claim["deviation"]), _source(claim.get("source"), numbers),
        ]
        for claim in card.get("validated", ())
    ]  # fmt: skip
    heads = ["number", "kind", "published", "ours", "unit", "deviation", "source"]
    body = ui.table(heads, rows, (2, 3, 5), "numbers reproduced") if rows else html.P("none", className="note")
    return ui.panel("Numbers reproduced", html.P(KINDS, className="note"), body)


def _deviation(share: float) -> str:
    return f"{100 * share:+.2g} %".replace("+0 %", "0 %").replace("-", "−")


def _reference(source: Entry) -> str:
    doi = source.get("doi")
    return f"{source.get('text', '')}{f' · doi {doi}' if doi else ''}"


def _runs(data: Data, name: str) -> Component:
    runs = [run for run in data.runs() if run.plant == name][:8]
    if not runs:
        return ui.panel("Latest runs", ui.empty("Nothing has been recorded on this plant yet.", f"setpoint train {name}"))
    rows: list[list[ui.Cell]] = [
        [ui.status(run.status), ui.link(run.id, f"/runs/{run.id}"), run.kind, outcome(run), ui.moment(run.started)]
        for run in runs
    ]
    return ui.panel("Latest runs", ui.table(["status", "run", "kind", OUTCOME, "started"], rows, (3, 4), "latest runs"))
