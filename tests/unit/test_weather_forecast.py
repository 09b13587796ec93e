"""Forecast errors: the published statistics, the emulator's post-processing, and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant_models.core.ar1 import ar1
from plant_models.core.errors import BadInput, UnknownName
from plant_models.weather.forecast import IRRADIANCE, TEMPERATURE, irradiance_error, irradiance_ratio, temperature_error

LEVELS = ("low", "medium", "high")
DAY = np.maximum(0.0, 600.0 * np.sin(np.pi * (np.arange(48) % 24 - 6.0) / 12.0))


def generator(seed: int = 0) -> np.random.Generator:
    """Return a fresh generator."""
    return np.random.default_rng(seed)


@given(st.lists(st.floats(-10.0, 10.0), min_size=1, max_size=60), st.floats(0.0, 0.999))
def test_autoregression_is_the_recursion(noise: list[float], persistence: float) -> None:
    expected = [noise[0]]
    for value in noise[1:]:
        expected.append(persistence * expected[-1] + value)
    np.testing.assert_allclose(ar1(np.array(noise), persistence), expected, atol=1e-8)


@pytest.mark.parametrize("level", LEVELS)
def test_temperature_error_has_the_published_mean_and_spread_at_every_lead(level: str) -> None:
    """The recursion of the first two moments: m' = F m + mu and s'^2 = F^2 s^2 + K^2; forecast = truth - e."""
    model = TEMPERATURE[level]
    error = temperature_error(generator(), (40_000,), 48, level)
    mean, variance = model.first_mean, model.first_sd**2
    for lead in range(48):
        assert error[:, lead].mean() == pytest.approx(-mean, abs=0.05)
        assert error[:, lead].std() == pytest.approx(np.sqrt(variance), rel=0.03)
        mean = model.persistence * mean + model.mean
        variance = model.persistence**2 * variance + model.sd**2


def test_high_uncertainty_forecasts_too_warm_as_the_emulator_does() -> None:
    assert temperature_error(generator(), (20_000,), 1, "high").mean() == pytest.approx(0.58, abs=0.05)


@pytest.mark.parametrize("level", LEVELS)
def test_irradiance_error_has_the_published_spread_where_the_limits_do_not_bind(level: str) -> None:
    """Far above zero no draw leaves the limits, so that the outer leads, which are not smoothed, show the Laplacian."""
    model = IRRADIANCE[level]
    truth = np.full((20_000, 8), 50_000.0)
    error = irradiance_error(generator(), truth, level)
    assert error[:, 0].mean() == pytest.approx(-model.first_mean, abs=4.0)
    assert error[:, 0].std() == pytest.approx(np.sqrt(2.0) * model.first_scale, rel=0.03)
    share = np.mean(np.abs(error[:, 0] + model.first_mean) < model.first_scale)
    assert share == pytest.approx(1.0 - np.exp(-1.0), abs=0.01)
    variance = 2.0 * model.first_scale**2
    for _ in range(7):
        variance = model.persistence**2 * variance + 2.0 * model.scale**2
    assert error[:, 7].std() == pytest.approx(np.sqrt(variance), rel=0.03)
    assert error[:, 3].std() < 0.95 * error[:, 7].std()


@pytest.mark.parametrize("level", LEVELS)
def test_forecast_irradiance_stays_between_a_fifth_and_twice_the_truth_and_dark_at_night(level: str) -> None:
    truth = np.broadcast_to(DAY, (200, 48))
    forecast = truth + irradiance_error(generator(), truth, level)
    assert (forecast >= 0.2 * truth - 1e-3).all()
    assert (forecast <= 2.0 * truth + 1e-3).all()
    assert (forecast[:, DAY == 0.0] == 0.0).all()
    assert np.abs(forecast - truth).max() > 50.0


def test_drawing_again_leaves_fewer_forecasts_at_the_limits() -> None:
    truth = np.broadcast_to(DAY, (2000, 48))

    def clipped(redraws: int) -> float:
        forecast = truth + irradiance_error(generator(), truth, "medium", redraws)
        return float(np.isclose(forecast, 0.2 * truth, atol=1e-2)[:, DAY > 50.0].mean())

    assert clipped(10) < 0.8 * clipped(0)


def test_levels_are_ordered() -> None:
    truth = np.broadcast_to(DAY, (500, 48))
    warm = [temperature_error(generator(), (500,), 48, level).std() for level in ("none", *LEVELS)]
    bright = [irradiance_error(generator(), truth, level).std() for level in ("none", "low", "medium")]
    assert warm == sorted(warm)
    assert bright == sorted(bright)


def test_no_uncertainty_means_no_error() -> None:
    assert not temperature_error(generator(), (3, 4), 24, "none").any()
    assert not irradiance_error(generator(), np.broadcast_to(DAY, (3, 4, 48)), "none").any()


def test_shapes_are_kept_and_seeds_reproduce() -> None:
    truth = np.broadcast_to(DAY, (5, 7, 48))
    first, again = (irradiance_error(generator(3), truth, "high") for _ in range(2))
    assert first.shape == (5, 7, 48)
    np.testing.assert_array_equal(first, again)
    assert temperature_error(generator(), (5, 7), 24, "low").shape == (5, 7, 24)
    assert temperature_error(generator(), (), 24, "low").shape == (24,)


def test_forecasts_of_different_times_are_independent() -> None:
    error = temperature_error(generator(), (5000, 2), 24, "medium")
    assert abs(np.corrcoef(error[:, 0, 12], error[:, 1, 12])[0, 1]) < 0.05


def test_ratio_scales_direct_and_diffuse_and_leaves_the_night_alone() -> None:
    ratio = irradiance_ratio([0.0, 100.0, 200.0], [0.0, -20.0, 100.0])
    np.testing.assert_allclose(ratio, [1.0, 0.8, 1.5])


@settings(max_examples=25)
@given(st.lists(st.floats(0.0, 1200.0), min_size=1, max_size=30), st.integers(0, 2**31))
def test_any_truth_gives_a_finite_forecast_of_light(truth: list[float], seed: int) -> None:
    error = irradiance_error(generator(seed), truth, "high")
    assert np.isfinite(error).all()
    assert (np.asarray(truth) + error >= -1e-3).all()


def test_bad_input_is_refused_in_one_line() -> None:
    with pytest.raises(UnknownName) as unknown:
        temperature_error(generator(), (), 24, "meduim")
    assert str(unknown.value) == "forecast level: 'meduim' given, none, low, medium, high allowed; did you mean medium?"
    with pytest.raises(BadInput, match="0 hours given, at least 1 allowed"):
        temperature_error(generator(), (), 0, "low")
    for truth in ([1.0, -1.0], [1.0, float("nan")], 5.0, []):
        with pytest.raises(BadInput, match="irradiance without a lead, negative or not finite given"):
            irradiance_error(generator(), truth, "low")
