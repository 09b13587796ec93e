"""The compiled kernel keeps the numerics of the contract on every plant, and what it does when a step goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from controller.contract.check import Check
from controller.contract.numerics import CHECKS, started
from plant_models.catalogue import get
from plant_models.core.errors import IntegrationError
from plant_models.core.plant import Plant
from plant_models.derive.layout import TRIPPED
from plant_models.derive.twin import twin
from tests.contracts.every import plants

EPISODES = """
from controller.cell import Cell, run
from controller.source import Source
print(run(Cell(Source("cstr_series_recycle", scenario="tracking"), "faults", "pid", 0, 0, 8)).cost)
"""


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.title)
@plants
def test_contract(plant: Plant, check: Check) -> None:
    check.run(plant)


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


@pytest.mark.slow
def test_a_kernel_just_compiled_runs_to_the_last_bit_as_the_one_that_is_kept(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    command, root = [sys.executable, "-c", EPISODES], Path(__file__).parents[2]
    compiled, kept = (
        subprocess.run(command, env=environment, cwd=root, check=True, capture_output=True, text=True).stdout for _ in range(2)
    )
    assert compiled == kept
