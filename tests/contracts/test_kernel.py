"""The compiled kernel against its slow twin by CVODES, and what it does when a step goes wrong."""

from __future__ import annotations

import numpy as np
import pytest

from plant_models.catalogue import get
from plant_models.core.errors import IntegrationError
from plant_models.core.plant import Plant
from plant_models.derive.layout import FAILED, LEVELS, TRIPPED, Level
from plant_models.derive.twin import twin
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator
from plant_models.env.substeps import fleet, substeps
from tests.contracts.every import plants

ALLOWED, TOGETHER = 1e-5, 1e-4
"""Largest error of a decision, and of a whole trajectory, as a share of each state's range."""


def started(plant: Plant, seed: int = 0, n: int = 4) -> Simulator:
    simulator = fleet(plant, n, plant.scenario().steps)
    simulator.load(draw(plant, plant.scenario(), seed, n, "judging"), np.arange(n))
    return simulator


@plants
def test_kernel_and_cvodes_agree_along_random_closed_loop_trajectories(plant: Plant) -> None:
    simulator, exact = started(plant), twin(plant, "setpoint", substeps(plant))
    rng, rows = np.random.default_rng(0), simulator.kernel.layout.S
    spans = np.array([q.high - q.low for q in plant.State.quantities().values()])
    loops = plant.loops_per_decision
    for _ in range(15):
        before = [simulator.S.column(e) for e in range(simulator.n)]
        at = simulator.k.copy()
        simulator.step(rng.uniform(-1, 1, (simulator.n, len(plant.acted))))
        for e, start in enumerate(before):
            noise = simulator.noise_of(e)[at[e] * loops + 1 : (at[e] + 1) * loops + 1].astype(float)
            column = exact.step(start, simulator.P.column(e), simulator.E.column(e), noise)
            error = np.abs(column[rows["x"]] - simulator.S.column(e)[rows["x"]]) / spans
            assert error.max() <= ALLOWED
            assert column[rows.row("stage")] == pytest.approx(simulator.S.column(e)[rows.row("stage")], rel=1e-4, abs=1e-6)


@plants
@pytest.mark.parametrize("level", LEVELS)
def test_kernel_and_cvodes_stay_together_at_every_level(plant: Plant, level: Level) -> None:
    """Thirty decisions with random actions, never brought back together."""
    simulator, exact, n = fleet(plant, 2, plant.scenario().steps, level), twin(plant, level, substeps(plant)), 2
    simulator.load(draw(plant, plant.scenario(), 1, n, "judging"), np.arange(n))
    rng, rows, loops = np.random.default_rng(1), simulator.kernel.layout.S, plant.loops_per_decision
    spans = np.array([q.high - q.low for q in plant.State.quantities().values()])
    columns = [simulator.S.column(e) for e in range(n)]
    for k in range(30):
        simulator.step(rng.uniform(-0.5, 0.3, (n, simulator.kernel.layout.actions)))
        for e in range(n):
            noise = simulator.noise_of(e)[k * loops + 1 : (k + 1) * loops + 1].astype(float)
            columns[e] = exact.step(columns[e], simulator.P.column(e), simulator.E.column(e), noise)
            error = np.abs(columns[e][rows["x"]] - simulator.S.column(e)[rows["x"]]) / spans
            assert error.max() <= TOGETHER, k
            assert columns[e][rows.row("status")] == simulator.S.column(e)[rows.row("status")]


@plants
@pytest.mark.parametrize("part", ["y", "memory", "p", "coefficients", "d"])
def test_nan_anywhere_fails_that_plant_alone_and_leaves_its_state_finite(plant: Plant, part: str) -> None:
    simulator = started(plant)
    if part == "d":
        episodes = draw(plant, plant.scenario(), 0, 1, "judging")
        episodes.exogenous[:] = np.nan
        simulator.load(episodes, np.array([1]))
    else:
        (simulator.S if part in ("y", "memory") else simulator.P).write(part, np.nan, np.array([1]))
    before = simulator.S.read("x")[:, 1]
    result = simulator.step(np.zeros((simulator.n, len(plant.acted))))
    assert simulator.S.read("status")[0].tolist() == [0.0, FAILED, 0.0, 0.0]
    assert result.truncated.tolist() == [False, True, False, False]
    assert simulator.failures.tolist() == [0, 1, 0, 0]
    np.testing.assert_array_equal(simulator.S.read("x")[:, 1], before)
    assert np.isfinite(result.reward).all()


