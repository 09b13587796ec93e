"""The run store as a trainer and a dashboard use it."""

from __future__ import annotations

import math
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from controller import historian as module
from controller import liveness
from controller.historian import Historian
from controller.records import EpisodeRecord, Signal, pack, plain, unpack
from controller.schema import RUN
from plant_models.core.errors import BadInput, UnknownName

SIGNALS = (Signal("T", "K", "pv", "TIC-101", "reactor temperature"), Signal("T_c", "K", "op", "TIC-101", of="T"))


@pytest.fixture
def store(database: str) -> Iterator[Historian]:
    with Historian(database) as historian:
        yield historian


def _episode(samples: int = 50) -> EpisodeRecord:
    time = np.linspace(0.0, 3.0e7, samples)
    values = np.vstack([324.5 + np.sin(time), 300.0 + np.cos(time)])
    kpis = {"iae": 1.25, "settling": math.nan}
    return EpisodeRecord(
        "exothermic_cstr", "ppo", "steps", 7, kpis, "completed", time, "s", SIGNALS, values, {"iae": "K s", "settling": "s"}
    )


def _start(store: Historian, **config: object) -> str:
    return store.start("train", "exothermic_cstr", "ppo", 0, config, {"setpoint": "0.1"})


def test_a_run_has_a_readable_id_and_comes_back_as_it_was_entered(store: Historian) -> None:
    run = _start(store, total_steps=1000, baseline={"pid": np.float64(-2.5)})
    record = store.find(run)
    assert re.fullmatch(r"exothermic-cstr-ppo-[0-9a-f]{6}", run)
    assert (record.kind, record.plant, record.seed, record.status) == ("train", "exothermic_cstr", 0, "running")
    assert record.config == {"total_steps": 1000, "baseline": {"pid": -2.5}}
    assert record.pid == os.getpid()
    assert math.isnan(record.score)


def test_an_id_stays_short_and_plain_whatever_the_names(store: Historian) -> None:
    run = store.start("demo", "P" * 100 + " / ../x", "PPO & PID", 0, {}, {})
    assert re.fullmatch(r"[a-z0-9-]{1,64}", run)


def test_an_id_that_is_taken_is_drawn_again(store: Historian, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["aaaaaa", "aaaaaa", "bbbbbb"])
    monkeypatch.setattr(secrets, "token_hex", lambda size: next(drawn))
    assert [_start(store), _start(store)] == ["exothermic-cstr-ppo-aaaaaa", "exothermic-cstr-ppo-bbbbbb"]


def test_metrics_are_read_incrementally(store: Historian) -> None:
    run, other = _start(store), _start(store)
    store.metrics(run, 100, {"score/ppo": -3.0, "score/best": -2.5, "train/kl": math.nan})
    first = store.metrics_after(run)
    store.metrics(other, 1, {"train/kl": 0.5})
    store.metrics(run, 200, {"score/ppo": -2.0})
    later = store.metrics_after(run, first[-1].id)
    assert [(row.step, row.key) for row in first] == [(100, "score/ppo"), (100, "score/best"), (100, "train/kl")]
    assert math.isnan(first[2].value)
    assert [(row.step, row.key, row.value) for row in later] == [(200, "score/ppo", -2.0)]
    assert store.metrics_after(run, later[-1].id) == []


def test_the_run_carries_its_last_step_score_and_best(store: Historian) -> None:
    run = _start(store)
    store.metrics(run, 100, {"score/ppo": -3.0, "score/best": -2.5, "score/pid": -2.1})
    store.metrics(run, 200, {"train/kl": 0.01})
    record = store.find(run)
    assert (record.step, record.score, record.best) == (200, -3.0, -2.5)


def test_an_episode_comes_back_within_single_precision(store: Historian) -> None:
    run, sent = _start(store), _episode()
    number = store.episode(run, sent)
    got = store.read_episode(number)
    assert got.signals == sent.signals
    assert (got.time_unit, got.kpi_units) == ("s", sent.kpi_units)
    np.testing.assert_array_equal(got.time, sent.time)
    np.testing.assert_allclose(got.values, sent.values, rtol=1e-6)
    (row,) = store.episodes(run)
    assert (row.id, row.controller, row.scenario, row.seed, row.kpis["iae"]) == (number, "ppo", "steps", 7, 1.25)
    assert math.isnan(row.kpis["settling"])


def test_an_episode_whose_shapes_do_not_fit_is_refused(store: Historian) -> None:
    run, good = _start(store), _episode()
    wrong = EpisodeRecord(**{**vars(good), "values": good.values[:, :-1]})
    with pytest.raises(BadInput, match=r"values of shape \(2, 49\), expected \(2, 50\)"):
        store.episode(run, wrong)
    assert store.episodes(run) == []


def test_a_damaged_block_is_named_not_returned() -> None:
    block = pack(_episode())
    with pytest.raises(BadInput, match="damaged"):
        unpack(b"junk" + block[4:], 2, 50)
    with pytest.raises(BadInput, match="damaged"):
        unpack(block[:-20], 2, 50)
    with pytest.raises(BadInput, match="damaged"):
        unpack(block, 2, 51)


