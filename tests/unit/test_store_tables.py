"""What stands in the store beside runs: tags, kept cells, jobs, events, champions."""

from __future__ import annotations

import math
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from controller import cell_store, champions, events, jobs, liveness, tags
from controller.cell_store import KeptCell
from controller.champions import Promotion
from controller.events import Event
from controller.historian import Historian
from controller.store import Store
from plant_models.core.errors import BadInput, UnknownName


@pytest.fixture
def historian(database: str) -> Iterator[Historian]:
    with Historian(database) as opened:
        yield opened


@pytest.fixture
def store(historian: Historian) -> Store:
    return historian.store


@pytest.fixture
def run(historian: Historian) -> str:
    return historian.start("train", "exothermic_cstr", "ppo", 0, {}, {})


def test_tags_are_added_once_counted_and_taken_away(historian: Historian, store: Store, run: str) -> None:
    other = historian.start("train", "exothermic_cstr", "ppo", 1, {}, {})
    for tag in (" night shift ", "baseline", "baseline"):
        tags.add(store, run, tag)
    tags.add(store, other, "baseline")
    assert tags.of_runs(store) == {run: ("baseline", "night shift"), other: ("baseline",)}
    assert tags.of_runs(store, [other]) == {other: ("baseline",)}
    assert tags.used(store) == {"baseline": 2, "night shift": 1}
    tags.remove(store, run, "baseline")
    assert tags.of_runs(store, [run]) == {run: ("night shift",)}


@pytest.mark.parametrize("tag", ["", "  ", "x" * 65, "two\nlines"])
def test_a_tag_that_cannot_be_shown_is_refused(store: Store, run: str, tag: str) -> None:
    with pytest.raises(BadInput, match="printable"):
        tags.add(store, run, tag)


def test_only_runs_that_exist_are_tagged_and_archived(store: Store) -> None:
    with pytest.raises(UnknownName, match="not in the store"):
        tags.add(store, "nobody-1", "x")
    with pytest.raises(UnknownName, match="not in the store"):
        tags.archive(store, "nobody-1")


def test_a_run_is_put_away_and_taken_out(historian: Historian, run: str) -> None:
    tags.archive(historian.store, run)
    assert historian.find(run).archived
    tags.archive(historian.store, run, False)
    assert not historian.find(run).archived


def test_the_first_result_of_a_cell_is_the_one_that_is_kept(store: Store, run: str) -> None:
    first = KeptCell("k1", "exothermic_cstr", {"cost": 2.0, "settling": math.nan}, b"\x00\x01", run)
    assert cell_store.keep(store, first)
    assert not cell_store.keep(store, replace(first, result={"cost": 3.0}))
    found = cell_store.kept(store, ["k1", "k2"])
    assert set(found) == {"k1"}
    assert (found["k1"].result, found["k1"].block, found["k1"].run) == ({"cost": 2.0, "settling": None}, b"\x00\x01", run)
    assert found["k1"].created > 0


def test_many_cells_are_found_and_forgotten_at_once(store: Store) -> None:
    for i in range(20):
        cell_store.keep(store, KeptCell(f"k{i}", "exothermic_cstr", {"cost": i}))
    asked = [f"k{i}" for i in range(40_000)]
    assert len(cell_store.kept(store, asked)) == 20
    assert cell_store.forget(store, asked) == 20
    assert cell_store.kept(store, asked) == {}


def test_a_cell_of_an_unknown_run_is_refused(store: Store) -> None:
    with pytest.raises(UnknownName, match="not in the store"):
        cell_store.keep(store, KeptCell("k", "exothermic_cstr", {}, None, "nobody-1"))


def test_a_job_lives_from_its_entry_to_its_end(store: Store, run: str) -> None:
    job = jobs.enter(store, "train", ["train", "exothermic_cstr"], "/logs/1.txt")
    assert jobs.find(store, job).state == "waiting"
    jobs.begin(store, job, os.getpid())
    jobs.attach(store, job, run)
    jobs.beat(store, job)
    found = jobs.find(store, job)
    assert (found.state, found.pid, found.run, found.command) == ("running", os.getpid(), run, ("train", "exothermic_cstr"))
    jobs.end(store, job, "failed", 2)
    assert (jobs.find(store, job).state, jobs.find(store, job).code) == ("failed", 2)
    assert [found.id for found in jobs.jobs(store)] == [job]


def test_a_job_whose_process_is_gone_reads_as_stopped(store: Store) -> None:
    job = jobs.enter(store, "train", ["train"], "")
    with subprocess.Popen(["true"]) as gone:
        pass
    jobs.begin(store, job, gone.pid)
    assert jobs.find(store, job).state == "stopped"


