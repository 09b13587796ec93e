"""Steady states are where nothing moves, all of them are found, and a search that fails says so."""

from __future__ import annotations

import numpy as np
import pytest

from plant_models.catalogue import get
from plant_models.core.errors import SetpointError
from plant_models.derive.steady import equilibria, equilibrium, nominal, nominal_equilibrium
from tests.compiled import continuous

CSTR = get("exothermic_cstr")
D, P = nominal(CSTR.Disturbance), nominal(CSTR.Parameter)


@continuous
def test_nothing_moves_at_the_nominal_equilibrium(name: str) -> None:
    plant = get(name)
    x = nominal_equilibrium(plant)
    vectors = (plant.Input.nominal(), plant.Disturbance.nominal(), plant.Parameter.nominal())
    rate = np.array(list(plant.derivative(plant.State.of(list(x)), *vectors))) * plant.decision
    ranges = np.array([q.high - q.low for q in plant.State.quantities().values()])
    assert (np.abs(rate) <= 1e-9 * ranges).all()


def test_every_state_found_is_a_steady_state_inside_the_box() -> None:
    low, high = np.array([0.0, 280.0]), np.array([1.0, 420.0])
    found = equilibria(CSTR, np.array([300.0]), D, P, low, high)
    assert len(found) == 3
    for x in found:
        rate = np.array(
            list(
                CSTR.derivative(
                    CSTR.State.of(list(x)), CSTR.Input.nominal(), CSTR.Disturbance.nominal(), CSTR.Parameter.nominal()
                )
            )
        )
        np.testing.assert_allclose(rate, 0.0, atol=1e-8)
        assert ((low <= x) & (x <= high)).all()


def test_states_outside_the_box_are_left_out() -> None:
    found = equilibria(CSTR, np.array([300.0]), D, P, np.array([0.0, 340.0]), np.array([1.0, 360.0]))
    assert [round(float(x[1])) for x in found] == [350]


def test_a_search_without_an_answer_says_so() -> None:
    with pytest.raises(SetpointError, match="exothermic_cstr: no steady state was found near"):
        equilibrium(CSTR, np.array([np.nan]), D, P, nominal(CSTR.State))
