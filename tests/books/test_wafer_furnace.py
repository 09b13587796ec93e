"""Franklin, Powell, Emami-Naeini, Feedback Control of Dynamic Systems, case study of rapid thermal processing in chapter 10.

The book's model has poles at -0.0527, -0.0863 and -0.1482 1/s. With the three lamps tied together and the controller
(s + 0.0527)/s on the centre, its figure 10.67 shows a reference that rises by 1 K/s for 25 s, is held for 50 s and falls to zero.
The poles are printed; the numbers of the figure are not, they come from its published script, run on the book's matrices.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from plant_models.catalogue import get
from plant_models.derive.linear import linearise
from plant_models.derive.steady import nominal
from plant_models.reactors import wafer_furnace as furnace
from tests.books.published import check

Array = NDArray[np.float64]
PLANT = get("wafer_furnace")
P = furnace.Parameter.nominal()
D = furnace.Disturbance.nominal()
IDLE = np.array([P.T_0, P.T_0, P.T_0, 0.0, 0.0, 0.0])
STEP, ZERO = 0.1, 0.0527
REFERENCE = np.concatenate([np.arange(0.0, 25.05, STEP), np.full(500, 25.0), np.zeros(250)])


def zone_matrices() -> tuple[Array, Array]:
    """Return the linear model of the three zones at idle: the book's matrices, found from the balances."""
    model = linearise(PLANT, IDLE, np.zeros(3), nominal(PLANT.Disturbance), nominal(PLANT.Parameter))
    return model.A[:3, :3], model.A[:3, 3:]


def book_response() -> tuple[Array, Array]:
    """Return the book's closed loop on the reference: zones (samples, 3) in K above idle, and lamp volts (samples,)."""
    A, B = zone_matrices()
    b, c = B.sum(axis=1, keepdims=True), np.array([[0.0, 1.0, 0.0]])
    closed = np.block([[A - b @ c, ZERO * b], [-c, np.zeros((1, 1))]])
    inward = np.vstack([b, [[1.0]]])
    return held_on_lines(closed, inward, np.hstack([-c, [[ZERO]]]))


def held_on_lines(A: Array, b: Array, output: Array) -> tuple[Array, Array]:
    """Integrate exactly over samples between which the reference is a straight line."""
    n = len(A)
    block = np.zeros((n + 2, n + 2))
    block[:n, :n], block[:n, n : n + 1], block[n, n + 1] = A, b, 1.0
    over = expm(block * STEP)
    z, states, volts = np.zeros(n), [np.zeros(n)], [0.0]
    for now, then in pairwise(REFERENCE):
        z = (over @ np.concatenate([z, [now, (then - now) / STEP]]))[:n]
        states.append(z)
        volts.append(float((output @ z).item() + then))
    return np.array(states)[:, :3], np.array(volts)


def tied(seconds: float) -> Array:
    """Return the zones in K above idle when the whole plant, with its lamps' lag and T^4, is under the book's controller."""

    def rate(t: float, z: Array) -> list[float]:
        x = furnace.State.of(list(z[:6]))
        error = min(t, 25.0) - (x.T_2 - P.T_0)
        volts = max(error + ZERO * z[6], 0.0)
        slope = furnace.derivative(x, furnace.Input(V_1=volts, V_2=volts, V_3=volts), D, P)
        return [*slope, error]

    run = solve_ivp(rate, (0.0, seconds), np.append(IDLE, 0.0), method="LSODA", rtol=1e-8, atol=1e-8, max_step=0.2)
    return np.asarray(run.y[:3, -1] - P.T_0)


def test_poles_are_the_book_s() -> None:
    A, _ = zone_matrices()
    for what, pole in zip(("slow", "middle", "fast"), sorted(-np.linalg.eigvals(A).real), strict=True):
        check(PLANT, f"{what} pole of the wafer", -pole)


def test_the_jacobian_at_idle_is_the_book_s_matrix() -> None:
    A, B = zone_matrices()
    book = [[-0.068208813989939, 0.014929776357245, 6.5782442e-8], [0.045809672136430, -0.118134773528570, 0.021802006306129],
            [4.33637498e-7, 0.046839194867347, -0.100884399149872]]  # fmt: skip
    np.testing.assert_allclose(A, book, rtol=1e-9, atol=1e-14)
    assert B.sum(axis=1) == pytest.approx([0.5122, 0.5226, 0.4185], abs=1e-4)


def test_the_ramp_of_figure_10_67() -> None:
    zones, volts = book_response()
    at_25, at_50 = round(25.0 / STEP), round(50.0 / STEP)
    check(PLANT, "centre at the end of the ramp", zones[at_25, 1])
    check(PLANT, "centre at 50 s", zones[at_50, 1])
    check(PLANT, "lamps at 50 s", volts[at_50])
    check(PLANT, "spread of the zones at 50 s", float(np.ptp(zones[at_50])))
    assert zones[: round(75.0 / STEP), 1].max() <= 25.01
    assert volts[: round(75.0 / STEP)].max() == pytest.approx(4.3, abs=0.05)
    assert volts.min() < -20.0


def test_the_whole_plant_follows_the_ramp_nearly_as_the_linear_one() -> None:
    """Over 25 K radiation rises by 12 %, which costs half a kelvin at the end of the ramp."""
    zones, _ = book_response()
    assert tied(25.0)[1] == pytest.approx(zones[round(25.0 / STEP), 1], abs=0.8)
    assert tied(50.0)[1] == pytest.approx(25.0, abs=0.8)


def test_a_dark_wafer_cools_to_idle_and_no_further() -> None:
    hot = np.array([760.0, 760.0, 760.0, 0.0, 0.0, 0.0])
    off = furnace.Input(V_1=0.0, V_2=0.0, V_3=0.0)
    run = solve_ivp(
        lambda _, z: list(furnace.derivative(furnace.State.of(list(z)), off, D, P)), (0.0, 200.0), hot, method="LSODA", rtol=1e-8
    )
    assert (np.diff(run.y[1]) <= 1e-6).all()
    assert run.y[:3, -1] == pytest.approx(P.T_0, abs=0.5)


def test_zones_exchange_heat_only_when_they_differ() -> None:
    level = furnace.State(T_1=P.T_0, T_2=P.T_0, T_3=P.T_0, L_1=0.0, L_2=0.0, L_3=0.0)
    assert furnace.zones(level, D, P) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)
