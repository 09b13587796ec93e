"""What a controller is told of the weather to come: the truth at each lead, with the error of a forecast issued now."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plant_models.weather.forecast import irradiance_error, irradiance_ratio, temperature_error
from plant_models.weather.sun import Array


def ahead(series: Array, leads: npt.ArrayLike) -> Array:
    """Return the truth at each lead: (n, samples) becomes (n, samples - longest lead, leads)."""
    steps = np.asarray(leads, dtype=np.intp)
    issued = np.arange(series.shape[1] - int(steps.max()))
    seen: Array = series[:, issued[:, None] + steps]
    return seen


def temperature(rng: np.random.Generator, series: Array, leads: npt.ArrayLike, step_hours: float, level: str) -> Array:
    """Return forecasts of a temperature in K at leads counted in samples, (n, issues, leads)."""
    truth = ahead(series, leads)
    hours = np.asarray(leads) * step_hours
    error = temperature_error(rng, truth.shape[:2], int(np.ceil(hours.max())) + 1, level)
    return truth + between_hours(error, hours)


def irradiance(rng: np.random.Generator, series: Array, ghi: Array, leads: npt.ArrayLike, step_hours: float, level: str) -> Array:
    """Return forecasts of an irradiance in W/m2 whose relative error is that of the global irradiance ``ghi``."""
    hours = np.asarray(leads) * step_hours
    hourly = np.minimum(np.rint(np.arange(int(np.ceil(hours.max())) + 1) / step_hours), np.max(leads)).astype(np.intp)
    truth = ahead(ghi, hourly)
    ratio = irradiance_ratio(truth, irradiance_error(rng, truth, level, redraws=1))
    return ahead(series, leads) * between_hours(ratio, hours)


def between_hours(by_hour: npt.NDArray[np.float32], hours: Array) -> npt.NDArray[np.float32]:
    """Interpolate the last axis, given at hours 0, 1, 2, ..., to other hours."""
    before = np.floor(hours).astype(np.intp)
    after = np.minimum(before + 1, by_hour.shape[-1] - 1)
    share = (hours - before).astype(np.float32)
    return np.asarray(by_hour[..., before] * (1.0 - share) + by_hour[..., after] * share, dtype=np.float32)
