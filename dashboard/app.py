"""The browser dashboard: its frame, its router and its server on this machine's own address."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, unquote

import dash_mantine_components as dmc
import flask
import waitress
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data, Plants, open_data
from dashboard.pages import compare, lost, overview, plant, plants, run, runs
from plant_models.core.errors import BadInput, SetpointError, UnknownName

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BODY_LIMIT = 256 * 1024  # bytes; no request of ours comes near
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_log = logging.getLogger("setpoint.dashboard")


class Page(Protocol):
    """What a page module offers."""

    def layout(self, data: Data, query: Mapping[str, str]) -> Component:
        """The page as it is now; ``query`` holds the address's query and the named parts of its path."""

    def register(self, app: Dash, data: Data) -> None:
        """Register the page's callbacks."""


class Route(NamedTuple):
    """A page, and the parts of the path that lead to it; one in angle brackets names what stands there."""

    parts: tuple[str, ...]
    page: Page


ROUTES = (
    Route((), overview),
    Route(("runs",), runs),
    Route(("runs", "<id>"), run),
    Route(("compare",), compare),
    Route(("plants",), plants),
    Route(("plants", "<name>"), plant),
)
NAVIGATION = {"Overview": "/", "Runs": "/runs", "Compare": "/compare", "Plants": "/plants"}


def create_app(store_url: str | None = None, plants: Plants | None = None) -> Dash:
    """Build the dashboard over the store at ``store_url``; raises BadInput for a store that cannot be used."""
    data = open_data(store_url, plants)
    app = Dash(
        "dashboard",
        assets_folder=str(Path(__file__).parent / "assets"),
        url_base_pathname="/",
        title="setpoint",
        update_title="",
        suppress_callback_exceptions=True,
        enable_mcp=False,
        on_error=_calm,
    )
    app.layout = _frame(data)
    _register(app, data)
    for route in ROUTES:
        route.page.register(app, data)
    _quiet(app)
    _secure(app.server)
    return app


def serve(
    store_url: str | None = None, host: str = "127.0.0.1", port: int = 8050, ready: Callable[[str], None] | None = None
) -> None:
    """Serve the dashboard until interrupted; ``ready`` is called with its address once it listens.

    Raises:
        BadInput: for an address other than this machine's own, a port that is taken, or a store that cannot be used.
    """
    bound = bind(host, port)
    try:
        server = listen(create_app(store_url), bound)
    except SetpointError:
        bound.close()
        raise
    if ready is not None:
        ready(address(bound))
    try:
        server.run()
    finally:
        server.close()


