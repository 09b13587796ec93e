"""What nobody can beat: the best course of a whole episode, found with everything known, and judged by the simulator itself.

True parameters, true state, the scenario's future, no noise; open loop. The optimum at level ``direct`` moves inputs once a
decision, so that a PID layer that moves them more often may come closer to a limit than it does; level ``setpoint`` keeps the
PID layer and its authority.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from controller.interface import Reading
from controller.rollout import Run, rollout
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import Layout, Level, layout
from plant_models.derive.shooting import Course, Shooting, spans
from plant_models.env.scenario import Episodes, Single
from plant_models.env.start import Settings, starts
from plant_models.env.substeps import judged

LIMIT = 200
"""Iterations of one search for an episode's course."""
GAIN, ROUNDS = 1e-3, 10
"""Rewards below which another search is not worth it, and the most searches of a kind."""


@dataclass(frozen=True)
class Replay:
    """Applies ``actions`` (n, steps, actions) whatever happens."""

    plant: Plant
    level: Level
    actions: Single
    name: str = "optimum"

    def plan(self, episodes: Episodes) -> Episodes:
        """Leave the setpoints as the plant's hierarchy sends them."""
        return episodes

    def act(self, reading: Reading) -> Single:
        """Return the actions of the decision that each plant is at."""
        k = reading.panel().k
        return self.actions[np.arange(len(k)), k]


def optimum(episodes: Episodes, level: Level = "direct", limit: int = LIMIT) -> Run:
    """Return the run of the best courses found; level ``direct`` begins where level ``setpoint`` ends."""
    quiet = replace(episodes, noise=np.zeros_like(episodes.noise))
    plant, steps = quiet.plant, quiet.scenario.steps
    problems = [Shooting(plant, level, steps, judged(plant, quiet.scenario), limit, exact=exact) for exact in (False, True)]
    guesses = np.zeros((len(quiet), steps, len(plant.acted)))
    if level == "direct":
        guesses = optimum(episodes, "setpoint", limit).path["u"][:, 1:]
    unit, centre = spans(plant, level)
    courses = [_polished(problems, course(problems[0], quiet, i), guesses[i]) for i in range(len(quiet))]
    actions = np.clip((np.stack(courses) - centre) / unit, -1.0, 1.0).astype(np.float32)
    return rollout(Replay(plant, level, actions), quiet)


def _polished(problems: list[Shooting], course: Course, guess: Array) -> Array:
    """Search again from what was found until that gains nothing, since each search stops at the first kink."""
    best = guess
    for problem in problems:
        cost = problem.cost(course, best)
        for _ in range(ROUNDS):
            found = problem.solve(course, [best])
            best, gain, cost = found.v, cost - found.cost, found.cost
            if gain < GAIN:
                break
    return best


def course(problem: Shooting, episodes: Episodes, i: int) -> Course:
    """Return what is true of one episode."""
    plant, level, steps = episodes.plant, problem.level, problem.horizon
    rows: Layout = layout(plant, level)
    S = starts(rows, episodes[slice(i, i + 1)]).S[0]
    parts = ("x", "u") if level == "direct" else ("x", "u", "memory")
    exogenous, d = episodes.exogenous[i], slice(0, len(plant.Disturbance.names()))
    now, sent = exogenous[:steps], exogenous[plant.advance : plant.advance + steps, episodes.references()]
    e = np.hstack([now[:, d], sent, now[:, episodes.targets()], exogenous[1 : steps + 1, d]]).T
    layer = Settings.of(plant, episodes.loops, plant.advance)
    s = np.concatenate([episodes.parameters[i], *(p[:, 0] for p in (layer.coefficients, layer.feedforward, layer.limits))])
    applied: Array = S[rows.S["u"]] if level == "direct" else S[rows.S["v"]]
    z, w = np.concatenate([S[rows.S[part]] for part in parts]), np.zeros(len(plant.State.names()))
    low, high = problem.bounds(e, s)
    return Course(z, e, s, w, low, high, applied, steps)
