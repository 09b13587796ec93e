"""What the plants that cool share: days of typical years in several cities, moist air, and a published time-of-use tariff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plant_models.core.building import Carrier, Tariff
from plant_models.core.quantity import ZERO_C, Source
from plant_models.core.scenario import Array, Draw
from plant_models.core.vector import Expr
from plant_models.weather import calendar, outlook, tariff
from plant_models.weather.cities import Cities

OFFICE = Source(
    "BOPTEST test case multizone_office_simple_air, after the DOE medium office of Deru et al. 2009: Blum et al., Building "
    "optimization testing framework (BOPTEST), J. Building Performance Simulation 14(5), 2021, and the case's own sources",
    "10.1080/19401493.2021.1986574",
)
FORECAST_LEVEL = "medium"
TARIFF = ((0.0, 24.0, 0.05826, 0.05871), (6.0, 22.0, 0.0711, 0.06906), (14.0, 19.0, 0.16969, 0.1599))
"""From hour, to hour, USD/kWh from June to September and else; the last that holds.

ComEd's residential time-of-use pilot over 0.04242 USD/kWh of other charges, as given by BOPTEST's multizone_office_simple_air.
"""
JUNE, OCTOBER = 151, 273
MARKET = tariff.DayAhead(grid=0.04242, energy=0.0515, weekend_discount=0.0)
"""A synthetic market of the same mean price as that case's constant tariff, 0.094 USD/kWh, every day of the week alike."""
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


def outdoors(draw: Draw, hours: Array, cities: Cities, warmer: float | Array = 0.0) -> Outdoors:
    """Return the weather at hours of the year (n, samples), each episode in one of the cities, so many kelvins warmer."""
    dry_bulb, humidity, ghi = (np.empty(hours.shape) for _ in range(3))
    facades = {name: np.empty(hours.shape) for name in FACADES}
    for here, year, now in cities.weather(draw, hours):
        dry_bulb[here], humidity[here], ghi[here] = now.dry_bulb, now.relative_humidity, now.ghi
        for name, azimuth in FACADES.items():
            facades[name][here] = year.on_surface(now, azimuth=azimuth)
    w = 0.01 * humidity * saturation(dry_bulb - ZERO_C)
    return Outdoors(dry_bulb + warmer, wet_bulb(dry_bulb, humidity) + warmer, w, ghi, facades)


def time_of_use(hours: Array) -> Array:
    """Return the electricity price in USD/kWh at hours of the year."""
    clock, day = calendar.hour_of_day(hours), calendar.day(hours) % 365
    summer, price = (day >= JUNE) & (day < OCTOBER), np.zeros(clock.shape)
    for begins, ends, warm, cold in TARIFF:
        price = np.where((clock >= begins) & (clock < ends), np.where(summer, warm, cold), price)
    return price


def electricity(*measures: str) -> Carrier:
    """Return electricity as that case has it: 0.341 kg/kWh, the quotient of its published emissions and energies."""
    tariffs: dict[str, Tariff] = {
        "constant": lambda rng, hours: np.full(np.shape(hours), 0.094),
        "dynamic": "price",
        "highly dynamic (synthetic)": lambda rng, hours: tariff.day_ahead(rng, hours, market=MARKET),
    }
    return Carrier(measures=measures, kind="electricity", emission=0.341, tariffs=tariffs, source=OFFICE)


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