def bind(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """Take a port on this machine's own address, 0 for any that is free; raises BadInput."""
    if host not in LOOPBACK:
        raise BadInput(f"host {host!r}: only this machine's own address is allowed, {' or '.join(LOOPBACK)}")
    if not 0 <= port <= 65535:
        raise BadInput(f"port {port}: not a port; allowed are 0 to 65535")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere this option lets two servers share a port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise BadInput(f"port {port}: cannot be used ({error.strerror}); choose another with --port") from error
    return bound


def address(bound: socket.socket) -> str:
    """Where a browser finds what is served on this socket."""
    host, port, *_ = bound.getsockname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def listen(app: Dash, bound: socket.socket) -> Any:
    """Build the server on a socket, which it then owns; ``run`` serves until interrupted."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a burst of requests while a page opens is no news
    return waitress.create_server(app.server, sockets=[bound], threads=8, ident=None)


def resolve(path: str) -> tuple[Page, dict[str, str]]:
    """The page at a path, with what its named parts say; raises UnknownName."""
    parts = [unquote(part) for part in path.split("/") if part]
    for route in ROUTES:
        pairs = list(zip(route.parts, parts, strict=False))
        if len(parts) == len(route.parts) and all(name in (part, f"<{name.strip('<>')}>") for name, part in pairs):
            return route.page, {name.strip("<>"): part for name, part in pairs if name.startswith("<")}
    raise UnknownName(f"{path[:100]}: there is no such page")


def _frame(data: Data) -> Component:
    links = [
        dmc.NavLink(
            label=name,
            href=href,
            active="exact" if href == "/" else "partial",
            leftSection=html.Span(className=f"glyph {name.lower()}"),
        )
        for name, href in NAVIGATION.items()
    ]
    side = html.Nav(
        [dcc.Link([html.Span(className="logo"), "setpoint"], href="/", className="brand"), *links, _foot(data)], className="side"
    )
    frame: Component = dmc.MantineProvider(
        [
            dcc.Location(id=ids.URL, refresh="callback-nav"),
            dcc.Store(id=ids.HIDDEN),
            html.Div([side, html.Main(id=ids.CONTENT)], className="frame"),
        ],
        defaultColorScheme="auto",
        theme={"fontFamily": "var(--font)", "fontFamilyMonospace": "var(--mono)", "primaryColor": "blue", "defaultRadius": "xs"},
    )
    return frame


def _foot(data: Data) -> Component:
    toggle = dmc.ColorSchemeToggle(
        lightIcon=html.Span(className="glyph sun"), darkIcon=html.Span(className="glyph moon"),
        variant="default", size="md", **ui.aria("light or dark"),
    )  # fmt: skip
    short = "/".join(data.store_name.replace("\\", "/").split("/")[-2:])
    store = html.Div(["store", html.Code(short, title=data.store_name)], className="store")
    return html.Div([toggle, store], className="foot")


def _register(app: Dash, data: Data) -> None:
    @app.callback(Output(ids.CONTENT, "children"), Input(ids.URL, "pathname"), Input(ids.URL, "search"))
    def show(path: object, search: object) -> Component:
        return _shown(data, str(path or "/"), str(search or ""))

    @app.callback(
        Output(ids.URL, "search"),
        Input({"type": ids.CHOICE, "field": ALL, "shown": ALL}, "value"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    def choose(_values: object, search: object) -> Any:
        chosen = ctx.triggered_id
        if not isinstance(chosen, dict) or written(ctx.triggered[0]["value"]) == chosen.get("shown"):
            return no_update  # Dash asks this too when a page with pickers is drawn
        old = dict(parse_qsl(str(search or "").removeprefix("?")))
        return ui.href("", **chosen_query(old, str(chosen.get("field")), ctx.triggered[0]["value"]))

    app.clientside_callback(
        ClientsideFunction("setpoint", "pause"),
        Output({"type": ids.TICK, "page": ALL}, "disabled"),
        Input(ids.HIDDEN, "data"),
        State({"type": ids.TICK, "page": ALL}, "id"),
        prevent_initial_call=True,
    )
    app.clientside_callback(ClientsideFunction("setpoint", "title"), Input(ids.URL, "pathname"))


def chosen_query(query: Mapping[str, str], field: str, value: object) -> dict[str, str]:
    """The address's query after a picker changed; a value that begins with ? changes several parts, an empty one removes."""
    text = written(value)
    patch = dict(parse_qsl(text[1:], keep_blank_values=True)) if text.startswith("?") else {field: text}
    return {key: item for key, item in {**query, "page": "", **patch}.items() if item}


def written(value: object) -> str:
    """A picker's value as it stands in an address."""
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value or "")


def _shown(data: Data, path: str, search: str) -> Component:
    """The page at an address; what cannot be shown says why."""
    try:
        page, named = resolve(path)
        return page.layout(data, {**dict(parse_qsl(search.removeprefix("?"))), **named})
    except UnknownName as error:
        return lost.not_found(str(error))
    except SetpointError as error:
        return lost.trouble(str(error))


def _calm(error: Exception) -> None:
    """A callback that fails leaves the page as it is; only what nobody foresaw is logged with its trace."""
    if isinstance(error, SetpointError):
        _log.warning("%s", error)
    else:
        _log.error("a callback failed", exc_info=error)


def _quiet(app: Dash) -> None:
    """Keep Dash's developer tools off whatever the environment says: they show traces, and ask its maker for news."""
    app.enable_dev_tools(
        debug=False,
        dev_tools_ui=False,
        dev_tools_props_check=False,
        dev_tools_serve_dev_bundles=False,
        dev_tools_hot_reload=False,
        dev_tools_prune_errors=False,
        dev_tools_validate_callbacks=False,
        dev_tools_disable_version_check=True,
    )


def _secure(server: flask.Flask) -> None:
    """Limit what may be asked, and tell the browser to trust nothing but this server."""
    server.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT

    @server.before_request
    def only_this_machine() -> None:
        """Refuse names that were made to point here, so that no foreign page can read through a browser."""
        host = flask.request.host.rsplit(":", 1)[0].strip("[]")
        if host not in LOOPBACK:
            flask.abort(403)

    @server.after_request
    def guarded(response: flask.Response) -> flask.Response:
        response.headers.update(HEADERS)
        return response
