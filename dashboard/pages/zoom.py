"""Trends that are thinned on the server and fetched anew, finer, for the part that a reader zooms into."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import plotly.graph_objects as go
from dash import MATCH, Dash, Input, Output, Patch, State, no_update
from dash.development.base_component import Component

from controller.records import EpisodeRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data, whole_number
from dashboard.trends import Window, cumulated, differences, overlay, thinned, trends

WHOLE: Window = (-math.inf, math.inf)


def graph(data: Data, view: str, episodes: Mapping[str, int], base: str = "") -> Component:
    """The figure of episodes by label: one ``episode``, or several as ``overlay``, ``difference`` to a base or ``cumulative``."""
    records = {label: data.episode(number) for label, number in episodes.items()}
    figure = drawn(view, records, base, None)
    if figure is None:
        plant = next(iter(records.values())).plant
        return ui.empty(
            "These episodes hold neither costs nor targets, so nothing adds up; new ones do.", f"setpoint benchmark {plant}"
        )
    return ui.graph(figure, {"type": ids.TREND, "view": view, "of": urlencode(episodes), "base": base})


def drawn(view: str, records: Mapping[str, EpisodeRecord], base: str, window: Window | None) -> go.Figure | None:
    """A view of records by label."""
    if view == "episode":
        return trends(next(iter(records.values())), window)
    if view == "difference":
        return differences(records, base, window)
    return cumulated(records, window) if view == "cumulative" else overlay(records, window)


def register(app: Dash, data: Data) -> None:
    """Fetch the part that is zoomed into where the whole was thinned."""
    which = {"type": ids.TREND, "view": MATCH, "of": MATCH, "base": MATCH}

    @app.callback(Output(which, "figure"), Input(which, "relayoutData"), State(which, "id"), prevent_initial_call=True)
    def finer(changed: object, asked: object) -> Any:
        window = zoomed(changed)
        if window is None or not isinstance(asked, dict):
            return no_update
        numbers = {label: whole_number(number) for label, number in parse_qsl(str(asked.get("of")))}
        records = {label: data.episode(number) for label, number in numbers.items()}
        base = str(asked.get("base", ""))
        if not any(thinned(records, record) for record in records.values()) or (base and base not in records):
            return no_update
        figure = drawn(str(asked.get("view")), records, base, window if window != WHOLE else None)
        return no_update if figure is None else _replaced(figure)


def zoomed(changed: object) -> Window | None:
    """The window that a figure's ``relayoutData`` tells of, all after a double click; None where it is about other things."""
    if not isinstance(changed, dict):
        return None
    if any(key.startswith("xaxis") and key.endswith(".autorange") for key in changed):
        return WHOLE
    ends = [changed[key] for at in (0, 1) for key in changed if key.startswith("xaxis") and key.endswith(f".range[{at}]")]
    both = next((changed[key] for key in changed if key.startswith("xaxis") and key.endswith(".range")), None)
    found = both if isinstance(both, list) else [ends[0], ends[len(ends) // 2]] if ends else []
    if len(found) != 2 or not all(isinstance(end, (int, float)) and math.isfinite(end) for end in found):
        return None
    low, high = sorted(float(end) for end in found)
    return (low, high) if high > low else None


def _replaced(figure: go.Figure) -> Patch:
    """What changes of the lines; layout and zoom stay as the reader left them."""
    patch = Patch()
    for place, trace in enumerate(figure.data):
        patch["data"][place]["x"], patch["data"][place]["y"] = trace["x"], trace["y"]
    return patch
