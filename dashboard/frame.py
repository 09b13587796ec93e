"""What surrounds every page: the navigation, the choice of theme, the store's name."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data
from dashboard.router import navigation

THEMES = {"light": "light", "dark": "dark", "grey": "control-room grey"}


def frame(data: Data) -> Component:
    """The frame, with an empty place for the page."""
    links = [
        dmc.NavLink(
            label=name,
            href=href,
            active="exact" if href == "/" else "partial",
            leftSection=html.Span(className=f"glyph {name.lower()}"),
        )
        for name, href in navigation().items()
    ]
    brand = dcc.Link([html.Span(className="logo"), "setpoint"], href="/", className="brand")
    skip = html.A("Skip to the page", href=f"#{ids.CONTENT}", className="skip button")
    whole: Component = dmc.MantineProvider(
        [
            dcc.Location(id=ids.URL, refresh="callback-nav"),
            dcc.Store(id=ids.HIDDEN),
            html.Div(
                [html.Nav([skip, brand, *links, _foot(data)], className="side"), html.Main(id=ids.CONTENT, tabIndex="-1")],
                className="frame",
            ),
        ],
        defaultColorScheme="auto",
        theme={"fontFamily": "var(--font)", "fontFamilyMonospace": "var(--mono)", "primaryColor": "blue", "defaultRadius": "xs"},
    )
    return whole


def register(app: Dash) -> None:
    """Register what the browser does by itself: pausing hidden pages, the page's title, the theme."""
    app.clientside_callback(
        ClientsideFunction("setpoint", "pause"),
        Output({"type": ids.TICK, "page": ALL}, "disabled"),
        Input(ids.HIDDEN, "data"),
        State({"type": ids.TICK, "page": ALL}, "id"),
        prevent_initial_call=True,
    )
    app.clientside_callback(ClientsideFunction("setpoint", "title"), Input(ids.URL, "pathname"))
    app.clientside_callback(
        ClientsideFunction("setpoint", "theme"),
        Output({"type": ids.THEME, "name": ALL}, "aria-pressed"),
        Input({"type": ids.THEME, "name": ALL}, "n_clicks"),
        State({"type": ids.THEME, "name": ALL}, "id"),
    )


def _foot(data: Data) -> Component:
    short = "/".join(data.store_name.replace("\\", "/").split("/")[-2:])
    store = html.Div(["store", html.Code(short, title=data.store_name)], className="store")
    return html.Div([_themes(), store], className="foot")


def _themes() -> Component:
    """One button a theme; the style sheet marks the one that is on."""
    buttons = [
        html.Button(
            html.Span(className=f"glyph {name}"),
            id={"type": ids.THEME, "name": name}, className=f"theme {name}", title=words, **ui.aria(words),
        )
        for name, words in THEMES.items()
    ]  # fmt: skip
    return html.Div(buttons, className="themes", role="group", **ui.aria("theme"))
