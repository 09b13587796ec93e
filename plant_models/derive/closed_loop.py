"""Plant, PID layer, margins and objective, traced together into five pieces that a simulator runs in turn.

    begin (once a decision) ; [ control ; substep * substeps ; measure ] * loops per decision ; finish

Each piece reads and writes rows of the blocks of :mod:`plant_models.derive.layout`; the compiled kernel and the slow
CVODES twin run the very same pieces.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import casadi as ca

from plant_models.core.duty import Tracking
from plant_models.core.plant import Plant
from plant_models.core.smooth import clamp
from plant_models.core.vector import Expr
from plant_models.derive import symbolic
from plant_models.derive.layout import (
    COMPLETE,
    FAILED,
    HELD,
    RUNNING,
    TRIPPED,
    Layout,
    Level,
    layout,
)
from plant_models.derive.operated import OperatedLayer
from plant_models.derive.pid_layer import PidLayer

STIFF = 0.2
"""A sub-step whose two midpoint slopes differ by more than this share of a state's range is done again by CVODES."""

Ref = tuple[str, int]
"""A row of a block, as ``("S", 3)``; ``("tau", 0)`` is a piece's own scalar: elapsed share of the decision, or a sub-step."""


@dataclass(frozen=True)
class Piece:
    """A traced piece: ``f`` maps the rows of ``reads`` to the rows of ``writes``."""

    name: str
    reads: tuple[Ref, ...]
    writes: tuple[Ref, ...]
    f: ca.Function


