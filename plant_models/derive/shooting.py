"""A plant's best next decisions by single shooting: the judged cost over a horizon, minimised over what each decision applies.

Single shooting, since the PID layer keeps the plant stable and its limits and anti-windup are kinks: every guess is a real
trajectory, and a line search on its cost does not mind them, where multiple shooting circles around its defects.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import casadi as ca
import numpy as np
from numpy.typing import NDArray

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.decision import hedged
from plant_models.derive.layout import LIMITS, Level
from plant_models.derive.native import native
from plant_models.derive.prediction import Prediction, prediction

Status = Literal["converged", "capped", "infeasible", "error"]
STATUSES: tuple[Status, ...] = ("converged", "capped", "infeasible", "error")
CAPPED = ("Maximum_Iterations_Exceeded", "Maximum_CpuTime_Exceeded", "Maximum_WallTime_Exceeded")
INFEASIBLE = ("Infeasible_Problem_Detected", "Restoration_Failed", "Not_Enough_Degrees_Of_Freedom")
CLOSE, STALLED = 1e-5, 3e-4
"""Optimality asked for, and the gain of each of two iterations below which a kink is what is left; both in rewards."""
IDLE = 1e-6
"""Charge for a full offset, so that what does not matter stays with the PID layer."""


@dataclass(frozen=True)
class Course:
    """What is known of the next ``N`` decisions: ``z``, ``s``, ``w`` as in the prediction, ``e`` (rows, N).

    ``low`` and ``high`` (N, actions) bound what may be applied, ``applied`` is the last, ``left`` counts the decisions that are
    judged; those beyond cost nothing.
    """

    z: Array
    e: Array
    s: Array
    w: Array
    low: Array
    high: Array
    applied: Array
    left: int


@dataclass(frozen=True)
class Solution:
    """What each decision shall apply, (N, actions) in units, its predicted cost, and how the search ended."""

    v: Array
    cost: float
    status: Status
    iterations: int
    seconds: float


class Shooting:
    """The problem of one plant, level and horizon, built once; ``limit`` caps iterations, ``deadline`` seconds.

    ``exact`` asks for second derivatives: fewer iterations and, where kinks are, farther down; too slow for a control room.
    """

    def __init__(
        self, plant: Plant, level: Level, horizon: int, substeps: int, limit: int, deadline: float | None = None,
        exact: bool = False,
    ) -> None:  # fmt: skip
        self.plant, self.level, self.horizon = plant, level, horizon
        self.model = prediction(plant, level, substeps)
        self.unit, self.centre = spans(plant, level)
        self._limited = np.asarray(reaches(plant, level) < 2.0 * self.unit)
        step = native(self.model.step, 2 if exact else 1)
        self._problem = _problem(self.model, step, horizon, self.unit, self._limited)
        self._cost = ca.Function("cost", [self._problem["x"], self._problem["p"]], [self._problem["f"]])
        self._solver = ca.nlpsol("solver", "ipopt", self._problem, _options(limit, deadline, exact))

    def solve(self, course: Course, guesses: list[Array]) -> Solution:
        """Search from the best of the guesses, each (N, actions) in units."""
        begun = time.perf_counter()
        low, high = (((bound - self.centre) / self.unit).ravel() for bound in (course.low, course.high))
        starts = [((self._reachable(course, guess) - self.centre) / self.unit).ravel() for guess in guesses]
        given = self._parameters(course)
        costs = [float(self._cost(start, given)) for start in starts]
        if not np.isfinite(costs).any():
            return Solution(guesses[0], float("nan"), "error", 0, time.perf_counter() - begun)
        first = int(np.nanargmin(np.where(np.isfinite(costs), costs, np.inf)))
        p = self._parameters(course, costs[first])
        found = self._solver(x0=starts[first], p=p, lbx=low, ubx=high, **self._rates(course))
        stats = self._solver.stats()
        x, cost = np.clip(found["x"].full().ravel(), low, high), float(found["f"]) + costs[first]
        status = _status(str(stats["return_status"]), bool(stats["success"]) and np.isfinite(cost))
        if not cost <= costs[first]:
            x, cost = starts[first], costs[first]
        v = x.reshape(self.horizon, -1) * self.unit + self.centre
        return Solution(v, cost, status, int(stats["iter_count"]), time.perf_counter() - begun)

    def bounds(self, e: Array, s: Array) -> tuple[Array, Array]:
        """Return the bounds of each decision's ``v``, (N, actions): a master's offset ends at the limits of its setpoint."""
        low, high = (np.tile(self.centre + side * self.unit, (self.horizon, 1)) for side in (-1.0, 1.0))
        masters, limits = list(self.plant.masters), s[self.model.s["limits"]].reshape(-1, LIMITS)
        for i, loop in enumerate(self.plant.acted if self.level == "setpoint" else ()):
            if loop in masters:
                lowest, highest = limits[self.plant.loops.index(loop)]
                sent = np.clip(e[self.model.e["r"]][masters.index(loop)], lowest, highest)
                low[:, i], high[:, i] = np.maximum(low[:, i], lowest - sent), np.minimum(high[:, i], highest - sent)
        return low, high

    def cost(self, course: Course, v: Array) -> float:
        """Return the predicted cost of a plan, over the plant's scale."""
        return float(self._cost(((v - self.centre) / self.unit).ravel(), self._parameters(course)))

    def _reachable(self, course: Course, guess: Array) -> Array:
        """Return the guess within bounds and rates."""
        v, step, last = np.clip(guess, course.low, course.high), reaches(self.plant, self.level), course.applied
        for k in range(self.horizon if self._limited.any() else 0):
            last = v[k] = np.clip(v[k], last - step, last + step)
        return v

    def _parameters(self, course: Course, offset: float = 0.0) -> Array:
        weights = (np.arange(self.horizon) < course.left).astype(float)
        applied = (course.applied - self.centre) / self.unit
        return np.concatenate([course.z, course.e.T.ravel(), course.s, course.w, weights, applied, [offset]])

    def _rates(self, course: Course) -> dict[str, Array]:
        if not self._limited.any():
            return {}
        rows = np.tile(self._limited, self.horizon)
        step = np.tile(reaches(self.plant, self.level) / self.unit, self.horizon)[rows]
        return {"lbg": -step, "ubg": step}


