"""A plant's page: its head, its tabs, and its latest runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dash import Dash, html
from dash.development.base_component import Component

from dashboard import components as ui
from dashboard.data import Card, Data
from dashboard.pages.plant import model, steady, step

Tab = Callable[[Data, Card, Mapping[str, str]], Sequence[Component]]
TABS: Mapping[str, tuple[str, Tab]] = {
    "model": ("Model", model.body),
    "steady": ("Steady-state map", steady.body),
    "step": ("Step test and tuning", step.body),
}


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The plant named by ``query['name']``, its tab by ``query['tab']``; raises UnknownName."""
    card = data.card(query["name"])
    name, chosen = str(card["name"]), query["tab"] if query.get("tab") in TABS else "model"
    tabs = {key: (words, {"tab": key}) for key, (words, _) in TABS.items()}
    return ui.page(
        str(card["title"]),
        ui.tabs(f"/plants/{name}", tabs, chosen),
        *TABS[chosen][1](data, card, query),
        note=html.Code(name),
        actions=_actions(data, name),
    )


def register(app: Dash, data: Data) -> None:
    """Compute steps and maps once their tab is open."""
    steady.register(app, data)
    step.register(app, data)


def _actions(data: Data, name: str) -> list[ui.Cell]:
    rival = data.rival(name)
    pair = ui.no_rival(name)
    if rival is not None:
        pair = ui.button("PPO against PID", "/compare", run=rival.id, plant=name, controllers="pid,ppo")
    return [html.Div([pair, ui.button("Runs of this plant", "/runs", plant=name)])]
