"""One decision of a plant under its PID layer as a function: what optimising controllers and observers predict with.

It is put together from the pieces that the kernel runs (:mod:`plant_models.derive.closed_loop`). Left out are noise, faults of
instruments and valves, and the freezing of a plant that tripped or finished.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import casadi as ca
import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.core.smooth import clamp
from plant_models.derive import symbolic
from plant_models.derive.closed_loop import Piece, Trace
from plant_models.derive.layout import Level, Rows, scheduled

GIVEN, KEPT = ("d", "r", "target", "d1"), ("p", "coefficients", "feedforward", "limits")


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
    step: ca.Function
    stirred: ca.Function
    """``stirred(z, v, e, s, n)``: states after a decision in which instruments added ``n``, loop period by loop period."""
    centre: Array
    scale: Array


@cache
def prediction(plant: Plant, level: Level, substeps: int) -> Prediction:
    """Build the prediction of one decision, integrated in ``substeps`` Runge-Kutta steps a loop period."""
    trace = Trace(plant, level)
    carried = ("x", "u") if level == "direct" else ("x", "u", "memory")
    rows = _some(trace.layout.S, carried), _some(trace.layout.E, GIVEN), _some(trace.layout.P, KEPT)
    z, e, s = (ca.SX.sym(name, part.size) for name, part in zip("zes", rows, strict=True))
    v, w = ca.SX.sym("v", trace.layout.actions), ca.SX.sym("w", len(plant.State.names()))
    decision = _Decision(trace, substeps, _block(trace.layout.E, rows[1], GIVEN, e), _block(trace.layout.P, rows[2], KEPT, s), w)
    first = _block(trace.layout.S, rows[0], carried, z)
    n = ca.SX.sym("n", len(plant.Output.names()), plant.loops_per_decision)
    S, stirred = decision.run(first, v, 0.0 * n), decision.run(first, v, n)
    after = ca.vertcat(*(S[trace.layout.S[name]] for name in carried))
    step = ca.Function("step", [z, v, e, s, w], [after, S[trace.layout.S["stage"]], decision.margins(S)],
                       [*"zvesw"], ["after", "cost", "margins"], {"is_diff_in": [True, True, False, False, False]})  # fmt: skip
    other = ca.Function("stirred", [z, v, e, s, ca.vec(n)], [stirred[trace.layout.S["x"]]])
    return Prediction(plant, level, *rows, step, other, *_sizes(plant, carried))


class _Decision:
    """What happens in one decision, on symbols; ``E`` and ``P`` are whole blocks."""

    def __init__(self, trace: Trace, substeps: int, E: ca.SX, P: ca.SX, w: ca.SX) -> None:
        self._plant, self._rows, self._level = trace.plant, trace.layout, trace.level
        self._E, self._P = E, P
        self._sides = [w, -w] if hedged(trace.plant) else [0.0 * w]
        self._p, self._substeps = P[trace.layout.P["p"]], substeps
        self._begin, self._account, self._finish = trace.begin(), trace.account(), trace.finish()
        self._layer = _layer(trace) if trace.level != "direct" else None

    def run(self, S: ca.SX, v: ca.SX, n: ca.SX) -> ca.SX:
        """Return the state block after a decision that applies ``v``, where instruments add ``n`` (outputs, loop periods)."""
        S = self._with(self._call(self._begin, S), v=v, d=self._E[self._rows.E["d"]])
        loops = self._plant.loops_per_decision
        for j in range(loops):
            S = self._controlled(S, self._disturbance((j + 0.5) / loops), n[:, j])
            S = self._integrated(S)
        return self._call(self._finish, S)

    def margins(self, S: ca.SX) -> ca.SX:
        """Return every margin as it stands, where disturbances are those that the next decision begins with."""
        d1 = self._E[self._rows.E["d1"]]
        points = [(self._part(S, "x") + w, self._part(S, "u"), d1, self._p) for w in self._sides]
        values = [symbolic.apply(self._plant, self._plant.margins, *point) for point in points]
        return ca.vertcat(*(m.value for at_one in values for m in at_one.values()))

    def _controlled(self, S: ca.SX, d: ca.SX, n: ca.SX) -> ca.SX:
        """Move the inputs, and charge for the move."""
        old, writes = self._part(S, "u"), self._moved(S, d, n)
        S = self._with(S, d=d, **writes)
        duty, moves = self._plant.duty, self._part(S, "moves")
        weights = duty.moves if isinstance(duty, Tracking) else {}
        for i, (name, q) in enumerate(self._plant.Input.quantities().items()):
            moves += weights.get(name, 0.0) * ((writes["u"][i] - old[i]) / q.half_range) ** 2
        return self._with(S, moves=moves)

    def _moved(self, S: ca.SX, d: ca.SX, n: ca.SX) -> dict[str, ca.SX]:
        plant, x, u = self._plant, self._part(S, "x"), self._part(S, "u")
        if self._layer is None:
            reach = [q.rate * plant.loop_period for q in plant.Input.quantities().values()]
            v = self._part(S, "v")
            return {"u": ca.vertcat(*(clamp(v[i], u[i] - step, u[i] + step) for i, step in enumerate(reach)))}
        y = symbolic.outputs(plant, x, u, self._part(S, "d"), self._p) + n
        parts = [self._P[self._rows.P[name]] for name in ("coefficients", "feedforward", "limits")]
        memory, u = self._layer(self._part(S, "memory"), y, u, self._part(S, "v"), self._E[self._rows.E["r"]], d, *parts)
        return {"memory": memory, "u": u}

    def _integrated(self, S: ca.SX) -> ca.SX:
        h = self._plant.loop_period / self._substeps
        u, d = self._part(S, "u"), self._part(S, "d")
        for _ in range(self._substeps):
            x = self._part(S, "x")
            k_1 = symbolic.derivative(self._plant, x, u, d, self._p)
            k_2 = symbolic.derivative(self._plant, x + 0.5 * h * k_1, u, d, self._p)
            k_3 = symbolic.derivative(self._plant, x + 0.5 * h * k_2, u, d, self._p)
            k_4 = symbolic.derivative(self._plant, x + h * k_3, u, d, self._p)
            x = self._physical(x + h / 6.0 * (k_1 + 2.0 * k_2 + 2.0 * k_3 + k_4))
            sides = [self._part(self._call(self._account, S, x + w, h), "terms") for w in self._sides]
            S = self._with(S, x=x, terms=sum(sides[1:], sides[0]) / len(sides))
        return S

    def _physical(self, x: ca.SX) -> ca.SX:
        """Stay where the equations hold, so that a bad guess of an optimiser does not end in infinity."""
        bounds = enumerate(q.valid for q in self._plant.State.quantities().values())
        return ca.vertcat(*(clamp(x[i], low, high) if np.isfinite([low, high]).any() else x[i] for i, (low, high) in bounds))

    def _disturbance(self, tau: float) -> ca.SX:
        d, d1 = self._E[self._rows.E["d"]], self._E[self._rows.E["d1"]]
        drifts = [float(q.kind in ("load", "weather")) for q in self._plant.Disturbance.quantities().values()]
        return d + tau * ca.DM(drifts) * (d1 - d)

    def _part(self, S: ca.SX, name: str) -> ca.SX:
        return S[self._rows.S[name]]

    def _with(self, S: ca.SX, **parts: ca.SX) -> ca.SX:
        changed = ca.SX(S)
        for name, value in parts.items():
            changed[self._rows.S[name]] = value
        return changed

    def _call(self, piece: Piece, S: ca.SX, x: ca.SX | None = None, tau: float = 0.0) -> ca.SX:
        blocks = {"S": S, "P": self._P, "E": self._E, "X": x, "tau": ca.SX(tau)}
        results = piece.f(ca.vertcat(*(blocks[block][row] for block, row in piece.reads)))
        changed = ca.SX(S)
        for i, (_, row) in enumerate(piece.writes):
            changed[row] = results[i]
        return changed


def hedged(plant: Plant) -> bool:
    """Return whether the uncertainty of an estimate matters to the cost: where money is, limits have prices, but no targets."""
    return not isinstance(plant.duty, Tracking)


def _layer(trace: Trace) -> ca.Function:
    """Return the PID layer as a function of memory, outputs, inputs, what is applied, references, disturbances and settings."""
    writes, d = trace.layer()
    arguments = [*(trace.S(name) for name in ("memory", "y", "u", "v")), trace.E("r"), d,
                 *(trace.P(name) for name in ("coefficients", "feedforward", "limits"))]  # fmt: skip
    return ca.Function("layer", arguments, [writes["memory"], writes["u"]])


def _count(rows: Rows, name: str) -> int:
    return int(rows[name].stop - rows[name].start)


def _some(rows: Rows, names: tuple[str, ...]) -> Rows:
    return Rows(**{name: _count(rows, name) for name in names})


def _block(whole: Rows, part: Rows, names: tuple[str, ...], column: ca.SX) -> ca.SX:
    """Return a whole block that is zero but for the named rows."""
    block = ca.SX(whole.size, 1)
    for name in names:
        block[whole[name]] = column[part[name]]
    return ca.densify(block)


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
