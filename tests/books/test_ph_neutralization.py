"""Henson and Seborg: Nonlinear Process Control, 1997, pp. 207-210: the rig's steady state, and the titration curve behind it."""

from __future__ import annotations

from typing import Any

import casadi as ca
import numpy as np
import pytest
from numpy.typing import NDArray

from plant_models.catalogue import get
from plant_models.derive import symbolic
from plant_models.derive.steady import nominal_equilibrium
from plant_models.process_units import ph_neutralization as rig
from tests.books.published import check

PLANT = get("ph_neutralization")
P = rig.Parameter.nominal()
Array = NDArray[np.float64]


def mixed(q_1: float, q_2: float, q_3: Any) -> tuple[Any, Any]:
    """The invariants that steady flows in mL/s mix to."""
    total = q_1 + q_2 + q_3
    W_a = (q_1 * P.W_a1 + q_2 * P.W_a2 + q_3 * P.W_a3) / total
    W_b = (q_1 * P.W_b1 + q_2 * P.W_b2 + q_3 * P.W_b3) / total
    return W_a, W_b


def by_roots(W_a: float, W_b: float) -> float:
    """The pH from all roots of the charge balance as a polynomial of [H+], in units of 1e-7 mol/L."""
    s = 1e-7
    K_1, K_2, K_w, a, b = P.K_1 / s, P.K_2 / s, P.K_w / s**2, W_a / s, W_b / s
    carbonic = np.array([1.0, K_1, K_1 * K_2])
    polynomial = np.polyadd(np.polymul([-1.0, a, K_w], carbonic), b * np.array([K_1, 2.0 * K_1 * K_2, 0.0]))
    found = np.roots(polynomial)
    acid = found[(np.abs(found.imag) < 1e-9 * np.abs(found)) & (found.real > 0.0)].real
    assert len(acid) == 1
    return float(-np.log10(acid[0] * s))


def gain(q_2: float) -> Array:
    """The slope of the titration curve in pH s/mL, for base flows from 10 to 22 mL/s."""
    q_3 = np.linspace(10.0, 22.0, 4001)
    slope: Array = np.gradient(rig.solve_pH(*mixed(16.6, q_2, q_3), P), q_3)
    return slope


def test_the_printed_steady_state() -> None:
    W_a, W_b, _, pH = nominal_equilibrium(PLANT)
    check(PLANT, "steady charge invariant", W_a)
    check(PLANT, "steady carbonate invariant", W_b)
    check(PLANT, "steady pH at the nominal flows", pH)


def test_the_outlet_keeps_the_level_at_14_cm() -> None:
    flow = 16.6 + 0.55 + 15.6
    check(PLANT, "outlet coefficient for a level of 14 cm at the nominal flows", flow / ((14.0 + P.z) / P.h_1) ** P.n)
    assert nominal_equilibrium(PLANT)[2] == pytest.approx(14.0, abs=1e-5)


def test_the_printed_invariants_are_neutral() -> None:
    check(PLANT, "pH of the printed steady invariants", float(rig.solve_pH(-4.32e-4, 5.28e-4, P)))


def test_the_search_finds_the_only_root_whatever_is_mixed() -> None:
    """Against all roots of the quartic, from pure acid to pure base, with and without buffer."""
    rng = np.random.default_rng(0)
    for q_1, q_2, q_3 in rng.uniform(0.01, [20.0, 3.0, 30.0], (300, 3)):
        W_a, W_b = mixed(q_1, q_2, q_3)
        assert rig.solve_pH(W_a, W_b, P) == pytest.approx(by_roots(W_a, W_b), abs=1e-6)
        assert abs(rig.charge(rig.solve_pH(W_a, W_b, P), W_a, W_b, P)[0]) < P.residual


def test_the_titration_curve_rises_and_its_slope_varies_by_orders_of_magnitude() -> None:
    """With the nominal buffer the steepest place is 28 times as steep as the flattest, without buffer 350 times."""
    buffered, bare = gain(0.55), gain(0.0)
    assert (buffered > 0.0).all()
    assert (bare > 0.0).all()
    assert buffered.max() / buffered.min() == pytest.approx(28.3, rel=0.02)
    assert bare.max() / bare.min() == pytest.approx(354.0, rel=0.02)


def test_linear_models_see_the_slope_of_the_curve() -> None:
    """Halving alone has no slope; the Newton steps after it give the derivative that a difference quotient gives."""
    W_a, W_b = ca.SX.sym("W_a"), ca.SX.sym("W_b")
    rest = [ca.SX(list(v.nominal())) for v in (PLANT.Input, PLANT.Disturbance, PLANT.Parameter)]
    pH = symbolic.apply(PLANT, rig.derivative, ca.vertcat(W_a, W_b, 14.0, 0.0), *rest).pH_m * P.tau
    slope = ca.Function("slope", [W_a, W_b], [ca.jacobian(ca.SX(pH), W_a)])
    for q_3 in (11.0, 14.0, 15.6, 16.5, 19.0):
        a, b = mixed(16.6, 0.55, np.array(q_3))
        step = 1e-9
        quotient = (rig.solve_pH(a + step, b, P) - rig.solve_pH(a - step, b, P)) / (2.0 * step)
        assert float(slope(float(a), float(b))) == pytest.approx(float(quotient), rel=1e-3)
