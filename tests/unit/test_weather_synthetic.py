"""Synthetic years: reproducible, physically consistent, and not far from the real ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from plant_models.core.errors import BadInput
from plant_models.weather import sun
from plant_models.weather.bundled import load
from plant_models.weather.synthetic import CONTINENTAL, MARITIME, Climate, clear_sky, diffuse_share, synthetic
from plant_models.weather.year import HOURS, WeatherYear

CLIMATES = (MARITIME, CONTINENTAL)


def one(climate: Climate, seed: int = 0) -> WeatherYear:
    """Return one synthetic year."""
    return synthetic(np.random.default_rng(seed), climate)[0]


def after(series: np.ndarray, hours: int) -> float:
    """Return the autocorrelation of a series after some hours."""
    return float(np.corrcoef(series[hours:], series[:-hours])[0, 1])


def test_a_seed_gives_the_same_years_and_another_seed_others() -> None:
    first, again, other = (synthetic(np.random.default_rng(seed), MARITIME, 2) for seed in (7, 7, 8))
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a.dry_bulb, b.dry_bulb)
        np.testing.assert_array_equal(a.dni, b.dni)
        assert np.abs(a.dry_bulb - c.dry_bulb).max() > 1.0
    assert np.abs(first[0].ghi - first[1].ghi).max() > 100.0


@pytest.mark.parametrize("climate", CLIMATES, ids=lambda climate: climate.name)
def test_irradiance_closes_and_the_night_is_dark(climate: Climate) -> None:
    year = one(climate)
    up = np.maximum(year.sun_at(np.arange(HOURS) + 0.5).up, 0.0)
    np.testing.assert_allclose(year.ghi, year.dni * up + year.dhi, atol=1e-9)
    assert year.ghi[up == 0.0].max() == 0.0
    assert (year.dhi >= 0.0).all()


@pytest.mark.parametrize("climate", CLIMATES, ids=lambda climate: climate.name)
def test_years_have_the_climate_that_was_asked_for(climate: Climate) -> None:
    years = synthetic(np.random.default_rng(1), climate, 5)
    temperature = np.stack([year.dry_bulb for year in years])
    assert temperature.mean() == pytest.approx(climate.mean_temperature, abs=0.6)
    assert np.mean([year.wind_speed for year in years]) == pytest.approx(climate.wind_speed, rel=0.1)
    january, july = temperature[:, : 31 * 24].mean(), temperature[:, 181 * 24 : 212 * 24].mean()
    assert july - january == pytest.approx(2.0 * climate.annual_swing, abs=2.5)
    by_clock = temperature.reshape(5, 365, 24).mean((0, 1))
    assert np.argmax(by_clock) + 1 in (14, 15, 16)


def test_southern_winters_are_in_july() -> None:
    year = one(replace(MARITIME, name="southern", latitude=-34.0, longitude=151.0, timezone=10.0))
    assert year.dry_bulb[181 * 24 : 212 * 24].mean() < year.dry_bulb[: 31 * 24].mean() - 8.0
    assert year.ghi[: 31 * 24].sum() > 1.3 * year.ghi[181 * 24 : 212 * 24].sum()


def test_the_continental_climate_resembles_its_model_chicago() -> None:
    """Annual sums within 15 %, extremes within 6 K, and the memory of the temperature as in the typical year."""
    made, real = one(CONTINENTAL), load("chicago_il")
    assert made.ghi.sum() == pytest.approx(real.ghi.sum(), rel=0.15)
    assert made.dni.sum() == pytest.approx(real.dni.sum(), rel=0.15)
    assert made.dhi.sum() / made.ghi.sum() == pytest.approx(real.dhi.sum() / real.ghi.sum(), abs=0.07)
    assert made.dry_bulb.min() == pytest.approx(real.dry_bulb.min(), abs=6.0)
    assert made.dry_bulb.max() == pytest.approx(real.dry_bulb.max(), abs=6.0)
    assert made.dry_bulb.std() == pytest.approx(real.dry_bulb.std(), rel=0.1)
    assert after(made.dry_bulb, 1) == pytest.approx(after(real.dry_bulb, 1), abs=0.01)
    assert after(made.dry_bulb, 24) == pytest.approx(after(real.dry_bulb, 24), abs=0.05)


def test_the_maritime_climate_has_the_sunshine_of_belgium() -> None:
    """About 1000 kWh/m2 a year on the ground, more than half of it diffuse."""
    year = one(MARITIME)
    assert 900e3 < year.ghi.sum() < 1150e3
    assert 0.5 < year.dhi.sum() / year.ghi.sum() < 0.65


def test_clear_sky_equals_the_reference() -> None:
    """Reference: pvlib 0.16.1, clearsky.haurwitz, at zenith angles of 10, 45, 80 and 89 degrees."""
    up = np.cos(np.deg2rad([10.0, 45.0, 80.0, 89.0, 95.0]))
    seen = sun.Sun(east=np.sqrt(1.0 - up**2), north=0.0 * up, up=up)
    np.testing.assert_allclose(clear_sky(seen), [1018.4393, 714.2503, 135.7417, 0.652, 0.0], atol=1e-3)


def test_diffuse_share_equals_the_reference() -> None:
    """Reference: pvlib 0.16.1, irradiance.erbs."""
    clearness = np.array([0.09559199, 0.28677597, 0.47795995, 0.66914394, 0.81253192])
    np.testing.assert_allclose(diffuse_share(clearness), [0.9913967, 0.9570063, 0.7039710, 0.2967361, 0.165], atol=1e-6)


def test_impossible_climates_are_refused_in_one_line() -> None:
    with pytest.raises(BadInput) as refused:
        replace(MARITIME, cloudiness=1.5)
    assert str(refused.value) == "climate maritime: cloudiness: 1.5 given, 0.01 to 0.99 allowed"
    with pytest.raises(BadInput, match=r"mean_temperature: 10\.5 given, 240 to 310 allowed"):
        replace(MARITIME, mean_temperature=10.5)
    with pytest.raises(BadInput, match="0 years given, at least 1 allowed"):
        synthetic(np.random.default_rng(0), MARITIME, 0)
