"""Learn an estimator's gain from simulated plants, and measure the error that it leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from controller.safety.adversaries import channels, command, mixed
from controller.safety.estimator import Estimator, Gain, Unknowns, corrected
from controller.safety.field import Field
from plant_models.core.duty import Batch
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.env.scenario import draw

EPISODES = 512
PHASES = 10
"""Readings after which the gain of a plant that is no batch changes no more."""
FLOOR = 1e-3
"""Least noise of an instrument that is reckoned with, over half its range."""


@dataclass(frozen=True)
class Known:
    """A gain, and the size below which a share of the errors that it leaves stay, (phases, entries)."""

    gain: Gain
    error: Array


def learn(plant: Plant, scenario: Scenario, share: float = 0.99, seed: int = 0, n: int = EPISODES) -> Known:
    """Learn the gain on tuning episodes of a scenario under commands of all kinds, and measure the error on others."""
    phases = scenario.steps if isinstance(plant.duty, Batch) else min(PHASES, scenario.steps)
    gain = _learned(plant, scenario, seed, n, phases)
    return Known(gain, _error(plant, scenario, seed + 1, n, gain, share))


class _Course:
    """Plants under commands of all kinds, and the estimates that go with them."""

    def __init__(self, plant: Plant, scenario: Scenario, seed: int, n: int, gain: Gain) -> None:
        self.field = Field(plant, draw(plant, scenario, seed, n, "tuning"))
        self.estimator = Estimator(plant, n, gain)
        self._moves = mixed(n, scenario.steps, channels(plant), np.random.default_rng(seed))
        self.reading = self.field.read()
        self.estimator.begin(np.arange(n), self.reading)

    def truth(self, k: int) -> Array:
        """Return what is estimated as it really is, (n, entries)."""
        simulator, unknowns = self.field.simulator, self.estimator.unknowns
        d = self.field.episodes.exogenous[:, k][:, list(unknowns.disturbances)]
        return np.hstack([simulator.S.read("x").T, d, simulator.P.read("p").T[:, list(unknowns.parameters)]])

    def decision(self, k: int) -> None:
        """Send a command, and expect what it brings."""
        sent = command(self.field.plant, self._moves[:, k])
        self.estimator.predict(self.estimator.standing(self.reading), sent)
        self.field.command(sent)
        self.reading = self.field.read()


def _learned(plant: Plant, scenario: Scenario, seed: int, n: int, phases: int) -> Gain:
    unknowns = Unknowns.of(plant)
    course = _Course(plant, scenario, seed, n, Gain(np.zeros((1, len(unknowns.nominal), len(plant.Output.names()))),
                                                    np.zeros((1, len(plant.Output.names())))))  # fmt: skip
    gains: list[tuple[Array, Array]] = []
    late: list[tuple[Array, Array]] = []
    for k in range(scenario.steps):
        running = course.field.running
        error, surprise = course.truth(k) - course.estimator.z, course.estimator.surprise(course.reading)
        pair = error[running], surprise[running]
        late += [pair] if k >= phases - 1 else []
        chosen = _regressed(plant, [pair] if k < phases - 1 else late)
        gains[min(k, phases - 1) :] = [chosen]
        z = corrected(Gain(chosen[0][None], chosen[1][None]), unknowns, course.estimator.z, surprise, np.zeros(n, dtype=np.intp))
        course.estimator.moved(z)
        course.decision(k)
    K, spread = zip(*gains, strict=True)
    return Gain(np.stack(K), np.stack(spread))


def _regressed(plant: Plant, pairs: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Return the gain with which surprises tell most of the errors, and one standard deviation of the surprises."""
    error, surprise = (np.concatenate(part) for part in zip(*pairs, strict=True))
    floor = np.array([max(q.noise, FLOOR * q.half_range) for q in plant.Output.quantities().values()])
    n = max(len(error), 1)
    across, own = error.T @ surprise / n, surprise.T @ surprise / n + np.diag(floor**2) * FLOOR
    spread = np.sqrt(np.diag(own))
    K: Array = np.linalg.solve(own / np.outer(spread, spread), (across / spread).T).T / spread
    return K, spread


def _error(plant: Plant, scenario: Scenario, seed: int, n: int, gain: Gain, share: float) -> Array:
    """Return the size below which a ``share`` of the errors stay, (phases, entries)."""
    course, errors = _Course(plant, scenario, seed, n, gain), list[list[Array]]()
    for k in range(scenario.steps):
        z, running = course.estimator.correct(course.reading), course.field.running
        errors[len(gain.K) - 1 :] = [errors[-1] if k >= len(gain.K) else []]
        errors[-1].append(np.abs(course.truth(k) - z)[running])
        course.decision(k)
    pooled = [np.concatenate(part) for part in errors]
    return np.stack([np.quantile(part, share, axis=0) for part in pooled if len(part)])
