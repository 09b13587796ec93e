"""Seborg, Edgar, Mellichamp, Doyle: Process Dynamics and Control, 4th ed., Wiley 2016, Example 2.5: multiple steady states.

The book's Table 2.3 parameters at T_c 300 K give steady states at 324.5, 350 and 369.7 K; the cold branch ends below 305 K.
Tolerance: half a unit of the last printed digit.
"""

from __future__ import annotations

import numpy as np
import pytest

from plant_models.catalogue import get
from plant_models.derive.linear import linearise
from plant_models.derive.steady import equilibria, nominal
from tests.books.published import check

PLANT = get("exothermic_cstr")
D, P = nominal(PLANT.Disturbance), nominal(PLANT.Parameter)
LOW, HIGH = np.array([0.0, 280.0]), np.array([1.0, 420.0])


def temperatures(T_c: float) -> list[float]:
    return [float(x[1]) for x in equilibria(PLANT, np.array([T_c]), D, P, LOW, HIGH)]


@pytest.mark.parametrize(("T_c", "expected"), [(300.0, [324.5, 350.0, 369.7]), (302.0, [328.7, 343.5, 373.6]), (305.0, [378.1])])
def test_steady_states(T_c: float, expected: list[float]) -> None:
    assert temperatures(T_c) == pytest.approx(expected, abs=0.05)


def test_the_plant_file_states_what_is_reproduced() -> None:
    for state, value in zip(("cold", "middle", "hot"), temperatures(300.0), strict=True):
        check(PLANT, f"{state} steady temperature at T_c 300 K", value)


def test_cold_state_at_295_K() -> None:
    assert temperatures(295.0)[0] == pytest.approx(317.7, abs=0.05)


def test_cold_state_is_stable_middle_a_saddle_hot_a_source_of_oscillation() -> None:
    """The example's figure shows the limit cycle around the hot state after a rise of the coolant's temperature."""
    states = equilibria(PLANT, np.array([300.0]), D, P, LOW, HIGH)
    cold, middle, hot = (np.linalg.eigvals(linearise(PLANT, x, np.array([300.0]), D, P).A) for x in states)
    assert cold.real.max() < 0.0
    assert np.isreal(middle).all()
    assert middle.real.min() < 0.0 < middle.real.max()
    assert hot.real.min() > 0.0
    assert hot.imag.any()
