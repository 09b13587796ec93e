"""Tasks done elsewhere: each is done, whoever dies of it or beside it, and nobody goes on working for nobody."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from controller.cell import Cell, run
from controller.executor import TRIES, Workers, compute
from controller.historian import Historian
from controller.kept import outcomes
from controller.source import Source
from plant_models.core.errors import BadInput, SetpointError
from tests import work

ROOT = Path(__file__).parents[2]
CELLS = [Cell(Source("exothermic_cstr", None, "tracking"), "none", "pid", seed, 0, 2) for seed in range(200)]
ORPHANED = """
from controller.cell import Cell, run
from controller.executor import Workers, compute
from tests import work
if __name__ == "__main__":
    tasks = {str(i): 0.3 if i < 2 else 600.0 for i in range(4)}
    for _, pid in compute(tasks, work.slow, Workers(2)):
        print(pid, flush=True)
"""


def test_one_process_is_this_one() -> None:
    assert list(compute({"a": 0.0, "b": 0.0}, work.slow, Workers(1))) == [("a", os.getpid()), ("b", os.getpid())]
    assert list(compute({}, work.slow)) == []


def test_the_tasks_of_a_worker_that_dies_are_done_by_others(tmp_path: Path) -> None:
    tasks = {str(i): (i, str(tmp_path / "died") if i == 3 else "") for i in range(12)}
    assert dict(compute(tasks, work.once_deadly, Workers(2))) == {str(i): 2 * i for i in range(12)}
    assert (tmp_path / "died").exists()


@pytest.mark.slow
def test_workers_compute_with_one_thread_each_and_leave_this_process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    found = [result for _, result in compute({str(i): i for i in range(50)}, work.doubled, Workers(2))]
    assert sorted(double for double, _, _ in found) == [2 * i for i in range(50)]
    assert {threads for _, _, threads in found} == {"1"}
    assert os.getpid() not in {pid for _, pid, _ in found}
    assert os.environ["OMP_NUM_THREADS"] == "7"


@pytest.mark.slow
def test_a_task_that_ends_every_worker_is_given_up_with_its_name() -> None:
    with pytest.raises(SetpointError, match=f"workers ended {TRIES} times while they computed one of poison"):
        list(compute({"poison": 3, "toxin": 4}, work.deadly, Workers(2)))


@pytest.mark.slow
def test_what_a_task_raises_is_raised_here_and_the_others_are_given_up() -> None:
    begun = time.monotonic()
    with pytest.raises(ValueError, match=r"not [12]"):
        list(compute({"a": 1, "b": 2}, work.failing, Workers(2)))
    coming = compute({"a": 0.1, "b": 600.0}, work.slow, Workers(2))
    assert next(coming)[0] == "a"
    coming.close()
    assert time.monotonic() - begun < 60.0


@pytest.mark.slow
def test_workers_do_not_outlive_a_parent_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANED], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = [psutil.Process(int(parent.stdout.readline())) for _ in range(2)]
        parent.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(workers, timeout=20.0)
    assert alive == []


@pytest.mark.slow
@pytest.mark.parametrize("workers", [Workers(2), Workers(cluster="local:2")], ids=["processes", "cluster"])
def test_two_hundred_cells_are_the_same_to_the_last_bit_though_workers_are_killed_three_times(
    workers: Workers, tmp_path: Path
) -> None:
    whole = {cell: run(cell) for cell in CELLS}
    found = {}
    with Historian(str(tmp_path / "runs.db")) as historian:
        for cell, outcome, kept in outcomes(historian.store, CELLS, workers=workers):
            assert not kept
            found[cell] = outcome
            if len(found) in (5, 60, 120):
                _kill_a_worker()
        again = {cell: outcome for cell, outcome, kept in outcomes(historian.store, CELLS) if kept}
    assert {cell: repr(replace(outcome, seconds=0.0)) for cell, outcome in found.items()} == {
        cell: repr(replace(outcome, seconds=0.0)) for cell, outcome in whole.items()
    }
    assert again == whole


def _kill_a_worker() -> None:
    """Kill, with -9, the child of ours that worked longest; the helper that counts what processes share does no work."""
    ours = [child for child in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]
    max(ours, key=lambda child: sum(child.cpu_times()[:2])).kill()


@pytest.mark.slow
def test_a_cluster_of_this_machine_listens_to_this_machine_alone() -> None:
    before = _listening()
    for _ in compute({str(i): i for i in range(20)}, work.doubled, Workers(cluster="local:2")):
        opened = _listening() - before
    assert {ip for ip, _ in opened} == {"127.0.0.1"}
    assert 8787 not in {port for _, port in opened}


def _listening() -> set[tuple[str, int]]:
    """Addresses and ports where this process and its children listen; other tests' browsers may be among them."""
    ours = [psutil.Process(), *psutil.Process().children(recursive=True)]
    held = [held for one in ours for held in one.net_connections("tcp") if held.status == psutil.CONN_LISTEN]
    return {(address.laddr.ip, address.laddr.port) for address in held}


@pytest.mark.slow
def test_a_cluster_that_runs_elsewhere_may_lose_and_gain_workers() -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(1, host="127.0.0.1", threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        found = {}
        for key, result in compute({str(i): i for i in range(300)}, work.doubled, Workers(cluster=cluster.scheduler_address)):
            found[key] = result
            if len(found) == 20:
                cluster.scale(2)
            if len(found) == 150:
                os.kill(result[1], signal.SIGKILL)
    assert {key: result[0] for key, result in found.items()} == {str(i): 2 * i for i in range(300)}
    assert len({result[1] for result in found.values()}) > 1


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "tcp://somewhere", "local:0", "local:", "http://a:1", "local:2 "])
def test_what_is_no_cluster_is_explained(address: str) -> None:
    with pytest.raises(BadInput, match="expected tcp://HOST:PORT of a Dask scheduler, or local:N"):
        list(compute({"a": 1}, work.doubled, Workers(cluster=address)))


def _closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.slow
@pytest.mark.parametrize("port", [_closed, lambda: 99999])
def test_a_cluster_that_does_not_answer_is_named_within_seconds(port: Callable[[], int]) -> None:
    begun = time.monotonic()
    with pytest.raises(BadInput, match="does not answer"):
        list(compute({"a": 1}, work.doubled, Workers(cluster=f"tcp://127.0.0.1:{port()}")))
    assert time.monotonic() - begun < 20.0


@pytest.mark.slow
def test_a_cluster_without_workers_is_named() -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        cluster.scale(0)
        while cluster.scheduler_info["workers"]:
            time.sleep(0.05)
        with pytest.raises(BadInput, match="has no workers; start some"):
            list(compute({"a": 1}, work.doubled, Workers(cluster=cluster.scheduler_address)))


def test_without_dask_the_remedy_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadInput, match=r"needs Dask; run: pip install 'setpoint\[cluster\]'"):
        list(compute({"a": 1}, work.doubled, Workers(cluster="local:2")))


def test_processes_are_counted_from_one() -> None:
    with pytest.raises(BadInput, match="-1 processes"):
        Workers(-1)
