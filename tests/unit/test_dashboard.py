"""The dashboard without a browser: its addresses, its words, what it refuses, and the headers it sends."""

from __future__ import annotations

import json
import logging
import math
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dash import Dash, dcc
from flask.testing import FlaskClient

from controller.historian import Historian
from controller.store import REVISION_TABLE
from dashboard import components as ui
from dashboard.access import Access
from dashboard.app import create_app
from dashboard.data import Data, open_data
from dashboard.pages import compare, plant, run, safety
from dashboard.results import said
from dashboard.router import navigation, resolve, shown
from dashboard.server import address, bind, serve
from dashboard.verdict import Verdict
from plant_models.core.errors import BadInput, UnknownName
from tests.browser.plants import Cards
from tests.browser.store import REACTOR_RESULT, benchmark, fill, reactor_episode

ROOT = Path(__file__).parents[2]
PATHS = [*navigation().values(), "/plants/exothermic_cstr", "/jobs/new"]
HOSTILE: list[Any] = [
    "/runs/nobody",
    "/runs/../../etc/passwd", "/runs/%2e%2e%2f", "/plants/__import__", "/nowhere", "/runs/" + "a" * 9000, "//", "/runs/\x00",
    ["/"], {"a": 1}, 7, None, True,
]  # fmt: skip
SEARCHES: list[Any] = [
    "", "?sort=__class__&page=-5", "?page=99999999999999999999", "?page=%ff", "?run=nobody", "?a=x&b=y", "?scenario=%00&seed=abc",
    "?controllers=,,,", "?episode=-1", "?episode=99999999999999999999999", "?episode=drop table", ["?"], {"x": []}, 3,
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    path = tmp_path_factory.mktemp("store") / "runs.db"
    return path, fill(path)


@pytest.fixture(scope="module")
def app(store: tuple[Path, dict[str, str]]) -> Dash:
    return create_app(str(store[0]), Cards())


@pytest.fixture
def client(app: Dash) -> Iterator[FlaskClient]:
    with app.server.test_client() as client:
        yield client


def _open(client: FlaskClient, path: object, search: object = "") -> tuple[int, str]:
    """Ask for a page's content as the browser does."""
    inputs = [{"id": "url", "property": name, "value": value} for name, value in (("pathname", path), ("search", search))]
    body = {
        "output": "content.children",
        "outputs": {"id": "content", "property": "children"},
        "inputs": inputs,
        "changedPropIds": ["url.pathname"],
    }
    answer = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    return answer.status_code, answer.get_data(as_text=True)


@pytest.mark.parametrize("path", PATHS)
def test_every_page_opens_with_a_full_store(client: FlaskClient, path: str) -> None:
    code, text = _open(client, path)
    assert code == 200
    assert "Not found" not in text


@pytest.mark.parametrize("path", PATHS)
def test_every_page_opens_with_an_empty_store(tmp_path: Path, path: str) -> None:
    with create_app(str(tmp_path / "new.db"), Cards()).server.test_client() as client:
        code, text = _open(client, path)
    assert code == 200
    assert "Not found" not in text


@pytest.mark.parametrize(
    ("path", "command"), [("/", "python3 run.py demo"), ("/runs", "setpoint train"), ("/compare", "setpoint benchmark")]
)
def test_an_empty_page_shows_the_command_that_fills_it(tmp_path: Path, path: str, command: str) -> None:
    with create_app(str(tmp_path / "new.db"), Cards()).server.test_client() as client:
        assert command in _open(client, path)[1]


def test_a_message_sets_its_command_as_code(client: FlaskClient) -> None:
    text = _open(client, "/runs/nobody")[1]
    assert "setpoint runs" in text
    assert "`" not in text


@pytest.mark.parametrize("path", HOSTILE)
def test_an_address_that_leads_nowhere_gets_a_page_not_an_error(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, path: object
) -> None:
    assert _open(client, path)[0] in (200, 204)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("search", SEARCHES)
def test_a_senseless_query_gets_a_page_not_an_error(
    client: FlaskClient, store: tuple[Path, dict[str, str]], caplog: pytest.LogCaptureFixture, search: object
) -> None:
    for path in ("/", "/runs", "/compare", f"/runs/{store[1]['reactor']}", "/plants/exothermic_cstr"):
        assert _open(client, path, search)[0] == 200
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_an_unknown_run_is_told_so(client: FlaskClient) -> None:
    assert "not in the store" in _open(client, "/runs/exothermic-cstr-ppo-000000")[1]


def test_an_unknown_plant_is_told_what_there_is(client: FlaskClient) -> None:
    assert "exothermic_cstr, heat_pump_house" in _open(client, "/plants/cstr")[1]


def test_a_store_damaged_meanwhile_gets_a_page_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    app = create_app(str(path), Cards())
    raw = sqlite3.connect(path)
    raw.execute("DROP TABLE run")
    raw.commit()
    raw.close()
    with app.server.test_client() as client:
        code, text = _open(client, "/runs")
    assert code == 200
    assert "not a complete run store" in text
    assert "Try again" in text
    assert '"Overview"' not in text


@pytest.mark.parametrize("path", ["/", "/runs", "/compare", "/runs/nobody"])
def test_a_store_that_a_newer_version_changed_meanwhile_gets_a_page_that_says_so(tmp_path: Path, path: str) -> None:
    app = create_app(str(tmp_path / "runs.db"), Cards())
    raw = sqlite3.connect(tmp_path / "runs.db")
    raw.execute(f"UPDATE {REVISION_TABLE} SET version_num = '9999'")
    raw.commit()
    raw.close()
    with app.server.test_client() as client:
        code, text = _open(client, path)
    assert code == 200
    assert "schema 9999" in text
    assert "Update setpoint, or name another with --store." in text


def test_a_store_deleted_meanwhile_gets_a_page_that_says_so_until_it_is_back(tmp_path: Path) -> None:
    path, aside = tmp_path / "runs.db", tmp_path / "aside.db"
    with Historian(str(path)) as store:
        run = store.start("train", "exothermic_cstr", "ppo", 0, {}, {})
    app = create_app(str(path), Cards())
    with app.server.test_client() as client:
        assert run in _open(client, "/runs")[1]
        path.rename(aside)
        for page in ("/", "/runs", f"/runs/{run}"):
            text = _open(client, page)[1]
            assert "gone, moved or deleted meanwhile" in text
            assert "Put it back, or start again with a new one." in text
        assert not path.exists()
        aside.rename(path)
        assert run in _open(client, "/runs")[1]


def test_a_store_emptied_meanwhile_gets_a_page_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    app = create_app(str(path), Cards())
    with app.server.test_client() as client:
        path.unlink()
        assert "gone, moved or deleted meanwhile" in _open(client, "/runs")[1]
        path.touch()
        assert "emptied meanwhile, or replaced by an older one" in _open(client, "/runs")[1]


def test_a_store_that_another_program_locks_gets_a_page_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.store.BUSY_TIMEOUT", 0.2)
    with Historian(str(tmp_path / "runs.db")) as store:
        data = Data(store, Cards(), Access())
        store.close()  # SQLite grants such a lock only while nobody reads
        raw = sqlite3.connect(tmp_path / "runs.db", isolation_level=None)
        raw.execute("PRAGMA locking_mode=EXCLUSIVE")
        raw.execute("BEGIN EXCLUSIVE")
        text = " ".join(_texts(shown(data, "/runs", "")))
        raw.close()
    assert "locked by another program" in text


def test_a_store_overwritten_meanwhile_gets_a_page_that_says_so(tmp_path: Path) -> None:
    app = create_app(str(tmp_path / "runs.db"), Cards())
    for path in tmp_path.glob("runs.db*"):
        path.write_bytes(b"dear diary, " * 5000)
    with app.server.test_client() as client:
        text = _open(client, "/runs")[1]
    assert "not an SQLite database" in text or "damaged" in text


def test_a_store_that_cannot_be_used_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("dear diary, " * 500)
    with pytest.raises(BadInput, match="not an SQLite database"):
        create_app(str(tmp_path / "notes.txt"))


def test_two_dashboards_in_one_process_each_show_their_own_store(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "a.db")) as a, Historian(str(tmp_path / "b.db")) as b:
        runs = [store.start("train", "exothermic_cstr", "ppo", 0, {}, {}) for store in (a, b)]
    texts = []
    for name in ("a.db", "b.db"):
        with create_app(str(tmp_path / name), Cards()).server.test_client() as client:
            texts.append(_open(client, "/runs")[1])
    assert [run in text for text in texts for run in runs] == [True, False, False, True]


