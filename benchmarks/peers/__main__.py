"""Our project and PC-Gym side by side in one run, on PC-Gym's four published cases and on its own environments.

``python -m benchmarks.peers --json --out benchmarks/results/peers.json``. PC-Gym gets an environment of its own, which is
built the first time. Every return is in PC-Gym's reward, higher is better, on its environment; ours are those of controllers that
were tuned and trained on our plants alone. What each controller saw of the setpoint stands beside its figures: PC-Gym shows
decision k the setpoint of sample k - 1 and judges it by that of sample k + 1. Times are processor seconds of one process each.

``--plants`` names cases. What is done is written after each; ``--keep`` takes the others from an earlier report.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.pcgym_process import PcGym
from benchmarks.peers.pcgym_transfer import CASES, Case, replayed, transfer
from benchmarks.provenance import parser, report
from controller.baselines import Pid
from controller.interface import Controller
from controller.methods import Method
from controller.nmpc import Nmpc, decisions
from controller.provenance import provenance
from controller.train import train
from plant_models.core.scenario import Array
from plant_models.env.scenario import draw
from plant_models.env.substeps import fleet, substeps

DIRECT = Method(level="direct")
SAW = {
    "their_oracle": "the setpoint sequence through its own model, a sample late; one plan, replayed without noise",
    "their_ppo": "the setpoint of sample k - 1 at decision k, which is judged by sample k + 1; trained on the published sequence",
    "corrected": "the setpoint that the decision is judged by, and none after it; trained and tuned on random setpoints",
    "as_published": "what PC-Gym shows: the setpoint of sample k - 1; the same controllers as corrected",
}


@dataclass(frozen=True)
class Sizes:
    """How much is done: judged episodes, training seeds, PC-Gym's training steps, shares of ours, steps that are timed."""

    episodes: int = 10
    seeds: int = 3
    their_steps: int = 50_000
    share: float = 1.0
    timed: int = 1000


def one(pcgym: PcGym, case: Case, sizes: Sizes, note: Callable[[str], None]) -> dict[str, Any]:
    """Return one case: speed, training, and the returns on PC-Gym's environment."""
    note(f"{case.name}: speed")
    theirs, ours = pcgym.ask("speed", case=case.name, steps=sizes.timed), _speed(case, 200 * sizes.timed)
    note(f"{case.name}: we train")
    policies, seconds, steps = _trained(case, sizes)
    note(f"{case.name}: oracle and our controllers")
    oracle = pcgym.ask("oracle", case=case.name)
    nmpc = Nmpc(case.plant, "direct", horizon=_horizon(case), fineness=substeps(case.plant))
    controllers: dict[str, list[Controller]] = {"our_pid": [Pid(case.plant)], "our_nmpc": [nmpc], "our_ppo": policies}
    seen = {"corrected": False, "as_published": True}
    ways = {
        way: {name: _returns(pcgym, case, each, sizes.episodes, late) for name, each in controllers.items()}
        for way, late in seen.items()
    }
    note(f"{case.name}: PC-Gym trains")
    learned = pcgym.ask("train", case=case.name, steps=sizes.their_steps)
    their = np.array(pcgym.ask("policy", case=case.name, episodes=sizes.episodes)["returns"])
    return {
        "their_oracle": replayed(pcgym, case.name, np.array(oracle["u"]))[1],
        "their_ppo": float(their[:, 1].mean()),
        **{name: float(values[:, :, 1].mean()) for name, values in ways["corrected"].items()},
        "their_oracle_by_its_own_bookkeeping": oracle["bookkeeping"],
        "their_ppo_as_pcgym_counts": float(their[:, 0].mean()),
        **{way: {name: _told(values) for name, values in found.items()} for way, found in ways.items()},
        "env_steps_ratio": ours * theirs["seconds"] / theirs["steps"],
        "env_steps_per_second": {"theirs": theirs["steps"] / theirs["seconds"], "ours": ours},
        "train_seconds_ratio": learned["seconds"] / float(np.median(seconds)),
        "train_seconds": {"theirs": learned["seconds"], "ours": seconds},
        "train_steps": {"theirs": learned["steps"], "ours": steps},
        "episodes": sizes.episodes,
        "their_versions": pcgym.ask("versions"),
    }


