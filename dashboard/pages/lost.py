"""What stands where a page cannot: an address that leads nowhere, or a store that cannot be read."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard import components as ui


def not_found(text: str) -> Component:
    """An address, run or plant that there is not."""
    return ui.page(
        "Not found", ui.panel("Nothing here", ui.empty(text), ui.button("Overview", "/"), ui.button("All runs", "/runs"))
    )


def trouble(text: str) -> Component:
    """A store or file that cannot be used, and what to do where the message says so after a semicolon."""
    wrong, _, remedy = text.partition("; ")
    told = html.P([html.Span("▲", className="mark"), f" {wrong}."], className="error", role="alert")
    advice = [ui.empty(f"{remedy[:1].upper()}{remedy[1:]}.")] if remedy else []
    again = html.A("Try again", href="", className="button")
    return ui.page("This page cannot be shown", ui.panel("What is wrong", told, *advice, again))
