"""Train several seeds of one plant side by side, each in a process of its own, and say what their scores are worth together.

Each seed has its own process, and not a place in a pool: one that is killed takes no other with it.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import numpy as np

from controller.baselines import Pid
from controller.demo import recorded_training
from controller.demonstrations import demonstrations
from controller.destination import check_free
from controller.ground import environment, ground
from controller.historian import Historian
from controller.methods import PPO_METHOD, Method
from controller.source import Source
from controller.statistics import interquartile_mean, stratified_bootstrap
from controller.store import runs_folder
from controller.train import Progress, said
from controller.yardstick import Yardstick
from plant_models.core.errors import SetpointError
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.mixture import mixture
from plant_models.env.substeps import judged

GRACE = 10.0
"""Seconds that a process gets to record that it was stopped."""


@dataclass(frozen=True)
class Order:
    """What every process is told: whose group it trains for, where to record (default: the user's own store), where to keep."""

    source: Source
    group: str
    store: str | None = None
    steps: int | None = None
    out: Path | None = None
    method: Method = PPO_METHOD
    against: Yardstick | None = None

    def folder(self, run: str, seed: int) -> Path:
        """Return the folder for the policies of one seed."""
        return runs_folder() / run / "policy" if self.out is None else self.out / f"seed-{seed}"


@dataclass(frozen=True)
class Seed:
    """One training: its run, the folder of its best policy, and that policy's returns on the validation episodes, (episodes,)."""

    seed: int
    run: str
    policy: Path
    steps: int
    seconds: float
    returns: Array

    @property
    def score(self) -> float:
        """The mean return, higher is better."""
        return float(self.returns.mean())


@dataclass(frozen=True)
class Group:
    """Trainings that differ in nothing but their seed; ``pid`` (episodes,) are the PID layer's returns.

    ``failed`` says by seed why a training came to nothing.
    """

    name: str
    trained: tuple[Seed, ...]
    failed: Mapping[int, str]
    pid: Array

    def iqm(self) -> tuple[float, float, float]:
        """Return the interquartile mean of the seeds' scores with its 95 % interval; NaN where none was trained."""
        scores = np.array([each.score for each in self.trained])
        if not len(scores):
            return np.nan, np.nan, np.nan
        return interquartile_mean(scores), *stratified_bootstrap([scores])

    def as_json(self) -> dict[str, Any]:
        """Return the scores by seed, their interquartile mean with its interval, and what the PID layer reaches."""
        found = dict(zip(("iqm", "low", "high"), self.iqm(), strict=True))
        runs = [{"seed": each.seed, "run": each.run, "policy": str(each.policy), "steps": each.steps, "seconds": each.seconds,
                 "score": each.score} for each in self.trained]  # fmt: skip
        failed = [{"seed": seed, "problem": problem} for seed, problem in self.failed.items()]
        return {"group": self.name, "pid": float(self.pid.mean()), "score": found, "seeds": runs, "failed": failed}


@dataclass
class _Child:
    """A process at work on a seed, and what it said last of its end."""

    seed: int
    process: SpawnProcess
    end: Seed | str = ""


def train_seeds(
    source: Source, seeds: Sequence[int], store: str | None = None, steps: int | None = None, out: Path | None = None,
    report: Callable[[int, Progress], None] = lambda seed, progress: None, workers: int | None = None,
    method: Method = PPO_METHOD, against: Yardstick | None = None,
) -> Group:  # fmt: skip
    """Train a plant once for each seed, as many at a time as there are processors, each recorded as a run of its own.

    A seed whose training fails leaves the others alone; what it said is in ``failed``. An exception here ends them all, and
    their runs are recorded as stopped. Each process imports the script that calls this: call under ``__name__ == "__main__"``.

    Raises:
        BadInput: where the plant, its scenario or the folder is not known or cannot be used.
    """
    plant, scenario = source.cases()
    if out is not None:
        for seed in seeds:
            check_free(out / f"seed-{seed}")
    environment(plant, 0, scenario, method).reset()  # compiled and calibrated once here, the processes only load it
    for each in mixture(plant, scenario):
        judged(plant, each)
    if method.of(plant.learning).clone == "nmpc":
        demonstrations(
            plant, method.level, scenario, lambda note: report(seeds[0], said(0, steps or method.steps(plant.learning), note))
        )
    pid = -ground(plant, scenario, method).returns(Pid(plant)) / plant.scale
    order = Order(source, _name(plant), store, steps, out, method, against)
    ends: dict[int, Seed | str] = {}
    waiting = list(reversed(seeds))
    with _children() as running:
        while waiting or running:
            while waiting and len(running) < (workers or os.cpu_count() or 1):
                _start(running, order, waiting.pop())
            for pipe in wait(list(running)):
                assert isinstance(pipe, Connection)
                ends |= _heard(running, pipe, report)
    trained = tuple(end for _, end in sorted(ends.items()) if isinstance(end, Seed))
    return Group(order.group, trained, {seed: end for seed, end in sorted(ends.items()) if isinstance(end, str)}, pid)


def _name(plant: Plant) -> str:
    return f"{re.sub(r'[^a-z0-9]+', '-', plant.name.lower())}-{secrets.token_hex(3)}"


@contextmanager
def _children() -> Iterator[dict[Connection, _Child]]:
    """Hold the processes that are at work; whoever still is in the end is told to stop, and after a while is stopped."""
    running: dict[Connection, _Child] = {}
    try:
        yield running
    finally:
        for child in running.values():
            child.process.terminate()
        for child in running.values():
            child.process.join(GRACE)
            child.process.kill()


def _start(running: dict[Connection, _Child], order: Order, seed: int) -> None:
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(order, seed, theirs), daemon=True, name=f"{order.group}-{seed}")
    running[ours] = _Child(seed, process)
    process.start()
    theirs.close()


def _heard(running: dict[Connection, _Child], pipe: Connection, report: Callable[[int, Progress], None]) -> dict[int, Seed | str]:
    """Take what a process said; return how its training ended once it has gone."""
    child = running[pipe]
    try:
        said = pipe.recv()
    except (EOFError, ConnectionError):
        pipe.close()
        child.process.join()
        del running[pipe]
        return {child.seed: child.end or f"its process ended with code {child.process.exitcode}"}
    if isinstance(said, Progress):
        report(child.seed, said)
    else:
        child.end = said
    return {}


def _work(order: Order, seed: int, pipe: Connection) -> None:
    """Train one seed in a process of its own; the parent alone is interrupted from the keyboard, and passes it on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        pipe.send(_trained(order, seed, pipe))
    except KeyboardInterrupt:
        return
    except SetpointError as error:
        pipe.send(str(error))
    except Exception as error:  # noqa: BLE001
        pipe.send(f"{type(error).__name__}: {error}")


def _trained(order: Order, seed: int, pipe: Connection) -> Seed:
    plant, scenario = order.source.cases()
    with Historian(order.store) as historian:
        run, trained = recorded_training(
            plant, historian, seed, order.steps, pipe.send, scenario, order.group, order.method, order.against
        )
    folder = order.folder(run, seed)
    trained.save(folder)
    reached = -ground(plant, scenario, order.method).returns(trained.policy) / plant.scale
    return Seed(seed, run, folder, trained.steps, trained.seconds, reached)
