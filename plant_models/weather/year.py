"""One year of hourly weather at one place, checked when made, read at any times in between.

Convention (S. Wilcox and W. Marion, "Users Manual for TMY3 Data Sets", NREL/TP-581-43156, 2008; the EPW format keeps it):
hours are local standard time counted from the midnight before 1 January, and row i of a year is stamped hour i + 1.
Temperature, humidity and wind are observed at the stamp. Irradiance is the mean of the hour that ends there, so it stands
for the middle of that hour, i + 1/2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plant_models.core.errors import BadInput
from plant_models.weather.sun import SOUTH, Array, Sun, position, tilted

HOURS = 8760
AT_STAMP = 1.0
MID_HOUR = 0.5


@dataclass(frozen=True)
class Column:
    """One series of a year: its field, its unit, what is possible on earth, and the hour that row 0 stands for."""

    name: str
    unit: str
    low: float
    high: float
    stands_for: float


COLUMNS = (
    Column("dry_bulb", "K", 183.15, 333.15, AT_STAMP),
    Column("dni", "W/m2", 0.0, 1500.0, MID_HOUR),
    Column("dhi", "W/m2", 0.0, 1500.0, MID_HOUR),
    Column("ghi", "W/m2", 0.0, 1500.0, MID_HOUR),
    Column("relative_humidity", "%", 0.0, 110.0, AT_STAMP),
    Column("wind_speed", "m/s", 0.0, 100.0, AT_STAMP),
)
"""The ranges are the world's records of temperature and wind and what exceeds the solar constant, rounded outwards."""


@dataclass(frozen=True, eq=False)
class Weather:
    """Weather at ``hours`` of the year; every field has the shape of ``hours``."""

    hours: Array
    dry_bulb: Array
    dni: Array
    dhi: Array
    ghi: Array
    relative_humidity: Array
    wind_speed: Array


@dataclass(frozen=True, eq=False)
class WeatherYear:
    """A year of hourly weather; the series are read-only arrays of 8760 values in the units of ``COLUMNS``.

    ``latitude`` (north) and ``longitude`` (east) in degrees, ``timezone`` in hours ahead of UTC.

    Raises:
        BadInput: where a place is not on earth, its longitude does not fit its timezone, or a series has a wrong length,
            NaN, or a value that is not possible.
    """

    name: str
    station: str
    latitude: float
    longitude: float
    timezone: float
    source: str
    dry_bulb: Array
    dni: Array
    dhi: Array
    ghi: Array
    relative_humidity: Array
    wind_speed: Array

    def __post_init__(self) -> None:
        """Check the place and every series, and lock the series."""
        check_place(self.latitude, self.longitude, self.timezone)
        for column, values in self.columns():
            object.__setattr__(self, column.name, _checked(self.name, column, values))

    def columns(self) -> Iterator[tuple[Column, Array]]:
        """Yield each series with its description."""
        series = (self.dry_bulb, self.dni, self.dhi, self.ghi, self.relative_humidity, self.wind_speed)
        return zip(COLUMNS, series, strict=True)

    def at(self, hours: npt.ArrayLike) -> Weather:
        """Return the weather at ``hours`` of any shape, linear between hourly values, wrapping around the year's end.

        Raises:
            BadInput: where an hour is not finite.
        """
        hour = np.asarray(hours, dtype=np.float64)
        if not np.isfinite(hour).all():
            raise BadInput("hours of the year: a value that is not finite was given, finite hours are allowed")
        places = {stamp: _between(hour - stamp) for stamp in (AT_STAMP, MID_HOUR)}
        return Weather(hour, *(_lerp(values, places[column.stands_for]) for column, values in self.columns()))

    def series(self, start_hour: npt.ArrayLike, step_hours: float, count: int) -> Weather:
        """Return ``count`` samples, ``step_hours`` apart, from each start hour of the year.

        One start hour gives arrays of shape (count,), n start hours give (n, count).

        Raises:
            BadInput: where the step is not above zero, the count is below one, or a start hour is not finite.
        """
        if not step_hours > 0.0 or count < 1:
            raise BadInput(f"weather series: a step of {step_hours} h, {count} times, was given; both must be above zero")
        start = np.asarray(start_hour, dtype=np.float64)
        return self.at(start[..., None] + step_hours * np.arange(count))

    def sun_at(self, hours: npt.ArrayLike) -> Sun:
        """Return the sun's direction at ``hours`` of the year at this place."""
        return position(hours, self.latitude, self.longitude, self.timezone)

    def on_surface(self, weather: Weather, tilt: float = 90.0, azimuth: float = SOUTH, albedo: float = 0.2) -> Array:
        """Return the irradiance in W/m2 on a surface at this place, by default a south wall, as :func:`tilted` defines it."""
        return tilted(weather.dni, weather.dhi, weather.ghi, self.sun_at(weather.hours), tilt, azimuth, albedo)


def check_place(latitude: float, longitude: float, timezone: float) -> None:
    """Raise BadInput for a place off the earth, or hours away from its timezone, as when two of the numbers are swapped."""
    for key, value, limit in (("latitude", latitude, 90.0), ("longitude", longitude, 180.0), ("timezone", timezone, 14.0)):
        if not abs(value) <= limit:
            raise BadInput(f"{key}: {value} given, -{limit:g} to {limit:g} allowed")
    apart = (longitude / 15.0 - timezone + 12.0) % 24.0 - 12.0
    if abs(apart) > 4.0:
        raise BadInput(
            f"longitude: {longitude} given with timezone {timezone:+g} h, at most 4 h from solar time allowed; "
            "are latitude, longitude or signs swapped?"
        )


def _checked(year: str, column: Column, values: Array) -> Array:
    """Return a read-only float64 copy of one series, or raise BadInput."""
    series = np.array(values, dtype=np.float64)
    if series.shape != (HOURS,):
        raise BadInput(f"{year}: {column.name}: shape {series.shape} given, ({HOURS},) allowed: one value an hour")
    wrong = ~((series >= column.low) & (series <= column.high))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadInput(
            f"{year}: {column.name}: {series[row]:g} {column.unit} given at hour {row}, "
            f"{column.low:g} to {column.high:g} {column.unit} allowed"
        )
    series.setflags(write=False)
    return series


Place = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Array]


def _between(rows: Array) -> Place:
    """Return the rows before and after each position in the year, and the share of the latter."""
    wrapped = np.mod(rows, HOURS)
    row = np.asarray(wrapped, dtype=np.intp)
    before = np.where(row == HOURS, 0, row)  # np.mod rounds a tiny negative number up to the divisor
    after = np.where(before == HOURS - 1, 0, before + 1)
    return before, after, np.asarray(wrapped - row)


def _lerp(values: Array, place: Place) -> Array:
    before, after, share = place
    low = values[before]
    return np.asarray(low + share * (values[after] - low))