def test_debugging_stays_off_whatever_the_environment_says(tmp_path: Path) -> None:
    code = (
        "import sys; from dashboard.app import create_app; app = create_app(sys.argv[1])\n"
        "assert not app.server.debug and not app._dev_tools.ui and not app._dev_tools.hot_reload\n"
        "assert app._dev_tools.disable_version_check\n"
        "assert '_mcp' not in str(app.server.url_map) and app.config.requests_pathname_prefix == '/'"
    )
    environment = {"DASH_DEBUG": "1", "DASH_UI": "1", "DASH_MCP": "1", "DASH_URL_BASE_PATHNAME": "/x/", "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "runs.db")], cwd=ROOT, env=environment, check=True)


def test_nothing_on_the_page_comes_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/").get_data(as_text=True)
    assert "http://" not in page
    assert "https://" not in page
    for path in (ROOT / "dashboard" / "assets").glob("setpoint.*"):
        assert "//" not in path.read_text()


def test_the_dashboard_never_imports_the_learner(tmp_path: Path) -> None:
    code = (
        "import sys; from dashboard.app import create_app; create_app(sys.argv[1])\n"
        "assert not {'torch', 'stable_baselines3', 'casadi', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "runs.db")], cwd=ROOT, check=True)


def test_an_address_of_another_machine_cannot_be_served() -> None:
    with pytest.raises(BadInput, match=r"host '': no address; 127.0.0.1"):
        bind("")
    with pytest.raises(BadInput, match=r"host '192.0.2.1': not an address of this machine"):
        bind("192.0.2.1")


def test_a_port_that_is_taken_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=rf"port {port}: cannot be used .*choose another with --port"):
            serve(str(tmp_path / "runs.db"), port=port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(BadInput, match="not a port"):
        bind(port=port)


def test_any_free_port_is_found_and_named() -> None:
    with bind("localhost") as bound:
        assert address(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("path", "named"), [("/", {}), ("/runs/", {}), ("/runs/abc", {"id": "abc"}), ("/plants/a%20b", {"name": "a b"})]
)
def test_addresses_lead_to_pages(path: str, named: dict[str, str]) -> None:
    assert resolve(path)[1] == named


@pytest.mark.parametrize("path", ["/run", "/runs/a/b", "/plants/x/y", "/<id>", "/runs/<id>/z"])
def test_other_addresses_do_not(path: str) -> None:
    with pytest.raises(UnknownName):
        resolve(path)


def _texts(component: object) -> Iterator[str]:
    """Every text of a component, in order."""
    if isinstance(component, str):
        yield component
    elif isinstance(component, (list, tuple)):
        for part in component:
            yield from _texts(part)
    else:
        yield from _texts(getattr(component, "children", None) or [])


def test_compare_shows_differences_to_pid_with_their_units(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        name = benchmark(store, "exothermic_cstr", 2, {"mean": 0.4, "low": 0.3, "high": 0.5})
    data = open_data(str(tmp_path / "runs.db"), Cards())
    texts = list(_texts(compare.layout(data, {"run": name, "scenario": "tracking", "seed": "1"})))
    assert "exothermic_cstr · tracking · seed 1" in texts
    assert "PPO − PID" in texts
    assert "mol min/L" in texts
    assert "−1.800" in texts  # overshoot, 1.5 % against 3.3 %


def test_the_shares_of_learning_stand_on_the_safety_page_as_they_were_recorded(tmp_path: Path) -> None:
    shares = {"train/hard_violations": 3.0, "train/interventions": 12.5, "train/uncertified": 0.75}
    with Historian(str(tmp_path / "runs.db")) as store, store.run("train", "exothermic_cstr", "ppo", 0, {}, {}) as name:
        store.metrics(name, 6000, shares)
    texts = list(_texts(safety.layout(open_data(str(tmp_path / "runs.db"), Cards()), {"plant": "exothermic_cstr"})))
    learned = texts[texts.index(name) + 1 :]
    assert learned[:6] == ["none", "6,000", "3", "0.500", "12.5", "0.750"]


def test_a_comparison_says_at_its_head_what_ppo_saves_against_pid(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        name = benchmark(store, "exothermic_cstr", 2, REACTOR_RESULT)
    data = open_data(str(tmp_path / "runs.db"), Cards())
    assert "PPO saves 17.9 %" in list(_texts(compare.layout(data, {"run": name})))
    other = {"run": name, "controllers": "pid,constant"}
    assert not [text for text in _texts(compare.layout(data, other)) if text.startswith("PPO saves")]


@pytest.mark.parametrize(
    ("mean", "low", "high", "headline", "words"),
    [(5.0, 1.0, 9.0, "cost", "PPO saves 10.0 %"), (-5.0, -9.0, -1.0, "cost", "PPO costs 10.0 % more"),
     (0.02, 0.01, 0.03, "cost", "PPO saves 0.040 %"),
     (5.0, -1.0, 11.0, "cost", "No clear difference"), (-5.0, -9.0, -1.0, "return", "PPO is 10.0 % behind")],
)  # fmt: skip
def test_a_verdict_in_a_few_words(mean: float, low: float, high: float, headline: str, words: str) -> None:
    figures = {"pid": {headline: 50.0}}
    run: Any = None
    assert said(Verdict("tank", run, mean, low, high, "EUR", 20, headline, figures, {})) == words


def test_axes_over_many_episodes_say_in_words_what_they_are_with_units(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        name = benchmark(store, "exothermic_cstr", 2, REACTOR_RESULT)
    data = open_data(str(tmp_path / "runs.db"), Cards())
    x, y = _axis_titles(compare.layout(data, {"run": name, "view": "fronts"}))[0]
    assert (x, y) == ("jacket temperature: its moves, summed (K)", "absolute error, summed over time (mol min/L)")
    boxes = _axis_titles(compare.layout(data, {"run": name, "view": "seeds", "kpi": "IAE"}))
    assert [y for _, y in boxes] == ["absolute error, summed over time (mol min/L)", "difference to PID (mol min/L)"]


def _axis_titles(component: object) -> list[tuple[str | None, str | None]]:
    """The titles of the axes, across and up, of every figure within."""
    if isinstance(component, (list, tuple)):
        return [found for part in component for found in _axis_titles(part)]
    if isinstance(component, dcc.Graph):
        layout = component.figure.layout
        return [(layout.xaxis.title.text, layout.yaxis.title.text)]
    return _axis_titles(getattr(component, "children", None) or []) if not isinstance(component, str) else []


def test_compare_works_across_runs(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        a, b = (benchmark(store, "exothermic_cstr", 1, {}) for _ in range(2))
    data = open_data(str(tmp_path / "runs.db"), Cards())
    texts = list(_texts(compare.layout(data, {"runs": f"{a},{b}"})))
    assert f"PPO {a[-6:]}" in texts
    assert f"PPO {b[-6:]}" in texts


GAIN = {"mean": 0.4, "low": 0.3, "high": 0.5}
TABLE = {"pid": {"cost": 2.0, "hard-limit violations": 0.0}, "ppo": {"cost": 1.6, "hard-limit violations": 1.0}}
UNITS = {"cost": "EUR", "hard-limit violations": "episodes"}
DEMO = {**TABLE, "paired_difference": GAIN, "units": UNITS, "episodes": 50, "train_seconds": 9.0}
BENCHMARK = {"controllers": TABLE, "against_pid": {"ppo": GAIN}, "units": UNITS, "episodes": 50}


@pytest.mark.parametrize(
    "result", [DEMO, BENCHMARK, {"plants": {"exothermic_cstr": DEMO, "broken": {"paired_difference": {"mean": "?"}}}}]
)
def test_a_verdict_is_read_from_what_demo_and_benchmark_record(tmp_path: Path, result: dict[str, Any]) -> None:
    with Historian(str(tmp_path / "runs.db")) as store, store.run("demo", "exothermic_cstr", "ppo", 0, {}, {}) as name:
        store.finish(name, "completed", result)
    (verdict,) = open_data(str(tmp_path / "runs.db"), Cards()).verdicts()
    assert (verdict.plant, verdict.run.id, verdict.mean, verdict.low, verdict.high) == ("exothermic_cstr", name, 0.4, 0.3, 0.5)
    assert (verdict.headline, verdict.unit, verdict.episodes, verdict.share) == ("cost", "EUR", 50, 0.2)
    assert verdict.figures == TABLE


@pytest.mark.parametrize(
    "result", [{}, {"score": 1.0}, {"paired_difference": []}, {"plants": 3}, {"against_pid": {"nmpc": GAIN}}]
)
def test_a_run_that_compares_nothing_has_no_verdict(tmp_path: Path, result: dict[str, Any]) -> None:
    with Historian(str(tmp_path / "runs.db")) as store, store.run("train", "exothermic_cstr", "ppo", 0, {}, {}) as name:
        store.finish(name, "completed", result)
    assert open_data(str(tmp_path / "runs.db"), Cards()).verdicts() == []


def test_the_newest_verdict_of_a_plant_counts(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        for mean in (1.0, 2.0):
            with store.run("demo", "exothermic_cstr", "ppo", 0, {}, {}) as name:
                store.finish(name, "completed", {**DEMO, "paired_difference": {**GAIN, "mean": mean}})
    assert [verdict.mean for verdict in open_data(str(tmp_path / "runs.db"), Cards()).verdicts()] == [2.0]


def test_a_run_shows_its_episode_and_its_error(store: tuple[Path, dict[str, str]]) -> None:
    data = open_data(str(store[0]), Cards())
    shown = " ".join(_texts(run.layout(data, {"id": store[1]["failed"]})))
    assert "T left its valid range" in shown
    episode = data.episodes(store[1]["reactor"])[3]
    shown = " ".join(_texts(run.layout(data, {"id": store[1]["reactor"], "episode": str(episode.id)})))
    assert "tracking, seed 1, PPO: completed" in shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.5, "1.500"),
        (-0.0123456, "−0.01235"),
        (123456.7, "123,457"),
        (1.5e-7, "1.500×10⁻⁷"),
        (float("nan"), "–"),
        (None, "–"),
        (12, "12"),
    ],
)
def test_numbers_have_four_significant_figures(value: object, text: str) -> None:
    assert ui.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.5"), (7.2e10, "7.2×10¹⁰"), (333.0, "333"), (None, "–"), (True, "–")])
def test_declared_numbers_keep_the_digits_they_were_written_with(value: object, text: str) -> None:
    assert ui.exact(value) == text


@pytest.mark.parametrize(
    ("value", "reference", "text"),
    [
        (0.08176, 0.08223, "−4.7×10⁻⁴"), (0.066001, 0.066000, "0"), (2.867, 2.945, "−0.078"), (30.0, 30.0, "0"),
        (3.0, 0.0, "+3.000"),
        (float("nan"), 1.0, "–"), (0.0, 0.0, "0"), (12.0, 10.0, "+2.00"),
    ],
)  # fmt: skip
def test_a_difference_is_told_to_the_last_place_that_is_shown_of_what_differs(value: float, reference: float, text: str) -> None:
    assert ui.apart(value, reference) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.00416, -0.156, 0.164, "+0.004"), (-0.156, -0.156, 0.164, "−0.156"), (0.0, -0.5, 0.5, "0.000"),
        (2345.6, 2000.0, 2700.0, "+2,346"),
        (0.5, 0.5, 0.5, "+0.500"), (1e-5, 0.0, 2e-5, "+1.00×10⁻⁵"), (1.0, -math.inf, math.inf, "+1.00"),
    ],
)  # fmt: skip
def test_a_gain_is_told_to_the_place_that_its_interval_makes_worth_knowing(
    value: float, low: float, high: float, text: str
) -> None:
    assert ui.within(value, low, high) == text


def test_a_command_too_long_for_a_line_breaks_between_its_words_alone() -> None:
    command = "setpoint train exothermic_cstr --seed 3"
    assert "".join(_texts(ui.code(command))) == command
    assert [part.children for part in ui.code(command).children if part != " "] == command.split()


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (65, "1 min 05 s"), (3700, "1 h 01 min"), (90000, "1 d 01 h")])
def test_durations_are_short(seconds: float, text: str) -> None:
    assert ui.duration(seconds) == text


