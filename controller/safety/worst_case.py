"""Search for the worst that may happen to a plant behind its shield: start, parameters, disturbances and commands together.

Everything stays within what the scenario declares: initial states and disturbances between the extremes of its drawn episodes,
disturbances never changing by more than there within any time up to twenty decisions, parameters within their declared
uncertainty. How likely a case is does not count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from controller.safety.adversaries import channels
from controller.safety.attack import courses
from controller.safety.evolution import Found, least
from controller.safety.governor import Calibration
from controller.safety.opponents import in_turn
from controller.safety.trial import Trial, trial
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.env.scenario import Episodes, concatenate, draw

KNOTS = 6
"""Moments of an episode, evenly spaced, at which commands and disturbances change."""
DRAWN, LAGS = 256, 20
"""Episodes whose extremes bound the search, and the decisions over which the changes of disturbances are bounded."""
POPULATION, BUDGET, KEPT = 64, 20_000, 50
"""Cases in a generation, cases in all, and the worst of them that are kept."""
NAME = "worst cases"


@dataclass(frozen=True)
class Space:
    """What is searched: ranges ``(low, high)`` of initial states, parameters and disturbances, and ``reach``.

    ``reach`` (lags, disturbances) is the most by which a disturbance changes within 1, 2, ... decisions.

    A point in [-1, 1] has an entry for each state and parameter, then knots of each disturbance, then knots of each channel.
    ``base`` is the episode that tells everything else, such as what the instruments add.
    """

    base: Episodes
    states: tuple[Array, Array]
    parameters: tuple[Array, Array]
    disturbances: tuple[Array, Array]
    reach: Array

    @classmethod
    def of(cls, plant: Plant, scenario: Scenario, seed: int) -> Space:
        """Read the ranges off drawn episodes."""
        drawn = draw(plant, scenario, seed, DRAWN, "tuning")
        d = drawn.exogenous[:, :, : len(plant.Disturbance.names())]
        shares = np.array([0.0 if scenario.exact else q.uncertain for q in plant.Parameter.quantities().values()])
        middle = np.array(list(plant.Parameter.nominal()), dtype=float)
        off, fixed = np.abs(middle) * shares, np.where(shares > 0.0, middle, drawn.parameters[0])
        ends = (drawn.initial.min(axis=0), drawn.initial.max(axis=0)), (fixed - off, fixed + off), (d.min((0, 1)), d.max((0, 1)))
        return cls(drawn[slice(1)], *ends, reaches(d))

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """The entries of each part of a point."""
        plant = self.base.plant
        return len(self.states[0]), len(self.parameters[0]), KNOTS * self.reach.shape[1], KNOTS * channels(plant)

    def cases(self, points: Array) -> tuple[Episodes, Array]:
        """Return the episodes and the moves, (n, steps, channels), that points (n, size) stand for."""
        n, steps = len(points), self.base.scenario.steps
        states, parameters, knots, moves = np.split(points, np.cumsum(self.sizes)[:-1], axis=1)
        exogenous = np.repeat(self.base.exogenous, n, axis=0)
        given = _between(self.disturbances, knots.reshape(n, KNOTS, -1))
        exogenous[:, :, : self.reach.shape[1]] = unhurried(courses(given, exogenous.shape[1]), self.reach)
        whole = concatenate([self.base] * n)
        changed = replace(whole, exogenous=exogenous, initial=_between(self.states, states),
                          parameters=_between(self.parameters, parameters))  # fmt: skip
        return changed, courses(moves.reshape(n, KNOTS, -1), steps)


def _between(ends: tuple[Array, Array], points: Array) -> Array:
    low, high = ends
    return np.asarray(low + 0.5 * (points + 1.0) * (high - low))


def reaches(paths: Array) -> Array:
    """Return the largest changes of paths (n, samples, rows) within 1, 2, ... samples, (lags, rows)."""
    lags = range(1, min(LAGS, paths.shape[1] - 1) + 1)
    changes = [np.abs(paths[:, lag:] - paths[:, :-lag]).max(axis=(0, 1)) for lag in lags]
    return np.maximum.accumulate(np.stack(changes), axis=0)


def unhurried(paths: Array, reach: Array) -> Array:
    """Return paths (n, samples, rows) that follow others, and change by at most ``reach`` (lags, rows)."""
    slow = paths.copy()
    for k in range(1, paths.shape[1]):
        before = slow[:, max(0, k - len(reach)) : k][:, ::-1]
        most = reach[: before.shape[1]]
        slow[:, k] = np.clip(paths[:, k], (before - most).max(axis=1), (before + most).min(axis=1))
    return slow


def met(space: Space, points: Array, known: Calibration | None) -> Trial:
    """Run cases, shielded by what is ``known``, or without a shield."""
    episodes, moves = space.cases(points)
    return trial(in_turn(NAME, moves), episodes, known)


def search(
    space: Space, known: Calibration, seed: int, budget: int = BUDGET, follow: Callable[[int], None] = lambda _: None
) -> Found:
    """Return the worst cases that CMA-ES finds in ``budget`` episodes, the worst first; ``follow`` is told how many are done."""
    done = list[int]()

    def nearness(points: Array) -> Array:
        done.append(len(points))
        follow(sum(done))
        return met(space, points, known).nearest(space.base.plant)

    return least(nearness, sum(space.sizes), max(1, budget // POPULATION), POPULATION, seed, KEPT)
