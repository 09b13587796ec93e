"""van Welsenaere and Froment, Chem. Eng. Sci. 25 (1970) 1503: hot spots of the o-xylene tube, and where it runs away.

The published balances are integrated here along the tube to 1e-9; the plant's 15 cells are held against that, a check of our
own. Printed is the family of profiles at 625 K, safe at an inlet pressure of 0.018 atm and running away at 0.0183 atm.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from plant_models.catalogue import get
from plant_models.derive.steady import nominal, nominal_equilibrium
from plant_models.reactors import tubular_reactor as tube
from tests.books.published import check

Array = NDArray[np.float64]
PLANT = get("tubular_reactor")
P = tube.Parameter.nominal()
U = tube.Input.nominal()
RUNAWAY = 800.0
"""Hot spot in K between the highest that is stable and the lowest of a tube that has run away."""


def feed(p_0: float, T_0: float = 625.0) -> tube.Disturbance:
    return tube.Disturbance(p_0=p_0, T_0=T_0, G=4684.0, a=1.0)


@cache
def along_the_tube(p_0: float) -> tuple[float, float]:
    """Return hot spot in K and conversion by our integration of the published steady balances."""
    d = feed(p_0)

    def along(_: float, y: Array) -> list[float]:
        burnt = tube.rate_constant(y[1], d, P) * y[0]
        released = P.dH / (P.M * P.p_t * P.c_p) * burnt
        return [-burnt, released - 4.0 * P.U / (P.d_t * d.G * P.c_p) * (y[1] - U.T_w)]

    run = solve_ivp(along, (0.0, P.L), [p_0, d.T_0], method="LSODA", rtol=1e-9, atol=1e-12, max_step=0.01)
    return float(run.y[1].max()), float(1.0 - run.y[0][-1] / p_0)


def settled(d: tube.Disturbance, x: Array, hours: float = 6.0) -> Array:
    """Return the state of the cells some hours later."""
    run = solve_ivp(
        lambda _, z: list(tube.derivative(tube.State.of(list(z)), U, d, P)), (0.0, hours), x,
        method="LSODA", rtol=1e-7, atol=1e-6,
    )  # fmt: skip
    return np.asarray(run.y[:, -1])


def on_cells(p_0: float) -> float:
    return float(settled(feed(p_0), nominal(PLANT.State)).max())


def boundary(low: float, high: float, runs_away: Callable[[float], bool]) -> float:
    """Return the inlet pressure in atm from which on the tube runs away."""
    for _ in range(8):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if runs_away(middle) else (middle, high)
    return 0.5 * (low + high)


@pytest.mark.parametrize("p_0", [0.011, 0.013, 0.015, 0.016, 0.017])
def test_15_cells_see_the_hot_spot_and_conversion_of_the_balances(p_0: float) -> None:
    x = settled(feed(p_0), nominal(PLANT.State))
    hot, conversion = along_the_tube(p_0)
    y = tube.outputs(tube.State.of(list(x)), U, feed(p_0), P)
    assert y.T_hot == pytest.approx(hot, abs=0.6)
    assert conversion == pytest.approx(y.X, abs=2e-3)


def test_the_plant_file_states_the_hot_spots() -> None:
    claims = {claim.what: claim.published for claim in PLANT.reproduced}
    for p_0 in (0.015, 0.017):
        check(PLANT, f"hot spot on 15 cells, inlet at {p_0} atm", on_cells(p_0))
        assert claims[f"hot spot on 15 cells, inlet at {p_0} atm"] == pytest.approx(along_the_tube(p_0)[0], abs=0.005)


def test_safe_at_0018_atm_and_running_away_at_00183_atm() -> None:
    assert along_the_tube(0.018)[0] < RUNAWAY
    assert along_the_tube(0.0183)[0] > 1000.0
    found = boundary(0.0175, 0.0185, lambda p_0: along_the_tube(p_0)[0] > RUNAWAY)
    assert 0.018 < found < 0.0183
    check(PLANT, "inlet pressure at which the tube runs away, by the balances", found)


def test_the_cells_run_away_just_below_the_last_safe_pressure() -> None:
    """Numerical diffusion feeds heat back: the boundary comes a little early, on the safe side."""
    found = boundary(0.0172, 0.0184, lambda p_0: on_cells(p_0) > RUNAWAY)
    check(PLANT, "inlet pressure at which the tube runs away, on 15 cells", found)


def test_heat_released_goes_to_gas_and_salt() -> None:
    d = feed(0.015)
    x = tube.State.of(list(nominal_equilibrium(PLANT)))
    lengths = np.asarray(tube.SHARES) * P.L
    to_salt = 4.0 * P.U / P.d_t * np.sum((np.array(list(x)) - U.T_w) * lengths)
    to_gas = d.G * P.c_p * (tube.face_temperatures(x, d)[-1] - d.T_0)
    released = d.G * P.dH / (P.M * P.p_t) * (d.p_0 - tube.xylene(x, d, P)[-1])
    assert to_salt + to_gas == pytest.approx(released, rel=1e-9)


def test_colder_feed_first_makes_the_hot_spot_hotter() -> None:
    """The wrong way of fixed beds: cold gas leaves more xylene to the part of the bed that is still hot."""
    before = nominal_equilibrium(PLANT)
    soon = max(settled(feed(0.015, T_0=600.0), before, hours).max() for hours in (0.05, 0.1, 0.15))
    assert soon > before.max() + 1.0
    assert settled(feed(0.015, T_0=600.0), before, 4.0).max() < before.max()
