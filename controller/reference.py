"""What nobody can beat: the best course of a whole episode, found with everything known, and judged by the simulator itself.

True parameters, true state, the scenario's future, no noise; open loop. The optimum at level ``direct`` moves inputs once a
decision, so that a PID layer that moves them more often may come closer to a limit than it does; level ``setpoint`` keeps the
PID layer and its authority.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from controller.baselines import Pid, Replay
from controller.interface import Reading
from controller.rollout import Run, rollout
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.derive.layout import Layout, Level, layout
from plant_models.derive.shooting import Course, Shooting, spans
from plant_models.env.scenario import Episodes, Single
from plant_models.env.start import Settings, starts
from plant_models.env.substeps import judged

NAME = "optimum"
LEVEL: Level = "direct"
LARGEST = 20_000
"""Steps of a state in an episode, up to which the controller looks for its course: seconds."""
LIMIT = 200
"""Iterations of one search for an episode's course."""
GAIN, ROUNDS = 1e-3, 10
"""Rewards below which another search is not worth it, and the most searches of a kind."""


class Optimum:
    """The ladder's top as a controller: the best courses of whole episodes, found when they are planned, then applied.

    Its level is ``direct``, or ``setpoint`` where that costs the simulator less: an unstable plant leaves a course of inputs.

    Raises:
        BadInput: for an episode whose course would take minutes to find.
    """

    name = NAME

    def __init__(self, plant: Plant) -> None:
        _check_size(plant, plant.scenario())
        self.plant, self.level = plant, LEVEL
        self._found: Replay

    def plan(self, episodes: Episodes) -> Episodes:
        """Find the courses; leave the setpoints as the plant's hierarchy sends them."""
        _check_size(self.plant, episodes.scenario)
        below = Replay(self.plant, "setpoint", best_actions(episodes, "setpoint", LIMIT, quick=True))
        above = Replay(self.plant, "direct", best_actions(episodes, "direct", LIMIT, quick=True, below=below))
        self._found = min(above, below, key=lambda found: float(rollout(found, _quiet(episodes)).total.mean()))
        self.level = self._found.level
        return episodes

    def act(self, reading: Reading) -> Single:
        """Return the actions of the decision that each plant is at."""
        return self._found.act(reading)


def _check_size(plant: Plant, scenario: Scenario) -> None:
    size = scenario.steps * plant.loops_per_decision * judged(plant, scenario) * len(plant.State.names())
    if size > LARGEST:
        given = f"controller {NAME!r} on {plant.name}, scenario {scenario.name!r}: an episode takes {size} steps of a state"
        raise BadInput(f"{given}; up to {LARGEST} allowed; take 'nmpc with preview'")


def optimum(episodes: Episodes, level: Level = LEVEL, limit: int = LIMIT) -> Run:
    """Return the run of the best courses found; level ``direct`` begins where level ``setpoint`` ends."""
    quiet = _quiet(episodes)
    return rollout(Replay(quiet.plant, level, best_actions(quiet, level, limit), NAME), quiet)


def best_actions(episodes: Episodes, level: Level, limit: int, quick: bool = False, below: Replay | None = None) -> Single:
    """Return the actions of the best courses found, (n, steps, actions); ``below`` are those of level ``setpoint``.

    ``quick`` leaves out second derivatives, which are up to forty times as slow, and begins from the PID layer's inputs too: on
    small plants what it finds is 0.1 % to a few per cent from the best.
    """
    quiet = _quiet(episodes)
    plant, steps, substeps = quiet.plant, quiet.scenario.steps, judged(quiet.plant, quiet.scenario)
    problems = [Shooting(plant, level, steps, substeps, limit, exact=exact) for exact in ((False,) if quick else (False, True))]
    starts = [np.zeros((len(quiet), steps, len(plant.acted)))]
    if level == "direct":
        below = below or Replay(plant, "setpoint", best_actions(quiet, "setpoint", limit, quick))
        starts = [rollout(below, quiet).path["u"][:, 1:]]
        starts += [rollout(Pid(plant), quiet).path["u"][:, 1:]] if quick else []
    unit, centre, found = *spans(plant, level), []
    for i in range(len(quiet)):
        given = course(problems[0], quiet, i)
        found.append(min((_polished(problems, given, start[i]) for start in starts), key=partial(problems[0].cost, given)))
    return np.clip((np.stack(found) - centre) / unit, -1.0, 1.0).astype(np.float32)


def _quiet(episodes: Episodes) -> Episodes:
    return replace(episodes, noise=np.zeros_like(episodes.noise))


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
