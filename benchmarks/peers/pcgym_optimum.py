"""The best inputs that anyone could have chosen on PC-Gym's stirred-tank case, knowing the whole setpoint sequence beforehand."""

from __future__ import annotations

import casadi as ca
import numpy as np

from benchmarks.peers.pcgym_cstr import ERROR_WEIGHT, HIGHEST, LOWEST, MOVE_WEIGHT, SPAN
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive import symbolic
from plant_models.derive.steady import nominal
from plant_models.env.scenario import Episodes
from plant_models.env.substeps import judged

QUIET = {"print_time": False, "ipopt.print_level": 0, "ipopt.sb": "yes", "ipopt.tol": 1e-9}


def optimal_inputs(episodes: Episodes) -> Array:
    """Return the inputs in K of the full-horizon optimum of each episode, (n, steps), by single shooting and IPOPT.

    Raises:
        RuntimeError: where IPOPT does not converge; the text says how it ended.
    """
    plant, steps = episodes.plant, episodes.scenario.steps
    solver = _solver(plant, judged(plant, episodes.scenario), steps)
    targets = episodes.exogenous[:, :steps, episodes.targets()][:, :, 0]
    found = []
    for target, start in zip(targets, episodes.initial, strict=True):
        solution = solver(x0=np.full(steps, 0.5), p=np.concatenate([target, start]), lbx=0.0, ubx=1.0)
        if not solver.stats()["success"]:
            raise RuntimeError(f"IPOPT: {solver.stats()['return_status']}")
        found.append(solution["x"].full().ravel())
    inputs: Array = LOWEST + (HIGHEST - LOWEST) * np.array(found)
    return inputs


def _solver(plant: Plant, substeps: int, steps: int) -> ca.Function:
    shares, target, start = ca.SX.sym("shares", steps), ca.SX.sym("target", steps), ca.SX.sym("start", 2)
    step, x, cost = _step(plant, substeps), start, ca.SX(0.0)
    for k in range(steps):
        x = step(x, LOWEST + (HIGHEST - LOWEST) * shares[k])
        cost += ERROR_WEIGHT * ((x[0] - target[k]) / SPAN) ** 2
        if k:
            cost += MOVE_WEIGHT * (shares[k] - shares[k - 1]) ** 2
    return ca.nlpsol("optimum", "ipopt", {"x": shares, "f": cost, "p": ca.vertcat(target, start)}, QUIET)


def _step(plant: Plant, substeps: int) -> ca.Function:
    """Return the state one step later, integrated as the simulator does it."""
    x, u = ca.SX.sym("x", 2), ca.SX.sym("u")
    d, p = ca.SX(nominal(plant.Disturbance)), ca.SX(nominal(plant.Parameter))
    h, after = plant.decision / substeps, x
    for _ in range(substeps):
        k_1 = symbolic.derivative(plant, after, u, d, p)
        k_2 = symbolic.derivative(plant, after + 0.5 * h * k_1, u, d, p)
        k_3 = symbolic.derivative(plant, after + 0.5 * h * k_2, u, d, p)
        k_4 = symbolic.derivative(plant, after + h * k_3, u, d, p)
        after = after + h / 6.0 * (k_1 + 2.0 * k_2 + 2.0 * k_3 + k_4)
    return ca.Function("step", [x, u], [after])