def test_a_plant_shows_its_temperatures_in_the_unit_of_its_displays(store: tuple[Path, dict[str, str]]) -> None:
    texts = list(_texts(plant.layout(open_data(str(store[0]), Cards()), {"name": "exothermic_cstr"})))
    assert "36.85 to 66.85" in texts  # 310 to 340 K
    assert "−23.15 to 376.85" in texts
    assert "°C" in texts


def test_ppo_and_pid_are_compared_unless_the_address_names_others(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        name = benchmark(store, "exothermic_cstr", 1, {})
        store.episode(name, replace(reactor_episode("constant", 0), controller="constant"))
    data = open_data(str(tmp_path / "runs.db"), Cards())
    assert "constant − PID" not in list(_texts(compare.layout(data, {"run": name})))
    assert "constant − PID" in list(_texts(compare.layout(data, {"run": name, "controllers": "pid,constant"})))


def test_a_rewards_components_are_told_in_words(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store, store.run("train", "exothermic_cstr", "ppo", 0, {}, {}) as name:
        for step in (1000, 2000):
            store.metrics(name, step, {"score": -2.0, "cost/c_A": 1.5, "cost/rest": 0.1})
    data = open_data(str(tmp_path / "runs.db"), Cards())
    drawn = str(run.layout(data, {"id": name}).to_plotly_json())
    assert "c_A, concentration of A" in drawn
    assert "rest, " not in drawn
