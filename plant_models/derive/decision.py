"""What happens in one decision, cut into pieces small enough for a compiler: PID layer, sub-step, what is summed up.

They are put together from the pieces that the kernel runs (:mod:`plant_models.derive.closed_loop`). Left out are noise, faults of
instruments and valves, and the freezing of a plant that tripped. A batch that is complete stands still, as in the simulator; the
sub-step that completes it is cut short where it does, so that its cost tells an optimiser when to be done.
"""

from __future__ import annotations

from dataclasses import dataclass

import casadi as ca
import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.plant import Plant
from plant_models.core.smooth import clamp
from plant_models.derive import symbolic
from plant_models.derive.closed_loop import Piece, Trace
from plant_models.derive.layout import Level, Rows

GIVEN, KEPT = ("d", "r", "target", "d1"), ("p", "coefficients", "feedforward", "limits")
SUMMED = ("terms", "moves")


@dataclass(frozen=True)
class Pieces:
    """A decision is ``[control ; substep * substeps] * loops per decision ; finish``, on columns ``c`` of rows ``carried``.

    ``control(c, v, e, s, n, seen, tau)`` and ``substep(c, e, s, w, tau)`` return the next ``c``, ``finish(z, c, e, s, w)`` the
    stage cost and the margins. ``z`` is what ``c`` began with, without its sums; ``n`` what instruments add; ``tau`` the elapsed
    share of the decision, ``seen`` that at which instruments were read; ``v``, ``e``, ``s`` and ``w`` as in the prediction.
    """

    z: Rows
    e: Rows
    s: Rows
    carried: Rows
    control: ca.Function
    substep: ca.Function
    finish: ca.Function


def pieces(plant: Plant, level: Level, substeps: int) -> Pieces:
    """Trace the pieces of a decision, integrated in ``substeps`` Runge-Kutta steps a loop period."""
    return _Tracer(Trace(plant, level), plant.loop_period / substeps).pieces()