class Trace:
    """Symbols for every row of every block of one plant, and the pieces built on them."""

    def __init__(self, plant: Plant, level: Level = "setpoint", operated: bool = False) -> None:
        self.plant, self.level, self.operated, self.layout = plant, level, operated, layout(plant, level, operated)
        self._blocks = {
            name: ca.vertcat(*(ca.SX.sym(f"{name}_{i}") for i in range(count)))
            for name, count in (("S", self.layout.S.size), ("P", self.layout.P.size), ("E", self.layout.E.size),
                                ("N", self.layout.noise), ("tau", 1))
        }  # fmt: skip

    def S(self, name: str) -> ca.SX:
        """Return the symbols of a part of the state block."""
        return self._blocks["S"][self.layout.S[name]]

    def P(self, name: str) -> ca.SX:
        """Return the symbols of a part of the parameter block."""
        return self._blocks["P"][self.layout.P[name]]

    def E(self, name: str) -> ca.SX:
        """Return the symbols of a part of the block of what a decision is given."""
        return self._blocks["E"][self.layout.E[name]]

    def piece(self, name: str, writes: dict[str, ca.SX]) -> Piece:
        """Close a piece over the symbols that its results use; a scalar result fills all its rows."""
        targets, results = [], []
        for part, written in writes.items():
            rows, value = self.layout.S[part], ca.SX(written)
            for k, row in enumerate(range(rows.start, rows.stop)):
                targets.append(("S", row))
                results.append(value[k] if value.numel() > 1 else value)
        used = ca.symvar(ca.vertcat(*results))
        reads = tuple(_ref(symbol.name()) for symbol in used)
        return Piece(name, reads, tuple(targets), ca.Function(name, [ca.vertcat(*used)], [ca.vertcat(*results)]))

    def begin(self) -> Piece:
        """Move the offsets toward the action within their rate, and clear what a decision accumulates."""
        writes = dict.fromkeys(("terms", "moves", "time", "measures", "bin", "peak"), ca.SX(0.0))
        writes |= {"lowest": ca.SX(1e300), "v": self._action(), "stock": self._stock()}
        return self.piece("begin", {part: value for part, value in writes.items() if _rows(self.layout, part)})

    def _action(self) -> ca.SX:
        plant, a = self.plant, self.E("a")
        if self.level == "direct":
            return _scaled(a, [(q.low, q.high) for q in plant.Input.quantities().values()])
        if self.level == "absolute":
            return _scaled(a, [(loop.low, loop.high) for loop in plant.acted])
        held = [
            old + clamp(loop.authority * a[i] - old, -loop.offset_rate, loop.offset_rate)
            for i, (loop, old) in enumerate(zip(plant.acted, symbolic.rows(self.S("v")), strict=True))
        ]
        return ca.vertcat(*held)

    def _stock(self) -> ca.SX:
        plant = self.plant
        state, parameter = plant.State.of(symbolic.rows(self.S("x"))), plant.Parameter.of(symbolic.rows(self.P("p")))
        return ca.SX(plant.stock(state, parameter))

    def control(self) -> Piece:
        """Run the PID layer once, masters first, on the last measurements."""
        d = self._disturbance()
        if self.level == "direct":
            u, writes = self._direct(), dict[str, ca.SX]()
        else:
            u, writes = self._cascade(d)
        u = self._valves(u)
        moved = [
            weight * ((u[i] - self.S("u")[i]) / q.half_range) ** 2
            for i, (name, q) in enumerate(self.plant.Input.quantities().items())
            if (weight := _move_weight(self.plant, name)) > 0.0
        ]
        return self.piece("control", {**writes, "u": u, "d": d, "moves": self.S("moves") + sum(moved)})

    def _valves(self, command: ca.SX) -> ca.SX:
        """Where the valves stand: healthy ones at their command, faulty ones where stiction and play leave them."""
        position, bands, names = symbolic.rows(command), self._blocks["N"][self.layout.bands], self.plant.Input.names()
        for i, name in enumerate(self.layout.valves):
            at, stick, play = names.index(name), bands[i], bands[len(self.layout.valves) + i]
            stood, told = self.S("u")[at], position[at]
            followed = clamp(stood, told - 0.5 * play, told + 0.5 * play)
            position[at] = ca.if_else(ca.fabs(told - stood) <= stick, stood, followed)
        return ca.vertcat(*position)

    def layer(self) -> tuple[dict[str, ca.SX], ca.SX]:
        """Return what the PID layer writes, as expressions, and the symbols of the disturbances that it sees."""
        d = ca.vertcat(*(ca.SX.sym(f"d_{i}") for i in range(self.E("d").numel())))
        u, writes = self._cascade(d)
        return writes | {"u": u}, d

    def _disturbance(self) -> ca.SX:
        d, d1 = self.E("d"), self.E("d1")
        drifts = [q.kind in ("load", "weather") for q in self.plant.Disturbance.quantities().values()]
        tau = self._blocks["tau"]
        return ca.vertcat(*(d[i] + tau * (d1[i] - d[i]) if drift else d[i] for i, drift in enumerate(drifts)))

    def _direct(self) -> ca.SX:
        h, old = self.plant.loop_period, self.S("u")
        limits = enumerate(self.plant.Input.quantities().values())
        return ca.vertcat(*(clamp(self.S("v")[i], old[i] - q.rate * h, old[i] + q.rate * h) for i, q in limits))

    def _cascade(self, d: ca.SX) -> tuple[ca.SX, dict[str, ca.SX]]:
        pid = PidLayer(self.plant, self.level, self.S, self.P, self.E)
        return OperatedLayer(pid).run(d) if self.operated else pid.run(d)

    def substep(self) -> Piece:
        """Integrate one sub-step by the classical Runge-Kutta method, then account for it."""
        h = self._blocks["tau"]
        x, k_2, k_3 = self._runge_kutta(h)
        ranges = self.plant.State.quantities().values()
        smooth = [ca.fabs(h * (k_3[i] - k_2[i])) <= STIFF * (q.high - q.low) for i, q in enumerate(ranges)]
        return self.piece("substep", self._account(x, h, smooth))

    def advance(self) -> Piece:
        """Integrate one sub-step with nothing else: the open-loop simulator."""
        return self.piece("advance", {"x": self._runge_kutta(self._blocks["tau"])[0]})

    def account(self) -> Piece:
        """Account for a step to a state that was reached otherwise, which stands in block ``X``."""
        x = ca.vertcat(*(ca.SX.sym(f"X_{i}") for i in range(self.S("x").numel())))
        return self.piece("account", self._account(x, self._blocks["tau"], []))

    def _slope(self, x: ca.SX) -> ca.SX:
        return symbolic.derivative(self.plant, x, self.S("u"), self.S("d"), self.P("p"))

    def _runge_kutta(self, h: ca.SX) -> tuple[ca.SX, ca.SX, ca.SX]:
        x = self.S("x")
        k_1 = self._slope(x)
        k_2 = self._slope(x + 0.5 * h * k_1)
        k_3 = self._slope(x + 0.5 * h * k_2)
        k_4 = self._slope(x + h * k_3)
        return x + h / 6.0 * (k_1 + 2.0 * k_2 + 2.0 * k_3 + k_4), k_2, k_3

    def _account(self, x: ca.SX, h: ca.SX, smooth: list[ca.SX]) -> dict[str, ca.SX]:
        """Accept the new state only where it is finite and physical; freeze a plant that tripped or failed."""
        running = self.S("status") == RUNNING
        good = _all([*smooth, *self._valid(x)])
        step = ca.logic_and(running, good)
        margins = [m.value for m in self._evaluate(self.plant.margins, x).values()]
        tripped = self._tripped(margins)
        judged = ca.if_else(good, ca.if_else(tripped, TRIPPED, self._completed(x)), FAILED)
        writes = {
            "x": _select(step, x, self.S("x")),
            "status": ca.if_else(running, judged, self.S("status")),
        }
        sums = {"terms": ca.vertcat(*self._terms(x)) * (h * self._per_stage())}
        if margins:
            stacked = ca.vertcat(*margins)
            writes["lowest"] = _select(step, _smaller(stacked, self.S("lowest")), self.S("lowest"))
            sums["time"] = ca.vertcat(*(ca.if_else(m < 0.0, h, 0.0) for m in margins))
        measures = self._evaluate(self.plant.measures, x)
        if measures:
            rates = ca.vertcat(*(m.rate for m in measures.values()))
            sums["measures"] = rates * (h * self.plant.hours)
        return writes | {part: _select(step, self.S(part) + added, self.S(part)) for part, added in sums.items()}

    def _evaluate(self, function: Callable[..., Expr], x: ca.SX) -> dict[str, Expr]:
        result: dict[str, Expr] = symbolic.apply(self.plant, function, x, self.S("u"), self.S("d"), self.P("p"))
        return result

    def _valid(self, x: ca.SX) -> list[ca.SX]:
        bounds = [(x[i], *q.valid) for i, q in enumerate(self.plant.State.quantities().values())]
        return [ca.logic_and(value >= low, value <= high) for value, low, high in bounds]

    def _tripped(self, margins: list[ca.SX]) -> ca.SX:
        trips = [m < 0.0 for m, kind in zip(margins, self.layout.kinds, strict=True) if kind == "trip"]
        tripped = ca.SX(0.0)
        for over in trips:
            tripped = ca.logic_or(tripped, over)
        return tripped

    def _completed(self, x: ca.SX) -> ca.SX:
        """A batch that reached its end stands still, like one that tripped, and is charged nothing more."""
        if self.plant.complete is None:
            return ca.SX(RUNNING)
        reached = symbolic.apply(self.plant, self.plant.complete, x, self.S("u"), self.S("d"), self.P("p"))
        return ca.if_else(reached >= 0.0, COMPLETE, RUNNING)

    def _terms(self, x: ca.SX) -> list[ca.SX]:
        errors = self._errors(x)
        if self._sampled:
            errors = [ca.SX(0.0)] * len(errors)
        return errors + [ca.SX(c) for c in self._evaluate(self.plant.cost, x).values()]

    @property
    def _sampled(self) -> bool:
        return isinstance(self.plant.duty, Tracking) and self.plant.duty.sampled

    def _errors(self, x: ca.SX) -> list[ca.SX]:
        """Return the squared error of each output that is judged against a target, over its scale."""
        duty = self.plant.duty
        if not isinstance(duty, Tracking):
            return []
        y, at = symbolic.outputs(self.plant, x, self.S("u"), self.S("d"), self.P("p")), self.plant.Output.names().index
        return [((y[at(output)] - self.E("target")[i]) / scale) ** 2 for i, (output, scale) in enumerate(duty.scales.items())]

    def _per_stage(self) -> float:
        """Tracking averages over a decision; money accumulates by the hour."""
        return 1.0 / self.plant.decision if isinstance(self.plant.duty, Tracking) else self.plant.hours

    def measure(self) -> Piece:
        """Read the instruments, each with what it adds; one that is held shows its last reading."""
        y = symbolic.outputs(self.plant, self.S("x"), self.S("u"), self.S("d"), self.P("p"))
        shown, writes = symbolic.rows(y), dict[str, ca.SX]()
        history, at = symbolic.rows(self.S("history")), 0
        for i, (name, periods) in enumerate(self.layout.delayed):
            column = self.plant.Output.names().index(name)
            past = [shown[column], *history[at : at + periods]]
            history[at : at + periods] = past[:-1]
            shown[column] = _chosen(past, self.P("delay")[i])
            at += periods
        if history:
            writes["history"] = ca.vertcat(*history)
        added, last = self._blocks["N"], self.S("y")
        read = [ca.if_else(added[i] < HELD, value + added[i], last[i]) for i, value in enumerate(shown)]
        return self.piece("measure", {"y": ca.vertcat(*read), **writes, **self._peaks()})

    def _peaks(self) -> dict[str, ca.SX]:
        """Where a quarter of an hour is over, keep the largest energy of any so far; ``tau`` says that it is over."""
        if self.plant.building is None:
            return {}
        over = self._blocks["tau"] > 0.0
        names = [name for name, _ in self.layout.measures]
        parts = [[self.S("measures")[names.index(name)] for name in c.measures] for c in self.plant.building.carriers]
        total = ca.vertcat(*(sum(part[1:], part[0]) for part in parts))
        larger = -_smaller(self.S("bin") - total, -self.S("peak"))
        return {"bin": _select(over, total, self.S("bin")), "peak": _select(over, larger, self.S("peak"))}

    def finish(self) -> Piece:
        """Sum the stage cost of the decision; a growth of the stock counts as income."""
        terms, writes = self.S("terms"), dict[str, ca.SX]()
        if self._sampled:
            errors = self._errors(self.S("x"))
            terms = writes["terms"] = terms + ca.vertcat(*errors, *[0.0] * (terms.numel() - len(errors)))
        stage = ca.sum1(terms) + self.S("moves") - (self._stock() - self.S("stock"))
        return self.piece("finish", {**writes, "stage": stage})


