"""What the live page is told and what it may order, without a browser: display units, refusals, hostile requests."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from controller.historian import Historian
from controller.live.session import period_of
from dashboard.access import Access
from dashboard.app import create_app
from dashboard.data import Data, open_data
from dashboard.live.desk import Start, pleasant
from dashboard.live.figure import TWINS, trend
from dashboard.live.plan import plan
from dashboard.pages import live, live_session
from plant_models.core.errors import UnknownName
from tests.browser.plants import Cards

HOUSE = Start("heat_pump_house", "", 0, ("pid", "pid"))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.live.case.LONGEST", 100)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Data]:
    found = open_data(str(tmp_path / "runs.db"), Cards(), Access())
    yield found
    for session in found.live.sessions.all().values():
        session.end()


@pytest.fixture
def house(data: Data, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FlaskClient, str]]:
    """A client of the dashboard, and the name of a session of the house, shown in degrees Celsius."""
    monkeypatch.setattr("dashboard.app.open_data", lambda *_: data)
    app = create_app(None)
    with app.server.test_client() as client:
        yield client, data.live.start(HOUSE)


def ask(client: FlaskClient, session: str, **order: Any) -> tuple[int, dict[str, Any]]:
    answer = client.post(f"/_live/{session}/order", json=order)
    return answer.status_code, json.loads(answer.data)


def feed(client: FlaskClient, session: str, n: int = -1, after: int = -1, e: int = -1) -> Any:
    answer = client.get(f"/_live/{session}/feed?n={n}&after={after}&e={e}")
    return None if answer.status_code == 204 else json.loads(answer.data)


def test_the_page_is_told_in_display_units_and_only_what_is_new(house: tuple[FlaskClient, str]) -> None:
    client, session = house
    first = feed(client, session)
    pv, _, asked, *_ = first["twins"]["A"]["faces"][0]
    assert 15.0 < pv < 30.0
    assert 15.0 < asked < 30.0
    assert feed(client, session, n=first["n"]) is None
    assert ask(client, session, do="step") == (200, {"done": True})
    while (news := feed(client, session, n=first["n"], after=0)) is None or news["k"] < 1:
        pass
    assert len(news["samples"]["A"]["share"]) == 1
    assert news["samples"]["A"]["first"] == 1


def test_a_setpoint_ordered_in_celsius_reaches_the_plant_in_kelvin(house: tuple[FlaskClient, str], data: Data) -> None:
    client, session = house
    assert ask(client, session, do="setpoint", twins="AB", tag="TIC-201", value=22.5)[0] == 200
    faces = data.live.sessions.get(session).view().twins["B"].faces
    assert faces[0].asked == pytest.approx(295.65)
    told = feed(client, session)
    assert told["twins"]["B"]["faces"][0][2] == 22.5
    assert told["events"][-1]["text"] == "A + B: TIC-201 setpoint 22.5 °C"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"do": "fly"}, "unknown order"),
    ({}, "do: a text expected"),
    ({"do": ["run"]}, "do: a text expected"),
    ({"do": "setpoint", "twins": "AB", "tag": "TIC-201", "value": "22"}, "finite number"),
    ({"do": "setpoint", "twins": "AB", "tag": "TIC-201", "value": True}, "finite number"),
    ({"do": "setpoint", "twins": "AB", "tag": "TIC-201", "value": 1e308}, "allowed"),
    ({"do": "setpoint", "twins": "C", "tag": "TIC-201", "value": 22}, "A, B or AB"),
    ({"do": "setpoint", "twins": "AB", "tag": "__class__", "value": 22}, "unknown loop"),
    ({"do": "mode", "twins": "AB", "tag": "TIC-201", "mode": "OFF"}, "unknown mode"),
    ({"do": "inject", "twins": "A", "place": "T_air", "kind": "explode"}, "unknown fault"),
    ({"do": "speed", "value": 7}, "speed 7"),
    ({"do": "controller", "twins": "A", "name": "../../etc"}, "unknown controller"),
    ({"do": "acknowledge", "twins": "AB", "alarm": 3}, "a text expected"),
]


def test_what_cannot_be_ordered_is_refused_in_one_line(house: tuple[FlaskClient, str]) -> None:
    client, session = house
    for order, words in REFUSED:
        status, found = ask(client, session, **order)
        assert status == 400
        assert words in found["error"]
        assert "\n" not in found["error"]


def test_hostile_requests_are_answered_with_4xx(house: tuple[FlaskClient, str]) -> None:
    client, session = house
    for body, kind in (
        (b"[1]", "application/json"),
        (b"{", "application/json"),
        (b"do=run", "text/plain"),
        (b'{"do":NaN}', "application/json"),
    ):
        assert 400 <= client.post(f"/_live/{session}/order", data=body, content_type=kind).status_code < 500
    assert client.post("/_live/nobody/order", json={"do": "run"}).status_code == 400
    assert "it has ended" in client.get("/_live/nobody/feed").get_json()["ended"]
    assert client.get(f"/_live/{session}/feed?n=x&after=-5&e=99999999999999999999").status_code == 200


def test_served_to_others_twins_are_only_looked_at(house: tuple[FlaskClient, str], data: Data) -> None:
    client, session = house
    object.__setattr__(data.access, "host", "192.0.2.1")
    client.environ_base["HTTP_HOST"] = "192.0.2.1"
    assert "--operator" in ask(client, session, do="run")[1]["error"]
    assert feed(client, session)["k"] == 0


def test_a_session_begins_at_a_speed_that_can_be_watched(data: Data) -> None:
    session = data.live.sessions.get(data.live.start(HOUSE))
    assert session.view().speed / period_of(session.plant) >= 2.0
    assert pleasant(26.0) == 100.0
    assert not session.view().running


def test_policies_are_offered_best_first_and_only_where_they_are_kept(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.live.desk.runs_folder", lambda: tmp_path)
    kept = {}
    with Historian(str(tmp_path / "runs.db")) as store:
        for best, level in ((-2.0, "setpoint"), (-1.0, "setpoint"), (-0.5, "direct"), (math.nan, "setpoint")):
            with store.run("train", "exothermic_cstr", "ppo", 0, {"level": level}, {}) as run:
                store.metrics(run, 1, {"score/ppo": best, "score/best": best})
                store.finish(run, "completed", {})
            (tmp_path / run / "policy").mkdir(parents=True)
            (tmp_path / run / "policy" / "manifest.json").write_text("{}")
            kept[run] = (best, level)
    names = [choice.name for choice in data.live.policies("exothermic_cstr")]
    assert [kept[name.split(" ")[1]][0] for name in names][:2] == [-1.0, -2.0]
    assert len(names) == 3
    assert [choice.name for choice in data.live.controllers("heat_pump_house")] == ["pid", "nmpc"]


def test_the_trend_has_a_line_of_each_kind_for_each_twin_and_shown_loop(data: Data) -> None:
    told = plan(data.live.sessions.get(data.live.start(HOUSE)))
    figure: Any = trend(told, ["TIC-201"])
    lines = {(trace.meta["twin"], trace.meta["kind"]) for trace in figure.data}
    assert lines >= {(twin, kind) for twin in TWINS for kind in ("pv", "sp", "op", "ahead")}
    assert all(isinstance(list(trace.x), list) and len(trace.x) == 0 for trace in figure.data)
    bounds = {(trace.meta["place"], trace.meta["kind"]) for trace in figure.data if trace.meta["kind"] in ("bound", "edge")}
    assert bounds == {(0, "bound"), (0, "edge"), (1, "bound"), (1, "edge")}
    assert [(limit["side"], limit["kind"]) for limit in told["loops"][0]["varying"]] == [("low", "soft"), ("high", "soft")]
    assert told["loops"][0]["unit"] == "°C"
    assert "OP to HP-201" in [note.text for note in figure.layout.annotations]
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize("name", ["ppo ../../elsewhere", "ppo /elsewhere", "nobody"])
def test_a_session_starts_with_what_the_form_offers_and_with_no_folder_that_a_browser_names(data: Data, name: str) -> None:
    with pytest.raises(UnknownName, match="unknown controller"):
        data.live.start(HOUSE._replace(controllers=("pid", name)))


def test_the_pages_stand_for_a_plant_a_session_and_one_that_has_ended(data: Data) -> None:
    form = str(live.layout(data, {"plant": "exothermic_cstr"}))
    assert "setpoint train exothermic_cstr" in form
    name = data.live.start(HOUSE)
    assert f"/live/{name}" in str(live.layout(data, {}))
    assert "live-trend" in str(live_session.layout(data, {"id": name, "loops": "nobody"}))
    data.live.sessions.end(name)
    again = str(live_session.layout(data, {"id": name, "plant": "heat_pump_house", "seed": "4"}))
    assert "has ended" in again
    assert "plant=heat_pump_house" in again
    with pytest.raises(UnknownName):
        live.layout(data, {"plant": "nobody"})
