"""Seborg, Edgar, Mellichamp, Doyle: Process Dynamics and Control, 4th ed., Wiley 2016, Example 2.5: multiple steady states.

The book prints the middle steady state at T_c 300 K, 350 K and 0.5 mol/L; APMonitor's programs for the same parameters begin
at the cold one. The hot one was not found in print: it is held against the steady heat balance in one unknown.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from plant_models.catalogue import get
from plant_models.derive.linear import linearise
from plant_models.derive.steady import equilibria, nominal
from tests.books.published import check

PLANT = get("exothermic_cstr")
D, P = nominal(PLANT.Disturbance), nominal(PLANT.Parameter)
LOW, HIGH = np.array([0.0, 280.0]), np.array([1.0, 420.0])


def temperatures(T_c: float) -> list[float]:
    return [float(x[1]) for x in equilibria(PLANT, np.array([T_c]), D, P, LOW, HIGH)]


def heat_balance(T: float, T_c: float) -> float:
    """Return the kelvins a minute by which the tank warms at T if its concentration is at rest: the book's numbers."""
    k = 7.2e10 * np.exp(-8750.0 / T)
    return float(350.0 - T + 5.0e4 / 239.0 * k / (1.0 + k) + 5.0e4 / 23900.0 * (T_c - T))


def roots(T_c: float) -> list[float]:
    """Return where the heat balance changes sign between 280 and 420 K."""
    grid = np.linspace(280.0, 420.0, 1401)
    signs = np.sign([heat_balance(T, T_c) for T in grid])
    return [float(brentq(heat_balance, grid[i], grid[i + 1], args=(T_c,), xtol=1e-10)) for i in np.flatnonzero(np.diff(signs))]


@pytest.mark.parametrize(("T_c", "count"), [(295.0, 1), (300.0, 3), (302.0, 3), (305.0, 1)])
def test_steady_states_are_the_roots_of_the_heat_balance(T_c: float, count: int) -> None:
    assert len(roots(T_c)) == count
    assert temperatures(T_c) == pytest.approx(roots(T_c), abs=1e-6)


def test_the_plant_file_states_what_is_reproduced() -> None:
    cold, middle, hot = equilibria(PLANT, np.array([300.0]), D, P, LOW, HIGH)
    for state, x in (("cold", cold), ("middle", middle)):
        check(PLANT, f"{state} steady concentration at T_c 300 K", float(x[0]))
        check(PLANT, f"{state} steady temperature at T_c 300 K", float(x[1]))
    check(PLANT, "hot steady temperature at T_c 300 K", float(hot[1]))
    claims = {claim.what: claim.published for claim in PLANT.reproduced}
    assert claims["hot steady temperature at T_c 300 K"] == pytest.approx(roots(300.0)[2], abs=5e-4)


def test_cold_state_is_stable_middle_a_saddle_hot_a_source_of_oscillation() -> None:
    """The example's figure shows the limit cycle around the hot state after a rise of the coolant's temperature."""
    states = equilibria(PLANT, np.array([300.0]), D, P, LOW, HIGH)
    cold, middle, hot = (np.linalg.eigvals(linearise(PLANT, x, np.array([300.0]), D, P).A) for x in states)
    assert cold.real.max() < 0.0
    assert np.isreal(middle).all()
    assert middle.real.min() < 0.0 < middle.real.max()
    assert hot.real.min() > 0.0
    assert hot.imag.any()
