"""Find how PPO learns best on a plant: Optuna proposes what a plant file declares of learning, trainings judge it.

A proposal is worth the interquartile mean, over training seeds, of what the policies return on tuning episodes: no judging
episode is ever seen. Its study stands in the run store's database; whoever asks for more trials goes on, several at once if
they like.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from controller.baselines import Pid
from controller.benchmark import TUNING_EPISODES, versions
from controller.cluster import check
from controller.executor import Workers, compute
from controller.ground import Ground, ground, score
from controller.historian import Historian
from controller.source import Source
from controller.stability import Diverged
from controller.statistics import interquartile_mean
from controller.store import explained
from controller.study import Proposal, Proposals, Tried
from controller.train import train
from plant_models.core.plant import Learning, Plant
from plant_models.derive.identity import plant_hash
from plant_models.env.mixture import label

ON_A_CLUSTER = 8
"""Proposals at once where it is not known how many workers there are."""


@dataclass(frozen=True)
class Order:
    """One training: of which plant, how it learns, from which seed, for how many decisions."""

    source: Source
    learning: Learning
    seed: int
    steps: int


@dataclass(frozen=True)
class Sweep:
    """A study: its trials, best first, each with its mean return on tuning episodes; PID's on the same; the run that recorded it.

    ``declared`` is the trial of what the plant file says now.
    """

    study: str
    trials: tuple[Tried, ...]
    declared: Tried | None
    pid: float
    run: str

    def as_json(self) -> dict[str, Any]:
        """Return everything for machines."""
        trials = [{"number": each.number, "score": each.score, "learning": asdict(each.learning)} for each in self.trials]
        declared = None if self.declared is None else self.declared.score
        return {"study": self.study, "pid": self.pid, "declared": declared, "trials": trials, "run": self.run}


def sweep(
    source: Source, historian: Historian, trials: int, seeds: Sequence[int], steps: int | None = None,
    workers: Workers | None = None, report: Callable[[int, float], None] = lambda done, best: None,
) -> Sweep:  # fmt: skip
    """Have a study hold so many judged trials, and return it; the first is what the plant declares.

    Each process imports the script that calls this: call under ``__name__ == "__main__"``.

    Raises:
        BadInput: where Optuna is not installed, or the plant, its scenario, the store or the cluster cannot be used.
    """
    plant, scenario = source.cases()
    chosen, total = workers or Workers(), steps or plant.learning.steps
    if chosen.cluster:
        check(chosen.cluster)
    judged = tuned_on(plant, scenario)
    pid, name = score(judged.returns(Pid(plant)), plant), _name(judged, seeds, total)
    config = {"study": name, "trials": trials, "total_steps": total, "scenario": scenario, "seeds": list(seeds)}
    config |= {"baseline": {"pid": pid}}
    with (
        explained(historian.store.engine.url),
        Proposals(historian.store, name, plant.learning, seeds[0]) as study,
        historian.run("sweep", plant.name, "ppo", seeds[0], config, versions()) as run,
    ):
        while (left := trials - len(study.tried())) > 0:
            with study.some(min(left, _at_once(chosen))) as proposals:
                _judge(study, _orders(source, proposals, seeds, total), len(seeds), chosen)
            done = study.tried()
            historian.metrics(run, len(done), {"score/ppo": done[0].score, "score/best": done[0].score})
            report(len(done), done[0].score)
        found = _result(study.tried(), plant.learning, name, pid, run)
        historian.finish(run, "completed", found.as_json())
    return found


def trained(order: Order) -> float:
    """Train once, and return what the policy returns on tuning episodes; NaN where the training came to nothing."""
    plant, scenario = order.source.cases()
    plant = replace(plant, learning=order.learning)
    try:
        policy = train(plant, order.seed, order.steps, scenario).policy
    except Diverged:
        return math.nan
    return score(tuned_on(plant, scenario).returns(policy), plant)


def tuned_on(plant: Plant, scenario: str) -> Ground:
    """Return the tuning episodes that judge a proposal."""
    return ground(plant, scenario, episodes=TUNING_EPISODES, split="tuning")


def declaration(learning: Learning) -> str:
    """Return the line of a plant file that declares it, to four digits, without what is usual."""
    usual = {each.name: each.default for each in fields(Learning)}
    said = {name: _rounded(value) for name, value in asdict(learning).items() if value != usual[name]}
    return f"learning=Learning({', '.join(f'{name}={value}' for name, value in said.items())}),"


def _rounded(value: Any) -> str:
    return repr(float(f"{value:.4g}")) if isinstance(value, float) else f"{value:_}" if isinstance(value, int) else repr(value)


def _orders(source: Source, proposals: dict[int, Proposal], seeds: Sequence[int], steps: int) -> dict[str, Order]:
    return {f"{number} {seed}": Order(source, proposal.learning, seed, steps)
            for number, proposal in proposals.items() for seed in seeds}  # fmt: skip


def _judge(study: Proposals, orders: dict[str, Order], seeds: int, workers: Workers) -> None:
    """Have every training done, and judge each proposal as soon as its last one is; one that diverged brings it to nothing."""
    reached: dict[int, list[float]] = {}
    for key, value in compute(orders, trained, workers):
        number = int(key.split()[0])
        scores = reached.setdefault(number, [])
        scores.append(value)
        if len(scores) == seeds:
            study.judge(number, interquartile_mean(np.array(scores)) if np.isfinite(scores).all() else math.nan)


def _at_once(workers: Workers) -> int:
    return ON_A_CLUSTER if workers.cluster else workers.processes or os.cpu_count() or 1


def _name(judged: Ground, seeds: Sequence[int], steps: int) -> str:
    """Return a name that changes with everything that a score depends on, but for the code."""
    plant = judged.plant
    depends = hashlib.sha256(plant_hash(plant).encode())
    depends.update(repr((plant.learning, plant.duty, plant.scale, plant.worst, list(seeds), steps)).encode())
    for part in judged.parts:
        for drawn in (part.exogenous, part.parameters, part.forecasts, part.noise):
            depends.update(np.ascontiguousarray(drawn).tobytes())
    asked = f"{plant.name}, {label(tuple(part.scenario for part in judged.parts))}"
    return f"{asked}, {steps} decisions, {len(seeds)} seeds, {depends.hexdigest()[:12]}"


def _result(tried: tuple[Tried, ...], declared: Learning, name: str, pid: float, run: str) -> Sweep:
    own = next((each for each in tried if each.learning == declared), None)
    return Sweep(name, tried, own, pid, run)
