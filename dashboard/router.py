"""Which page stands at which address, and the callbacks that show it and write the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl, unquote

from dash import ALL, ClientsideFunction, Dash, Input, Output
from dash.development.base_component import Component

from dashboard import ids
from dashboard.data import Data
from dashboard.pages import benchmark, compare, live, live_session, lost, overview, plant, plants, run, runs, safety
from dashboard.pages.jobs import job, listing, new
from plant_models.core.errors import SetpointError, UnknownName


class Page(Protocol):
    """What a page module offers."""

    def layout(self, data: Data, query: Mapping[str, str]) -> Component:
        """The page as it is now; ``query`` holds the address's query and the named parts of its path."""

    def register(self, app: Dash, data: Data) -> None:
        """Register the page's callbacks."""


class Route(NamedTuple):
    """A page, and the parts of the path that lead to it; one in angle brackets names what stands there.

    One with a ``title`` is in the navigation, under it and in this order.
    """

    parts: tuple[str, ...]
    page: Page
    title: str = ""


ROUTES = (
    Route((), overview, "Overview"),
    Route(("runs",), runs, "Runs"),
    Route(("runs", "<id>"), run),
    Route(("compare",), compare, "Compare"),
    Route(("benchmark",), benchmark, "Benchmark"),
    Route(("live",), live, "Live"),
    Route(("live", "<id>"), live_session),
    Route(("plants",), plants, "Plants"),
    Route(("plants", "<name>"), plant),
    Route(("safety",), safety, "Safety"),
    Route(("jobs",), listing, "Jobs"),
    Route(("jobs", "new"), new),
    Route(("jobs", "<id>"), job),
)


def navigation() -> dict[str, str]:
    """The addresses of the navigation, by title."""
    return {route.title: "/" + "/".join(route.parts) for route in ROUTES if route.title}


def register(app: Dash, data: Data) -> None:
    """Register the callbacks that show the page at the address, and those of every page."""

    @app.callback(Output(ids.CONTENT, "children"), Input(ids.URL, "pathname"), Input(ids.URL, "search"))
    def show(path: object, search: object) -> Component:
        return shown(data, str(path or "/"), str(search or ""))

    app.clientside_callback(
        ClientsideFunction("setpoint", "choose"),
        Output(ids.URL, "search"),
        Input({"type": ids.CHOICE, "field": ALL, "shown": ALL}, "value"),
        prevent_initial_call=True,
    )
    for route in ROUTES:
        route.page.register(app, data)


def resolve(path: str) -> tuple[Page, dict[str, str]]:
    """The page at a path, with what its named parts say; raises UnknownName."""
    parts = [unquote(part) for part in path.split("/") if part]
    for route in ROUTES:
        pairs = list(zip(route.parts, parts, strict=False))
        if len(parts) == len(route.parts) and all(name in (part, f"<{name.strip('<>')}>") for name, part in pairs):
            return route.page, {name.strip("<>"): part for name, part in pairs if name.startswith("<")}
    raise UnknownName(f"{path[:100]}: there is no such page")


def shown(data: Data, path: str, search: str) -> Component:
    """The page at an address; what cannot be shown says why."""
    try:
        page, named = resolve(path)
        data.check()
        return page.layout(data, {**dict(parse_qsl(search.removeprefix("?"))), **named})
    except UnknownName as error:
        return lost.not_found(str(error))
    except SetpointError as error:
        return lost.trouble(str(error))