@plants
def test_nan_in_a_state_fails_freezes_and_is_counted(plant: Plant) -> None:
    simulator = started(plant)
    simulator.S.write("x", np.nan, np.array([1]))
    result = simulator.step(np.zeros((simulator.n, len(plant.acted))))
    assert simulator.S.read("status")[0].tolist() == [0.0, FAILED, 0.0, 0.0]
    assert result.truncated.tolist() == [False, True, False, False]
    assert not result.terminated.any()
    assert simulator.failures.tolist() == [0, 1, 0, 0]
    assert result.reward[1] == pytest.approx(-plant.worst * plant.scenario().steps / plant.scale)
    assert np.isfinite(result.observation[[0, 2, 3]]).all()


def test_a_runaway_never_returns_finite_garbage() -> None:
    """From 600 K the reaction leaves the valid range within a step: the twin refuses, the kernel freezes."""
    plant = get("exothermic_cstr")
    simulator = started(plant, n=1)
    simulator.S.write("x", np.array([[1.4], [600.0]]))
    parameters = np.array(list(plant.Parameter.nominal()))
    parameters[plant.Parameter.names().index("k_0")] *= 1e6
    simulator.P.write("p", parameters[:, None])
    result = simulator.step(np.zeros((1, 1)))
    x = simulator.S.read("x")[:, 0]
    assert result.truncated[0] or result.terminated[0]
    assert all(q.valid[0] <= value <= q.valid[1] for value, q in zip(x, plant.State.quantities().values(), strict=True))


def test_a_step_too_stiff_for_the_kernel_is_done_by_cvodes() -> None:
    """A hot start burns its A within a sub-step: Runge-Kutta gives up, CVODES does not."""
    plant = get("exothermic_cstr")
    simulator = started(plant, n=1)
    parameters = np.array(list(plant.Parameter.nominal()))
    for name in ("T_max", "T_trip"):
        parameters[plant.Parameter.names().index(name)] = 640.0
    simulator.P.write("p", parameters[:, None])
    simulator.S.write("x", np.array([[0.9], [420.0]]))
    result = simulator.step(np.zeros((1, 1)))
    assert not result.truncated[0]
    assert not result.terminated[0]
    assert simulator.failures[0] == 0
    assert simulator.rescued[0] == 1
    assert 400.0 < simulator.S.read("x")[1, 0] < 640.0


def test_a_trip_freezes_the_plant_and_charges_what_is_left() -> None:
    plant = get("exothermic_cstr")
    simulator = started(plant, n=2)
    simulator.S.write("x", np.array([[0.5], [350.0]]), np.array([0]))
    result = simulator.step(np.zeros((2, 1)))
    assert simulator.S.read("status")[0].tolist() == [TRIPPED, 0.0]
    assert result.terminated.tolist() == [True, False]
    assert result.reward[0] == pytest.approx(-plant.worst * 60 / plant.scale)
    frozen = simulator.S.read("x")[:, 0]
    simulator.step(np.zeros((2, 1)))
    np.testing.assert_array_equal(simulator.S.read("x")[:, 0], frozen)


def test_the_twin_refuses_what_it_cannot_integrate() -> None:
    plant = get("exothermic_cstr")
    simulator = started(plant, n=1)
    column = simulator.S.column(0)
    column[simulator.kernel.layout.S["x"]] = np.nan
    with pytest.raises(IntegrationError, match="exothermic_cstr"):
        twin(plant, "setpoint", 1).step(
            column, simulator.P.column(0), simulator.E.column(0), np.zeros((plant.loops_per_decision, 2))
        )
