"""The run store when it is killed, shared, damaged, foreign, newer or out of reach."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from controller import champions, events, jobs
from controller.historian import Historian
from dashboard.cli import run
from plant_models.core.errors import BadInput

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
import numpy as np
from controller.historian import Historian
from controller.records import EpisodeRecord, Signal
store = Historian(sys.argv[1])
run = store.start("train", "exothermic_cstr", "ppo", 0, {"total_steps": 10**9}, {})
print(run, flush=True)
time = np.arange(200.0)
episode = EpisodeRecord("exothermic_cstr", "ppo", "steps", 0, {"iae": 1.0}, "completed", time, "min",
                        (Signal("T", "K", "pv"),), time[None, :] + 300.0)
for step in range(int(sys.argv[2])):
    store.metrics(run, step, {"score/ppo": -float(step), "train/kl": 0.01})
    if step % 10 == 0:
        store.episode(run, episode)
    print(step, flush=True)
store.finish(run, "completed", {})
"""


@contextmanager
def _writer(url: str, steps: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", WRITER, url, str(steps)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_what_was_recorded_survives_kill_9_and_the_run_reads_as_stopped(database: str) -> None:
    with _writer(database, 10**6) as process:
        run = _line(process)
        confirmed = [int(_line(process)) for _ in range(60)][-1]
        process.send_signal(signal.SIGKILL)
        process.wait()
    with Historian(database) as store:
        steps = [row.step for row in store.metrics_after(run) if row.key == "score/ppo"]
        assert steps[: confirmed + 1] == list(range(confirmed + 1))
        assert store.find(run).status == "stopped"
        episodes = store.episodes(run)
        assert len(episodes) >= 6
        assert store.read_episode(episodes[-1].id).values[0, -1] == 499.0


def test_two_writers_and_two_readers_share_one_store(database: str) -> None:
    with _writer(database, 40) as one, _writer(database, 40) as two, Historian(database) as store, Historian(database) as other:
        runs = [_line(one), _line(two)]
        while any(reader.find(run).status == "running" for reader in (store, other) for run in runs):
            assert all(process.poll() in (None, 0) for process in (one, two))
    with Historian(database) as store:
        for run in runs:
            assert [row.step for row in store.metrics_after(run) if row.key == "train/kl"] == list(range(40))
            assert store.find(run).status == "completed"


def test_processes_that_open_a_new_store_at_once_all_succeed(database: str) -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from controller.historian import Historian; Historian(sys.argv[1])",
        database.replace("runs.db", "new/runs.db"),
    ]
    processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors


def _refusal(location: object) -> str:
    with pytest.raises(BadInput) as caught:
        Historian(str(location))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary, " * 500)
    assert "not an SQLite database" in _refusal(path)
    assert path.read_text() == "dear diary, " * 500


def test_a_damaged_store_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with Historian(str(path)) as store:
        for seed in range(300):
            store.start("train", "exothermic_cstr", "ppo", seed, {"note": "x" * 400}, {})
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(BadInput, match="damaged") as caught, Historian(str(path)) as store:
        store.runs()
    assert str(path) in str(caught.value)
    assert "--store" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        "run SET config = '[]'",
        "run SET result = '3'",
        "run SET started = 'now'",
        "run SET started = 1e300",
        "run SET started = -9e999",
        "run SET finished = 'then'",
        "run SET heartbeat = 9e15",
        "run SET best = 'high'",
        "run SET seed = 'x'",
        "episode SET kpis = '[1]'",
    ],
)
def test_a_row_that_was_written_over_is_named_in_one_line(
    change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "runs.db"
    assert run(["--store", str(path), "simulate", "exothermic_cstr", "--json"]) == 0
    name = json.loads(capsys.readouterr().out)["run"]
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(f"UPDATE {change}")
    assert run(["--store", str(path), "runs", name]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    field = change.split()[2]
    assert f": {field} of " in said.err
    assert "is not what was written; move the store away" in said.err


def test_a_moment_that_no_calendar_knows_is_named_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with Historian(str(path)) as historian:
        store = historian.store
        events.say(store, historian.start("train", "exothermic_cstr", "ppo", 0, {}, {}), "training", "begun")
        jobs.enter(store, "train", ["train"], "log")
        champions.judge(store, champions.Promotion("exothermic_cstr", "", "folder", False, {}))
        readers = {"event.time": events.events, "job.created": jobs.jobs, "promotion.judged": champions.promotions}
        for column, reader in readers.items():
            assert len(reader(store)) == 1
            table, _, name = column.partition(".")
            with closing(sqlite3.connect(path)) as raw, raw:
                raw.execute(f"UPDATE {table} SET {name} = 1e300")
            with pytest.raises(BadInput, match=f"{name} of .* is not what was written"):
                reader(store)


def _foreign(database: str, statement: str) -> None:
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def test_another_programs_database_is_refused(database: str) -> None:
    _foreign(database, "CREATE TABLE run (runner TEXT)")
    assert "database of another program" in _refusal(database)


def test_a_store_may_share_its_database_with_other_tables(database: str) -> None:
    _foreign(database, "CREATE TABLE studies (name TEXT)")
    with Historian(database) as store:
        assert store.runs() == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "its folder cannot be made" in _refusal(tmp_path / "file" / "runs.db")


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    assert "a folder, expected a file" in _refusal(tmp_path)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("nonsense://", "not a database URL|neither SQLite nor PostgreSQL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("://", "not a database URL"),
        ("postgresql://user:secret@127.0.0.1:1/none", "no driver|cannot be used"),
        ("postgres://user:secret@127.0.0.1:1/none", "no driver|cannot be used"),
        ("mysql://user:secret@127.0.0.1:1/none", "neither SQLite nor PostgreSQL"),
    ],
)
def test_an_address_that_leads_nowhere_is_explained_without_its_password(location: str, reason: str) -> None:
    text = _refusal(location)
    assert any(part in text for part in reason.split("|"))
    assert "secret" not in text


def test_a_locked_store_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "runs.db"
    Historian(str(path)).close()
    monkeypatch.setattr("controller.store.BUSY_TIMEOUT", 0.05)
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    with Historian(str(path)) as store, pytest.raises(BadInput, match="locked by another program"):
        store.start("train", "exothermic_cstr", "ppo", 0, {}, {})
    raw.close()


def test_without_a_driver_for_a_server_the_remedy_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "run: pip install 'setpoint[postgres]'" in _refusal("postgresql://127.0.0.1:1/none")


@pytest.mark.slow
def test_a_server_that_lacks_the_database_is_explained(postgres: str) -> None:
    assert 'database "absent" does not exist' in _refusal(f"postgresql://setpoint@/absent?host={postgres}")
