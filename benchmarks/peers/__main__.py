"""Our project and PC-Gym side by side in one run, on PC-Gym's four published cases and on its own environments.

``python -m benchmarks.peers --json --out benchmarks/results/peers.json``. PC-Gym gets an environment of its own, which is
built the first time. Every return is in PC-Gym's reward, higher is better, on its environment; ours are those of controllers that
were tuned and trained on our plants alone. What each controller saw of the setpoint stands beside its figures: PC-Gym shows
decision k the setpoint of sample k - 1 and judges it by that of sample k + 1.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.peers.pcgym_process import PcGym
from benchmarks.peers.pcgym_transfer import CASES, Case, replayed, transfer
from benchmarks.provenance import arguments, report
from controller.baselines import Pid
from controller.interface import Controller
from controller.methods import Method
from controller.nmpc import Nmpc
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


def peers(pcgym: PcGym, names: tuple[str, ...], sizes: Sizes, note: Callable[[str], None]) -> dict[str, Any]:
    """Return everything; the ratios are those of the stirred tank, where it is among the names."""
    versions, cases = pcgym.ask("versions"), {}
    for name in names:
        cases[name] = one(pcgym, CASES[name], sizes, note)
        note(f"{name}: {cases[name]}")
    first = cases[names[0]]
    ratios = {key: first[key] for key in ("env_steps_ratio", "train_seconds_ratio")}
    told = {"episodes": sizes.episodes, "training_seeds": sizes.seeds, "saw": SAW, "their_versions": versions}
    return {"pcgym": ratios | {"ratios_of": names[0]} | cases | told}


def one(pcgym: PcGym, case: Case, sizes: Sizes, note: Callable[[str], None]) -> dict[str, Any]:
    """Return one case: speed, training, and the returns on PC-Gym's environment."""
    note(f"{case.name}: speed")
    theirs, ours = pcgym.ask("speed", case=case.name, steps=sizes.timed), _speed(case, 200 * sizes.timed)
    note(f"{case.name}: PC-Gym trains")
    learned = pcgym.ask("train", case=case.name, steps=sizes.their_steps)
    note(f"{case.name}: we train")
    trained = [
        train(case.plant, seed, int(sizes.share * case.plant.learning.steps), method=DIRECT) for seed in range(sizes.seeds)
    ]
    seconds = [one.seconds for one in trained]
    note(f"{case.name}: oracle and policies")
    oracle = pcgym.ask("oracle", case=case.name)
    their = np.array(pcgym.ask("policy", case=case.name, episodes=sizes.episodes)["returns"])
    nmpc = Nmpc(case.plant, "direct", fineness=substeps(case.plant))
    controllers: dict[str, list[Controller]] = {
        "our_pid": [Pid(case.plant)], "our_nmpc": [nmpc], "our_ppo": [each.policy for each in trained]
    }  # fmt: skip
    seen = {"corrected": False, "as_published": True}
    ways = {
        way: {name: _returns(pcgym, case, each, sizes.episodes, late) for name, each in controllers.items()}
        for way, late in seen.items()
    }
    their_speed = theirs["steps"] / theirs["seconds"]
    replay = replayed(pcgym, case.name, np.array(oracle["u"]))
    return {
        "their_oracle": replay[1],
        "their_ppo": float(their[:, 1].mean()),
        **{name: float(values[:, :, 1].mean()) for name, values in ways["corrected"].items()},
        "their_oracle_by_its_own_bookkeeping": oracle["bookkeeping"],
        "their_ppo_as_pcgym_counts": float(their[:, 0].mean()),
        **{way: {name: _told(values) for name, values in found.items()} for way, found in ways.items()},
        "env_steps_ratio": ours / their_speed,
        "env_steps_per_second": {"theirs": their_speed, "ours": ours},
        "train_seconds_ratio": learned["seconds"] / float(np.median(seconds)),
        "train_seconds": {"theirs": learned["seconds"], "ours": seconds},
        "train_steps": {"theirs": learned["steps"], "ours": trained[0].steps},
    }


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
    begun = time.perf_counter()
    for _ in range(rounds):
        simulator.load(episodes, np.arange(side))
        for action in actions:
            simulator.step(action)
    return rounds * length * side / (time.perf_counter() - begun)


def _returns(pcgym: PcGym, case: Case, controllers: list[Controller], episodes: int, late: bool) -> Array:
    """Return what each controller gets in each episode, as PC-Gym counts and by the true state: (controllers, episodes, 2)."""
    return np.array([[transfer(pcgym, case, each, seed, late) for seed in range(episodes)] for each in controllers])


def _told(values: Array) -> dict[str, Any]:
    """Return the mean return by the true state and as counted, and each training seed's."""
    each = values[:, :, 1].mean(axis=1)
    return {"true_state": float(each.mean()), "as_pcgym_counts": float(values[:, :, 0].mean()), "each_seed": each.tolist()}


QUICK = replace(Sizes(), episodes=1, seeds=1, their_steps=128, share=0.02, timed=50)


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    begun = time.monotonic()

    def told(what: str) -> None:
        """Say what is being done, where that is no JSON."""
        print(f"{time.monotonic() - begun:.0f} s  {what}", flush=True) if not options.json else None

    with PcGym() as running:
        report(peers(running, options.plants or tuple(CASES), QUICK if options.quick else Sizes(), told), options)
