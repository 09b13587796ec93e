"""Plants: what the catalogue holds."""

from __future__ import annotations

from collections.abc import Mapping

from dash import Dash, html
from dash.development.base_component import Component

from dashboard import components as ui
from dashboard.data import Card, Data

_TITLES = {"hvac": "Buildings and HVAC"}


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """A card for each plant, by folder."""
    names = data.plant_names()
    if not names:
        return ui.page("Plants", ui.panel("No plants", ui.empty("The catalogue holds no plant file.", "setpoint plants")))
    cards = [data.card(name) for name in names]
    folders = dict.fromkeys(str(card.get("folder", "")) for card in cards)
    groups = [_group(folder, [card for card in cards if str(card.get("folder", "")) == folder]) for folder in folders]
    return ui.page("Plants", *groups, note=f"{len(names)} in the catalogue")


def register(app: Dash, data: Data) -> None:
    """Nothing: the page does not change while it is looked at."""


def _group(folder: str, cards: list[Card]) -> Component:
    return ui.panel(
        _TITLES.get(folder, folder.replace("_", " ").capitalize()), html.Div([_card(card) for card in cards], className="results")
    )


def _count(number: int, things: str) -> str:
    return f"1 {things.removesuffix('s')}" if number == 1 else f"{number} {things}"


def _card(card: Card) -> Component:
    vectors = card.get("vectors", {})
    counts = [_count(len(vectors.get(key, ())), key) for key in ("states", "inputs", "disturbances", "outputs")]
    tags = ui.words(", ".join(str(loop.get("tag", "")) for loop in card.get("loops", ())))
    loops: list[ui.Cell] = ["loop " if len(card["loops"]) == 1 else "loops ", *tags] if card.get("loops") else ["no loops"]
    return html.Div(
        [
            html.H3(ui.link(str(card["title"]), f"/plants/{card['name']}")),
            html.Code(str(card["name"])),
            html.P(" · ".join(counts), className="note"),
            html.P([f"{card.get('duty', {}).get('kind', '')} duty · ", *loops], className="note"),
        ],
        className="result",
    )
