"""Errors of hourly weather forecasts, after BOPTEST's emulator, for many forecasts at once.

Model: first-order autoregressions over the lead, Gaussian for temperature and Laplacian for global irradiance, fitted to
forecasts of up to 48 h for European and Californian cities: W. Zheng, L. Zabala, J. Febres, D. Blum and Z. Wang, "Quantifying
and simulating the weather forecast uncertainty for advanced building control", Journal of Building Performance Simulation
(2025), doi 10.1080/19401493.2025.2453537. Parameters and post-processing are those of the framework (ibpsa/project1-boptest,
forecast/forecaster.py, error_emulator.py and forecast_uncertainty_params.json), with its sign: forecast = truth - e.

The first value belongs to lead 0, the hour in which the forecast is issued, as there; forecasts issued at different times have
independent errors. Every function returns forecast - truth, in float32.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from plant_models.core.ar1 import ar1
from plant_models.core.errors import BadInput, UnknownName

Single = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Gaussian:
    """Error of the temperature forecast in K: first value N(first_mean, first_sd^2), then persistence and N(mean, sd^2)."""

    first_mean: float
    first_sd: float
    persistence: float
    mean: float
    sd: float


@dataclass(frozen=True)
class Laplacian:
    """Error of the irradiance forecast in W/m2: Laplace(first_mean, first_scale), then persistence and Laplace(mean, scale)."""

    first_mean: float
    first_scale: float
    persistence: float
    mean: float
    scale: float


TEMPERATURE: Mapping[str, Gaussian] = MappingProxyType(
    {
        "none": Gaussian(0.0, 0.0, 0.0, 0.0, 0.0),
        "low": Gaussian(0.0, 0.6, 0.92, 0.0, 0.4),
        "medium": Gaussian(0.15, 1.2, 0.93, 0.0, 0.6),
        "high": Gaussian(-0.58, 1.5, 0.95, -0.015, 0.7),
    }
)

IRRADIANCE: Mapping[str, Laplacian] = MappingProxyType(
    {
        "none": Laplacian(0.0, 0.0, 0.0, 0.0, 0.0),
        "low": Laplacian(4.44, 57.42, 0.62, 1.86, 45.64),
        "medium": Laplacian(15.02, 122.6, 0.63, 4.44, 91.97),
        "high": Laplacian(32.09, 119.94, 0.67, 10.63, 87.44),
    }
)

LOWEST, HIGHEST = 0.2, 2.0
"""A forecast of irradiance stays between these shares of the truth."""

DAYLIGHT = 50.0
"""Above this true irradiance in W/m2 a forecast outside the shares is drawn again."""

Model = TypeVar("Model", Gaussian, Laplacian)


def temperature_error(rng: np.random.Generator, shape: tuple[int, ...], hours: int, level: str) -> Single:
    """Return forecast - truth of the dry bulb in K, shape (*shape, hours), by lead 0, 1, ... in hours.

    Raises:
        UnknownName: for a level other than none, low, medium, high.
        BadInput: where ``hours`` is below one.
    """
    model = _level(TEMPERATURE, level)
    if hours < 1:
        raise BadInput(f"forecast: {hours} hours given, at least 1 allowed")
    noise = rng.standard_normal((*shape, hours), dtype=np.float32)
    noise *= np.float32(model.sd)
    noise += np.float32(model.mean)
    noise[..., 0] = model.first_mean + model.first_sd * rng.standard_normal(shape, dtype=np.float32)
    return -ar1(noise, model.persistence)


def irradiance_error(rng: np.random.Generator, truth_by_lead: npt.ArrayLike, level: str, redraws: int = 10) -> Single:
    """Return forecast - truth of the global irradiance in W/m2 in the shape of ``truth_by_lead`` (..., hours).

    A forecast that leaves 0.2 to 2 times the truth by day is drawn again, at most ``redraws`` times (the framework: 199), then
    smoothed by a moving mean over three leads and clipped to that range, which makes the error zero at night. ``redraws``
    trades the share of clipped values against time.

    Raises:
        UnknownName: for a level other than none, low, medium, high.
        BadInput: where the truth has no lead, or is negative or not finite.
    """
    model = _level(IRRADIANCE, level)
    given = np.asarray(truth_by_lead, dtype=np.float32)
    if given.ndim == 0 or given.shape[-1] < 1 or not (np.isfinite(given) & (given >= 0.0)).all():
        raise BadInput("forecast: irradiance without a lead, negative or not finite given, 0 W/m2 and above by lead allowed")
    if level == "none":
        return np.zeros_like(given)
    truth = given.reshape(-1, given.shape[-1])
    forecast = truth - _laplace(rng, truth.shape, model)
    rows = np.flatnonzero(_implausible(forecast, truth))
    for _ in range(redraws):
        if rows.size == 0:
            break
        forecast[rows] = truth[rows] - _laplace(rng, (rows.size, truth.shape[1]), model)
        rows = rows[_implausible(forecast[rows], truth[rows])]
    smooth = np.clip(_moving_mean(forecast), np.float32(LOWEST) * truth, np.float32(HIGHEST) * truth)
    return (smooth - truth).reshape(given.shape)


def irradiance_ratio(truth: npt.ArrayLike, error: npt.ArrayLike) -> Single:
    """Return forecast / truth of the global irradiance, 1 at night: DNI, DHI and wall irradiance are forecast by it."""
    true, wrong = np.asarray(truth, dtype=np.float32), np.asarray(error, dtype=np.float32)
    return np.asarray(1.0 + np.divide(wrong, true, out=np.zeros_like(wrong), where=true > 0.0), dtype=np.float32)


def _level(models: Mapping[str, Model], level: str) -> Model:
    if level not in models:
        near = difflib.get_close_matches(level.lower(), models, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UnknownName(f"forecast level: {level!r} given, {', '.join(models)} allowed{meant}")
    return models[level]


def _laplace(rng: np.random.Generator, shape: tuple[int, ...], model: Laplacian) -> Single:
    """Return e by lead; an exponential of random sign is Laplacian, and it can be drawn in float32."""
    noise = rng.standard_exponential(shape, dtype=np.float32)
    noise *= 1 - 2 * rng.integers(0, 2, shape, dtype=np.int8)
    noise[..., 0] *= np.float32(model.first_scale)
    noise[..., 0] += np.float32(model.first_mean)
    noise[..., 1:] *= np.float32(model.scale)
    noise[..., 1:] += np.float32(model.mean)
    return ar1(noise, model.persistence)


def _implausible(forecast: Single, truth: Single) -> npt.NDArray[np.bool_]:
    outside = (forecast < np.float32(LOWEST) * truth) | (forecast > np.float32(HIGHEST) * truth)
    return np.asarray((outside & (truth > DAYLIGHT)).any(axis=-1))


def _moving_mean(forecast: Single) -> Single:
    """Return the mean over three leads; the first and the last value stay."""
    smooth = forecast.copy()
    smooth[..., 1:-1] += forecast[..., :-2] + forecast[..., 2:]
    smooth[..., 1:-1] *= np.float32(1.0 / 3.0)
    return smooth
