"""Van Henten's lettuce greenhouse against an independent implementation of the same paper, over a whole season.

GreenLight 2.0.5 (Katzin, models/van_henten_2003) heats below 14 degC and opens the windows above, with smooth proportional
rules; its dosing of carbon dioxide has its sign the wrong way round and never opens. From planting 2.7 g/m2 on 20 October 2009
at Bleiswijk it grows 101.648 g/m2 of dry weight in 50 days (solved to 1e-8). The published paper's own seasons were computed
with weather that is not public.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from plant_models.catalogue import get
from plant_models.hvac import greenhouse_lettuce as house
from tests.books.published import check

Array = NDArray[np.float64]
PLANT = get("greenhouse_lettuce")
P = house.Parameter.nominal()
STEP, DAYS = 300.0, 50


def rule(y: float, setpoint: float, band: float, most: float) -> float:
    """GreenLight's smoothed proportional controller (Katzin et al., Applied Energy 281, 2021, equation 4)."""
    return float(most / (1.0 + np.exp(-2.0 / band * np.log(100.0) * (y - setpoint - 0.5 * band))))


def season() -> Callable[[Array, float], Array]:
    """Return the right-hand side over the season, the weather on straight lines between its samples."""
    with np.load(Path(__file__).parent / "data" / "bleiswijk_2009.npz", allow_pickle=False) as file:
        T_o, V_rad, V_c = file["T_o"] * 0.1 + 273.15, file["V_rad"] * 1.0, file["V_c"] * 1e-7

    def slope(x: Array, at: float) -> Array:
        i = min(int(at), len(T_o) - 2)
        now = [float(w[i] + (at - i) * (w[i + 1] - w[i])) for w in (T_o, V_rad, V_c)]
        t = float(x[2]) - 273.15
        u = house.Input(U_q=rule(t, 15.0, -2.0, 150.0), U_v=rule(t, 22.0, 10.0, 10.0), U_c=0.0)
        d = house.Disturbance(T_o=now[0], V_rad=now[1], V_h=0.006)
        rate = house.derivative(house.State.of([float(each) for each in x]), u, d, replace(P, V_c=now[2]))
        return np.array(list(rate))

    return slope


def test_season_yields_what_the_independent_implementation_yields() -> None:
    slope, x = season(), np.array([2.7e-3, 7.2e-4, 288.15, 9.5e-3])
    for k in range(round(DAYS * 86400.0 / STEP)):
        a = slope(x, k)
        b = slope(x + 0.5 * STEP * a, k + 0.5)
        c = slope(x + 0.5 * STEP * b, k + 0.5)
        x = x + STEP / 6.0 * (a + 2.0 * b + 2.0 * c + slope(x + STEP * c, k + 1.0))
    grown = float(x[0])
    check(PLANT, "dry weight after 50 days from 20 October 2009 at Bleiswijk, windows and pipes by GreenLight's rule", grown)


def test_carbon_goes_into_the_crop_or_stays_in_the_air() -> None:
    """Without windows, leaks and dosing the air loses what the crop takes and gains what it respires."""
    p = replace(P, c_l=0.0)
    x = house.State(X_d=0.15, X_c=1.5e-3, T=293.15, X_h=0.010)
    u, d = house.Input(U_q=0.0, U_v=0.0, U_c=0.0), house.Disturbance(V_rad=300.0, T_o=283.15, V_h=0.006)
    rate = house.derivative(x, u, d, p)
    taken = house.photosynthesis(x, 300.0, p)
    respired = (taken - rate.X_d / p.c_ab) * p.c_ab * p.c_rc / p.c_rd
    assert p.c_cap * rate.X_c == pytest.approx(respired - taken, rel=1e-9)


def test_leaves_work_best_near_22_degrees_and_close_in_frost_and_heat() -> None:
    """The optimum of the published conductance is c_2 / (2 c_1) = 22.5 degC, its zeros 2.9 and 42.1 degC."""
    warmth = np.arange(-2.0, 50.0, 0.5)
    x = house.State(X_d=0.2, X_c=1.0e-3, T=warmth + 273.15, X_h=0.01)
    rate = house.photosynthesis(x, 500.0, P)
    assert warmth[rate.argmax()] == pytest.approx(22.5)
    assert (rate[(warmth < 2.5) | (warmth > 42.5)] < 2e-3 * rate.max()).all()


def test_air_over_a_transpiring_crop_settles_at_85_percent() -> None:
    """Closed windows let the vapour rise to saturation in the leaves, c_v1 / c_v4 of that of the air."""
    saturated = P.c_v1 / (P.c_R * 288.15) * np.exp(P.c_v2 * 15.0 / (15.0 + P.c_v3))
    assert house.humidity(saturated, 288.15, P) == pytest.approx(0.85, abs=1e-4)
