"""Seeded weather for climates that have no file: years that look like weather and cost nothing.

Irradiance: clear sky after B. Haurwitz, "Insolation in relation to cloudiness and cloud density", J. Meteorology 2, 154-166
(1945), with the constants as refitted in M. Reno, C. Hansen and J. Stein, SAND2012-2389 (2012); clouds after F. Kasten and
G. Czeplak, Solar Energy 24(2), 177-189 (1980); diffuse share after D. G. Erbs, S. A. Klein and J. A. Duffie, Solar Energy 28(4),
293-302 (1982). Always ``ghi = dni sin(altitude) + dhi`` at the middle of the hour. The structure of temperature, cloudiness,
humidity and wind, and its fixed numbers, were chosen here; compare it with a real year before you rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plant_models.core.ar1 import stationary
from plant_models.core.errors import BadInput
from plant_models.weather.sun import Array, Sun, extraterrestrial, position
from plant_models.weather.year import AT_STAMP, HOURS, MID_HOUR, WeatherYear, check_place

COLDEST_HOUR = 24.0 * 20.0
WARMEST_CLOCK = 15.0
HAZE = 0.75
"""Largest share of the extraterrestrial beam that reaches the ground."""

LOWEST_BEAM = 0.05
"""Sine of the altitude below which all light counts as diffuse."""

CONTRAST = 2.5
"""Steepness of the map from a Gaussian to cloudiness: large makes skies either clear or overcast."""


@dataclass(frozen=True)
class Climate:
    """A place and its weather: swings are amplitudes, standard deviations those of the weather around season and clock.

    Units: degrees, hours ahead of UTC, K, hours, cloudiness from 0 to 1, %, m/s.

    Raises:
        BadInput: where the place is not on earth or a number lies outside its range.
    """

    name: str
    latitude: float
    longitude: float
    timezone: float
    mean_temperature: float
    annual_swing: float
    diurnal_swing: float
    weather_sd: float
    weather_hours: float
    cloudiness: float
    cloud_hours: float
    relative_humidity: float
    wind_speed: float

    def __post_init__(self) -> None:
        """Check the place and every number."""
        check_place(self.latitude, self.longitude, self.timezone)
        for key, value, low, high in (
            ("mean_temperature", self.mean_temperature, 240.0, 310.0),
            ("annual_swing", self.annual_swing, 0.0, 30.0),
            ("diurnal_swing", self.diurnal_swing, 0.0, 15.0),
            ("weather_sd", self.weather_sd, 0.0, 8.0),
            ("weather_hours", self.weather_hours, 1.0, 1000.0),
            ("cloudiness", self.cloudiness, 0.01, 0.99),
            ("cloud_hours", self.cloud_hours, 1.0, 1000.0),
            ("relative_humidity", self.relative_humidity, 0.0, 100.0),
            ("wind_speed", self.wind_speed, 0.0, 15.0),
        ):
            if not low <= value <= high:
                raise BadInput(f"climate {self.name}: {key}: {value} given, {low:g} to {high:g} allowed")


MARITIME = Climate("maritime", 50.9, 4.5, 1.0, 283.6, 7.5, 3.0, 3.3, 60.0, 0.76, 9.0, 78.0, 3.6)
"""Cool, cloudy and mild, as in Brussels; chosen here."""

CONTINENTAL = Climate("continental", 41.9, -87.9, -6.0, 283.1, 14.0, 4.2, 4.6, 50.0, 0.62, 10.0, 70.0, 4.5)
"""Cold winters and hot summers, as in Chicago; chosen here."""


def synthetic(rng: np.random.Generator, climate: Climate, n: int = 1) -> tuple[WeatherYear, ...]:
    """Return ``n`` independent years of hourly weather in ``climate``; the same generator state gives the same years.

    Raises:
        BadInput: where ``n`` is below one.
    """
    if n < 1:
        raise BadInput(f"synthetic weather: {n} years given, at least 1 allowed")
    clouds = _cloudiness(rng, climate, n)
    ghi, dni, dhi = _irradiance(climate, clouds)
    usual = _around_the_clock(clouds)
    dry_bulb, warmer = _temperature(rng, climate, usual)
    humidity = np.clip(climate.relative_humidity + 25.0 * (usual - climate.cloudiness) - 3.0 * warmer, 10.0, 100.0)
    wind = _wind(rng, climate, n)
    place = (climate.latitude, climate.longitude, climate.timezone, "synthetic, seeded, not measured")
    return tuple(
        WeatherYear(f"{climate.name} {k + 1}", "synthetic", *place, dry_bulb[k], dni[k], dhi[k], ghi[k], humidity[k], wind[k])
        for k in range(n)
    )


def _cloudiness(rng: np.random.Generator, climate: Climate, n: int) -> Array:
    """Return the cloud cover from 0 to 1, shape (n, 8760), of about the climate's mean.

    The mean of a logistic of a Gaussian is taken from D. J. C. MacKay, Neural Computation 4(5), 720-736 (1992).
    """
    odds = np.log(climate.cloudiness / (1.0 - climate.cloudiness))
    middle = odds * np.sqrt(1.0 + np.pi * CONTRAST**2 / 8.0)
    sky = stationary(rng, (n, HOURS), float(np.exp(-1.0 / climate.cloud_hours)))
    return np.asarray(1.0 / (1.0 + np.exp(-(middle + CONTRAST * sky))))


def _irradiance(climate: Climate, clouds: Array) -> tuple[Array, Array, Array]:
    """Return ghi, dni and dhi in W/m2 in the shape of ``clouds`` (n, 8760)."""
    hours = np.arange(HOURS) + MID_HOUR
    sun = position(hours, climate.latitude, climate.longitude, climate.timezone)
    beam_above = extraterrestrial(hours - climate.timezone)
    up = np.maximum(sun.up, 0.0)
    ghi = clear_sky(sun) * (1.0 - 0.75 * clouds**3.4)
    clearness = np.divide(ghi, beam_above * up, out=np.zeros_like(ghi), where=up > 0.0)
    high = up > LOWEST_BEAM
    beam = np.divide(ghi * (1.0 - diffuse_share(clearness)), up, out=np.zeros_like(ghi), where=high)
    dni = np.minimum(beam, HAZE * beam_above)
    return ghi, dni, ghi - dni * up


def clear_sky(sun: Sun) -> Array:
    """Return the global horizontal irradiance under a clear sky in W/m2 (Haurwitz 1945)."""
    up = np.maximum(sun.up, 1e-3)
    return np.where(sun.up > 0.0, 1098.0 * up * np.exp(-0.059 / up), 0.0)


def diffuse_share(clearness: Array) -> Array:
    """Return dhi / ghi from ghi over its extraterrestrial value (Erbs, Klein and Duffie 1982)."""
    k = clearness
    middle = 0.9511 + k * (-0.1604 + k * (4.388 + k * (-16.638 + k * 12.336)))
    return np.where(k <= 0.22, 1.0 - 0.09 * k, np.where(k <= 0.8, middle, 0.165))


def _temperature(rng: np.random.Generator, climate: Climate, usual_clouds: Array) -> tuple[Array, Array]:
    """Return the dry bulb in K and by how much the hour is warmer than its day, both (n, 8760).

    Clear days swing up to 1.5 times the usual amplitude, overcast ones 0.5 times.
    """
    hours = np.arange(HOURS) + AT_STAMP
    coldest = COLDEST_HOUR + (0.0 if climate.latitude >= 0.0 else HOURS / 2.0)
    season = -climate.annual_swing * np.cos(2.0 * np.pi * (hours - coldest) / HOURS)
    clock = np.cos(2.0 * np.pi * (hours - WARMEST_CLOCK) / 24.0)
    warmer = climate.diurnal_swing * (1.5 - usual_clouds) * clock
    spell = climate.weather_sd * stationary(rng, usual_clouds.shape, float(np.exp(-1.0 / climate.weather_hours)))
    return climate.mean_temperature + season + warmer + spell, warmer


def _around_the_clock(series: Array) -> Array:
    """Return the mean of the 24 hours around each hour, wrapping around the year's end."""
    padded = np.concatenate([series[:, -12:], series, series[:, :12]], axis=1)
    total = np.cumsum(padded, axis=1)
    return np.asarray((total[:, 24:] - total[:, :-24]) / 24.0)


def _wind(rng: np.random.Generator, climate: Climate, n: int) -> Array:
    """Return the wind speed in m/s: the length of two Gaussian components, hence Rayleigh distributed about its mean."""
    east, north = stationary(rng, (2, n, HOURS), float(np.exp(-1.0 / 12.0)))
    return np.asarray(climate.wind_speed * np.sqrt(2.0 / np.pi) * np.hypot(east, north))
