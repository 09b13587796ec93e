"""How PPO stands against PID on a plant, as a card that several pages show."""

from __future__ import annotations

import math

from dash import html
from dash.development.base_component import Component

from controller.records import RunRecord
from dashboard import components as ui
from dashboard.figures import unit_text
from dashboard.verdict import Verdict, judged

OUTCOME = "best score, or saving"


def outcome(run: RunRecord) -> str:
    """What a run came to: a comparison's saving against PID, else a training's best score, else nothing."""
    saved = judged(run).saved
    if saved is None:
        return ui.number(run.best) if math.isfinite(run.best) else ""
    mean, half = saved
    return f"{ui.within(mean, mean - half, mean + half, 2)} % vs PID"


def result_card(verdict: Verdict) -> Component:
    """One plant's verdict: the mean gain, its interval against zero, what it cost elsewhere, and the way to the trends."""
    words = "PPO is better" if verdict.low > 0 else "PID is better" if verdict.high < 0 else "no clear difference"
    unit = "" if verdict.unit in ("", "1") else f" {unit_text(verdict.unit)}"
    share = "" if verdict.share is None else f" · {_percent(verdict.share)} of PID's {verdict.headline}"
    count = "" if verdict.episodes is None else f" · {verdict.episodes} episodes"
    leads, mean = _leads(verdict), ui.within(verdict.mean, verdict.low, verdict.high, 3)
    return html.Div(
        [
            html.Div([html.H3(ui.link(verdict.plant, f"/plants/{verdict.plant}")), html.Span(words, className="verdict")]),
            html.Div(
                [html.Span(f"{leads} "), html.B(mean.lstrip("+−")), html.Span(f"{unit}{share}")],
                className="difference",
            ),
            html.Div(f"saving {bounds(verdict, 3)}{unit} (95 %){count}", className="note"),
            interval(verdict),
            _table(verdict),
            ui.button("Compare trends", "/compare", run=verdict.run.id, plant=verdict.plant, controllers="pid,ppo"),
        ],
        className="result",
    )


def saving(verdict: Verdict, *before: ui.Cell) -> Component:
    """PPO's gain over PID on one line: its interval drawn to scale, and in words."""
    unit = "" if verdict.unit in ("", "1") else f" {unit_text(verdict.unit)}"
    words = html.Span(f"{bounds(verdict, 2)}{unit}", className="nowrap note")
    return html.Div([*before, interval(verdict), words], className="saving")


def said(verdict: Verdict) -> str:
    """What a comparison says, in a few words."""
    if verdict.low <= 0.0 <= verdict.high:
        return "No clear difference"
    share = ui.number(abs(verdict.mean)) if verdict.share is None else _percent(verdict.share)
    told = ("costs {} more", "saves {}") if verdict.headline == "cost" else ("is {} behind", "is {} ahead")
    return f"PPO {told[verdict.mean >= 0.0].format(share)}"


def _leads(verdict: Verdict) -> str:
    """What the mean gain is said to be; of one that may be chance alone, that it is a mean."""
    words = ("PPO costs more by", "PPO saves") if verdict.headline == "cost" else ("PPO is worse by", "PPO is better by")
    chance = "On average " if verdict.low <= 0.0 <= verdict.high else ""
    return chance + words[verdict.mean >= 0.0]


def _percent(share: float) -> str:
    """A share's size; one that a tenth of a per cent would hide, to two figures."""
    size = 100.0 * abs(share)
    return f"{size:.1f} %" if size >= 0.1 or not size else f"{ui.number(size, 2)} %"


def bounds(verdict: Verdict, digits: int) -> str:
    """The interval of a gain in words, to the place at which half of it has ``digits`` figures."""
    low, high = (ui.within(value, verdict.low, verdict.high, digits) for value in (verdict.low, verdict.high))
    return f"{low} to {high}"


def _table(verdict: Verdict) -> Component:
    """Every controller's headline figure, and beside it what a gain must not be bought with."""
    names = list(dict.fromkeys(name for numbers in verdict.figures.values() for name in numbers))
    rows: list[list[ui.Cell]] = [
        [ui.controller(controller, k), *(ui.number(numbers.get(name)) for name in names)]
        for k, (controller, numbers) in enumerate(verdict.figures.items())
    ]
    heads = ["controller", *ui.kpi_heads(names, verdict.units)]
    return ui.table(heads, rows, range(1, len(heads)), f"{verdict.plant} by controller") if rows else html.Div(hidden=True)


def interval(verdict: Verdict) -> Component:
    """A gain and its 95 % interval against zero, drawn to scale."""
    unit = "" if verdict.unit in ("", "1") else f" {unit_text(verdict.unit)}"
    reach = 1.15 * max(abs(verdict.low), abs(verdict.high), 1e-12)
    at = [50 + 50 * value / reach for value in (verdict.low, verdict.mean, verdict.high)]
    colour = "better" if verdict.low > 0 else "worse" if verdict.high < 0 else "open"
    bar = html.Div(className="whisker", style={"left": f"{at[0]:.2f}%", "width": f"{max(at[2] - at[0], 0.4):.2f}%"})
    point = html.Div(className="point", style={"left": f"{at[1]:.2f}%"})
    label = f"{ui.within(verdict.mean, verdict.low, verdict.high, 3)}{unit}, 95 % interval {bounds(verdict, 3)}"
    return html.Div(
        [html.Div(className="zero"), bar, point],
        className=f"interval {colour}",
        title=label,
        role="img",
        **ui.aria(label),
    )