@cache
def shooting(plant: Plant, level: Level, horizon: int, substeps: int, limit: int, deadline: float | None = None) -> Shooting:
    """Return the problem, built once a process; without a PID layer's kinks second derivatives are worth their time."""
    return Shooting(plant, level, horizon, substeps, limit, deadline, exact=level == "direct")


def spans(plant: Plant, level: Level) -> tuple[Array, Array]:
    """Return half range and middle of what a decision applies: offsets, setpoints or inputs."""
    if level == "setpoint":
        authority = np.array([loop.authority for loop in plant.acted])
        return authority, np.zeros_like(authority)
    if level == "absolute":
        bounds = [(loop.low, loop.high) for loop in plant.acted]
    else:
        bounds = [(q.low, q.high) for q in plant.Input.quantities().values()]
    low, high = np.array(bounds, dtype=float).T
    return 0.5 * (high - low), 0.5 * (high + low)


def reaches(plant: Plant, level: Level) -> Array:
    """Return how far each of them may move in one decision."""
    if level == "direct":
        return np.array([q.rate * plant.decision for q in plant.Input.quantities().values()])
    return np.array([loop.offset_rate if level == "setpoint" else np.inf for loop in plant.acted])


def _problem(model: Prediction, step: ca.Function, horizon: int, unit: Array, limited: NDArray[np.bool_]) -> dict[str, ca.MX]:
    """Sum the judged cost, in rewards, and the charges for what must not happen, over the decisions that are judged."""
    actions, (_, centre) = len(unit), spans(model.plant, model.level)
    x = ca.MX.sym("x", actions * horizon)
    z, s, w = ca.MX.sym("z", model.z.size), ca.MX.sym("s", model.s.size), ca.MX.sym("w", model.step.size1_in(4))
    e, weights, applied = ca.MX.sym("e", model.e.size, horizon), ca.MX.sym("weights", horizon), ca.MX.sym("applied", actions)
    begun = ca.MX.sym("begun")
    weighed, total, state = charges(model.plant), -begun, z
    for k in range(horizon):
        a = x[actions * k : actions * (k + 1)]
        state, cost, margins = step(state, a * ca.DM(unit) + ca.DM(centre), e[:, k], s, w)
        broken = ca.dot(ca.DM(weighed), ca.fmax(-margins, 0.0)) if weighed.any() else 0.0
        total += weights[k] * (cost + broken) / model.plant.scale
        total += IDLE * ca.sumsqr(a) if model.level == "setpoint" else 0.0
    problem = {"x": x, "f": total, "p": ca.veccat(z, e, s, w, weights, applied, begun)}
    if limited.any():
        moves = x - ca.vertcat(applied, x[: actions * (horizon - 1)])
        problem["g"] = moves[np.flatnonzero(np.tile(limited, horizon)).tolist()]
    return problem


def charges(plant: Plant) -> Array:
    """Return the charge for each unit of a margin below zero: the worst stage cost over its nominal distance.

    A soft margin has its price in the plant's own cost.
    """
    values = plant.margins(*(vector.nominal() for vector in plant.arguments)).values()
    each = np.array([0.0 if m.kind == "soft" else plant.worst / max(abs(float(m.value)), 1e-9) for m in values])
    return np.tile(0.5 * each, 2) if hedged(plant) else each


def _options(limit: int, deadline: float | None, exact: bool) -> dict[str, Any]:
    ipopt = {
        "print_level": 0, "sb": "yes", "max_iter": limit, "tol": CLOSE, "mu_init": 1e-3, "bound_relax_factor": 0.0,
        "acceptable_tol": 1e3, "acceptable_dual_inf_tol": 1e10, "acceptable_compl_inf_tol": 1e-2,
        "acceptable_constr_viol_tol": 1e-4, "acceptable_obj_change_tol": STALLED, "acceptable_iter": 2,
        "watchdog_shortened_iter_trigger": 0,
        "hessian_approximation": "exact" if exact else "limited-memory",
        "limited_memory_initialization": "scalar2",
    }  # fmt: skip
    if deadline is not None:
        ipopt["max_wall_time"] = deadline
    return {"ipopt": ipopt, "print_time": False, "error_on_fail": False, "show_eval_warnings": False, "calc_lam_p": False}


def _status(said: str, success: bool) -> Status:
    if success:
        return "converged"
    if said in CAPPED:
        return "capped"
    return "infeasible" if said in INFEASIBLE else "error"
