"""How PPO stands against PID on a plant, as a card that several pages show."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard import components as ui
from dashboard.data import Result
from dashboard.figures import unit_text


def result_card(result: Result) -> Component:
    """One plant's verdict: the mean difference, its interval against zero, and the way to the trends."""
    verdict = "PPO is better" if result.low > 0 else "PID is better" if result.high < 0 else "no clear difference"
    scores = [
        html.Div([ui.controller(name, k), html.Span(ui.number(value), className="num")], className="score")
        for k, (name, value) in enumerate(result.scores.items())
    ]
    count = f" · {result.episodes} scenarios" if result.episodes else ""
    return html.Div(
        [
            html.Div([html.H3(ui.link(result.plant, f"/plants/{result.plant}")), html.Span(verdict, className="verdict")]),
            html.Div([html.B(ui.signed(result.mean, 3)), html.Span(f" {unit_text(result.unit)}")], className="difference"),
            html.Div(
                f"{ui.signed(result.low, 3)} to {ui.signed(result.high, 3)} {unit_text(result.unit)}{count}", className="note"
            ),
            _interval(result.mean, result.low, result.high, result.unit),
            html.Div(scores, className="scores"),
            ui.button("Compare trends", "/compare", run=result.run.id, plant=result.plant, controllers="ppo,pid"),
        ],
        className="result",
    )


def _interval(mean: float, low: float, high: float, unit: str) -> Component:
    """A difference and its 95 % interval against zero, drawn to scale."""
    reach = 1.15 * max(abs(low), abs(high), 1e-12)
    at = [50 + 50 * value / reach for value in (low, mean, high)]
    verdict = "better" if low > 0 else "worse" if high < 0 else "open"
    bar = html.Div(className="whisker", style={"left": f"{at[0]:.2f}%", "width": f"{max(at[2] - at[0], 0.4):.2f}%"})
    point = html.Div(className="point", style={"left": f"{at[1]:.2f}%"})
    label = f"{ui.signed(mean, 3)} {unit_text(unit)}, 95 % interval {ui.signed(low, 3)} to {ui.signed(high, 3)}"
    return html.Div(
        [html.Div(className="zero"), bar, point],
        className=f"interval {verdict}",
        title=label,
        role="img",
        **ui.aria(label),
    )
