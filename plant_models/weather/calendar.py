"""Who is at home, what comfort asks for and what heat people give off, by hour of the year.

The house and its schedules are those of BOPTEST's bestest_hydronic_heat_pump (D. Blum et al., "Building optimization testing
framework (BOPTEST) for simulation-based benchmarking of control strategies in buildings", Journal of Building Performance
Simulation 14(5), 586-610, 2021, doi 10.1080/19401493.2021.1986574), whose year begins on a Tuesday.

Hours are local standard time counted from the midnight before 1 January, in any shape, and may run past the end of the year.
``first_weekday`` is the weekday of 1 January, 0 for Monday, a number or an array that broadcasts against the hours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plant_models.core.errors import BadInput
from plant_models.core.quantity import ZERO_C
from plant_models.weather.sun import Array

MONDAY, TUESDAY, SATURDAY = 0, 1, 5
PEOPLE = 5.0
LEAVE, RETURN = 7.0, 20.0
"""On weekdays the house is empty between these hours of the day."""

WATTS_PER_PERSON = 73.0
"""Sensible heat of a person, by convection and radiation together: 146 W + 219 W for the five."""

LOWER_OCCUPIED, LOWER_EMPTY = ZERO_C + 21.0, ZERO_C + 15.0
UPPER_OCCUPIED, UPPER_EMPTY = ZERO_C + 24.0, ZERO_C + 30.0

ROUNDING = 1e-9
"""Hours; steps that are no binary fraction must not fall a hair short of the full hour."""


def weekday(hours: npt.ArrayLike, first_weekday: npt.ArrayLike = TUESDAY) -> npt.NDArray[np.int64]:
    """Return the weekday, 0 for Monday.

    Raises:
        BadInput: where an hour is not finite or the first weekday is no whole number from 0 to 6.
    """
    first = np.asarray(first_weekday)
    if not np.isin(first, np.arange(7)).all():
        raise BadInput(f"first weekday: {first} given, 0 (Monday) to 6 (Sunday) allowed")
    return np.asarray((day(hours) + first.astype(np.int64)) % 7)


def day(hours: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the day, 0 for 1 January.

    Raises:
        BadInput: where an hour is not finite.
    """
    hour = np.asarray(hours, dtype=np.float64)
    if not np.isfinite(hour).all():
        raise BadInput("calendar: an hour of the year that is not finite was given, finite hours are allowed")
    return np.floor((hour + ROUNDING) / 24.0).astype(np.int64)


def hour_of_day(hours: npt.ArrayLike) -> Array:
    """Return the hour of the day in [0, 24)."""
    return np.asarray(np.mod(np.asarray(hours, dtype=np.float64) + ROUNDING, 24.0))


def people_at_home(hours: npt.ArrayLike, first_weekday: npt.ArrayLike = TUESDAY) -> Array:
    """Return the number of people at home: 5, on weekdays from 7 to 20 h none."""
    clock = hour_of_day(hours)
    away = (weekday(hours, first_weekday) < SATURDAY) & (clock >= LEAVE) & (clock < RETURN)
    return np.where(away, 0.0, PEOPLE)


def internal_gains(hours: npt.ArrayLike, first_weekday: npt.ArrayLike = TUESDAY) -> Array:
    """Return the sensible heat that people give off in W, by convection and radiation together."""
    return WATTS_PER_PERSON * people_at_home(hours, first_weekday)


def comfort_band(hours: npt.ArrayLike, first_weekday: npt.ArrayLike = TUESDAY) -> tuple[Array, Array]:
    """Return the lower and the upper limit of comfort in K."""
    occupied = people_at_home(hours, first_weekday) > 0.0
    return np.where(occupied, LOWER_OCCUPIED, LOWER_EMPTY), np.where(occupied, UPPER_OCCUPIED, UPPER_EMPTY)
