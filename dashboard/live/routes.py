"""The requests of the live page's script: one small answer for all that moves, and one way to order."""

from __future__ import annotations

import json
from typing import Any

import flask
from dash import Dash

from dashboard.access import Access
from dashboard.live.desk import Desk
from plant_models.core.errors import BadInput, SetpointError, UnknownName

PREFIX = "/_live/<session>"


def register(app: Dash, desk: Desk, access: Access) -> None:
    """Add the routes to the server: ``feed`` tells what is new, ``order`` has something done."""

    def tell(session: str) -> flask.Response:
        from dashboard.live.feed import feed

        numbers = [_whole(flask.request.args.get(name, "-1")) for name in ("n", "after", "e")]
        try:
            found = feed(desk.sessions.get(session), *numbers)
        except UnknownName as error:
            return _json({"ended": str(error)})
        return flask.Response(status=204) if found is None else _json(found)

    def order(session: str) -> flask.Response:
        from dashboard.live.orders import carry_out

        given = flask.request.get_json(silent=True)
        try:
            access.require_twins()
            if not isinstance(given, dict):
                raise BadInput("an order is a JSON object")
            held = desk.sessions.get(session)
            return _json({"done": carry_out(held, given)})
        except SetpointError as error:
            return _json({"error": str(error)}, 400)

    app.server.add_url_rule(f"{PREFIX}/feed", "live_feed", tell, methods=["GET"])
    app.server.add_url_rule(f"{PREFIX}/order", "live_order", order, methods=["POST"])


def _json(found: dict[str, Any], status: int = 200) -> flask.Response:
    text = json.dumps(found, separators=(",", ":"), allow_nan=False)
    return flask.Response(text, status, mimetype="application/json", headers={"Cache-Control": "no-store"})


def _whole(text: str) -> int:
    """Return a number from an address; what is none has seen nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1
