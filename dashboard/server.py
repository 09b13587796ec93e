"""The dashboard's server: a port on an address of this machine, and serving on it until interrupted."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import waitress
from dash import Dash

from dashboard.access import Access
from dashboard.app import create_app
from dashboard.security import BODY_LIMIT
from plant_models.core.errors import BadInput, SetpointError


def serve(
    store_url: str | None = None, port: int = 8050, access: Access | None = None, ready: Callable[[str], None] | None = None
) -> None:
    """Serve the dashboard until interrupted; ``ready`` is called with its address, token included, once it listens.

    Raises:
        BadInput: for an address that is not this machine's, a port that is taken, or a store that cannot be used.
    """
    access = access or Access()
    bound = bind(access.host, port)
    try:
        server = listen(create_app(store_url, access=access, warm=True), bound)
    except SetpointError:
        bound.close()
        raise
    if ready is not None:
        ready(address(bound, access.token))
    try:
        server.run()
    finally:
        server.close()


def bind(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """Take a port on an address of this machine, 0 for any that is free; raises BadInput."""
    if not 0 <= port <= 65535:
        raise BadInput(f"port {port}: not a port; allowed are 0 to 65535")
    if not host:
        raise BadInput("host '': no address; 127.0.0.1 is one of this machine, or 0.0.0.0 for all")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere this option lets two servers share a port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
            raise BadInput(f"host {host!r}: not an address of this machine; 127.0.0.1 is, or 0.0.0.0 for all") from error
        raise BadInput(f"port {port}: cannot be used ({error.strerror}); choose another with --port") from error
    return bound


def address(bound: socket.socket, token: str = "") -> str:
    """Where a browser finds what is served on this socket."""
    host, port, *_ = bound.getsockname()
    if host in ("0.0.0.0", "::"):  # noqa: S104 - read here, not bound
        host = socket.gethostname()
    place = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    return f"{place}?token={quote(token)}" if token else place


def listen(app: Dash, bound: socket.socket) -> Any:
    """Build the server on a socket, which it then owns; ``run`` serves until interrupted."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a burst of requests while a page opens is no news
    return waitress.create_server(app.server, sockets=[bound], threads=8, ident=None, max_request_body_size=2 * BODY_LIMIT)
