"""Tune the PID layers of PC-Gym's stirred-tank case on random setpoints in PC-Gym's own reward, as the plants' own are tuned.

``python -m benchmarks.peers.pcgym_tuning`` prints what :mod:`benchmarks.peers.pcgym_cstr` carries. The published setpoints are
never tuned on; a candidate whose sensitivity peak exceeds 2 is charged for it. Some ranges are wider than for the plants of the
catalogue: no load varies in this case, so that integral action has little to do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import differential_evolution

from benchmarks.peers.pcgym_cstr import PLANTS
from benchmarks.peers.pcgym_judge import run
from controller.baselines import Pid
from controller.pid_tuning import CHARGE, MOST_SENSITIVE, Tuner
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.scenario import concatenate
from plant_models.env.start import Settings

EPISODES, GENERATIONS = 64, 250
WIDER = {"T_i": 4.0, "T_d": 4.0, "setpoint": 3.0}
"""Factors on the ends of ranges that otherwise bind."""


@dataclass(frozen=True)
class Layer:
    """A PID layer with its advance in steps, the return on the tuning episodes, and its sensitivity peak."""

    loops: tuple[Loop, ...]
    advance: int
    returns: float
    sensitivity: float


class Search:
    """The layers of one plant as points of a unit cube; a single loop is a plain PID, without feed-forward."""

    def __init__(self, plant: Plant, seed: int = 0) -> None:
        self.plant, self.tuner = plant, Tuner(plant, seed, EPISODES)
        factors = [WIDER.get(knob.name.split()[-1], 1.0) for knob in self.tuner.knobs]
        self.tuner.knobs = tuple(
            replace(knob, low=knob.low if knob.log else factor * knob.low, high=factor * knob.high)
            for knob, factor in zip(self.tuner.knobs, factors, strict=True)
        )

    def at(self, point: Array) -> tuple[tuple[Loop, ...], int]:
        """Return the loops and the advance at a point."""
        loops, advance, _ = self.tuner.at(point)
        if len(loops) == 1:
            loops = tuple(replace(loop, gains=replace(loop.gains, setpoint=0.0)) for loop in loops)
        return loops, advance

    def judge(self, layers: list[tuple[tuple[Loop, ...], int]]) -> tuple[Array, Array]:
        """Return the mean returns and the sensitivity peaks of layers, (layers,)."""
        each = [Settings.of(self.plant, *layer) for layer in layers]
        episodes = concatenate([self.tuner.episodes] * len(layers))
        returns = run(Pid(self.plant), episodes, "setpoint", _side_by_side(each, EPISODES)).returns
        peaks = np.array([self.tuner.robustness.peak(s.coefficients, s.limits) for s in each])
        return returns.reshape(len(layers), -1).mean(axis=1), peaks

    def costs(self, points: Array) -> Array:
        """Return the charged costs of points, (points,)."""
        returns, peaks = self.judge([self.at(point) for point in points])
        charged: Array = -returns * (1.0 + CHARGE * np.clip(peaks - MOST_SENSITIVE, 0.0, 10.0))
        return charged


def tune(plant: Plant, seed: int = 0, generations: int = GENERATIONS) -> Layer:
    """Return the best layer found; the same seed finds the same."""
    search = Search(plant, seed)
    found = differential_evolution(
        lambda points: search.costs(np.atleast_2d(points.T)), [(0.0, 1.0)] * len(search.tuner.knobs), rng=seed,
        maxiter=generations, popsize=8, tol=1e-6, polish=False, vectorized=True, updating="deferred",
    )  # fmt: skip
    return _judged(search, *search.at(found.x))


def carried(plant: Plant, seed: int = 0) -> Layer:
    """Return the layer that a plant carries, judged like a candidate."""
    return _judged(Search(plant, seed), plant.loops, plant.advance)


def _judged(search: Search, loops: tuple[Loop, ...], advance: int) -> Layer:
    returns, peaks = search.judge([(loops, advance)])
    return Layer(loops, advance, float(returns[0]), float(peaks[0]))


def _side_by_side(each: list[Settings], repeat: int) -> Settings:
    rows = ([getattr(s, part) for s in each] for part in ("coefficients", "feedforward", "limits", "advance"))
    return Settings(*(np.repeat(np.concatenate(row, axis=1), repeat, axis=1) for row in rows))


if __name__ == "__main__":
    for name, plant in PLANTS.items():
        print(name, tune(plant))
