"""Occupancy, comfort, gains and tariffs by hour of the year."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_models.core.errors import BadInput
from plant_models.weather import tariff
from plant_models.weather.calendar import MONDAY, comfort_band, day, internal_gains, people_at_home, weekday
from plant_models.weather.tariff import DayAhead

YEAR = np.arange(8760.0)


def generator(seed: int = 0) -> np.random.Generator:
    """Return a fresh generator."""
    return np.random.default_rng(seed)


def test_the_year_begins_on_a_tuesday_and_its_first_weekend_is_on_the_fifth() -> None:
    assert weekday(0.0) == 1
    assert weekday(4 * 24.0) == 5
    assert weekday(24.0 * 6, MONDAY) == 6
    np.testing.assert_array_equal(weekday(np.zeros((3, 2)), np.array([[0], [3], [6]])), [[0, 0], [3, 3], [6, 6]])


def test_weekdays_run_on_past_the_end_of_the_year() -> None:
    assert weekday(8760.0) == 2
    assert day(8760.0 + 25.0) == 366


@pytest.mark.parametrize(
    ("hour", "people"),
    [
        (0.0, 5),
        (6.99, 5),
        (7.0, 0),
        (12.0, 0),
        (19.99, 0),
        (20.0, 5),
        (23.0, 5),
        (96.0 + 12.0, 5),
        (120.0 + 12.0, 5),
        (144.0 + 12.0, 0),
    ],
)
def test_five_people_are_at_home_but_on_weekdays_from_seven_to_twenty(hour: float, people: int) -> None:
    assert people_at_home(hour) == people
    assert internal_gains(hour) == pytest.approx(73.0 * people)


def test_comfort_follows_the_people() -> None:
    lower, upper = comfort_band(np.array([6.0, 12.0]))
    np.testing.assert_allclose(lower - 273.15, [21.0, 15.0])
    np.testing.assert_allclose(upper - 273.15, [24.0, 30.0])


def test_steps_that_are_no_binary_fraction_switch_on_the_hour() -> None:
    minutes = np.cumsum(np.full(24 * 60, 1.0 / 60.0)) - 1.0 / 60.0
    assert (people_at_home(minutes) == 0.0).sum() == 13 * 60
    assert np.flatnonzero(people_at_home(minutes) == 0.0)[0] == 7 * 60


@given(st.floats(0.0, 20_000.0), st.integers(0, 6))
def test_people_come_in_whole_houses(hour: float, first: int) -> None:
    assert people_at_home(hour, first) in (0.0, 5.0)


def test_bad_hours_and_weekdays_are_refused() -> None:
    with pytest.raises(BadInput) as refused:
        weekday(0.0, 7)
    assert str(refused.value) == "first weekday: 7 given, 0 (Monday) to 6 (Sunday) allowed"
    with pytest.raises(BadInput, match="not finite"):
        people_at_home(float("nan"))


def test_constant_and_day_night_tariffs_are_those_of_the_benchmark() -> None:
    np.testing.assert_array_equal(tariff.constant(np.zeros((2, 3))), np.full((2, 3), 0.2535))
    np.testing.assert_allclose(tariff.day_night([6.99, 7.0, 21.99, 22.0]), [0.2383, 0.2666, 0.2666, 0.2383])


def test_day_ahead_prices_have_the_mean_of_the_constant_tariff_and_a_real_spread() -> None:
    """Over 20 years: the mean within 2 %, hours between the grid's share and twice the mean, a spread within the day."""
    price = tariff.day_ahead(generator(), np.tile(YEAR, (20, 1)))
    assert price.mean() == pytest.approx(0.2535, rel=0.02)
    assert 0.015 < price.std() < 0.035
    assert 0.15 <= price.min() < 0.20
    assert 0.35 < price.max() < 0.6
    days = price.reshape(20, 365, 24)
    assert 0.03 < np.median(days.max(axis=2) - days.min(axis=2)) < 0.08
    assert 0.005 < (price < 0.20).mean() < 0.03


def test_day_ahead_prices_are_low_at_night_and_peak_in_the_morning_and_evening() -> None:
    price = tariff.day_ahead(generator(), np.tile(YEAR, (20, 1))).reshape(20, 365, 24).mean(axis=(0, 1))
    assert np.argmin(price) in (2, 3)
    assert np.argmax(price) in (18, 19)
    assert price[8] > price[13]
    assert price[8] > price[3]


def test_day_ahead_weekends_are_cheaper_and_days_resemble_their_neighbours() -> None:
    price = tariff.day_ahead(generator(), np.tile(YEAR, (20, 1)), market=DayAhead(windy_days=0.0))
    weekend = weekday(YEAR) >= 5
    assert price[:, weekend].mean() < price[:, ~weekend].mean() - 0.004
    daily = price.reshape(20, 365, 24).mean(axis=2)
    assert np.corrcoef(daily[:, 1:].ravel(), daily[:, :-1].ravel())[0, 1] > 0.5


def test_day_ahead_price_holds_for_its_hour_and_rows_differ() -> None:
    hours = np.array([[1000.0], [1000.0], [5000.0]]) + 0.25 * np.arange(400)
    price = tariff.day_ahead(generator(), hours)
    assert price.shape == hours.shape
    np.testing.assert_array_equal(price.reshape(3, 100, 4).std(axis=2), 0.0)
    assert np.abs(price[0] - price[1]).max() > 0.005


def test_day_ahead_is_seeded_and_takes_one_episode() -> None:
    hours = 24.0 * 20 + 0.5 * np.arange(96)
    first, again, other = (tariff.day_ahead(generator(seed), hours) for seed in (4, 4, 5))
    assert first.shape == (96,)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_day_ahead_takes_a_weekday_for_each_row() -> None:
    market = DayAhead(level_sd=0.0, swing_sd=0.0, noise_sd=0.0, windy_days=0.0)
    price = tariff.day_ahead(generator(), np.full((2, 1), 12.0), np.array([0, 6]), market)
    assert price[1, 0] < price[0, 0]


def test_bad_tariffs_are_refused_in_one_line() -> None:
    with pytest.raises(BadInput, match=r"hours of shape \(\) given"):
        tariff.day_ahead(generator(), 5.0)
    with pytest.raises(BadInput, match="negative or infinite"):
        replace(DayAhead(), energy=-0.1)
    with pytest.raises(BadInput, match=r"outside \[0, 1\)"):
        replace(DayAhead(), level_persistence=1.0)
    with pytest.raises(BadInput, match="not finite"):
        tariff.day_ahead(generator(), np.array([1.0, float("nan")]))
