"""The house in closed loop against BOPTEST's published key figures of bestest_hydronic_heat_pump, scenario peak_heat_day.

Two weeks around day 23 of the year after a week of warm-up, all under the emulator's embedded PI (LimPID, k 0.6, T_i 8000 s,
anti-windup N_i 0.9) at its setpoint of 21.2 degC while occupied and 20.5 degC while empty, constant tariff. Published by BOPTEST
v0.6.0 (baselines): energy 3.478 kWh/m2, cost 0.8817 EUR/m2, peak 0.01891 kW/m2.

The weather is a column of the emulator's outputs, which are not shipped: SETPOINT_REFERENCE_DATA names the folder that holds
heat_pump_house_excitation.csv (time_s, T_outdoor_K, GHI_W_m2, DNI_W_m2, DHI_W_m2 every 900 s from 1 January, among others).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from plant_models.hvac import heat_pump_house as house
from plant_models.weather import calendar, tariff
from plant_models.weather.sun import position, tilted
from tests.books.published import absent, check

Array = NDArray[np.float64]
VARIABLE, FILE = "SETPOINT_REFERENCE_DATA", "heat_pump_house_excitation.csv"
AREA = 192.0
DAY, STEP, BIN = 86400.0, 60.0, 900.0
WARM_UP, BEGIN, END = 9.0, 16.0, 30.0
CLAIMS = ("energy of the peak-heat period under the embedded PI", "its cost at the constant tariff", "its peak electric power")
P = house.Parameter.nominal()


@dataclass(frozen=True)
class Weather:
    """Outdoor temperature in K and irradiance of a south wall in W/m2 at times in s of the year."""

    time: Array
    T_o: Array
    I_s: Array


def weather() -> Weather:
    """Read the reference data, or skip where there are none; each value is at the end of its step."""
    folder = os.environ.get(VARIABLE, "")
    path = Path(folder) / FILE
    if not folder or not path.is_file():
        absent(house.PLANT, CLAIMS, f"{FILE} is not shipped: set {VARIABLE} to the folder that holds it")
    table = np.genfromtxt(path, delimiter=",", names=True)
    time = table["time_s"] + BIN
    sun = position(time / 3600.0, latitude=50.9, longitude=4.5, timezone=1.0)
    return Weather(time, table["T_outdoor_K"], tilted(table["DNI_W_m2"], table["DHI_W_m2"], table["GHI_W_m2"], sun))


@dataclass(frozen=True)
class EmbeddedPI:
    """The emulator's controller: Modelica.Blocks.Continuous.LimPID as a PI between 0 and 1."""

    k: float = 0.6
    T_i: float = 8000.0
    N_i: float = 0.9

    def step(self, integral: float, error: float) -> tuple[float, float]:
        """Return its output now and the state of its integrator one step later."""
        wanted = self.k * (error + integral)
        y = min(max(wanted, 0.0), 1.0)
        return y, integral + STEP / self.T_i * (error + (y - wanted) / (self.k * self.N_i))


def setpoints(hours: Array) -> Array:
    """Return the emulator's setpoint in K: the lower limit of comfort and 0.2 K while occupied, 5.5 K while empty."""
    lower, _ = calendar.comfort_band(hours)
    return np.where(lower == calendar.LOWER_OCCUPIED, lower + 0.2, lower + 5.5)


def replay(now: Weather) -> tuple[Array, Array]:
    """Return the time in s and the electric power in W of every step of the two weeks."""
    times = np.arange(WARM_UP * DAY, END * DAY, STEP)
    lines = (
        np.interp(times, now.time, now.T_o), np.interp(times, now.time, now.I_s), calendar.internal_gains(times / 3600.0),
        setpoints(times / 3600.0),
    )  # fmt: skip
    controller, integral, powers = EmbeddedPI(), 0.0, np.empty(len(times))
    x = house.State(T_z=294.15, T_w=292.15, T_f=297.15, T_i=294.15)
    for i, (T_o, I_s, q_occ, wanted) in enumerate(zip(*(line.tolist() for line in lines), strict=True)):
        y, integral = controller.step(integral, wanted - x.T_z)
        u = house.Input(y=y)
        d = house.Disturbance(T_o=T_o, I_s=I_s, price=0.0, q_occ=q_occ, T_low=0.0, T_high=0.0)
        powers[i], _ = house.heat_pump(y, T_o, x.T_f, P)
        middle = moved(x, house.derivative(x, u, d, P), 0.5 * STEP)
        x = moved(x, house.derivative(middle, u, d, P), STEP)
    counted = times >= BEGIN * DAY
    return times[counted], powers[counted]


def moved(x: house.State, rate: house.State, time: float) -> house.State:
    return house.State.of([each + time * slope for each, slope in zip(x, rate, strict=True)])


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    """Energy in kWh/m2, cost in EUR/m2 and the highest quarter-hourly mean in kW/m2, as BOPTEST defines them."""
    times, powers = replay(weather())
    each = powers * STEP / 3.6e6 / AREA
    bins = powers.reshape(-1, round(BIN / STEP)).mean(axis=1)
    return {
        "energy": float(each.sum()),
        "cost": float((each * tariff.constant(times / 3600.0)).sum()),
        "peak": float(bins.max()) / 1000.0 / AREA,
    }


def test_two_cold_weeks_under_the_emulators_own_controller(figures: dict[str, float]) -> None:
    check(house.PLANT, "energy of the peak-heat period under the embedded PI", figures["energy"])
    check(house.PLANT, "its cost at the constant tariff", figures["cost"])
    check(house.PLANT, "its peak electric power", figures["peak"])


def test_embedded_controller_stops_integrating_at_its_limit() -> None:
    """Held at 1 by a steady error, LimPID's integrator settles where the tracking balances the error."""
    controller, integral, y = EmbeddedPI(), 0.0, 0.0
    for _ in range(20_000):
        y, integral = controller.step(integral, 3.0)
    assert y == 1.0
    assert controller.k * (3.0 + integral) - 1.0 == pytest.approx(controller.k * controller.N_i * 3.0, rel=1e-6)
