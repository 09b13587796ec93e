"""The house against the official BOPTEST emulator of bestest_hydronic_heat_pump, on days that the fit has not seen.

For each of the last 30 days the measured zone temperature and condenser heat are imposed for ten days, then the model runs
free for 24 h on the condenser heat. On its emulator's wall irradiance the fit had an RMSE of 0.104 K at 24 h, a figure
that no publication holds; with our own sun position and wall irradiance 0.15 K is allowed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plant_models.catalogue import get
from plant_models.hvac import heat_pump_house as house
from plant_models.weather import calendar
from plant_models.weather.sun import position, tilted
from tests.books.published import check

Array = NDArray[np.float64]
BURN_IN, FREE, DAYS, STEP, SUBSTEPS = 960, 96, 30, 900.0, 3
COLUMNS = ("T_zone", "Q_condenser", "T_outdoor", "GHI", "DNI", "DHI", "compressor", "P_heat_pump", "T_return")
P = house.Parameter.nominal()


def series() -> dict[str, Array]:
    with np.load(Path(__file__).parent / "data" / "heat_pump_house.npz", allow_pickle=False) as file:
        out = {name: file[name] * file["scale"][i] + file["offset"][i] for i, name in enumerate(COLUMNS)}
        hours = file["first_hour"][0] + 0.25 * np.arange(len(out["T_zone"]))
    sun = position(hours, latitude=50.9, longitude=4.5, timezone=1.0)
    wall = tilted(out["DNI"], out["DHI"], out["GHI"], sun)
    return out | {"I_s": wall, "q_occ": calendar.internal_gains(hours - 0.125)}


def slope(x: Array, k: NDArray[np.intp], s: dict[str, Array]) -> Array:
    d = house.Disturbance(T_o=s["T_outdoor"][k], I_s=s["I_s"][k], price=0.0, q_occ=s["q_occ"][k], T_low=0.0, T_high=0.0)
    return np.stack(list(house.envelope(house.State.of(list(x)), s["Q_condenser"][k], d, P)))


def run_on(x: Array, k: NDArray[np.intp], s: dict[str, Array]) -> Array:
    """Run one step of 900 s by the midpoint rule."""
    h = STEP / SUBSTEPS
    for _ in range(SUBSTEPS):
        x = x + h * slope(x + 0.5 * h * slope(x, k, s), k, s)
    return x


def impose(x: Array, k: NDArray[np.intp], s: dict[str, Array]) -> Array:
    """Run one step with the zone held on the line between two measurements."""
    h, first, last = STEP / SUBSTEPS, s["T_zone"][k - 1], s["T_zone"][k]
    for i in range(SUBSTEPS):
        held = first + (last - first) * (i + 0.5) / SUBSTEPS
        x = np.concatenate([held[None], x[1:]])
        x = x + h * np.concatenate([np.zeros((1, len(k))), slope(x, k, s)[1:]])
    return np.concatenate([last[None], x[1:]])


def test_free_run_of_24_hours_on_30_unseen_days() -> None:
    s = series()
    start = len(s["T_zone"]) - DAYS * FREE + FREE * np.arange(DAYS)
    zone = s["T_zone"][start - BURN_IN - 1]
    x = np.stack([zone, zone - 1.0, zone + 3.0, zone])
    for j in range(BURN_IN):
        x = impose(x, start - BURN_IN + j, s)
    for j in range(FREE):
        x = run_on(x, start + j, s)
    error = x[0] - s["T_zone"][start + FREE - 1]
    rmse = float(np.sqrt(np.mean(error**2)))
    assert rmse <= 0.15
    check(get("heat_pump_house"), "RMSE of the zone temperature after a free run of 24 h, 30 unseen days", rmse)
    assert abs(np.mean(error)) <= 0.05


def test_heat_pump_polynomials_reproduce_power_and_heat() -> None:
    """No worse than the fit's own RMSE: 8.7 W of power, 43.5 W of heat; the machine counts where it has fully started."""
    s = series()
    running = s["compressor"] > 0.05
    power, heat = house.heat_pump(s["compressor"], s["T_outdoor"], s["T_return"] - P.R_c * s["Q_condenser"], P)
    off_power = (power - P.P_aux - s["P_heat_pump"])[running]
    off_heat = (heat - s["Q_condenser"])[running]
    assert np.sqrt(np.mean(off_power**2)) <= 8.7
    assert np.sqrt(np.mean(off_heat**2)) <= 43.5


def test_stopped_machine_takes_and_gives_nothing() -> None:
    assert house.heat_pump(0.0, 278.15, 298.15, P) == (0.0, 0.0)
