"""Which search suits NMPC here: the product's single shooting, or multiple shooting by IPOPT and by fatrop.

``python -m benchmarks.solvers --json``: the first problem of each of twenty episodes, from the true state, every search from the
PID layer alone. ``lost`` is what a plan costs beyond the product's, in rewards; all plans are judged by the same prediction.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import casadi as ca
import numpy as np

from benchmarks.provenance import arguments, report
from controller.nmpc import LIMIT, decisions
from controller.reference import course
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import Level
from plant_models.derive.shooting import CLOSE, Course, Shooting, charges, shooting
from plant_models.env.scenario import draw
from plant_models.env.substeps import substeps

CASES: tuple[tuple[str, Level], ...] = (
    ("exothermic_cstr", "setpoint"),
    ("exothermic_cstr", "direct"),
    ("quadruple_tank", "setpoint"),
    ("quadruple_tank", "direct"),
)
EPISODES = 20
SOLVERS: dict[str, dict[str, Any]] = {
    "ipopt": {"ipopt": {"print_level": 0, "sb": "yes", "tol": CLOSE, "max_iter": LIMIT}},
    "fatrop": {"structure_detection": "auto", "fatrop": {"print_level": 0, "tol": CLOSE, "max_iter": LIMIT}},
}


@dataclass(frozen=True)
class Plan:
    """What a search chose, (N, actions) in units, whether it says that it converged, its iterations and seconds."""

    v: Array
    converged: bool
    iterations: int
    seconds: float


class MultipleShooting:
    """The problem of a :class:`Shooting` with the state after each decision as a variable too, tied by equalities."""

    def __init__(self, problem: Shooting, solver: str) -> None:
        self._problem, model, N = problem, problem.model, problem.horizon
        self._centre, self._scale = model.centre, np.where(model.scale == 0.0, 1.0, model.scale)
        z = [ca.MX.sym(f"z{k}", model.z.size) for k in range(N + 1)]
        a = [ca.MX.sym(f"a{k}", len(problem.unit)) for k in range(N)]
        e, s, w = ca.MX.sym("e", model.e.size, N), ca.MX.sym("s", model.s.size), ca.MX.sym("w", model.step.size1_in(4))
        begin = ca.MX.sym("begin", model.z.size)
        costs, ties = zip(*(self._decision(z[k], z[k + 1], a[k], (e[:, k], s, w)) for k in range(N)), strict=True)
        ties = (ties[0], z[0] - (begin - self._centre) / self._scale, *ties[1:])
        variables = [part for pair in zip(z[:-1], a, strict=True) for part in pair]
        nlp = {"x": ca.vertcat(*variables, z[N]), "f": sum(costs[1:], costs[0]), "g": ca.vertcat(*ties),
               "p": ca.veccat(begin, e, s, w)}  # fmt: skip
        self._ties = nlp["g"].numel()
        equality = {"equality": [True] * self._ties} if solver == "fatrop" else {}
        self._solver = ca.nlpsol(solver, solver, nlp, SOLVERS[solver] | equality | {"print_time": False, "error_on_fail": False})

    def _decision(self, z: ca.MX, after: ca.MX, a: ca.MX, given: tuple[ca.MX, ...]) -> tuple[ca.MX, ca.MX]:
        """Return the charged cost of a decision, in rewards, and by how much the next state misses what it leads to."""
        problem, plant = self._problem, self._problem.plant
        z, v = z * self._scale + self._centre, a * problem.unit + problem.centre
        reached, cost, margins = problem.model.step(z, v, *given)
        weighed = charges(plant)
        broken = ca.dot(ca.DM(weighed), ca.fmax(-margins, 0.0)) if weighed.any() else 0.0
        return (cost + broken) / plant.scale, after - (reached - self._centre) / self._scale

    def solve(self, given: Course, guess: Array) -> Plan:
        """Search from a guess, (N, actions) in units, and the states that it leads to."""
        problem, free = self._problem, np.inf * np.ones(len(given.z))
        a, low, high = ((part - problem.centre) / problem.unit for part in (guess, given.low, given.high))
        states = self._states(given, guess)
        start, least, most = (_woven(z, part) for z, part in ((states, a), (-free, low), (free, high)))
        p = np.concatenate([given.z, given.e.T.ravel(), given.s, given.w])
        begun, nothing = time.perf_counter(), np.zeros(self._ties)
        found = self._solver(x0=start, p=p, lbx=least, ubx=most, lbg=nothing, ubg=nothing)
        seconds, stats, width = time.perf_counter() - begun, self._solver.stats(), len(given.z) + a.shape[1]
        chosen = found["x"].full().ravel()[: width * len(a)].reshape(len(a), width)[:, len(given.z) :]
        v = np.clip(chosen, low, high) * problem.unit + problem.centre
        return Plan(v, bool(stats["success"]), int(stats["iter_count"]), seconds)

    def _states(self, given: Course, guess: Array) -> Array:
        states = [given.z]
        for k, v in enumerate(guess):
            states.append(self._problem.model.step(states[-1], v, given.e[:, k], given.s, given.w)[0].full().ravel())
        return (np.array(states) - self._centre) / self._scale


def _woven(z: Array, a: Array) -> Array:
    """Return states and actions in turn, the last state at the end; ``z`` (N + 1, states) or one for all."""
    whole = np.broadcast_to(z, (len(a) + 1, z.shape[-1]))
    return np.concatenate([np.hstack([whole[:-1], a]).ravel(), whole[-1]])


def measure(cases: tuple[tuple[str, Level], ...] = CASES, episodes: int = EPISODES) -> dict[str, Any]:
    """Return for each case how each search did."""
    return {"searches": {f"{name}, {level}": _compared(get(name), level, episodes) for name, level in cases}}


def _compared(plant: Plant, level: Level, count: int) -> dict[str, Any]:
    episodes = draw(plant, plant.scenario(), 0, count, "judging")
    problem = shooting(plant, level, decisions(episodes), substeps(plant), LIMIT)
    met = [course(problem, episodes, i) for i in range(count)]
    guesses = [np.tile(each.applied, (problem.horizon, 1)) for each in met]
    plans = {"single shooting, IPOPT": [_ours(problem, each, guess) for each, guess in zip(met, guesses, strict=True)]}
    for solver in SOLVERS:
        search = MultipleShooting(problem, solver)
        plans[f"multiple shooting, {solver}"] = [search.solve(each, guess) for each, guess in zip(met, guesses, strict=True)]
    costs = {name: np.array([problem.cost(*pair) for pair in zip(met, (p.v for p in chosen), strict=True)])
             for name, chosen in plans.items()}  # fmt: skip
    ours = next(iter(costs.values()))
    return {name: _summary(chosen, costs[name] - ours) for name, chosen in plans.items()}


def _ours(problem: Shooting, given: Course, guess: Array) -> Plan:
    found = problem.solve(given, [guess])
    return Plan(found.v, found.status == "converged", found.iterations, found.seconds)


def _summary(plans: list[Plan], lost: Array) -> dict[str, Any]:
    milliseconds = 1e3 * np.array([plan.seconds for plan in plans])
    return {
        "ms": {"median": float(np.median(milliseconds)), "longest": float(milliseconds.max())},
        "iterations": float(np.median([plan.iterations for plan in plans])),
        "converged": sum(plan.converged for plan in plans), "problems": len(plans),
        "lost": {"median": float(np.median(lost)), "least": float(lost.min()), "most": float(lost.max())},
    }  # fmt: skip


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    chosen = tuple(case for case in CASES if options.plants is None or case[0] in options.plants)
    report(measure(chosen, 2 if options.quick else EPISODES), options)
