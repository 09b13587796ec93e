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
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.derive.layout import Layout, Level, layout
from plant_models.derive.shooting import Course, Shooting, spans
from plant_models.env.scenario import Episodes, Single
from plant_models.env.start import Settings, starts
from plant_models.env.substeps import judged

NAME = "optimum"
LARGEST = 20_000
"""Steps of a state in an episode, up to which the controller looks for its course: seconds."""
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
    name: str = NAME

    def plan(self, episodes: Episodes) -> Episodes:
        """Leave the setpoints as the plant's hierarchy sends them."""
        return episodes

    def act(self, reading: Reading) -> Single:
        """Return the actions of the decision that each plant is at."""
        k = reading.panel().k
        return self.actions[np.arange(len(k)), k]


class Optimum:
    """The ladder's top as a controller: the best inputs of whole episodes, found when they are planned, then applied.

    Raises:
        BadInput: for an episode whose course would take minutes to find.
    """

    name = NAME
    level: Level = "direct"

    def __init__(self, plant: Plant) -> None:
        _check_size(plant, plant.scenario())
        self.plant = plant
        self._found: Replay

    def plan(self, episodes: Episodes) -> Episodes:
        """Find the courses; leave the setpoints as the plant's hierarchy sends them."""
        _check_size(self.plant, episodes.scenario)
        self._found = Replay(self.plant, self.level, best_actions(episodes, self.level, LIMIT, exact=False))
        return episodes

    def act(self, reading: Reading) -> Single:
        """Return the actions of the decision that each plant is at."""
        return self._found.act(reading)


def _check_size(plant: Plant, scenario: Scenario) -> None:
    size = scenario.steps * plant.loops_per_decision * judged(plant, scenario) * len(plant.State.names())
    if size > LARGEST:
        given = f"controller {NAME!r} on {plant.name}, scenario {scenario.name!r}: an episode takes {size} steps of a state"
        raise BadInput(f"{given}; up to {LARGEST} allowed; take 'nmpc with preview'")


def optimum(episodes: Episodes, level: Level = "direct", limit: int = LIMIT) -> Run:
    """Return the run of the best courses found; level ``direct`` begins where level ``setpoint`` ends."""
    quiet = replace(episodes, noise=np.zeros_like(episodes.noise))
    return rollout(Replay(quiet.plant, level, best_actions(quiet, level, limit)), quiet)


def best_actions(episodes: Episodes, level: Level, limit: int = LIMIT, exact: bool = True) -> Single:
    """Return the actions of the best courses found, (n, steps, actions); ``exact`` polishes them by second derivatives.

    That finds a few hundredths of a per cent and takes forty times as long.
    """
    quiet = replace(episodes, noise=np.zeros_like(episodes.noise))
    plant, steps = quiet.plant, quiet.scenario.steps
    problems = [Shooting(plant, level, steps, judged(plant, quiet.scenario), limit, exact=e) for e in (False, True)[: 1 + exact]]
    guesses = np.zeros((len(quiet), steps, len(plant.acted)))
    if level == "direct":
        below = Replay(plant, "setpoint", best_actions(quiet, "setpoint", limit, exact))
        guesses = rollout(below, quiet).path["u"][:, 1:]
    unit, centre = spans(plant, level)
    courses = [_polished(problems, course(problems[0], quiet, i), guesses[i]) for i in range(len(quiet))]
    return np.clip((np.stack(courses) - centre) / unit, -1.0, 1.0).astype(np.float32)


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
