"""What the plants that cool share: days of typical years in several cities, moist air, and a published time-of-use tariff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plant_models.core.scenario import Array, Draw
from plant_models.core.vector import Expr
from plant_models.weather import calendar, outlook
from plant_models.weather.bundled import load
from plant_models.weather.year import Weather

ZERO_C = 273.15
FORECAST_LEVEL = "medium"
TARIFF = ((0.0, 24.0, 0.05826, 0.05871), (6.0, 22.0, 0.0711, 0.06906), (14.0, 19.0, 0.16969, 0.1599))
"""From hour, to hour, USD/kWh from June to September and else; the last that holds.

ComEd's residential time-of-use pilot over 0.04242 USD/kWh of other charges, as given by BOPTEST's multizone_office_simple_air.
"""
JUNE, OCTOBER = 151, 273
FACADES = {"north": 0.0, "south": 180.0, "east": 90.0, "west": 270.0}


@dataclass(frozen=True, eq=False)
class Outdoors:
    """Weather of n episodes, (n, samples): temperature and wet bulb in K, humidity ratio, irradiance in W/m2."""

    T_o: Array
    T_wb: Array
    w: Array
    ghi: Array
    facades: dict[str, Array]

    def forecasts(self, draw: Draw, series: Array) -> Array:
        """Return forecasts of one of the temperatures, (n, issues, leads)."""
        return outlook.temperature(draw.rng, series, draw.leads, draw.period / 3600.0, FORECAST_LEVEL)


def outdoors(draw: Draw, hours: Array, cities: tuple[str, ...], warmer: float | Array = 0.0) -> Outdoors:
    """Return the weather at hours of the year (n, samples), each episode in one of the cities, so many kelvins warmer."""
    years = [load(name) for name in cities] if draw.weather is None else [draw.weather]
    pick = draw.rng.integers(0, len(years), draw.n)
    dry_bulb, humidity, ghi = (np.empty(hours.shape) for _ in range(3))
    facades = {name: np.empty(hours.shape) for name in FACADES}
    for i, year in enumerate(years):
        now: Weather = year.at(hours[pick == i])
        dry_bulb[pick == i], humidity[pick == i], ghi[pick == i] = now.dry_bulb, now.relative_humidity, now.ghi
        for name, azimuth in FACADES.items():
            facades[name][pick == i] = year.on_surface(now, azimuth=azimuth)
    w = 0.01 * humidity * saturation(dry_bulb - ZERO_C)
    return Outdoors(dry_bulb + warmer, wet_bulb(dry_bulb, humidity) + warmer, w, ghi, facades)


def time_of_use(hours: Array) -> Array:
    """Return the electricity price in USD/kWh at hours of the year."""
    clock, day = calendar.hour_of_day(hours), calendar.day(hours) % 365
    summer, price = (day >= JUNE) & (day < OCTOBER), np.zeros(clock.shape)
    for begins, ends, warm, cold in TARIFF:
        price = np.where((clock >= begins) & (clock < ends), np.where(summer, warm, cold), price)
    return price


def saturation(t: Expr) -> Expr:
    """Return the humidity ratio of saturated air at sea level, t in degC (Magnus's vapour pressure, WMO-No. 8, 2014)."""
    vapour = 0.6112 * np.exp(17.62 * t / (243.12 + t))
    return 0.622 * vapour / (101.325 - vapour)


def enthalpy(T_wb: Array) -> Array:
    """Return the enthalpy of air in kJ/kg from its wet bulb in K, as that of saturated air at sea level."""
    t = T_wb - ZERO_C
    return np.asarray(1.006 * t + saturation(t) * (2501.0 + 1.86 * t))


def wet_bulb(dry_bulb: Array, humidity: Array) -> Array:
    """Return the wet bulb in K from the dry bulb in K and the relative humidity in %, within 1 K at 5 to 99 %.

    Source: Stull, Wet-bulb temperature from relative humidity and air temperature, J. Appl. Meteor. Climatol. 50 (2011), 2267.
    """
    t, rh = dry_bulb - ZERO_C, np.clip(humidity, 5.0, 99.0)
    mixed = t * np.arctan(0.151977 * np.sqrt(rh + 8.313659)) + np.arctan(t + rh) - np.arctan(rh - 1.676331)
    return np.asarray(ZERO_C + mixed + 0.00391838 * rh**1.5 * np.arctan(0.023101 * rh) - 4.686035)
