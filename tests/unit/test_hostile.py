"""What the dashboard refuses: every malformed or foreign request gets an answer of class 4xx, never 500, never a trace."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash import Dash, Input, Output, State, html
from flask.testing import FlaskClient

from dashboard.access import access
from dashboard.app import create_app
from plant_models.core.errors import BadInput
from tests.browser.plants import Cards

UPDATE = "/_dash-update-component"
PLACE = [{"id": "url", "property": name, "value": value} for name, value in (("pathname", "/"), ("search", ""))]
GOOD: dict[str, Any] = {
    "output": "content.children",
    "outputs": {"id": "content", "property": "children"},
    "inputs": PLACE,
    "changedPropIds": ["url.pathname"],
}
PATTERN: dict[str, Any] = {
    "output": "runs-words.children",
    "outputs": {"id": "runs-words", "property": "children"},
    "inputs": [[{"id": {"type": "runs-act", "what": "tag"}, "property": "n_clicks", "value": 1}]],
    "state": [{"id": name, "property": kind, "value": {}} for name, kind in (("runs-tag", "value"), ("runs", "selectedRows"))],
    "changedPropIds": ['{"type":"runs-act","what":"tag"}.n_clicks'],
}
MALFORMED: dict[str, Any] = {
    "a list": [],
    "nothing in it": {},
    "null": None,
    "a text": "x",
    "a number": 7,
    "an unknown output": {**GOOD, "output": "secret.children"},
    "an output that is a list": {**GOOD, "output": ["content.children"]},
    "a callback of the browser's own": {**GOOD, "output": '{"page":["ALL"],"type":"tick"}.disabled'},
    "an unknown key": {**GOOD, "cancelJob": 1},
    "no outputs": {key: value for key, value in GOOD.items() if key != "outputs"},
    "outputs that are a number": {**GOOD, "outputs": 5},
    "another output": {**GOOD, "outputs": {"id": "url", "property": "search"}},
    "inputs that are a text": {**GOOD, "inputs": "pathname"},
    "inputs that are numbers": {**GOOD, "inputs": [1, 2]},
    "an input too few": {**GOOD, "inputs": PLACE[:1]},
    "another input": {**GOOD, "inputs": [PLACE[0], {"id": "runs-stamp", "property": "data", "value": 1}]},
    "state that there is not": {**GOOD, "state": [PLACE[0]]},
    "a trigger that is no input": {**GOOD, "changedPropIds": ["runs-stamp.data"]},
    "triggers that are an object": {**GOOD, "changedPropIds": {"url.pathname": 1}},
    "a pattern's part alone": {**PATTERN, "inputs": PATTERN["inputs"][0]},
    "a pattern with another key": {**PATTERN, "inputs": [[{"id": {"type": "runs-act"}, "property": "n_clicks"}]]},
    "a pattern of another type": {
        **PATTERN,
        "inputs": [[{"id": {"type": "pick", "what": "tag"}, "property": "n_clicks"}]],
    },
    "a pattern with an object in it": {
        **PATTERN,
        "inputs": [[{"id": {"type": "runs-act", "what": {}}, "property": "n_clicks"}]],
    },
    "a value a hundred levels deep": {**GOOD, "inputs": [{**PLACE[0], "value": json.loads("[" * 99 + "]" * 99)}, PLACE[1]]},
}
RAW = {
    "cut short": b'{"output": ',
    "a hundred thousand levels deep": b"[" * 100_000 + b"]" * 100_000,
    "not a number": json.dumps({**GOOD, "inputs": [{**PLACE[0], "value": float("nan")}, PLACE[1]]}).encode(),
    "not text": b"\xff\xfe\x00",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Dash:
    return create_app(str(tmp_path_factory.mktemp("store") / "runs.db"), Cards())


@pytest.fixture
def client(app: Dash) -> Iterator[FlaskClient]:
    with app.server.test_client() as client:
        yield client


@pytest.fixture(autouse=True)
def _nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def _post(client: FlaskClient, body: object, **headers: str) -> tuple[int, str]:
    data = body if isinstance(body, bytes) else json.dumps(body)
    answer = client.post(UPDATE, data=data, content_type="application/json", headers=headers)
    return answer.status_code, answer.get_data(as_text=True)


@pytest.mark.parametrize("body", [GOOD, PATTERN])
def test_what_the_browser_itself_sends_passes(client: FlaskClient, body: dict[str, Any]) -> None:
    assert _post(client, body)[0] == 200


@pytest.mark.parametrize("name", [*MALFORMED, *RAW])
def test_a_malformed_question_is_refused_before_dash_sees_it(client: FlaskClient, name: str) -> None:
    code, text = _post(client, RAW.get(name, MALFORMED.get(name)))
    assert code == 400
    assert "Traceback" not in text


@pytest.mark.parametrize("several", [False, True])
def test_every_way_of_declaring_outputs_and_patterns_passes(several: bool) -> None:
    from dashboard.messages import Malformed, check

    app = Dash("small", suppress_callback_exceptions=True)
    app.layout = html.Div()
    outputs = [Output("a", "children", allow_duplicate=True), Output({"kind": "b", "k": 1}, "title")]

    @app.callback(outputs if several else outputs[0], Input("c", "value"), State("d", "data"), prevent_initial_call=True)
    def answer(*_parts: object) -> None: ...

    (key,) = app.callback_map
    unique = key.strip(".").split("...")[0].removeprefix("a.")
    assert unique.startswith("children@")
    parts = [{"id": "a", "property": unique}, {"id": {"kind": "b", "k": 1}, "property": "title"}]
    body = {
        "output": key,
        "outputs": parts if several else parts[0],
        "inputs": [{"id": "c", "property": "value"}],
        "state": [{"id": "d", "property": "data"}],
        "changedPropIds": [],
    }
    check(body, app.callback_map)
    with pytest.raises(Malformed):
        check({**body, "outputs": parts[0] if several else parts}, app.callback_map)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("get", "/_dash-component-suites/dash/../../../etc/passwd", 404),
        ("get", "/_dash-component-suites/dash/deps/none.js", 404),
        ("get", "/_dash-component-suites/os/path.py", 404),
        ("get", "/_dash-component-suites/dash/%00.js", 404),
        ("get", "/assets/../app.py", 404),
        ("get", "/assets/%2e%2e/app.py", 404),
        ("get", "/assets/%00", 404),
        ("post", "/", 405),
        ("post", "/_dash-layout", 405),
        ("put", UPDATE, 405),
        ("delete", "/runs", 405),
    ],
)
def test_paths_and_methods_that_are_none_of_ours_are_refused(client: FlaskClient, method: str, path: str, code: int) -> None:
    answer = client.open(path, method=method.upper())
    assert answer.status_code == code
    assert "Traceback" not in answer.get_data(as_text=True)


def test_a_form_of_another_page_is_refused(client: FlaskClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert client.post(UPDATE, data=json.dumps(GOOD), content_type=kind).status_code == 415


def test_a_body_larger_than_any_of_ours_is_refused(client: FlaskClient) -> None:
    assert _post(client, b"x" * 300_000)[0] == 413


@pytest.mark.parametrize(
    ("host", "code"),
    [("127.0.0.1:8050", 200), ("localhost", 200), ("[::1]:8050", 200), ("evil.example", 403), ("127.0.0.1.evil.example", 403),
     ("10.0.0.7", 403), ("[::1", 403), ("a@127.0.0.1", 403)],
)  # fmt: skip
def test_a_name_that_was_made_to_point_here_is_refused(client: FlaskClient, host: str, code: int) -> None:
    assert client.get("/", headers={"Host": host}).status_code == code


@pytest.mark.parametrize(
    ("origin", "code"), [("http://localhost", 200), ("http://evil.example", 403), ("null", 403), ("http://localhost:9", 403)]
)
def test_a_question_that_a_foreign_page_puts_is_refused(client: FlaskClient, origin: str, code: int) -> None:
    assert _post(client, GOOD, Origin=origin)[0] == code


def test_answers_carry_security_headers_and_a_policy_without_eval(client: FlaskClient) -> None:
    for path in ("/", "/_dash-layout", "/assets/setpoint.css", "/assets/none"):
        with client.get(path) as answer:
            headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in headers
        rules = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
        assert rules["default-src"] == "'none'"
        assert all(part == "'self'" or part.startswith("'sha256-") for part in rules["script-src"].split())


def test_beyond_this_machine_the_token_is_asked_for_and_changed_for_a_strict_cookie(tmp_path: Path) -> None:
    granted = access("0.0.0.0")
    assert len(granted.token) >= 32
    with create_app(str(tmp_path / "runs.db"), Cards(), granted).server.test_client() as client:
        for path in ("/", "/_dash-layout", "/_dash-dependencies", "/assets/setpoint.css", "/?token=wrong", "/?token=%C3%A9"):
            assert client.get(path).status_code == 401
        assert _post(client, GOOD)[0] == 401
        welcome = client.get(f"/?token={granted.token}&plant=a%22b", environ_overrides={"PATH_INFO": "//runs"})
        cookie = welcome.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert granted.token not in cookie + welcome.get_data(as_text=True)
        assert 'url=/runs?plant=a%22b"' in welcome.get_data(as_text=True)
        assert client.get("/").status_code == 200
        assert _post(client, GOOD)[0] == 200


def test_beyond_this_machine_only_addresses_and_its_own_names_are_answered(tmp_path: Path) -> None:
    granted = access("0.0.0.0", "a-token-of-our-own")
    with create_app(str(tmp_path / "runs.db"), Cards(), granted).server.test_client() as client:
        codes = {host: client.get("/", headers={"Host": host}).status_code for host in ("10.0.0.7:8050", "evil.example")}
    assert codes == {"10.0.0.7:8050": 401, "evil.example": 403}


def test_an_operators_dashboard_has_a_token_on_this_machine_too_whose_ports_every_user_reaches(tmp_path: Path) -> None:
    granted = access(operator=True)
    assert len(granted.token) >= 32
    assert access(operator=True, token="a-token-of-our-own").token == "a-token-of-our-own"
    assert access().token == ""
    with create_app(str(tmp_path / "runs.db"), Cards(), granted).server.test_client() as client:
        assert _post(client, GOOD)[0] == 401
        assert client.get(f"/?token={granted.token}").status_code == 200
        assert _post(client, GOOD)[0] == 200


def test_a_token_that_is_easily_guessed_is_refused() -> None:
    with pytest.raises(BadInput, match="token of 4 characters: at least 16"):
        access(token="1234")


def test_only_an_operators_dashboard_changes_anything() -> None:
    with pytest.raises(BadInput, match=r"stop a run: this dashboard only shows; start it with `setpoint dashboard --operator`"):
        access().require_operator("stop a run")
    access(operator=True).require_operator("stop a run")


def test_the_twins_are_operated_from_this_machine_or_by_an_operator() -> None:
    access().require_twins()
    access("0.0.0.0", operator=True).require_twins()
    with pytest.raises(BadInput, match="operate the twins"):
        access("0.0.0.0").require_twins()