def _ref(symbol: str) -> Ref:
    block, _, row = symbol.rpartition("_")
    if not re.fullmatch("S|P|E|N|X|tau", block):
        raise ValueError(f"a piece uses the unknown symbol {symbol!r}")
    return block, int(row)


def _rows(where: Layout, part: str) -> int:
    rows = where.S[part]
    return int(rows.stop - rows.start)


def _scaled(a: ca.SX, ranges: list[tuple[float, float]]) -> ca.SX:
    return ca.vertcat(*(0.5 * (low + high) + 0.5 * (high - low) * a[i] for i, (low, high) in enumerate(ranges)))


def _move_weight(plant: Plant, name: str) -> float:
    return plant.duty.moves.get(name, 0.0) if isinstance(plant.duty, Tracking) else 0.0


def _chosen(values: list[ca.SX], index: ca.SX) -> ca.SX:
    chosen = values[0]
    for k, value in enumerate(values[1:], start=1):
        chosen = ca.if_else(index >= k, value, chosen)
    return chosen


def _all(conditions: list[ca.SX]) -> ca.SX:
    every = ca.SX(1.0)
    for condition in conditions:
        every = ca.logic_and(every, condition)
    return every


def _select(condition: ca.SX, yes: ca.SX, no: ca.SX) -> ca.SX:
    return ca.vertcat(*(ca.if_else(condition, yes[i], no[i]) for i in range(yes.numel())))


def _smaller(a: ca.SX, b: ca.SX) -> ca.SX:
    return ca.vertcat(*(ca.if_else(a[i] < b[i], a[i], b[i]) for i in range(a.numel())))