class _Tracer:
    """The pieces on symbols; ``h`` is the sub-step."""

    def __init__(self, trace: Trace, h: float) -> None:
        plant, self._rows = trace.plant, trace.layout
        kept = ("x", "u") if trace.level == "direct" else ("x", "u", "memory")
        self._z, self._carried = _some(self._rows.S, kept), _some(self._rows.S, (*kept, *SUMMED))
        self._given, self._kept = _some(self._rows.E, GIVEN), _some(self._rows.P, KEPT)
        counts = {
            "z": self._z.size, "c": self._carried.size, "v": self._rows.actions, "e": self._given.size, "s": self._kept.size,
            "w": len(plant.State.names()), "n": len(plant.Output.names()), "seen": 1, "tau": 1,
        }  # fmt: skip
        self._symbols = {name: ca.SX.sym(name, count) for name, count in counts.items()}
        self._plant, self._h = plant, h
        self._E = _block(self._rows.E, self._given, self._symbols["e"])
        self._P = _block(self._rows.P, self._kept, self._symbols["s"])
        self._p, w = self._P[self._rows.P["p"]], self._symbols["w"]
        self._sides = [w, -w] if hedged(plant) else [0.0 * w]
        self._begin, self._account, self._finish = trace.begin(), trace.account(), trace.finish()
        self._layer = _layer(trace) if trace.level != "direct" else None

    def pieces(self) -> Pieces:
        """Close each piece over its symbols."""
        control = self._function("control", ("c", "v", "e", "s", "n", "seen", "tau"), [self._gathered(self._controlled())])
        substep = self._function("substep", ("c", "e", "s", "w", "tau"), [self._gathered(self._integrated())])
        finish = self._function("finish", ("z", "c", "e", "s", "w"), self._summed())
        return Pieces(self._z, self._given, self._kept, self._carried, control, substep, finish)

    def _function(self, name: str, reads: tuple[str, ...], results: list[ca.SX]) -> ca.Function:
        differentiated = [read in {"z", "c", "v"} for read in reads]
        given, outputs = [self._symbols[read] for read in reads], [f"o{i}" for i in range(len(results))]
        return ca.Function(name, given, ca.cse(results), list(reads), outputs, {"is_diff_in": differentiated})

    def _scattered(self, tau: ca.SX) -> ca.SX:
        """Return the state block that ``c`` stands for."""
        S = _block(self._rows.S, self._carried, self._symbols["c"])
        return self._with(S, v=self._symbols["v"], d=self._disturbance(tau))

    def _gathered(self, S: ca.SX) -> ca.SX:
        return ca.vertcat(*(self._part(S, name) for name in self._carried.names))

    def _controlled(self) -> ca.SX:
        """Move the inputs, and charge for the move."""
        S = self._scattered(self._symbols["tau"])
        old, writes = self._part(S, "u"), self._moved(S)
        duty, moves = self._plant.duty, self._part(S, "moves")
        weights = duty.moves if isinstance(duty, Tracking) else {}
        for i, (name, q) in enumerate(self._plant.Input.quantities().items()):
            moves += weights.get(name, 0.0) * ((writes["u"][i] - old[i]) / q.half_range) ** 2
        return self._with(S, moves=moves, **writes)

    def _moved(self, S: ca.SX) -> dict[str, ca.SX]:
        plant, x, u, d = self._plant, self._part(S, "x"), self._part(S, "u"), self._part(S, "d")
        if self._layer is None:
            reach = [q.rate * plant.loop_period for q in plant.Input.quantities().values()]
            v = self._part(S, "v")
            return {"u": ca.vertcat(*(clamp(v[i], u[i] - step, u[i] + step) for i, step in enumerate(reach)))}
        y = symbolic.outputs(plant, x, u, self._disturbance(self._symbols["seen"]), self._p) + self._symbols["n"]
        parts = [self._P[self._rows.P[name]] for name in ("coefficients", "feedforward", "limits")]
        memory, u = self._layer(self._part(S, "memory"), y, u, self._part(S, "v"), self._E[self._rows.E["r"]], d, *parts)
        return {"memory": memory, "u": u}

    def _integrated(self) -> ca.SX:
        S, h = self._scattered(self._symbols["tau"]), self._h
        x, u, d = self._part(S, "x"), self._part(S, "u"), self._part(S, "d")
        k_1 = symbolic.derivative(self._plant, x, u, d, self._p)
        k_2 = symbolic.derivative(self._plant, x + 0.5 * h * k_1, u, d, self._p)
        k_3 = symbolic.derivative(self._plant, x + 0.5 * h * k_2, u, d, self._p)
        k_4 = symbolic.derivative(self._plant, x + h * k_3, u, d, self._p)
        after = self._physical(x + h / 6.0 * (k_1 + 2.0 * k_2 + 2.0 * k_3 + k_4))
        if self._plant.complete is not None:
            begun, reached = (symbolic.apply(self._plant, self._plant.complete, at, u, d, self._p) for at in (x, after))
            share = _unfinished(begun, reached)
            after, h = x + share * (after - x), share * h
        sides = [self._part(self._call(self._account, S, after + w, h), "terms") for w in self._sides]
        return self._with(S, x=after, terms=sum(sides[1:], sides[0]) / len(sides))

    def _physical(self, x: ca.SX) -> ca.SX:
        """Stay where the equations hold, so that a bad guess of an optimiser does not end in infinity."""
        bounds = enumerate(q.valid for q in self._plant.State.quantities().values())
        return ca.vertcat(*(clamp(x[i], low, high) if np.isfinite([low, high]).any() else x[i] for i, (low, high) in bounds))

    def _summed(self) -> list[ca.SX]:
        loops = self._plant.loops_per_decision
        begun = self._call(self._begin, _block(self._rows.S, self._z, self._symbols["z"]))
        S = self._with(self._scattered(ca.SX((loops - 0.5) / loops)), stock=self._part(begun, "stock"))
        return [self._part(self._call(self._finish, S), "stage"), self._margins(S)]

    def _margins(self, S: ca.SX) -> ca.SX:
        """Return every margin as it stands, where disturbances are those that the next decision begins with."""
        d1 = self._E[self._rows.E["d1"]]
        points = [(self._part(S, "x") + w, self._part(S, "u"), d1, self._p) for w in self._sides]
        values = [symbolic.apply(self._plant, self._plant.margins, *point) for point in points]
        return ca.vertcat(*(m.value for at_one in values for m in at_one.values()))

    def _disturbance(self, tau: ca.SX) -> ca.SX:
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

    def _call(self, piece: Piece, S: ca.SX, x: ca.SX | None = None, tau: ca.SX | float = 0.0) -> ca.SX:
        blocks = {"S": S, "P": self._P, "E": self._E, "X": x, "tau": ca.SX(tau)}
        results = piece.f(ca.vertcat(*(blocks[block][row] for block, row in piece.reads)))
        changed = ca.SX(S)
        for i, (_, row) in enumerate(piece.writes):
            changed[row] = results[i]
        return changed


def hedged(plant: Plant) -> bool:
    """Return whether the uncertainty of an estimate matters to the cost: where money is, limits have prices, but no targets."""
    return not isinstance(plant.duty, Tracking)


def _unfinished(begun: ca.SX, reached: ca.SX) -> ca.SX:
    """Return the share of a sub-step that a batch still runs: all of it, none once it is complete, or up to where it is.

    ``begun`` and ``reached`` are how complete it is before and after a whole one; neither branch may divide by zero.
    """
    whole = reached < 0.0
    cut = -begun / ca.if_else(whole, 1.0, reached - begun)
    return ca.if_else(begun >= 0.0, 0.0, ca.if_else(whole, 1.0, cut))


def _layer(trace: Trace) -> ca.Function:
    """Return the PID layer as a function of memory, outputs, inputs, what is applied, references, disturbances and settings."""
    writes, d = trace.layer()
    arguments = [*(trace.S(name) for name in ("memory", "y", "u", "v")), trace.E("r"), d,
                 *(trace.P(name) for name in ("coefficients", "feedforward", "limits"))]  # fmt: skip
    return ca.Function("layer", arguments, [writes["memory"], writes["u"]])


def _some(rows: Rows, names: tuple[str, ...]) -> Rows:
    return Rows(**{name: int(rows[name].stop - rows[name].start) for name in names})


def _block(whole: Rows, part: Rows, column: ca.SX) -> ca.SX:
    """Return a whole block that is zero but for the rows of the part."""
    block = ca.SX(whole.size, 1)
    for name in part.names:
        block[whole[name]] = column[part[name]]
    return ca.densify(block)
