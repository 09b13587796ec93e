"""Search a box for the points of least value by CMA-ES, a whole generation at a time.

Source: Hansen, The CMA evolution strategy: a tutorial, arXiv:1604.00772, 2016; the package ``cmaes`` (Nomura and Shibata,
arXiv:2402.01373, 2024).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from cmaes import CMA

from plant_models.core.scenario import Array

SIGMA = 0.6
"""First standard deviation in a box that reaches from -1 to 1."""


@dataclass(frozen=True)
class Found:
    """The best points, (points, size), each in [-1, 1], their ``values`` (points,), least first, and how many were tried."""

    points: Array
    values: Array
    tried: int


def least(value: Callable[[Array], Array], size: int, generations: int, population: int, seed: int, keep: int) -> Found:
    """Return the ``keep`` points of least value; ``value`` takes a generation, (population, size), and returns (population,).

    Where a search has settled another one begins elsewhere.
    """
    rng = np.random.default_rng(seed)
    search, points, values = _begun(size, population, rng), np.empty((0, size)), np.empty(0)
    for _ in range(generations):
        generation = np.stack([search.ask() for _ in range(population)])
        reached = value(generation)
        search.tell(list(zip(generation, reached.tolist(), strict=True)))
        points, values = np.concatenate([points, generation]), np.concatenate([values, reached])
        best = np.argsort(values, kind="stable")[:keep]
        points, values = points[best], values[best]
        if search.should_stop():
            search = _begun(size, population, rng)
    return Found(points, values, generations * population)


def _begun(size: int, population: int, rng: np.random.Generator) -> CMA:
    box = np.tile([-1.0, 1.0], (size, 1))
    middle, seed = rng.uniform(-0.5, 0.5, size), int(rng.integers(2**31))
    return CMA(mean=middle, sigma=SIGMA, bounds=box, seed=seed, population_size=population)
