"""Relative gains: published values, and what the rules make of them."""

from __future__ import annotations

import numpy as np
import pytest

from controller.pairing import RelativeGains, pairing, relative, relative_gains
from plant_models.catalogue import get


def test_wood_and_berrys_column() -> None:
    """Wood and Berry, Chem. Eng. Science 28 (1973) 1707: the relative gain quoted for it is 2.0."""
    np.testing.assert_allclose(relative(np.array([[12.8, -18.9], [6.6, -19.4]])), [[2.0, -1.0], [-1.0, 2.0]], atol=0.02)


def test_column_a_at_steady_state() -> None:
    """Skogestad and Postlethwaite 2005, section 12.4: 35.1 from rounded gains; 35.94 by Skogestad's own program."""
    found = relative_gains(get("distillation_column"))
    assert found is not None
    assert found.steady is not None
    np.testing.assert_allclose(np.diag(found.steady), 35.94, rtol=3e-4)


def test_rows_and_columns_add_up_to_one() -> None:
    found = relative_gains(get("wafer_furnace"))
    assert found is not None
    np.testing.assert_allclose(found.dynamic.sum(axis=0), 1.0, atol=1e-9)
    np.testing.assert_allclose(found.dynamic.sum(axis=1), 1.0, atol=1e-9)


@pytest.mark.parametrize("name", ["quadruple_tank", "evaporator", "office_vav", "chiller_plant", "van_de_vusse_cstr"])
def test_plants_pair_as_the_rules_do(name: str) -> None:
    found = relative_gains(get(name))
    assert found is not None
    assert found.as_declared
    assert (np.diag(found.dynamic) > 0.0).all()


def test_a_negative_relative_gain_is_never_paired_where_another_way_is_open() -> None:
    assert pairing(np.array([[-0.64, 1.64], [1.64, -0.64]])) == (1, 0)
    assert pairing(np.array([[0.9, 0.1, 0.0], [0.1, -0.2, 1.1], [0.0, 1.1, -0.1]])) == (0, 2, 1)


def test_a_better_pairing_is_named() -> None:
    gains = np.array([[-0.64, 1.64], [1.64, -0.64]])
    found = RelativeGains(("LIC-1", "LIC-2"), ("h_1", "h_2"), ("v_1", "v_2"), None, gains, pairing(gains))
    assert str(found) == "relative gains: LIC-1 -0.64, LIC-2 -0.64; better: h_1 by v_2, h_2 by v_1"


def test_a_plant_that_integrates_has_none_at_steady_state() -> None:
    found = relative_gains(get("boiler_drum"))
    assert found is not None
    assert found.steady is None


def test_a_plant_without_feedback_has_none() -> None:
    assert relative_gains(get("battery_microgrid")) is None
