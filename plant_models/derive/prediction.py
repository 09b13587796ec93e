"""One decision of a plant under its PID layer as a function: what optimising controllers and observers predict with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import casadi as ca
import numpy as np

from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.decision import Pieces, pieces
from plant_models.derive.layout import Level, Rows, scheduled


@dataclass(frozen=True)
class Prediction:
    """``step(z, v, e, s, w)`` -> ``z`` after a decision, its stage cost, and the margins at its end.

    ``z`` holds the rows ``x``, ``u`` and, unless inputs are moved directly, ``memory``; ``v`` what the decision applies, in
    units: offsets, setpoints or inputs; ``e`` the rows ``d``, ``r``, ``target``, ``d1``; ``s`` the rows ``p``,
    ``coefficients``, ``feedforward``, ``limits``. Cost terms and margins are those at ``x + w`` and ``x - w``, the terms as
    their mean, the margins one after the other: where a limit has its price just beyond it, an estimate that may be off by
    ``w`` (states) either way must keep its distance. ``centre`` and ``scale`` are the middles and sizes of ``z``.
    """

    plant: Plant
    level: Level
    z: Rows
    e: Rows
    s: Rows
    pieces: Pieces
    substeps: int
    step: ca.Function
    centre: Array
    scale: Array


@cache
def prediction(plant: Plant, level: Level, substeps: int) -> Prediction:
    """Build the prediction of one decision, integrated in ``substeps`` Runge-Kutta steps a loop period."""
    cut = pieces(plant, level, substeps)
    sizes = (cut.z.size, cut.control.size1_in(1), cut.e.size, cut.s.size, cut.finish.size1_in(4))
    z, v, e, s, w = arguments = [ca.MX.sym(name, size) for name, size in zip("zvesw", sizes, strict=True)]
    c = ca.vertcat(z, ca.DM.zeros(cut.carried.size - cut.z.size))
    for seen, tau in instants(plant):
        c = cut.control(c, v, e, s, 0.0, seen, tau)
        for _ in range(substeps):
            c = cut.substep(c, e, s, w, tau)
    step = ca.Function("step", arguments, [c[: cut.z.size], *cut.finish(z, c, e, s, w)],
                       [*"zvesw"], ["after", "cost", "margins"], {"is_diff_in": [True, True, False, False, False]})  # fmt: skip
    return Prediction(plant, level, cut.z, cut.e, cut.s, cut, substeps, step, *_sizes(plant, cut.z.names))


def instants(plant: Plant) -> list[tuple[float, float]]:
    """Return of each loop period the share of the decision at which instruments were read, and that of its middle."""
    loops = plant.loops_per_decision
    return [(max(j - 0.5, 0.0) / loops, (j + 0.5) / loops) for j in range(loops)]


def _sizes(plant: Plant, carried: tuple[str, ...]) -> tuple[Array, Array]:
    """Return middle and size of every row: from the declared ranges, those of a loop from what it measures and moves."""
    ranges = [*plant.State.quantities().values(), *plant.Input.quantities().values()]
    pairs = [(q.centre, q.half_range) for q in ranges]
    for loop in plant.loops if "memory" in carried else ():
        pv, (middle, size) = plant.Output.quantities()[loop.pv], _moves(plant, loop)
        pairs += [(0.0, size), (0.0, size), (pv.centre, pv.half_range), (middle, size), (0.0, size)]
    pairs += [(1.0, 1.0) for _ in scheduled(plant)] if "memory" in carried else []
    centre, scale = np.array(pairs).T
    return centre, scale


def _moves(plant: Plant, loop: Loop) -> tuple[float, float]:
    if loop.mv:
        q = plant.Input.quantities()[loop.mv]
        return q.centre, q.half_range
    slave = plant.slave(loop)
    return 0.5 * (slave.low + slave.high), 0.5 * (slave.high - slave.low)
