"""A Dask cluster as an executor: one that runs elsewhere, or one of this machine's processes."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from plant_models.core.errors import BadInput, SetpointError

if TYPE_CHECKING:
    from distributed import Client

TIMEOUT = 5.0
"""Seconds that a cluster gets to answer, and to have a worker."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1)
"""Environment of this machine's workers. Dask's own also has them give memory back at once; NMPC takes 1.4 times as long."""
_ADDRESS = re.compile(r"local:(?P<count>[1-9]\d{0,2})|tcp://[^\s:/]+:\d{1,5}")
_PACKAGES = ("setpoint", "numpy", "numba", "casadi")
"""What a result depends on, and so must be the same everywhere."""


def check(address: str) -> None:
    """Raise BadInput where an address is none, or Dask is not installed."""
    if not _ADDRESS.fullmatch(address):
        raise BadInput(f"--cluster {address!r}: expected tcp://HOST:PORT of a Dask scheduler, or local:N for N processes")
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise BadInput(f"--cluster {address}: needs Dask; run: pip install 'setpoint[cluster]'") from error


@contextmanager
def connected(address: str) -> Iterator[Executor]:
    """Return a cluster's executor for the time of the block.

    Raises:
        BadInput: where the cluster cannot be reached, has no workers, or they run other versions.
        SetpointError: where it goes away.
        BrokenExecutor: where the workers of one task ended several times.
    """
    check(address)
    from distributed.scheduler import KilledWorker

    with _client(address) as client:
        try:
            yield client.get_executor(pure=False)
        except KilledWorker as error:
            raise BrokenExecutor(str(error)) from error
        except CancelledError as error:
            raise SetpointError(f"--cluster {address}: went away; start it and the same command again") from error


@contextmanager
def _client(address: str) -> Iterator[Client]:
    from distributed import Client

    count = _ADDRESS.fullmatch(address)
    if count is not None and count["count"]:
        with _local(int(count["count"])) as local, Client(local, timeout=TIMEOUT) as client:
            yield client
        return
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=TIMEOUT)
    except (OSError, ValueError, OverflowError) as error:
        raise BadInput(f"--cluster {address}: does not answer; start `dask scheduler` there, or check the address") from error
    with client:
        _check_workers(client, address)
        yield client


@contextmanager
def _local(count: int) -> Iterator[str]:
    """Processes of this machine, with one thread each, that nobody else can reach; return their scheduler's address."""
    import dask
    from distributed import LocalCluster

    nothing: list[str] = []
    settings = {"distributed.scheduler.http.routes": nothing, "distributed.worker.http.routes": nothing,
                "distributed.worker.profile.enabled": False, "distributed.nanny.pre-spawn-environ": ONE_THREAD}  # fmt: skip
    options = {"dashboard_address": "127.0.0.1:0"}  # it listens in any case, and two clusters would meet at its usual port
    with (
        dask.config.set(settings),
        LocalCluster(
            count, host="127.0.0.1", threads_per_worker=1, dashboard_address=None, scheduler_kwargs=options,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):  # fmt: skip
        yield cluster.scheduler_address


def _check_workers(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=TIMEOUT)
        found = client.run(_versions)
    except TimeoutError as error:
        raise BadInput(f"--cluster {address}: has no workers; start some: dask worker {address} --nthreads 1") from error
    except ImportError as error:
        raise BadInput(f"--cluster {address}: its workers have no setpoint ({error}); install it there") from error
    ours = _versions()
    for worker, theirs in found.items():
        other = [f"{name} {theirs[name]} (here {ours[name]})" for name in _PACKAGES if theirs[name] != ours[name]]
        if other:
            raise BadInput(f"--cluster {address}: worker {worker} has {', '.join(other)}; install the same versions")


def _versions() -> dict[str, str]:
    return {name: version(name) for name in _PACKAGES}
