"""What an episode is worth in an engineer's terms; it does not know which controller ran.

IAE, ISE and ITAE as integrals over the decision grid of the tracked output's error (Seborg et al., 2016, section 12.3),
overshoot and settling after each step or ramp of the target, travel of each valve in full strokes, time beyond each limit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from controller.building import building
from controller.kpi import Kpi
from controller.rollout import Run
from plant_models.core.duty import Batch, Economic, Tracking
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import layout

SETTLED, CLOSELY = 0.05, 0.02
"""Settling: within 5 %, or 2 %, of the target's move, for the rest of its hold."""
STILL = 0.001
"""A move of a valve by less of its stroke than this reverses nothing."""
SMALLEST_MOVE = 0.01
"""A move of the target by less of the output's range is none to settle after."""


class _Move(NamedTuple):
    """The samples at which a target begins to move, is held from, and moves next."""

    begins: int
    held: int
    ends: int


def kpis(run: Run) -> dict[str, Kpi]:
    """Return every figure of a run by name; ``cost`` is the objective that was judged."""
    plant = run.episodes.plant
    duty = plant.duty
    found = {"cost": Kpi(run.total, plant.worth)}
    if isinstance(duty, Tracking):
        for i, name in enumerate(duty.scales):
            prefix = f"{name} " if len(duty.scales) > 1 else ""
            found |= {prefix + key: kpi for key, kpi in _tracking(run, plant, i, name).items()}
    else:
        found |= _money(run, plant)
    return found | _measures(run, plant) | building(run) | _limits(run, plant) | _shielded(run) | _travel(run, plant)


def _tracking(run: Run, plant: Plant, i: int, name: str) -> dict[str, Kpi]:
    steps = run.cost.shape[1]
    q = plant.Output.quantities()[name]
    unit, h = q.unit, plant.decision
    target = run.episodes.exogenous[:, :steps, run.episodes.targets()][:, :, i]
    y = true_output(run, name)[:, 1:]
    error = y - target
    moves = [_moves(each, SMALLEST_MOVE * (q.high - q.low)) for each in target]
    since = np.stack([_since(each, steps) for each in moves]) * h
    overshoot, settling, closely = _after_moves(y, target, moves, h)
    return {
        "IAE": Kpi(np.abs(error).sum(axis=1) * h, f"{unit} {plant.time_unit}"),
        "ISE": Kpi((error**2).sum(axis=1) * h, f"({unit})^2 {plant.time_unit}"),
        "ITAE": Kpi((np.abs(error) * since).sum(axis=1) * h, f"{unit} {plant.time_unit}^2"),
        "overshoot": Kpi(overshoot, "%"),
        "settling": Kpi(settling, plant.time_unit),
        "settling, 2 %": Kpi(closely, plant.time_unit),
    }


def true_output(run: Run, name: str) -> Array:
    """Return an output at each decision, from the first on, without what its instrument adds, (n, steps + 1)."""
    plant = run.episodes.plant
    x, u = (run.path[part].transpose(2, 0, 1) for part in ("x", "u"))
    d, p = run.path["d"].transpose(2, 0, 1), run.episodes.parameters.T[:, :, None]
    vectors = zip(plant.arguments, (x, u, d, p), strict=True)
    outputs = plant.outputs(*(vector.of(list(rows)) for vector, rows in vectors))
    value: Array = dict(zip(plant.Output.names(), outputs, strict=True))[name]
    return value


def _moves(target: Array, smallest: float) -> list[_Move]:
    """Return where the target moves: a step, or a ramp from its first sample to its last, by more than the smallest in all."""
    moving = np.concatenate([[False], np.diff(target) != 0.0, [False]])
    begins, held = (np.flatnonzero(np.diff(moving.astype(int)) == way).tolist() for way in (1, -1))
    found = [(a + 1, b) for a, b in zip(begins, held, strict=True) if abs(target[b] - target[a]) > smallest]
    begin = [a for a, _ in found]
    return [_Move(a, b, end) for (a, b), end in zip(found, [*begin[1:], len(target)], strict=False)]