def test_a_block_that_would_swell_is_cut_short() -> None:
    with pytest.raises(BadInput, match="damaged"):
        unpack(pack(_episode(100_000)), 2, 50)


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, "completed"), (ValueError("no"), "failed"), (KeyboardInterrupt(), "stopped"), (SystemExit(1), "stopped")],
)
def test_a_run_ends_as_its_block_ended(store: Historian, error: BaseException | None, status: str) -> None:
    with suppress(ValueError, KeyboardInterrupt, SystemExit), store.run("train", "exothermic_cstr", "ppo", 0, {}, {}):
        if error is not None:
            raise error
    (record,) = store.runs()
    assert record.status == status
    assert record.finished is not None
    assert record.result == ({"error": "ValueError: no"} if status == "failed" else {})


def test_a_run_does_not_swallow_what_ended_it(store: Historian) -> None:
    with pytest.raises(KeyboardInterrupt), store.run("train", "exothermic_cstr", "ppo", 0, {}, {}):
        raise KeyboardInterrupt


def test_a_block_may_close_its_run_with_a_result(store: Historian) -> None:
    with store.run("benchmark", "exothermic_cstr", "ppo", 0, {}, {}) as run:
        store.finish(run, "completed", {"paired_difference": {"mean": np.float32(0.5), "low": -math.inf}})
    assert store.find(run).result == {"paired_difference": {"mean": 0.5, "low": None}}


def test_a_failure_shows_even_after_the_run_was_closed(store: Historian) -> None:
    with suppress(ValueError), store.run("benchmark", "exothermic_cstr", "ppo", 0, {}, {}) as run:
        store.finish(run, "completed", {})
        raise ValueError("late")
    assert store.runs()[0].status == "failed"


def test_a_silent_run_reads_as_stopped(store: Historian, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _start(store)
    assert store.find(run).status == "running"
    monkeypatch.setattr(liveness, "STALE", -1.0)
    assert store.find(run).status == "stopped"
    assert store.runs(status="running") == []


def test_a_run_on_another_machine_is_judged_by_its_heartbeat_alone(store: Historian) -> None:
    run = _start(store)
    with store.store.transaction() as connection:
        connection.execute(update(RUN).values(host="elsewhere", pid=999999999))
    assert store.find(run).status == "running"


def test_a_beating_run_stays_alive_without_metrics(store: Historian, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.01)
    with store.run("benchmark", "exothermic_cstr", "ppo", 0, {}, {}) as run:
        before = store.find(run).heartbeat
        while store.find(run).heartbeat == before:
            pass
    assert store.find(run).heartbeat > before


def test_runs_are_listed_newest_first_and_by_plant_and_kind(store: Historian) -> None:
    first = _start(store)
    second = store.start("benchmark", "heat_pump_house", "pid", 3, {}, {})
    assert [run.id for run in store.runs()] == [second, first]
    assert [run.id for run in store.runs(plant="heat_pump_house")] == [second]
    assert [run.id for run in store.runs(kind="train")] == [first]
    assert len(store.runs(limit=1)) == 1


def test_an_old_completed_training_is_found_however_many_runs_came_since(store: Historian) -> None:
    old = _start(store)
    store.finish(old, "completed")
    killed = _start(store)
    with store.store.transaction() as connection:
        connection.execute(update(RUN).where(RUN.c.id == killed).values(heartbeat=0.0))
    others = [_start(store) for _ in range(3)]
    for other in others:
        store.finish(other, "failed")
    assert [run.id for run in store.runs(status="completed", limit=1)] == [old]
    assert [run.id for run in store.runs(status="stopped", limit=1)] == [killed]
    assert store.runs(status="running") == store.runs(controller="pid") == []
    assert len(store.runs()) == 5


@pytest.mark.parametrize("name", ["nobody-123456", "../../etc/passwd", "", "x' OR '1'='1", "A" * 5000])
def test_an_unknown_run_is_named(store: Historian, name: str) -> None:
    with pytest.raises(UnknownName, match="not in the store"):
        store.find(name)


@pytest.mark.parametrize("number", [0, -1, 99, 10**30])
def test_an_unknown_episode_is_named(store: Historian, number: int) -> None:
    with pytest.raises(UnknownName, match="not in the store"):
        store.read_episode(number)


def test_nothing_can_be_written_to_a_run_that_was_never_started(store: Historian) -> None:
    for write in (
        lambda: store.metrics("nobody-1", 1, {"train/kl": 0.1}),
        lambda: store.heartbeat("nobody-1"),
        lambda: store.episode("nobody-1", _episode()),
        lambda: store.finish("nobody-1", "completed", {}),
    ):
        with pytest.raises(UnknownName, match="not in the store"):
            write()


def test_documents_become_plain_json() -> None:
    given = {"a": np.float32(1.5), "b": (np.int64(2), math.nan), "c": np.array([1.0, math.inf]), "d": Path("x"), 5: None}
    assert plain(given) == {"a": 1.5, "b": [2, None], "c": [1.0, None], "d": "x", "5": None}


def test_the_store_is_in_write_ahead_mode(tmp_path: Path) -> None:
    Historian(str(tmp_path / "runs.db")).close()
    raw = sqlite3.connect(tmp_path / "runs.db")
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    raw.close()


def test_the_newest_of_each_metric_is_found(store: Historian) -> None:
    run = _start(store)
    for step, value in ((10, 1.0), (20, 2.0)):
        store.metrics(run, step, {"train/kl": value, "score/ppo": -value})
    store.metrics(run, 30, {"score/ppo": -3.0})
    assert store.last_metrics(run, ["train/kl", "score/ppo", "score/nmpc"]) == {"train/kl": 2.0, "score/ppo": -3.0}
