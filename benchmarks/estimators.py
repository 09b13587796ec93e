"""How far off the shield's estimator is beside the extended Kalman filter, on the same readings, and what each costs.

``python -m benchmarks.estimators --json``: judged episodes under commands of all kinds. Errors of the states are root mean
squares over half their ranges, from the ``SETTLED``-th decision on; time is that of one correction and prediction, a plant.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.provenance import arguments, report
from controller.liveliness import liveliness
from controller.nmpc import settings
from controller.safety.adversaries import channels, command, mixed
from controller.safety.estimator import Estimator, Gain
from controller.safety.field import Field, Reading
from controller.safety.learning_gain import learn
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.observer import observer
from plant_models.env.lookahead import Command
from plant_models.env.scenario import Episodes, draw

PLANTS = ("exothermic_cstr", "quadruple_tank")
SETTLED = 20
"""Decisions after which what was known at the start is forgotten."""


@dataclass(frozen=True)
class Error:
    """The error of the estimated states, (states,), and of all of them, as shares of half a range; microseconds a plant."""

    states: Array
    rms: float
    us: float


class Learned:
    """The shield's estimator."""

    def __init__(self, plant: Plant, n: int, gain: Gain) -> None:
        self._plant, self._estimator = plant, Estimator(plant, n, gain)

    def begin(self, reading: Reading) -> None:
        """Begin all episodes."""
        self._estimator.begin(np.arange(len(reading.y)), reading)

    def correct(self, reading: Reading) -> Array:
        """Return the estimated states, (n, states)."""
        return self._estimator.correct(reading)[:, : len(self._plant.State.names())]

    def predict(self, reading: Reading, sent: Command, _: Reading) -> None:
        """Expect what a command brings."""
        self._estimator.predict(self._estimator.standing(reading), sent)


class Filter:
    """The extended Kalman filter of the same plants, with the coarsest prediction, as NMPC uses it."""

    def __init__(self, episodes: Episodes) -> None:
        self._plant = episodes.plant
        self._observer = observer(self._plant, "setpoint", 1, liveliness(self._plant, episodes.scenario))
        self._s = np.tile(settings(episodes), (len(episodes), 1))
        self._p = self._s[:, : len(self._plant.Parameter.names())]

    def begin(self, reading: Reading) -> None:
        """Begin all episodes."""
        self._estimate = self._observer.begin(len(reading.y), self._p[0])

    def correct(self, reading: Reading) -> Array:
        """Return the estimated states, (n, states)."""
        self._estimate = self._observer.correct(self._estimate, reading.y, reading.u, reading.d, self._p)
        return self._observer.states(self._estimate)

    def predict(self, reading: Reading, sent: Command, after: Reading) -> None:
        """Expect what a command brings; of what it applies, the offsets are read afterwards."""
        n, d, d1 = len(reading.y), np.nan_to_num(reading.d), np.nan_to_num(after.d)
        e = np.hstack([d, sent.r, np.zeros((n, len(self._plant.targets))), d1])
        z = np.hstack([np.zeros((n, len(self._plant.State.names()))), reading.u, reading.memory])
        self._estimate = self._observer.predict(self._estimate, z, after.v, e, self._s)


def errors(plant: Plant, gain: Gain, n: int, seed: int = 0) -> dict[str, Error]:
    """Run plants under commands of all kinds beside both; each sees the same readings."""
    episodes = draw(plant, plant.scenario(), seed, n, "judging")
    field, half = Field(plant, episodes), np.array([q.half_range for q in plant.State.quantities().values()])
    both: dict[str, Learned | Filter] = {"learned": Learned(plant, n, gain), "filter": Filter(episodes)}
    moves = mixed(n, episodes.scenario.steps, channels(plant), np.random.default_rng(seed))
    squares, seconds = {name: list[Array]() for name in both}, dict.fromkeys(both, 0.0)
    reading = field.read()
    for each in both.values():
        each.begin(reading)
    for k in range(episodes.scenario.steps):
        sent, running, x = command(plant, moves[:, k]), field.running, field.simulator.S.read("x").T.copy()
        seen = reading
        found = {name: _timed(seconds, name, each.correct, seen) for name, each in both.items()}
        for name, states in found.items():
            squares[name] += [(((states - x) / half) ** 2)[running]] if k >= SETTLED else []
        field.command(sent)
        reading = field.read()
        for name, each in both.items():
            _timed(seconds, name, each.predict, seen, sent, reading)
    return {name: _error(np.concatenate(squares[name]), seconds[name] / (n * episodes.scenario.steps)) for name in both}


def _timed(seconds: dict[str, float], name: str, do: Any, *arguments: Any) -> Any:
    begun = time.perf_counter()
    found = do(*arguments)
    seconds[name] += time.perf_counter() - begun
    return found


def _error(squares: Array, seconds: float) -> Error:
    return Error(np.sqrt(squares.mean(axis=0)), float(np.sqrt(squares.mean())), 1e6 * seconds)


def main() -> None:
    """Run the benchmark."""
    options = arguments("the shield's estimator beside the extended Kalman filter")
    n, plants = (16 if options.quick else 256), options.plants or PLANTS
    result: dict[str, Any] = {}
    for plant in map(get, plants):
        gain = learn(plant, plant.scenario(), n=64 if options.quick else 512).gain
        found = errors(plant, gain, n)
        result[plant.name] = {
            name: {"rms": each.rms, "us": each.us, "states": dict(zip(plant.State.names(), each.states.tolist(), strict=True))}
            for name, each in found.items()
        }
    report({"episodes": n, "plants": result}, options)


if __name__ == "__main__":
    main()
