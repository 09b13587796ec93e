"""Do many independent tasks at once, on this machine's processors or on a cluster, whatever happens to those who work.

A worker may be killed, and on a cluster may be slow or join late: a task whose worker went is given to another, so that none is
lost. A task is a plain function of what it is sent: it returns its result and keeps nothing itself.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

from plant_models.core.errors import BadInput, SetpointError

Task = TypeVar("Task")
Result = TypeVar("Result")

TRIES = 5
"""Times in a row that workers may end without a single result between, until the tasks are taken to be what ends them."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Workers:
    """Who works: ``processes`` on this machine (0: one a processor), or a Dask ``cluster``, tcp://HOST:PORT or local:N.

    One process is this one. Each worker computes with one thread.

    Raises:
        BadInput: for a number of processes below 0.
    """

    processes: int = 0
    cluster: str = ""

    def __post_init__(self) -> None:
        if self.processes < 0:
            raise BadInput(f"{self.processes} processes: expected 1 or more, or 0 for one a processor")

    def at_once(self, tasks: int) -> int:
        """Return the processes that a number of tasks is worth."""
        return min(self.processes or os.cpu_count() or 1, tasks)


def compute(
    tasks: Mapping[str, Task], work: Callable[[Task], Result], workers: Workers | None = None
) -> Iterator[tuple[str, Result]]:
    """Yield the key and the result of every task, as they come; leaving the loop ends those who work.

    ``work`` and the tasks are sent to other processes: ``work`` stands at a module's top. Each process imports the script that
    calls this: call under ``__name__ == "__main__"``. What a task raises is raised here.

    Raises:
        BadInput: where the cluster cannot be used.
        SetpointError: where workers end again and again and nothing is computed between.
    """
    chosen, waiting, lost = workers or Workers(), dict(tasks), 0
    if not chosen.cluster and chosen.at_once(len(waiting)) <= 1:
        yield from ((key, work(task)) for key, task in waiting.items())
        return
    while waiting:
        try:
            with _executor(chosen, len(waiting)) as executor:
                for key, result in _results(executor, dict(waiting), work):
                    del waiting[key]
                    lost = 0
                    yield key, result
        except BrokenExecutor as error:
            lost += 1
            if lost == TRIES:
                shown = f"workers ended {TRIES} times while they computed one of {', '.join(sorted(waiting)[:3])}"
                raise SetpointError(f"{shown} (was memory short?); try fewer at once") from error


def _results(executor: Executor, tasks: Mapping[str, Task], work: Callable[[Task], Result]) -> Iterator[tuple[str, Result]]:
    with _one_thread_each():
        futures = {executor.submit(work, task): key for key, task in tasks.items()}
    for future in as_completed(futures):
        yield futures.pop(future), future.result()


def _executor(workers: Workers, tasks: int) -> AbstractContextManager[Executor]:
    if not workers.cluster:
        return _processes(workers.at_once(tasks))
    from controller.cluster import connected

    return connected(workers.cluster)


@contextmanager
def _processes(count: int) -> Iterator[Executor]:
    """A pool of new processes that end with the block, or with this process whatever ends it."""
    context = get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(count, context, _begin, (theirs,))
    with theirs, ours:
        try:
            yield pool
        except BaseException:
            ours.close()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _begin(lifeline: Connection) -> None:
    """Prepare a worker: its parent alone is interrupted from the keyboard, and when the parent goes it goes too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True, name="lifeline").start()


def _end_with(lifeline: Connection) -> None:
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that begin in the block compute with one thread each."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
