"""The guard before Dash: who may ask, what may be asked, and what the browser may trust."""

from __future__ import annotations

import hmac
import logging
import secrets
from html import escape
from urllib.parse import quote, urlencode, urlsplit

import flask
from dash import Dash
from dash.fingerprint import check_fingerprint
from werkzeug.exceptions import HTTPException

from dashboard.access import Access
from dashboard.messages import Malformed, check, parsed

BODY_LIMIT = 256 * 1024  # bytes; no request of ours comes near
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_log = logging.getLogger("setpoint.dashboard")


def secure(app: Dash, access: Access) -> None:
    """Put the guard before the app's server; to be called once all callbacks are registered, whose scripts it lets through."""
    server = app.server
    server.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    server.before_request(lambda: _check_names(access))
    if access.token:
        door = Door(access.token)
        server.before_request(door.check)
    server.before_request(lambda: _check_body(app))
    server.before_request(lambda: _check_component(app))
    _dress(server, policy(app))

    server.register_error_handler(Exception, _unforeseen)


def _unforeseen(error: Exception) -> flask.Response | HTTPException:
    """What nobody foresaw is logged under a number, and only the number is told."""
    if isinstance(error, HTTPException):
        return error
    number = secrets.token_hex(4)
    _log.error("request failed, number %s", number, exc_info=error)
    return flask.Response(f"This request failed; the server's log has it under {number}.\n", 500, mimetype="text/plain")


def policy(app: Dash) -> str:
    """What a page may load and run: this server's own files, and those inline scripts that Dash itself writes."""
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *app.csp_hashes())),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class Door:
    """Lets in who brings the token once, in the address, and from then on the cookie that it was changed for."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._cookie = f"setpoint-{secrets.token_hex(4)}"  # browsers share cookies between the ports of a machine
        self._session = secrets.token_urlsafe(32)

    def check(self) -> flask.Response | None:
        """Nothing for who is let in, else the page that asks for the token."""
        if _equal(flask.request.cookies.get(self._cookie, ""), self._session):
            return None
        given = flask.request.args.get("token", "")
        if flask.request.method == "GET" and _equal(given, self._token):
            return self._welcome()
        words = "That is not this dashboard's token." if given else "This dashboard needs its token."
        body = (
            f"<h1>setpoint</h1><p>{words} It is in the line that the program printed when it was started.</p>"
            '<form><label>token <input type="password" name="token" autofocus></label> <button>Open</button></form>'
        )
        return flask.Response(_document(body), 401, mimetype="text/html")

    def _welcome(self) -> flask.Response:
        """Change the token for the cookie, then go on from a page of ours: a strict cookie follows no link from elsewhere."""
        rest = [(key, value) for key, value in flask.request.args.items(multi=True) if key != "token"]
        path = "/" + quote(flask.request.path.lstrip("/\\"))  # two slashes would lead to another machine
        onward = escape(path + (f"?{urlencode(rest)}" if rest else ""), quote=True)
        head = f'<meta http-equiv="refresh" content="0;url={onward}">'
        response = flask.Response(_document(f'<p><a href="{onward}">Open the dashboard</a></p>', head), mimetype="text/html")
        response.set_cookie(self._cookie, self._session, httponly=True, samesite="Strict", path="/")
        return response


def _document(body: str, head: str = "") -> str:
    style = "<style>body { font: 15px/1.5 system-ui, sans-serif; max-width: 60ch; margin: 12vh auto; }</style>"
    title = f'<meta charset="utf-8"><title>setpoint</title>{style}'
    return f'<!DOCTYPE html><html lang="en"><head>{title}{head}</head><body>{body}</body></html>'


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _check_names(access: Access) -> None:
    """Refuse names that are not ours, and questions that a foreign page put."""
    host = urlsplit(f"//{flask.request.host}")
    origin = flask.request.headers.get("Origin")
    try:
        ours = access.answers_to(host.hostname or "") and (origin is None or urlsplit(origin).netloc == flask.request.host)
    except ValueError:
        ours = False
    if not ours:
        flask.abort(403)


def _check_body(app: Dash) -> None:
    """Let through only JSON, and hold what is put to Dash against its own callbacks."""
    if flask.request.method != "POST" or flask.request.url_rule is None:  # Flask itself refuses what has no rule
        return
    if not flask.request.is_json:
        flask.abort(415)
    try:
        body = parsed(flask.request.get_data())
        if flask.request.path == "/_dash-update-component":
            check(body, app.callback_map)
    except Malformed as error:
        flask.abort(400, str(error))


def _check_component(app: Dash) -> None:
    """Serve only those files of components that the page itself asks for."""
    named = flask.request.view_args or {}
    if "package_name" not in named:
        return
    path, _ = check_fingerprint(named["fingerprinted_path"])
    if path not in app.registered_paths.get(named["package_name"], ()):
        flask.abort(404)


def _dress(server: flask.Flask, content_policy: str) -> None:
    """Give every answer its security headers; what holds data is kept in no cache."""
    headers = {**HEADERS, "Content-Security-Policy": content_policy}

    @server.after_request
    def dressed(response: flask.Response) -> flask.Response:
        response.headers.update(headers)
        if not flask.request.path.startswith(("/assets/", "/_dash-component-suites/")):
            response.headers["Cache-Control"] = "no-store"
        return response
