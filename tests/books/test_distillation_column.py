"""Skogestad's column A: purities, gains and time constants of its 41 stages.

S. Skogestad: Dynamics and control of distillation columns, a tutorial introduction, Trans. IChemE 75 A (1997) 539-562, and
S. Skogestad, M. Morari: Understanding the dynamic behavior of distillation columns, Ind. Eng. Chem. Res. 27 (1988) 1848-1862.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from plant_models.catalogue import get
from plant_models.derive.linear import Linear, linearise_nominal
from plant_models.derive.steady import nominal_equilibrium
from plant_models.process_units import distillation_column as column
from tests.books.published import check

Array = NDArray[np.float64]
PLANT = get("distillation_column")
P = column.Parameter.nominal()


@pytest.fixture(scope="module")
def steady() -> Array:
    return nominal_equilibrium(PLANT)


@pytest.fixture(scope="module")
def linear(steady: Array) -> Linear:
    return linearise_nominal(PLANT, steady)


def gains(model: Linear) -> Array:
    """Return the steady gains from reflux and boilup to both purities in mole fraction per kmol/min."""
    G: Array = (model.D - model.C @ np.linalg.solve(model.A, model.B))[:2]
    return G


def relative_gain(G: NDArray[np.float64] | NDArray[np.complex128]) -> float:
    return float(abs(G[0, 0] * G[1, 1] / np.linalg.det(G)))


def test_purities(steady: Array) -> None:
    check(PLANT, "distillate's light component at L 2.70629 and V 3.20629 kmol/min", steady[40])
    check(PLANT, "bottoms' light component at L 2.70629 and V 3.20629 kmol/min", steady[0])
    assert steady[41:] == pytest.approx(np.full(41, 0.5), abs=1e-6)


def test_gains_are_the_tutorials(linear: Linear) -> None:
    G = gains(linear)
    assert pytest.approx(np.array([[0.8754, -0.8618], [1.0846, -1.0982]]), abs=6e-5) == G
    check(PLANT, "relative gain of L and y_D at steady state", relative_gain(G))


def test_gains_rounded_as_in_1988_give_the_smaller_relative_gain() -> None:
    """Three digits of nearly singular gains leave two of their relative gain: 35.1 there, 35.9 from the whole model."""
    assert relative_gain(np.array([[0.878, -0.864], [1.082, -1.096]])) == pytest.approx(35.1, abs=0.05)


def test_gains_of_the_feed(linear: Linear) -> None:
    Gd = (linear.F - linear.C @ np.linalg.solve(linear.A, linear.E))[:2, :2]
    assert pytest.approx(np.array([[0.394, 0.881], [0.586, 1.119]]), abs=6e-4) == Gd


def test_time_constants(linear: Linear) -> None:
    """One slow mode, the compositions all together; all poles are real."""
    poles = np.linalg.eigvals(linear.A)
    assert np.abs(poles.imag).max() < 1e-9
    slow = np.sort(-1.0 / poles.real)[::-1]
    check(PLANT, "dominant time constant", float(slow[0]))
    assert slow[0] > 15.0 * slow[1]


def test_interaction_vanishes_where_control_is_fast(linear: Linear) -> None:
    """The paper's reason why two single loops work: the relative gain falls toward one at 0.1 to 1 rad/min."""
    sizes = []
    for w in (1e-4, 0.1, 1.0):
        response = linear.C @ np.linalg.solve(1j * w * np.eye(82) - linear.A, linear.B) + linear.D
        sizes.append(relative_gain(response[:2]))
    assert sizes[0] == pytest.approx(35.9, abs=0.1)
    assert sizes[1] < 4.0
    assert sizes[2] < 1.0


def test_matter_is_conserved_stage_by_stage() -> None:
    """At a random point: what both components gain over all stages is feed less products."""
    rng = np.random.default_rng(0)
    x = column.State.of([*np.sort(rng.uniform(0.02, 0.98, 41)), *rng.uniform(0.45, 0.55, 41)])
    u, d = column.Input(L=2.9, V=3.3), column.Disturbance(F=1.1, z_F=0.45, q_F=0.95)
    rate = np.array(list(column.derivative(x, u, d, P)))
    z, M = (np.array(part) for part in column.stages(x))
    D, B = column.products(x, P)
    assert rate[41:].sum() == pytest.approx(d.F - D - B, abs=1e-9)
    assert (rate[:41] * M + rate[41:] * z).sum() == pytest.approx(d.F * d.z_F - D * z[-1] - B * z[0], abs=1e-9)
