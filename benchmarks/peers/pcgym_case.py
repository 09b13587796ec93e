"""How well controllers do on a case that others publish, in the others' own measure: PC-Gym's stirred tank.

Every number is a mean return in PC-Gym's reward, higher is better, over 100 episodes
of held-out noise on its published setpoints, and over 100 held-out episodes of random setpoints, on which alone PID was tuned
and PPO trained. Differences are paired over the episodes, with Student's 95 % interval.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.curve import Curve, followed, median
from benchmarks.peers.pcgym_cstr import BLIND, CASE, PLAIN_BLIND, PLAIN_PREVIEWING, PREVIEWING, RANDOM
from benchmarks.peers.pcgym_judge import best_constant, replay, run
from benchmarks.peers.pcgym_optimum import optimal_inputs
from controller.baselines import Pid
from controller.interface import Controller
from controller.methods import Method
from controller.nmpc import Nmpc
from controller.statistics import paired_difference
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Split
from plant_models.env.scenario import Episodes, draw

DIRECT = Method(level="direct")
"""PPO moves the jacket's temperature itself; it is trained on random setpoints."""


@dataclass(frozen=True)
class Preview:
    """What controllers see of the setpoints to come: the plant with the expert's PID layer, the one with a plain PID."""

    sees: str
    expert: Plant
    plain: Plant


PREVIEWS = {
    "no_preview": Preview("the setpoint that the next step is judged by", BLIND, PLAIN_BLIND),
    "preview_of_3": Preview(
        "the setpoints that the next step and the three after it are judged by", PREVIEWING, PLAIN_PREVIEWING
    ),
}


@dataclass(frozen=True)
class Sizes:
    """How much is done: training seeds, judged episodes, and the share of each plant's training steps."""

    seeds: int = 10
    episodes: int = 100
    share: float = 1.0


def causal(preview: Preview) -> dict[str, Controller]:
    """Return the controllers that see no more than the policy does."""
    return {"plain_pid": Pid(preview.plain), "pid": Pid(preview.expert), "nmpc": Nmpc(preview.expert, "direct")}


def pcgym_cstr(sizes: Sizes) -> dict[str, Any]:
    """Return the whole case."""
    return {
        "reward": "PC-Gym's: -(1000 ((c_A - setpoint) / 0.3)^2 + 0.1 (change of T_c / 7)^2) at the end of each of 59 steps",
        "true_state": "judged without the noise that PC-Gym adds to what it judges, which costs 0.5 an episode",
        "episodes": sizes.episodes,
        "optimum": _means(_optimum(sizes)),
        "noise_free": {name: _quiet(preview) for name, preview in PREVIEWS.items()},
    } | {name: _compared(preview, sizes) for name, preview in PREVIEWS.items()}


def _episodes(plant: Plant, count: int, split: Split = "judging") -> dict[str, Episodes]:
    return {name: draw(plant, plant.scenario(name), 0, count, split) for name in (CASE, RANDOM)}


def _optimum(sizes: Sizes) -> dict[str, Array]:
    judged = _episodes(PREVIEWING, sizes.episodes)
    return {CASE: replay(optimal_inputs(judged[CASE][:1]), judged[CASE]).returns,
            RANDOM: replay(optimal_inputs(judged[RANDOM]), judged[RANDOM]).returns}  # fmt: skip


def _quiet(preview: Preview) -> dict[str, float]:
    """Return PID and NMPC on the published setpoints without noise, as PC-Gym's oracle is published."""
    one = draw(preview.expert, preview.expert.scenario(CASE), 0, 1, "judging")
    quiet = replace(one, noise=np.zeros_like(one.noise))
    return {name: float(run(controller, quiet, controller.level).returns.mean())
            for name, controller in causal(preview).items() if name != "plain_pid"}  # fmt: skip


def _compared(preview: Preview, sizes: Sizes) -> dict[str, Any]:
    judged = _episodes(preview.expert, sizes.episodes)
    returns = {"constant": _constant(preview.expert, judged)}
    for name, controller in causal(preview).items():
        own = judged if name != "plain_pid" else _episodes(preview.plain, sizes.episodes)
        returns[name] = {scenario: run(controller, episodes, controller.level).returns for scenario, episodes in own.items()}
    steps = int(sizes.share * preview.expert.learning.steps)
    learned = [followed(preview.expert, seed, steps, DIRECT) for seed in range(sizes.seeds)]
    policies = [one.trained.policy for one in learned]
    each = {scenario: np.array([run(policy, judged[scenario], "direct").returns for policy in policies]) for scenario in judged}
    returns["ppo"] = {scenario: values.mean(axis=0) for scenario, values in each.items()}
    return {
        "sees": preview.sees,
        "controllers": {name: _means(values) for name, values in returns.items()},
        "gain_over_pid": {name: _gains(values, returns["pid"]) for name, values in returns.items() if name != "pid"},
        "ppo": _seeds(learned, each, returns["pid"]),
    }


def _constant(plant: Plant, judged: dict[str, Episodes]) -> dict[str, Array]:
    """Return what the best constant input brings; it may know the episodes that it is judged on, and still is the floor."""
    inputs = {name: np.full((1, episodes.scenario.steps), best_constant(episodes)) for name, episodes in judged.items()}
    return {name: replay(inputs[name], episodes).returns for name, episodes in judged.items()}


def _means(returns: dict[str, Array]) -> dict[str, float]:
    return {scenario: float(values.mean()) for scenario, values in returns.items()}


def _gains(returns: dict[str, Array], pid: dict[str, Array]) -> dict[str, Any]:
    return {scenario: paired_difference(values, pid[scenario]).as_json() for scenario, values in returns.items()}


def _seeds(learned: list[Curve], each: dict[str, Array], pid: dict[str, Array]) -> dict[str, Any]:
    """Return what each training seed brought; seconds run from the start of learning, validations included."""
    leads = [one.lead for one in learned]
    ahead = [paired_difference(values, pid[RANDOM]).low > 0.0 for values in each[RANDOM]]
    return {
        "median": {scenario: float(np.median(values.mean(axis=1))) for scenario, values in each.items()},
        "each": {scenario: values.mean(axis=1).tolist() for scenario, values in each.items()},
        "seeds_ahead_of_pid_on_random": sum(ahead),
        "steps": learned[0].trained.steps,
        "seconds": [one.trained.seconds for one in learned],
        "seconds_to_lead_over_pid": leads,
        "median_seconds_to_lead_over_pid": median(leads),
    }
