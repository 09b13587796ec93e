"""Two stirred tanks with recycle at the published open-loop unstable steady state, and what makes it unstable.

Sun and El-Farra (Comput. Chem. Eng. 32, 2008) hold the tanks at 457.9 K, 1.77 kmol/m^3 and 415.5 K, 1.75 kmol/m^3, the middle one
of three steady states without heating or cooling. Tolerance: half of the last digit commonly quoted.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from plant_models.catalogue import get
from plant_models.derive.linear import linearise
from plant_models.derive.steady import equilibria, nominal, nominal_equilibrium
from plant_models.reactors import cstr_series_recycle as tanks
from tests.books.published import check

PLANT = get("cstr_series_recycle")
U, D, P = nominal(PLANT.Input), nominal(PLANT.Disturbance), nominal(PLANT.Parameter)
STATES = (
    "concentration of A in the first tank",
    "temperature of the first tank",
    "concentration of A in the second tank",
    "temperature of the second tank",
)


@pytest.fixture(scope="module")
def steady() -> list[NDArray[np.float64]]:
    return equilibria(PLANT, U, D, P, np.array([0.0, 290.0, 0.0, 290.0]), np.array([3.0, 860.0, 3.0, 860.0]))


def slope(x: NDArray[np.float64], u: NDArray[np.float64] = U) -> NDArray[np.float64]:
    vectors = PLANT.State.of(list(x)), PLANT.Input.of(list(u)), PLANT.Disturbance.nominal(), PLANT.Parameter.nominal()
    return np.array(list(PLANT.derivative(*vectors)))


def after(x: NDArray[np.float64], hours: float) -> NDArray[np.float64]:
    """Return the state that the tanks reach by themselves."""
    run = solve_ivp(lambda t, x: slope(x), (0.0, hours), x, method="LSODA", rtol=1e-8, atol=1e-8)
    return np.asarray(run.y[:, -1])


def test_the_published_steady_state_is_reproduced(steady: list[NDArray[np.float64]]) -> None:
    assert len(steady) == 3
    for what, value in zip(STATES, steady[1], strict=True):
        check(PLANT, f"steady {what}", float(value))


def test_only_the_middle_steady_state_is_unstable(steady: list[NDArray[np.float64]]) -> None:
    """It has one positive eigenvalue: a saddle, which runs away without oscillating."""
    unstable = [int((np.linalg.eigvals(linearise(PLANT, x, U, D, P).A).real > 0.0).sum()) for x in steady]
    assert unstable == [0, 1, 0]


@pytest.mark.parametrize(("push", "end"), [(1.0, 2), (-1.0, 0)], ids=["ignites", "goes out"])
def test_pushed_by_a_kelvin_the_tanks_ignite_or_go_out(steady: list[NDArray[np.float64]], push: float, end: int) -> None:
    assert after(steady[1] + np.array([0.0, push, 0.0, 0.0]), 2.0) == pytest.approx(steady[end], rel=1e-3, abs=1e-3)


def test_the_recycle_couples_the_tanks_both_ways() -> None:
    """Heat given to the second tank warms the first: the recycle is what a plain series of tanks has not."""
    A = linearise(PLANT, nominal_equilibrium(PLANT), U, D, P).A
    assert A[1, 3] == pytest.approx(34.998)
    assert A[3, 1] == pytest.approx(39.996 / 3.0)


def test_moles_and_heat_are_conserved() -> None:
    """What both tanks take up is what enters less what leaves and reacts; the recycle cancels."""
    p, x = tanks.Parameter.nominal(), np.array([1.9, 440.0, 1.6, 425.0])
    rate = slope(x, np.array([5.0e4, -3.0e4]))
    consumed_1, heat_1 = tanks.reactions(x[1], x[0], p)
    consumed_2, heat_2 = tanks.reactions(x[3], x[2], p)
    leaving = p.F_0 + p.F_3
    moles = p.F_0 * 4.0 + p.F_3 * 2.0 - leaving * x[2] - p.V_1 * consumed_1 - p.V_2 * consumed_2
    heat = p.rho * p.c_p * ((p.F_0 + p.F_3) * 300.0 - leaving * x[3]) + p.V_1 * heat_1 + p.V_2 * heat_2 + 2.0e4
    assert p.V_1 * rate[0] + p.V_2 * rate[2] == pytest.approx(moles)
    assert p.rho * p.c_p * (p.V_1 * rate[1] + p.V_2 * rate[3]) == pytest.approx(heat)


def test_side_reactions_hardly_take_part_at_the_operating_point() -> None:
    """Of A consumed in the first tank 99.97 % becomes B; at the ignited state half a percent is lost."""
    p = tanks.Parameter.nominal()

    def share(T: float) -> float:
        total, _ = tanks.reactions(T, 1.0, p)
        return float(p.k_1 * np.exp(-p.E_1 / (p.R * T)) / total)

    assert share(457.9) > 0.9995
    assert share(839.4) == pytest.approx(0.9947, abs=1e-4)