def _since(moves: list[_Move], steps: int) -> Array:
    """Return for each sample how many it is since the target began to move, or since the episode began."""
    at = np.arange(1, steps + 1)
    for move in moves:
        at[move.begins :] = np.arange(1, steps - move.begins + 1)
    return at.astype(float)


def _after_moves(y: Array, target: Array, moves: list[list[_Move]], h: float) -> tuple[Array, Array, Array]:
    """Return the mean overshoot in % of the move and both mean settling times after the moves of each episode; 0 without any."""
    found = np.zeros((3, len(y)))
    for e, each in enumerate(moves):
        held = [(y[e, m.held : m.ends], target[e, m.held], target[e, m.begins - 1]) for m in each]
        if held:
            found[:, e] = np.mean([_response(*one, h) for one in held], axis=0)
    return found[0], found[1], found[2]


def _response(y: Array, target: float, before: float, h: float) -> tuple[float, float, float]:
    size = target - before
    beyond = float(np.max((y - target) * np.sign(size)))
    outside = [np.flatnonzero(np.abs(y - target) > share * abs(size)) for share in (SETTLED, CLOSELY)]
    settling, closely = (float(each[-1] + 1 if len(each) else 0) * h for each in outside)
    return 100.0 * max(beyond, 0.0) / abs(size), settling, closely


def _money(run: Run, plant: Plant) -> dict[str, Kpi]:
    names = layout(plant, "setpoint").terms
    sums = run.sums["terms"].sum(axis=1)
    unit, stock = plant.worth, plant.duty.stock if isinstance(plant.duty, Economic | Batch) else ""
    money = {f"{name} cost": Kpi(sums[:, i], unit) for i, name in enumerate(names)}
    return money | {stock: Kpi(sums.sum(axis=1) - run.total, unit)}


def _measures(run: Run, plant: Plant) -> dict[str, Kpi]:
    names = layout(plant, "setpoint").measures
    sums = run.sums["measures"].sum(axis=1)
    return {name: Kpi(sums[:, i], unit) for i, (name, unit) in enumerate(names)}


def _limits(run: Run, plant: Plant) -> dict[str, Kpi]:
    rows = layout(plant, "setpoint")
    time = run.sums["time"].sum(axis=1)
    beyond = {f"time beyond {name} limit": Kpi(time[:, i] * plant.hours, "h") for i, name in enumerate(rows.margins)}
    hard = [i for i, kind in enumerate(rows.kinds) if kind == "hard"]
    violated = (run.lowest[:, hard] < 0.0).any(axis=1).astype(float)
    return beyond | {
        "hard-limit violations": Kpi(violated, "episodes"),
        "trips": Kpi(run.tripped.astype(float), "episodes"),
        "failed integrations": Kpi(run.failed.astype(float), "episodes"),
    }


def _shielded(run: Run) -> dict[str, Kpi]:
    if run.share is None:
        return {}
    through = {"interventions": run.share < 1.0, "uncertified": run.share < 0.0}
    return {name: Kpi(100.0 * decisions.mean(axis=1), "% of decisions") for name, decisions in through.items()}


def _travel(run: Run, plant: Plant) -> dict[str, Kpi]:
    """Return for each valve its travel in full strokes, and how often it turned round, from decision to decision."""
    quantities = plant.Input.quantities()
    moves = np.diff(run.path["u"], axis=1) / [q.high - q.low for q in quantities.values()]
    found = {f"{name} travel": Kpi(np.abs(moves[:, :, i]).sum(axis=1), "strokes") for i, name in enumerate(quantities)}
    return found | {f"{name} reversals": Kpi(_reversals(moves[:, :, i]), "turns") for i, name in enumerate(quantities)}


def _reversals(moves: Array) -> Array:
    """Return how often moves (n, steps) change their direction, those too small left out, (n,)."""
    directions = [each[np.abs(each) > STILL] for each in moves]
    return np.array([float((np.diff(np.sign(each)) != 0.0).sum()) for each in directions])
