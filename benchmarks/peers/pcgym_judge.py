"""Returns on PC-Gym's stirred-tank case in its own reward, for controllers of ours and for given inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from benchmarks.peers.pcgym_cstr import HIGHEST, LOWEST, stage_costs
from controller.interface import Controller
from controller.rollout import rollout
from plant_models.core.scenario import Array
from plant_models.derive.layout import Level
from plant_models.env.scenario import Episodes
from plant_models.env.simulator import Simulator
from plant_models.env.start import Settings
from plant_models.env.substeps import judged


@dataclass(frozen=True)
class Judged:
    """What ``n`` episodes brought: states at the start and after each step (n, steps + 1, 2), inputs (n, steps), returns (n,)."""

    x: Array
    T_c: Array
    returns: Array


def run(controller: Controller, episodes: Episodes, level: Level, settings: Settings | None = None) -> Judged:
    """Run a controller on episodes."""
    done = rollout(controller, episodes, level, settings)
    return judge(done.path["x"], done.path["u"][:, 1:, 0], episodes)


def replay(T_c: Array, episodes: Episodes) -> Judged:
    """Apply given inputs in K, (n or 1, steps)."""
    n, steps, plant = len(episodes), episodes.scenario.steps, episodes.plant
    simulator = Simulator(plant, n, steps, judged(plant, episodes.scenario), "direct")
    simulator.load(episodes, np.arange(n))
    actions = np.broadcast_to(2.0 * (T_c - LOWEST) / (HIGHEST - LOWEST) - 1.0, (n, steps))
    x, u = [simulator.S.read("x").T], []
    for k in range(steps):
        simulator.step(actions[:, k : k + 1])
        x.append(simulator.S.read("x").T)
        u.append(simulator.S.read("u")[0])
    return judge(np.stack(x, axis=1), np.stack(u, axis=1), episodes)


def judge(x: Array, T_c: Array, episodes: Episodes) -> Judged:
    """Return PC-Gym's returns of true states (n, steps + 1, 2) and inputs (n, steps)."""
    target = episodes.exogenous[:, : T_c.shape[1], episodes.targets()][:, :, 0]
    return Judged(x, T_c, -stage_costs(x[:, 1:, 0], target, T_c).sum(axis=1))


def best_constant(episodes: Episodes) -> float:
    """Return the constant input in K that does best on episodes."""
    found = minimize_scalar(
        lambda T_c: -replay(np.full((1, episodes.scenario.steps), T_c), episodes).returns.mean(),
        bounds=(LOWEST, HIGHEST), method="bounded", options={"xatol": 1e-3},
    )  # fmt: skip
    return float(found.x)
