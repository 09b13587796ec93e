"""What may be asked of the server, and what the browser may trust."""

from __future__ import annotations

import flask

from dashboard.access import LOOPBACK

BODY_LIMIT = 256 * 1024  # bytes; no request of ours comes near
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def secure(server: flask.Flask) -> None:
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
