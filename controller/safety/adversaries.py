"""Who tries to bring a plant over its limits: whatever a supervisor could send, sent in bad faith.

An adversary moves everything that a supervisor and an operator may move: the setpoints of all master loops over their whole
range, and the offsets over their whole authority. Each of those is a channel in [-1, 1].
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command

Path = Literal["max", "min", "bang-bang", "random"]
PATHS: tuple[Path, ...] = get_args(Path)
"""Adversaries whose moves are known beforehand; the others watch the plant."""
HOLD = 20
"""Decisions for which a random command is held at most."""


def channels(plant: Plant) -> int:
    """Return how many channels a command has."""
    return len(plant.masters) + len(plant.acted)


def command(plant: Plant, moves: Array) -> Command:
    """Return the command of channels in [-1, 1], (n, channels)."""
    masters = plant.masters
    low, high = (np.array([getattr(loop, side) for loop in masters]) for side in ("low", "high"))
    r = 0.5 * (low + high) + 0.5 * (high - low) * moves[:, : len(masters)]
    return Command(r, moves[:, len(masters) :], np.zeros(len(moves), dtype=bool))


def path(kind: Path, n: int, steps: int, count: int, period: int, rng: np.random.Generator) -> Array:
    """Return the moves of ``n`` episodes, (n, steps, channels); a bang-bang's ``period`` is in decisions."""
    if kind in ("max", "min"):
        return np.full((n, steps, count), 1.0 if kind == "max" else -1.0)
    if kind == "bang-bang":
        phase = rng.integers(0, period, (n, 1, 1))
        signs = rng.choice([-1.0, 1.0], (n, 1, count))
        half = ((np.arange(steps)[None, :, None] + phase) * 2 // period) % 2
        swings: Array = signs * (1.0 - 2.0 * half)
        return swings
    return held(rng, n, steps, count)


def held(rng: np.random.Generator, n: int, steps: int, count: int) -> Array:
    """Return moves drawn anew at random moments, a third of them at an end, (n, steps, count)."""
    drawn = rng.uniform(-1.5, 1.5, (n, steps, count)).clip(-1.0, 1.0)
    anew = rng.random((n, steps, count)) < 1.0 / rng.integers(1, HOLD + 1, (n, 1, count))
    anew[:, 0] = True
    last = np.maximum.accumulate(np.where(anew, np.arange(steps)[None, :, None], 0), axis=1)
    moves: Array = np.take_along_axis(drawn, last, axis=1)
    return moves


def mixed(n: int, steps: int, count: int, rng: np.random.Generator) -> Array:
    """Return the moves of all kinds of adversaries in turn, with periods of all lengths, (n, steps, channels)."""
    moves = held(rng, n, steps, count)
    for e in range(0, n, 4):
        signs, period = rng.choice([-1.0, 1.0], count), int(rng.integers(2, max(3, steps // 2)))
        moves[e] = signs if e % 8 else signs * (1.0 - 2.0 * ((np.arange(steps) * 2 // period) % 2))[:, None]
    return moves


def vertices(count: int, most: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the corners of the channels' box, (corners, channels): all of them, or as many drawn."""
    if 2**count <= most:
        return np.array(np.meshgrid(*[[-1.0, 1.0]] * count)).reshape(count, -1).T
    return rng.choice([-1.0, 1.0], (most, count))
