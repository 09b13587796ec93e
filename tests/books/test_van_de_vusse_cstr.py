"""Klatt and Engell's benchmark reactor at both of its published operating points, and around its yield maximum.

Chen, Kremling, Allgoewer (ECC 1995) hold it at the yield maximum of the isothermal problem on a feed of 104.9 degC; Klatt and
Engell (Comput. Chem. Eng. 22, 1998) run it at 134.14 degC on a feed of 130 degC. Tolerance: half of the last digit commonly
quoted.
At the yield maximum the static gain from the feed flow and the zero of its transfer function change sign.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import eigvals
from scipy.optimize import brentq

from plant_models.catalogue import get
from plant_models.core.quantity import ZERO_C
from plant_models.derive.linear import Linear, linearise
from plant_models.derive.steady import equilibrium, nominal
from plant_models.reactors import van_de_vusse_cstr as reactor
from tests.books.published import check

Array = NDArray[np.float64]
PLANT = get("van_de_vusse_cstr")
P = nominal(PLANT.Parameter)
CHEN = (np.array([14.19, -1113.5]), np.array([ZERO_C + 104.9, 5.1]), "F 14.19 1/h, Q -1113.5 kJ/h, feed 104.9 degC")
KLATT = (np.array([18.83, -4495.7]), np.array([ZERO_C + 130.0, 5.1]), "F 18.83 1/h, Q -4495.7 kJ/h, feed 130 degC")
POINTS = pytest.mark.parametrize(("u", "d", "point"), [CHEN, KLATT], ids=["Chen", "Klatt"])
STATES = ("concentration of A", "concentration of B", "temperature", "jacket temperature")
B, T, T_K = 1, 2, 3


def steady(u: Array, d: Array) -> Array:
    return equilibrium(PLANT, u, d, P, nominal(PLANT.State))


def held_at(T_held: float, F: float) -> tuple[Array, Array]:
    """Return the steady state on Chen's feed whose temperature a perfect controller holds through Q, and the inputs."""

    def off(Q: float) -> float:
        return float(steady(np.array([F, Q]), CHEN[1])[T] - T_held)

    u = np.array([F, brentq(off, -9000.0, 3000.0, xtol=1e-9)])
    return steady(u, CHEN[1]), u


def zeros(model: Linear) -> NDArray[np.complex128]:
    """Return the finite zeros from F to c_B: generalised eigenvalues of the system pencil."""
    n = len(model.A)
    pencil = np.block([[model.A, model.B[:, [0]]], [model.C[[0]], model.D[[0], [0]].reshape(1, 1)]])
    mass = np.diag([1.0] * n + [0.0])
    found: NDArray[np.complex128] = np.asarray(eigvals(pencil, mass), dtype=np.complex128)
    return found[np.isfinite(found) & (np.abs(found) < 1e6)]


@POINTS
def test_operating_points_are_reproduced(u: Array, d: Array, point: str) -> None:
    x = steady(u, d) - np.array([0.0, 0.0, ZERO_C, ZERO_C])
    for what, value in zip(STATES, x, strict=True):
        check(PLANT, f"{what} at {point}", float(value))


@POINTS
def test_operating_points_are_stable(u: Array, d: Array, point: str) -> None:
    A = linearise(PLANT, steady(u, d), u, d, P).A
    assert np.linalg.eigvals(A).real.max() < -10.0


def test_the_paper_holds_the_reactor_at_its_yield_maximum() -> None:
    """Over F at 114.2 degC the yield of B has its maximum within 5 % of Chen's F and 0.05 % of Chen's c_B."""
    flows = np.linspace(8.0, 35.0, 271)
    yields = np.array([held_at(ZERO_C + 114.2, F)[0][B] for F in flows])
    best = int(yields.argmax())
    assert flows[best] == pytest.approx(14.19, rel=0.05)
    assert yields[best] == pytest.approx(1.0903, rel=5e-4)
    assert (np.diff(yields[: best + 1]) > 0.0).all()
    assert (np.diff(yields[best:]) < 0.0).all()


@pytest.mark.parametrize(("F", "side"), [(10.0, "below"), (20.0, "above")])
def test_gain_and_zero_change_sign_at_the_maximum(F: float, side: str) -> None:
    """Below it the response to F is inverse (a zero in the right half-plane), above it F acts directly and the other way."""
    model = linearise(PLANT, *held_at(ZERO_C + 114.2, F), CHEN[1], P)
    gain = -(model.C @ np.linalg.solve(model.A, model.B))
    at_temperature = gain[0, 0] - gain[0, 1] * gain[1, 0] / gain[1, 1]
    assert np.sign(at_temperature) == (1.0 if side == "below" else -1.0)
    assert bool(zeros(model).real.max() > 0.0) == (side == "below")


def test_the_range_of_the_flow_lies_on_both_sides_of_the_maximum() -> None:
    """At the nominal temperature a flow at its low stop yields less than at the maximum, as a high flow does."""
    low, middle, high = (held_at(ZERO_C + 110.0, F)[0][B] for F in (8.0, 11.2, 18.0))
    assert low < middle - 0.02
    assert high < middle - 0.02


def test_moles_of_a_are_conserved() -> None:
    """A fed = A, B, C and twice D leaving: with dc_C = k_2 c_B and dc_D = k_3 c_A^2 / 2 the balances close."""
    x, u = held_at(ZERO_C + 110.0, 18.0)
    p = reactor.Parameter.nominal()
    c_C = p.k_20 * np.exp(-p.E_2 / x[T]) * x[B] / u[0]
    c_D = 0.5 * p.k_30 * np.exp(-p.E_3 / x[T]) * x[0] ** 2 / u[0]
    assert x[0] + x[B] + c_C + 2.0 * c_D == pytest.approx(5.1, rel=1e-8)