def _horizon(case: Case) -> int:
    """Return NMPC's own horizon, but no more than the case has decisions: what lies beyond its end is not judged."""
    scenario = case.plant.scenario()
    return min(decisions(draw(case.plant, scenario, 0, 1, "tuning")), scenario.steps)


def _trained(case: Case, sizes: Sizes) -> tuple[list[Controller], list[float], int]:
    """Return the policies of the training seeds, the processor seconds of each training, and its steps."""
    policies: list[Controller] = []
    seconds, steps = [], 0
    for seed in range(sizes.seeds):
        begun = time.process_time()
        found = train(case.plant, seed, int(sizes.share * case.plant.learning.steps), method=DIRECT)
        seconds.append(time.process_time() - begun)
        policies.append(found.policy)
        steps = found.steps
    return policies, seconds, steps


def _speed(case: Case, steps: int, side: int = 256) -> float:
    """Return how many steps of the plant our environment takes in a second with random actions, many plants at once."""
    plant, rng = case.plant, np.random.default_rng(0)
    length = plant.scenarios[0].steps
    simulator = fleet(plant, side, length, "direct")
    episodes = draw(plant, plant.scenarios[0], 0, side, "training")
    rounds = max(steps // (side * length), 1)
    actions = rng.uniform(-1.0, 1.0, (length, side, len(plant.Input.names()))).astype(np.float32)
    simulator.load(episodes, np.arange(side))
    simulator.step(actions[0])
    begun = time.process_time()
    for _ in range(rounds):
        simulator.load(episodes, np.arange(side))
        for action in actions:
            simulator.step(action)
    return rounds * length * side / (time.process_time() - begun)


def _returns(pcgym: PcGym, case: Case, controllers: list[Controller], episodes: int, late: bool) -> Array:
    """Return what each controller gets in each episode, as PC-Gym counts and by the true state: (controllers, episodes, 2)."""
    return np.array([[transfer(pcgym, case, each, seed, late) for seed in range(episodes)] for each in controllers])


def _told(values: Array) -> dict[str, Any]:
    """Return the mean return by the true state and as counted, and each training seed's."""
    each = values[:, :, 1].mean(axis=1)
    return {"true_state": float(each.mean()), "as_pcgym_counts": float(values[:, :, 0].mean()), "each_seed": each.tolist()}


QUICK = replace(Sizes(), episodes=1, seeds=1, their_steps=128, share=0.02, timed=50)


def together(cases: dict[str, Any]) -> dict[str, Any]:
    """Return the report of cases; the ratios are those of the first."""
    ordered = {name: cases[name] for name in CASES if name in cases}
    first = next(iter(ordered.values()))
    ratios = {key: first[key] for key in ("env_steps_ratio", "train_seconds_ratio")}
    return {"pcgym": ratios | ordered | {"saw": SAW}}


def measure(
    names: tuple[str, ...], sizes: Sizes, cases: dict[str, Any], done: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Measure cases one after the other, beside those of an earlier report; tell what there is after each."""
    begun = time.monotonic()

    def note(what: str) -> None:
        """Say on standard error what is being done."""
        sys.stderr.write(f"{time.monotonic() - begun:.0f} s  {what}\n")

    with PcGym() as pcgym:
        for name in names:
            cases = cases | {name: one(pcgym, CASES[name], sizes, note)}
            done(together(cases))
    return together(cases)


if __name__ == "__main__":
    parsed = parser(__doc__ or "")
    parsed.add_argument("--keep", type=Path, help="earlier report; cases that are not measured now are taken from it")
    options = parsed.parse_args()
    earlier = json.loads(options.keep.read_text())["pcgym"] if options.keep else {}
    kept = {name: earlier[name] for name in CASES if name in earlier}

    def write(found: dict[str, Any]) -> None:
        """Keep what there is."""
        if options.out:
            options.out.write_text(json.dumps(found | provenance(), indent=1) + "\n")

    report(measure(options.plants or tuple(CASES), QUICK if options.quick else Sizes(), kept, write), options)
