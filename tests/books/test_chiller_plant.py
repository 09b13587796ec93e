"""The York YT 1055 kW chiller of EnergyPlus's data set, its second published fit, and the YorkCalc tower at its design point."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from plant_models.catalogue import get
from plant_models.core.quantity import ZERO_C
from plant_models.derive.steady import nominal_equilibrium
from plant_models.hvac import chiller_plant as plant
from plant_models.hvac._climate import time_of_use, wet_bulb
from tests.books.published import check

PLANT = get("chiller_plant")
P = plant.Parameter.nominal()
REFERENCE = (6.67, 29.44)

CAPFT = (-2.707500e-01, -6.904583e-02, -2.862217e-03, 1.116660e-01, -2.741006e-03, 5.573759e-03)
EIRFT = (5.864611e-01, -1.981483e-02, 1.189656e-03, 4.468905e-03, 4.366968e-04, -7.679079e-04)
EIRFPLR = (2.585491e-01, 8.250769e-03, -3.231494e-05, -8.921620e-02, 1.025668, -6.495267e-03, -2.179388e-01)
"""ReformEIRChiller York YT 1055kW/5.96COP/Vanes: the same machine by leaving chilled and leaving condenser water."""


def cop(load: float, chilled: float, condenser: float) -> float:
    heat, power = plant.chiller(load, chilled + ZERO_C, condenser + ZERO_C, P)
    return float(heat / power)


def other_cop(load: float, chilled: float, condenser: float) -> float:
    """COP of the second fit; its leaving condenser water follows from the heat rejected."""

    def heat_and_power(leaving: float) -> tuple[float, float]:
        capacity = P.Q_ref * plant.biquadratic(CAPFT, chilled, leaving)
        a, b, c, d, e, f, g = EIRFPLR
        part = a + b * leaving + c * leaving**2 + d * load + e * load**2 + f * leaving * load + g * load**3
        return load * capacity, capacity * plant.biquadratic(EIRFT, chilled, leaving) * part / P.COP

    def missed(leaving: float) -> float:
        return leaving - condenser - sum(heat_and_power(leaving)) / (P.m_c * P.c_w)

    heat, power = heat_and_power(float(brentq(missed, condenser, condenser + 15.0)))
    return heat / power


def test_curves_at_their_reference_point() -> None:
    check(PLANT, "CAPFT at 6.67 degC chilled and 29.44 degC condenser water", plant.capft(*REFERENCE))
    check(PLANT, "EIRFT at 6.67 degC chilled and 29.44 degC condenser water", plant.eirft(*REFERENCE))
    check(PLANT, "EIRFPLR at full load", plant.eirfplr(1.0))
    check(PLANT, "COP at 6.67 degC, 29.44 degC and full load", cop(1.0, *REFERENCE))


@pytest.mark.parametrize("load", [0.5, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("condenser", [15.0, 18.0, 21.0, 24.0, 27.0])
@pytest.mark.parametrize("chilled", [5.0, 6.67, 8.5])
def test_cop_map_agrees_with_the_second_fit(load: float, condenser: float, chilled: float) -> None:
    assert cop(load, chilled, condenser) == pytest.approx(other_cop(load, chilled, condenser), rel=0.05)


def test_cop_at_part_load() -> None:
    assert other_cop(0.5, 6.67, 24.0) == pytest.approx(6.658, abs=0.001)
    check(PLANT, "COP at 6.67 degC, 24 degC and half load", cop(0.5, 6.67, 24.0))


def test_cold_condenser_water_and_warm_chilled_water_raise_the_cop() -> None:
    cops = np.array([[cop(0.7, chilled, condenser) for condenser in (15.0, 20.0, 25.0, 30.0)] for chilled in (5.0, 7.0, 8.8)])
    assert (np.diff(cops, axis=1) < 0.0).all()
    assert (np.diff(cops, axis=0) > 0.0).all()


def test_tower_at_its_design_point() -> None:
    approach = plant.approach(25.55 + ZERO_C, 5.56, 1.0, P)
    check(PLANT, "approach of the tower at 25.55 degC wet bulb, 5.56 K range, design flows", float(approach))


def test_more_air_brings_the_water_closer_to_the_wet_bulb() -> None:
    """At every wet bulb of the summer."""
    for outdoors in (10.0, 15.0, 20.0, 25.0):
        approaches = [plant.approach(outdoors + ZERO_C, 5.0, r, P) for r in (0.3, 0.5, 0.7, 1.0)]
        assert (np.diff(approaches) < 0.0).all()


def test_a_stopped_machine_takes_nothing_and_a_cold_one_unloads() -> None:
    assert plant.chiller(0.0, 280.15, 300.15, P) == (0.0, 0.0)
    heat, _ = plant.chiller(1.0, P.T_stop, 300.15, P)
    assert heat == 0.0


def test_energy_is_conserved_at_rest() -> None:
    """At rest the chilled water carries the building's gains, and the tower rejects them with the compressor's power."""
    x = plant.State.of(nominal_equilibrium(PLANT).tolist())
    u, d = plant.Input.nominal(), plant.Disturbance.nominal()
    heat, power = plant.chiller(u.y, x.T_chw, x.T_cw, P)
    assert heat == pytest.approx(d.Q_int + P.UA_o * (d.T_o - x.T_s), rel=1e-6)
    assert P.m_c * P.c_w * (x.T_cd - x.T_cw) == pytest.approx(heat + power, rel=1e-6)
    assert plant.coil(x.T_s, x.T_chw, u.m, P) == pytest.approx(heat, rel=1e-6)


def test_wet_bulb_is_stulls() -> None:
    """The paper's example: 20 degC and 50 % give 13.7 degC."""
    assert wet_bulb(np.array(293.15), np.array(50.0)) - ZERO_C == pytest.approx(13.7, abs=0.05)


def test_tariff_is_the_printed_one() -> None:
    """ComEd's summer periods over 0.04242 USD/kWh of other charges: 0.12727 from 14 h, 0.02868 by day, 0.01584 at night."""
    july = 24.0 * 190.0
    prices = time_of_use(july + np.array([3.0, 10.0, 15.0, 20.0, 23.0])) - 0.04242
    assert prices == pytest.approx([0.01584, 0.02868, 0.12727, 0.02868, 0.01584], abs=1e-5)
