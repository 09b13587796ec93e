"""The compiled plant: as fine as it has to be, the same as CVODES, and honest where a number fails."""

from __future__ import annotations

import contextlib
import io

import numpy as np

from controller.contract.check import Broken, Check, episodes
from plant_models.core.errors import IntegrationError
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import FAILED, LEVELS, Level
from plant_models.derive.twin import Twin, twin
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator
from plant_models.env.substeps import fleet, substeps

ALLOWED, TOGETHER = 1e-5, 1e-4
"""Largest error of a decision, and of a whole trajectory, as a share of each state's range."""
DECISIONS, LONG = 15, 30
PARTS = ("x", "y", "memory", "p", "coefficients", "d")


def started(plant: Plant, seed: int = 0, n: int = 4, level: Level = "setpoint") -> Simulator:
    """Return a simulator with the first scenario's episodes of a seed loaded."""
    simulator = fleet(plant, n, plant.scenario().steps, level)
    simulator.load(draw(plant, plant.scenario(), seed, n, "judging"), np.arange(n))
    return simulator


def fine_enough(plant: Plant) -> None:
    """There is a number of sub-steps in a loop period that integrates the plant's hardest trajectories."""
    try:
        substeps(plant)
    except IntegrationError as error:
        raise Broken(str(error).partition(": shorten")[0], "loop_period") from error


def as_cvodes(plant: Plant) -> None:
    """Decision by decision, under random setpoints, the kernel does what CVODES does."""
    simulator, exact = started(plant), twin(plant, "setpoint", substeps(plant))
    rng = np.random.default_rng(0)
    for _ in range(min(DECISIONS, plant.scenario().steps)):
        before, at = [simulator.S.column(e) for e in range(simulator.n)], simulator.k.copy()
        simulator.step(rng.uniform(-1, 1, (simulator.n, len(plant.acted))))
        for e, start in enumerate(before):
            column = exactly(exact, simulator, e, int(at[e]), start)
            _compare(simulator, e, column, ALLOWED)
            _compare_cost(simulator, e, column)


def stays_together(plant: Plant) -> None:
    """At every level of action a whole trajectory stays beside that of CVODES without being brought back."""
    for level in LEVELS:
        simulator, exact = started(plant, 1, 2, level), twin(plant, level, substeps(plant))
        rng, columns = np.random.default_rng(1), [simulator.S.column(e) for e in range(2)]
        for k in range(min(LONG, plant.scenario().steps)):
            simulator.step(rng.uniform(-0.5, 0.3, (2, simulator.kernel.layout.actions)))
            columns = [exactly(exact, simulator, e, k, column) for e, column in enumerate(columns)]
            for e, column in enumerate(columns):
                _compare(simulator, e, column, TOGETHER)
                _compare_status(simulator, e, column)


def exactly(exact: Twin, simulator: Simulator, e: int, k: int, start: Array) -> Array:
    """Return where decision ``k`` of a plant ends by CVODES."""
    return exact.step(start, simulator.P.column(e), simulator.E.column(e), simulator.noise_of(e, k))


def _compare(simulator: Simulator, e: int, column: Array, allowed: float) -> None:
    states, rows = simulator.plant.State.quantities(), simulator.kernel.layout.S["x"]
    spans = np.array([q.high - q.low for q in states.values()])
    error = np.abs(column[rows] - simulator.S.column(e)[rows]) / spans
    if not error.max() <= allowed:
        name = list(states)[int(error.argmax())]
        wrong = f"{name} is {error.max():.1e} of its range away from CVODES at level {simulator.level}; allowed is {allowed:.0e}"
        raise Broken(wrong, f"derivative.{name}")


def _compare_cost(simulator: Simulator, e: int, column: Array) -> None:
    row = simulator.kernel.layout.S.row("stage")
    exact, found = column[row], simulator.S.column(e)[row]
    if not abs(exact - found) <= max(1e-6, 1e-4 * abs(found)):
        raise Broken(f"a decision costs {found:.8g}, but {exact:.8g} by CVODES", "cost")


def _compare_status(simulator: Simulator, e: int, column: Array) -> None:
    row = simulator.kernel.layout.S.row("status")
    if column[row] != simulator.S.column(e)[row]:
        raise Broken("kernel and CVODES disagree on whether the plant still runs", "margins")


def nan_is_seen(plant: Plant) -> None:
    """A number that is not one fails its own plant, is counted and charged, and leaves every other plant alone."""
    for part in PARTS:
        simulator = _spoiled(plant, part)
        before = simulator.S.read("x")[:, 1]
        with contextlib.redirect_stderr(io.StringIO()):  # CVODES says there what it is here meant to fail at
            result = simulator.step(np.zeros((simulator.n, len(plant.acted))))
        frozen = part == "x" or np.array_equal(simulator.S.read("x")[:, 1], before)
        seen = simulator.S.read("status")[0].tolist() == [0.0, FAILED, 0.0, 0.0] and simulator.failures.tolist() == [0, 1, 0, 0]
        ends = result.truncated.tolist() == [False, True, False, False] and not result.terminated.any()
        charged = np.isclose(result.reward[1], -plant.worst * plant.scenario().steps / plant.scale)
        others = np.isfinite(result.observation[[0, 2, 3]]).all() and np.isfinite(result.reward).all()
        if not (frozen and seen and ends and charged and others):
            raise Broken(f"NaN in {part} is not treated as a failed integration of that plant alone", "derivative")


def _spoiled(plant: Plant, part: str) -> Simulator:
    """Return four plants, the second of them with NaN in one part."""
    simulator, second = started(plant), np.array([1])
    if part == "d":
        clean = episodes(plant, plant.scenario(), 8)[slice(0, 1)]
        spoiled = clean[np.array([0])]
        spoiled.exogenous[:] = np.nan
        simulator.load(spoiled, second)
    else:
        (simulator.P if part in ("p", "coefficients") else simulator.S).write(part, np.nan, second)
    return simulator


CHECKS = (
    Check("sub-steps are found", fine_enough, "shorten loop_period, or slow down what is fastest"),
    Check("the kernel agrees with CVODES", as_cvodes, "make jumps in the equations smooth (plant_models.core.smooth.ramp)"),
    Check("trajectories stay with CVODES at every level", stays_together,
          "make jumps in the equations smooth, and let margins be crossed at an angle"),
    Check("NaN fails one plant alone", nan_is_seen, "branch by plant_models.core.smooth, which lets NaN through"),
)  # fmt: skip
