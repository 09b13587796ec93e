"""A weather year: what it refuses, and what it says between its hours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_models.core.errors import BadInput
from plant_models.weather.year import HOURS, WeatherYear

LINEAR = np.arange(HOURS, dtype=np.float64)


def made(**changes: object) -> WeatherYear:
    """Return a year in which every series tells its row."""
    year = WeatherYear(
        name="ramp",
        station="0",
        latitude=50.9,
        longitude=4.5,
        timezone=1.0,
        source="test",
        dry_bulb=250.0 + 0.005 * LINEAR,
        dni=0.1 * LINEAR,
        dhi=0.05 * LINEAR,
        ghi=0.02 * LINEAR,
        relative_humidity=0.01 * LINEAR,
        wind_speed=0.001 * LINEAR,
    )
    return replace(year, **changes)  # type: ignore[arg-type]


YEAR = made()


def test_temperature_stands_for_the_stamp_and_irradiance_for_the_middle_of_the_hour() -> None:
    weather = YEAR.at([100.0, 100.5])
    np.testing.assert_allclose(weather.dry_bulb, 250.0 + 0.005 * np.array([99.0, 99.5]))
    np.testing.assert_allclose(weather.dni, 0.1 * np.array([99.5, 100.0]))
    np.testing.assert_allclose(weather.wind_speed, 0.001 * np.array([99.0, 99.5]))


def test_one_start_gives_a_row_and_many_starts_give_a_table() -> None:
    row = YEAR.series(10.0, 0.25, 8)
    table = YEAR.series(np.array([10.0, 20.0, 30.0]), 0.25, 8)
    assert row.hours.shape == row.ghi.shape == (8,)
    assert table.hours.shape == table.dry_bulb.shape == (3, 8)
    np.testing.assert_array_equal(table.ghi[0], row.ghi)
    np.testing.assert_allclose(table.hours[2], 30.0 + 0.25 * np.arange(8))


def test_series_run_on_past_the_end_of_the_year() -> None:
    over = YEAR.series(HOURS - 2.0, 1.0, 6)
    np.testing.assert_allclose(over.dni[4], YEAR.at(2.0).dni)
    middle = 0.5 * (YEAR.dry_bulb[-1] + YEAR.dry_bulb[0])
    assert YEAR.at(0.5).dry_bulb == pytest.approx(middle)


@given(hour=st.floats(-1e5, 1e5))
def test_every_hour_gives_a_value_between_its_neighbours(hour: float) -> None:
    weather = YEAR.at(hour)
    values = (weather.dry_bulb, weather.dni, weather.dhi, weather.ghi, weather.relative_humidity, weather.wind_speed)
    for (column, series), value in zip(YEAR.columns(), values, strict=True):
        assert series.min() <= value <= series.max(), column.name


def test_a_tiny_negative_hour_is_the_turn_of_the_year() -> None:
    assert YEAR.at(0.5 - 1e-14).dni == pytest.approx(YEAR.at(0.5).dni, abs=1e-6)


def test_energy_of_the_year_is_kept_by_interpolation() -> None:
    rng = np.random.default_rng(1)
    year = made(ghi=rng.uniform(0.0, 900.0, HOURS))
    assert year.series(0.0, 0.25, 4 * HOURS).ghi.mean() == pytest.approx(year.ghi.mean())


def test_series_cannot_be_changed_and_do_not_follow_their_source() -> None:
    source = 0.02 * LINEAR
    year = made(ghi=source)
    source[0] = 77.0
    assert year.ghi[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        year.ghi[0] = 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"ghi": LINEAR[:-1]},
            "ramp: ghi: shape (8759,) given, (8760,) allowed: one value an hour",
        ),
        (
            {"dry_bulb": np.where(LINEAR == 17, np.nan, 280.0)},
            "ramp: dry_bulb: nan K given at hour 17, 183.15 to 333.15 K allowed",
        ),
        (
            {"dry_bulb": np.full(HOURS, 20.0)},
            "ramp: dry_bulb: 20 K given at hour 0, 183.15 to 333.15 K allowed",
        ),
        (
            {"dni": np.full(HOURS, 9999.0)},
            "ramp: dni: 9999 W/m2 given at hour 0, 0 to 1500 W/m2 allowed",
        ),
        (
            {"latitude": 95.0},
            "latitude: 95.0 given, -90 to 90 allowed",
        ),
        (
            {"latitude": float("nan")},
            "latitude: nan given, -90 to 90 allowed",
        ),
        (
            {"latitude": 4.5, "longitude": 150.9},
            (
                "longitude: 150.9 given with timezone +1 h, at most 4 h from solar time allowed; "
                "are latitude, longitude or signs swapped?"
            ),
        ),
    ],
)
def test_an_impossible_year_is_refused_in_one_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        made(**changes)
    assert str(refused.value) == message


def test_longitudes_beside_the_date_line_fit_their_timezones() -> None:
    assert made(latitude=1.9, longitude=-157.4, timezone=14.0).timezone == 14.0


@pytest.mark.parametrize(("step", "count"), [(0.0, 5), (-1.0, 5), (float("nan"), 5), (1.0, 0)])
def test_a_series_without_time_is_refused(step: float, count: int) -> None:
    with pytest.raises(BadInput, match="both must be above zero"):
        YEAR.series(0.0, step, count)


def test_hours_that_are_not_finite_are_refused() -> None:
    with pytest.raises(BadInput, match="not finite"):
        YEAR.at([1.0, float("nan")])
