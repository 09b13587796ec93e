"""What a kilowatt-hour costs a household: constant, by day and night, or by the day-ahead market.

The first two are BOPTEST's for bestest_hydronic_heat_pump (ibpsa/project1-boptest, testcases/bestest_hydronic_heat_pump):
0.20 EUR/kWh of grid fees and taxes, the Belgian household's share by Eurostat, plus a supplier's energy price of June 2020.

The day-ahead tariff is SYNTHETIC: no market data enter, and its parameters were chosen here. Its energy part has the mean of
the constant tariff, 53.5 EUR/MWh, close to the Belgian market's mean of 55.3 EUR/MWh in 2018 (CREG's monitoring report); in
2023 the European mean was about 97 EUR/MWh (Forschungsstelle fuer Energiewirtschaft, "European day-ahead electricity prices in
2023"). Very cheap and negative hours are real there: 55 negative hours in the first half of 2019, and a
mean of -2.35 EUR/MWh with a lowest hour of -120 EUR/MWh on 2 July 2023 (Belga).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plant_models.core.ar1 import stationary
from plant_models.core.building import Tariff
from plant_models.core.errors import BadInput
from plant_models.weather.calendar import SATURDAY, TUESDAY, day, hour_of_day, weekday
from plant_models.weather.sun import Array

GRID = 0.20
ENERGY = 0.0535
CONSTANT = GRID + ENERGY
DAY, NIGHT = GRID + 0.0666, GRID + 0.0383
DAY_BEGINS, DAY_ENDS = 7.0, 22.0


@dataclass(frozen=True)
class DayAhead:
    """A synthetic day-ahead market; shares are of the mean energy price, persistences from one day or hour to the next.

    Raises:
        BadInput: where a number is not finite, a price or a share is negative, or a persistence lies outside [0, 1).
    """

    grid: float = GRID
    energy: float = ENERGY
    level_sd: float = 0.25
    level_persistence: float = 0.75
    swing: float = 1.0
    swing_sd: float = 0.35
    swing_persistence: float = 0.6
    noise_sd: float = 0.06
    noise_persistence: float = 0.7
    weekend_discount: float = 0.12
    windy_days: float = 0.07
    lowest_energy: float = -0.05

    def __post_init__(self) -> None:
        """Check every number."""
        shares = (self.level_sd, self.swing, self.swing_sd, self.noise_sd)
        persistences = (self.level_persistence, self.swing_persistence, self.noise_persistence)
        below_one = (*persistences, self.weekend_discount, self.windy_days)
        if not all(0.0 <= x < np.inf for x in (self.grid, self.energy, *shares)) or not np.isfinite(self.lowest_energy):
            raise BadInput("day-ahead tariff: a negative or infinite price or share given, finite ones from 0 allowed")
        if not all(0.0 <= x < 1.0 for x in below_one):
            raise BadInput("day-ahead tariff: a persistence, discount or share of days outside [0, 1) given, [0, 1) allowed")


def constant(hours: npt.ArrayLike) -> Array:
    """Return 0.2535 EUR/kWh at every hour."""
    return np.full(np.shape(hours), CONSTANT)


def day_night(hours: npt.ArrayLike) -> Array:
    """Return 0.2666 EUR/kWh from 7 to 22 h, on every day of the week, else 0.2383 EUR/kWh."""
    clock = hour_of_day(hours)
    return np.where((clock >= DAY_BEGINS) & (clock < DAY_ENDS), DAY, NIGHT)


def day_ahead(
    rng: np.random.Generator, hours: npt.ArrayLike, first_weekday: npt.ArrayLike = TUESDAY, market: DayAhead | None = None
) -> Array:
    """Return a synthetic hourly tariff in EUR/kWh in the shape of ``hours``, (n, k) or (k,); each row has its own prices.

    A price holds for its hour. ``first_weekday`` is that of 1 January, one for all or one for each row. Give the hours of an
    episode and of its preview in one call: another call draws other prices.

    Raises:
        BadInput: where an hour is not finite or ``hours`` is neither (n, k) nor (k,).
    """
    hour = np.asarray(hours, dtype=np.float64)
    if hour.ndim not in (1, 2) or hour.size == 0:
        raise BadInput(f"tariff: hours of shape {hour.shape} given, (n, k) or (k,) allowed, not empty")
    rows = np.atleast_2d(hour)
    days, clock = day(rows), hour_of_day(rows).astype(np.int64)
    first = days.min(axis=1, keepdims=True)
    span = np.arange(int((days - first).max()) + 1)
    calendar = weekday(24.0 * (first + span), np.asarray(first_weekday).reshape(-1, 1))
    prices = _energy(rng, calendar, market or DayAhead())
    priced = prices[np.arange(len(rows))[:, None], days - first, clock]
    return np.asarray(priced.reshape(hour.shape), dtype=np.float64)


def _energy(rng: np.random.Generator, weekdays: npt.NDArray[np.int64], market: DayAhead) -> Array:
    """Return the tariff for each hour of each day, shape (n, days, 24), from the weekdays (n, days)."""
    n, days = weekdays.shape
    level = np.exp(market.level_sd * stationary(rng, (n, days), market.level_persistence) - 0.5 * market.level_sd**2)
    level *= np.where(weekdays >= SATURDAY, 1.0 - market.weekend_discount, 1.0) / (1.0 - market.weekend_discount * 2.0 / 7.0)
    swing = np.exp(market.swing_sd * stationary(rng, (n, days), market.swing_persistence) - 0.5 * market.swing_sd**2)
    noise = market.noise_sd * stationary(rng, (n, days * 24), market.noise_persistence).reshape(n, days, 24)
    shape = 1.0 + market.swing * swing[..., None] * _profile() + noise
    energy = market.energy * level[..., None] * shape * _wind(rng, (n, days), market.windy_days)
    return market.grid + np.maximum(energy, market.lowest_energy)


def _profile() -> Array:
    """Return the usual day as shares of its mean: a trough at 3 h, peaks at 8 and 19 h, a dip at 14 h; zero on average."""
    clock = np.arange(24.0) + 0.5
    bumps = ((3.0, -0.38, 2.6), (8.5, 0.22, 1.6), (14.0, -0.10, 1.8), (19.0, 0.36, 2.0))
    shape = sum(height * np.exp(-0.5 * ((clock - hour) / width) ** 2) for hour, height, width in bumps)
    return np.asarray(shape - np.mean(shape))


def _wind(rng: np.random.Generator, shape: tuple[int, int], share: float) -> Array:
    """Return what windy days leave of the price, shape (n, days, 1): the mean over all days is one."""
    least, most = 0.6, 1.1
    drop = np.where(rng.random(shape) < share, rng.uniform(least, most, shape), 0.0)
    return np.asarray((1.0 - drop) / (1.0 - share * 0.5 * (least + most)))[..., None]


def household() -> dict[str, Tariff]:
    """Return BOPTEST's first two tariffs by name, in EUR/kWh, and as the third, synthetic one the price that is charged."""
    return {
        "constant": lambda rng, hours: constant(hours),
        "dynamic": lambda rng, hours: day_night(hours),
        "highly dynamic (synthetic)": "price",
    }