def test_a_job_whose_number_another_process_has_reads_as_stopped_once_it_is_silent(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.enter(store, "train", ["train"], "")
    monkeypatch.setattr("time.time", lambda: 1e9)
    jobs.begin(store, job, os.getpid())  # of this process, which began long after
    assert jobs.find(store, job).state == "running"
    monkeypatch.setattr("time.time", lambda: 1e9 + liveness.STALE + 1.0)
    assert jobs.find(store, job).state == "stopped"


def test_a_job_whose_store_is_too_busy_for_its_signs_of_life_runs_while_its_process_does(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, now = jobs.enter(store, "train", ["train"], ""), time.time()
    jobs.begin(store, job, os.getpid())
    monkeypatch.setattr("time.time", lambda: now + 3600.0)
    assert jobs.find(store, job).state == "running"


def test_jobs_that_wait_count_against_the_limit_and_two_that_come_at_once_get_one_place(store: Store) -> None:
    jobs.enter(store, "train", ["train"], "", most=3)
    jobs.begin(store, jobs.enter(store, "train", ["train"], "", most=3), os.getpid())
    refused: list[str] = []

    def come() -> None:
        try:
            jobs.enter(store, "train", ["train"], "", most=3)
        except BadInput as error:
            refused.append(str(error))

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["3 jobs wait or run: allowed are 3, one a processor; wait, or stop one"] * 7
    assert len(jobs.jobs(store)) == 3


def test_a_job_whose_process_never_came_reads_as_stopped(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    job = jobs.enter(store, "train", ["train"], "")
    monkeypatch.setattr(jobs, "NEVER", -1.0)
    assert jobs.find(store, job).state == "stopped"
    jobs.begin(store, job, os.getpid())  # late, and yet it works
    assert jobs.find(store, job).state == "running"


@pytest.mark.parametrize("job", ["nobody-1", "", "../x"])
def test_an_unknown_job_is_named(store: Store, job: str) -> None:
    with pytest.raises(UnknownName, match="not in the store"):
        jobs.find(store, job)
    with pytest.raises(UnknownName, match="not in the store"):
        jobs.beat(store, job)


def test_events_come_back_newest_first_and_change_their_state(store: Store, run: str) -> None:
    first = events.enter(store, Event(1.0, "TIC-101", "high alarm", 1, "unacknowledged", "above 350 K", run))
    second = events.enter(store, Event(2.0, "", "operator", 4, "noted", "shift change"))
    assert events.events(store) == [second, first]
    assert events.events(store, run) == [first]
    assert events.events(store, after=first.id) == [second]
    events.change(store, first.id, "acknowledged")
    assert events.events(store, run)[0].state == "acknowledged"
    with pytest.raises(UnknownName, match="not in the store"):
        events.change(store, 99, "acknowledged")


def test_what_a_run_says_is_kept_with_its_level_and_only_warnings_call_for_somebody(store: Store, run: str) -> None:
    events.say(store, run, "training", "cloned pid")
    events.say(store, run, "training", "the best lead is lost again", "warning")
    assert [(each.level, each.tag, each.text) for each in events.events(store, run)] == [
        ("warning", "training", "the best lead is lost again"), ("info", "training", "cloned pid"),
    ]  # fmt: skip
    assert [each.level for each in events.events(store, lowest=events.UNSEEN - 1)] == ["warning"]
    with pytest.raises(UnknownName, match="not in the store"):
        events.say(store, "nobody-1", "training", "hello")


def _verdict(run: str, accepted: bool, previous: int | None) -> Promotion:
    return Promotion("exothermic_cstr", "steps", f"/policies/{run}", accepted, {"violations": 0}, run, previous)


def test_the_champion_is_who_was_accepted_last_and_goes_back_step_by_step(store: Store, run: str) -> None:
    assert champions.champion(store, "exothermic_cstr", "steps") is None
    first = champions.judge(store, _verdict(run, True, None))
    refused = champions.judge(store, _verdict(run, False, first.id))
    assert champions.champion(store, "exothermic_cstr", "steps") == first
    second = champions.judge(store, _verdict(run, True, first.id))
    assert champions.champion(store, "exothermic_cstr", "steps") == second
    assert champions.promotions(store, "exothermic_cstr") == [second, refused, first]
    assert champions.roll_back(store, "exothermic_cstr", "steps") == first
    assert champions.roll_back(store, "exothermic_cstr", "steps") is None
    with pytest.raises(UnknownName, match="no champion to take back"):
        champions.roll_back(store, "exothermic_cstr", "steps")


@pytest.mark.parametrize("judged_against", [None, 1])
def test_a_challenger_that_was_judged_against_another_champion_changes_nothing(
    store: Store, run: str, judged_against: int | None
) -> None:
    first = champions.judge(store, _verdict(run, True, None))
    second = champions.judge(store, _verdict(run, True, first.id))
    with pytest.raises(BadInput, match="another champion was named meanwhile"):
        champions.judge(store, _verdict(run, True, judged_against))
    assert champions.champion(store, "exothermic_cstr", "steps") == second
    assert len(champions.promotions(store)) == 2
