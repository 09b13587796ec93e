"""PC-Gym's extraction case: its environment's own trajectory, and what the column's equations promise.

PC-Gym 0.1.8 ran its environment multistage_extraction from its initial state with L 170 and G 100 m^3/h for 59 steps of an hour
(noise off); ours runs the same hours. Tolerance 1e-5: the accuracy of the two integrators.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from plant_models.catalogue import get
from plant_models.derive.linear import linearise
from plant_models.derive.steady import equilibrium, nominal
from tests.books.published import check

Array = NDArray[np.float64]
PLANT = get("multistage_extraction")
D, P = nominal(PLANT.Disturbance), nominal(PLANT.Parameter)
START = np.array([0.55, 0.45, 0.4, 0.35, 0.25, 0.3, 0.25, 0.2, 0.15, 0.1])
AFTER_1_H = [
    *(0.55216028, 0.50137095, 0.44930493, 0.39791305, 0.34915541),
    *(0.47630611, 0.3950113, 0.30870013, 0.22021468, 0.13287051),
]
AFTER_59_H = [
    *(0.55217148, 0.50139068, 0.44933068, 0.39794296, 0.34918845),
    *(0.47637963, 0.39507115, 0.30874378, 0.22024179, 0.13288266),
]
"""X_1 to X_5, then Y_1 to Y_5."""
RAFFINATE, EXTRACT = 4, 5


def slope(x: Array, u: Array) -> Array:
    vectors = PLANT.State.of(list(x)), PLANT.Input.of(list(u)), PLANT.Disturbance.nominal(), PLANT.Parameter.nominal()
    return np.array(list(PLANT.derivative(*vectors)))


def after(hours: float, L: float, G: float) -> Array:
    u = np.array([L, G / L])
    run = solve_ivp(lambda t, x: slope(x, u), (0.0, hours), START, method="LSODA", rtol=1e-10, atol=1e-12)
    return np.asarray(run.y[:, -1])


def steady(L: float, G: float) -> Array:
    return equilibrium(PLANT, np.array([L, G / L]), D, P, after(60.0, L, G))


@pytest.mark.parametrize(("hours", "published"), [(1.0, AFTER_1_H), (59.0, AFTER_59_H)])
def test_the_environments_trajectory_is_reproduced(hours: float, published: list[float]) -> None:
    x = after(hours, 170.0, 100.0)
    assert x == pytest.approx(published, rel=1e-5)
    check(PLANT, f"raffinate after {hours:.0f} h", float(x[RAFFINATE]))
    check(PLANT, f"extract after {hours:.0f} h", float(x[EXTRACT]))


@pytest.mark.parametrize("target", [0.3, 0.4])
def test_the_targets_of_the_case_can_be_reached_with_gas_alone(target: float) -> None:
    raffinates = [steady(130.0, G)[RAFFINATE] for G in (30.0, 300.0)]
    assert raffinates[1] < target < raffinates[0]


def test_solute_is_conserved() -> None:
    """What the liquid loses from end to end the gas gains, at rest; and what is held grows by what enters less what leaves."""
    x = steady(130.0, 60.0)
    assert 130.0 * (0.6 - x[RAFFINATE]) == pytest.approx(60.0 * (x[EXTRACT] - 0.05), rel=1e-8)
    rate = slope(START, np.array([130.0, 60.0 / 130.0]))
    entering = 130.0 * (0.6 - START[RAFFINATE]) + 60.0 * (0.05 - START[EXTRACT])
    assert 5.0 * rate.sum() == pytest.approx(entering)


def test_more_gas_helps_less_and_less() -> None:
    """The gain from gas to raffinate falls by more than ten times over the range in which the case runs."""
    scarce, ample = (steady(130.0, G)[RAFFINATE] - steady(130.0, 1.1 * G)[RAFFINATE] for G in (40.0, 400.0))
    assert scarce / 4.0 > 10.0 * ample / 40.0 > 0.0


def test_leaner_than_equilibrium_with_fresh_gas_is_impossible() -> None:
    """At a trickle of liquid the raffinate approaches the equilibrium with the fresh gas, Y_6^2 / m, and never passes it."""
    x = steady(5.0, 1000.0)
    assert 0.05**2 < x[RAFFINATE] < 0.05**2 + 1e-3


def test_the_column_settles_without_control() -> None:
    """Slowest time constant at the nominal point: minutes, since a stage's holdup is replaced in minutes."""
    u = nominal(PLANT.Input)
    A = linearise(PLANT, equilibrium(PLANT, u, D, P, nominal(PLANT.State)), u, D, P).A
    assert 1.0 / 60.0 < -1.0 / np.linalg.eigvals(A).real.max() < 1.0
