"""The sun's position and the irradiance on surfaces, against the NREL SPA algorithm and a building emulator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_models.weather import sun
from plant_models.weather.bundled import load

SPA = (
    # latitude, longitude, timezone, hour of the year, altitude, azimuth in degrees:
    # pvlib 0.16.1, solarposition.get_solarposition (NREL SPA), no refraction; years 1997, 2003 and 1990
    (38.98, -77.47, -5.0, 275.5, 28.413, 167.207),
    (38.98, -77.47, -5.0, 1930.0, 40.682, 132.201),
    (38.98, -77.47, -5.0, 3372.25, 71.220, 186.233),
    (38.98, -77.47, -5.0, 4284.0, 74.024, 168.966),
    (38.98, -77.47, -5.0, 6203.5, 52.623, 165.661),
    (38.98, -77.47, -5.0, 8508.75, 26.987, 189.496),
    (55.317, -160.517, -9.0, 275.5, 7.469, 147.371),
    (55.317, -160.517, -9.0, 1930.0, 18.526, 117.513),
    (55.317, -160.517, -9.0, 3372.25, 51.551, 147.417),
    (55.317, -160.517, -9.0, 4284.0, 52.500, 137.987),
    (55.317, -160.517, -9.0, 6203.5, 31.345, 142.036),
    (55.317, -160.517, -9.0, 8508.75, 10.363, 167.155),
    (-33.9, 151.2, 10.0, 275.5, 75.772, 33.199),
    (-33.9, 151.2, 10.0, 1930.0, 45.259, 46.272),
    (-33.9, 151.2, 10.0, 3372.25, 35.706, 353.259),
    (-33.9, 151.2, 10.0, 4284.0, 32.797, 359.535),
    (-33.9, 151.2, 10.0, 6203.5, 52.986, 8.433),
    (-33.9, 151.2, 10.0, 8508.75, 74.550, 309.233),
)

BRUSSELS = np.array(
    # Output of the emulator of BOPTEST's bestest_hydronic_heat_pump, weather of Brussels (50.9 N, 4.5 E, UTC+1):
    # hour of the year, solar altitude in rad, solar declination in rad, GHI, DNI, DHI in W/m2
    [
        (33.75, 0.1059, -0.401, 0.2, 0.0, 0.5),
        (132.0, 0.2752, -0.394, 51.5, 0.0, 51.5),
        (230.25, 0.2557, -0.385, 60.7, 0.0, 60.7),
        (321.75, 0.1202, -0.3748, 2.6, 0.0, 2.6),
        (420.0, 0.3042, -0.3621, 47.6, 0.0, 47.6),
        (518.25, 0.2959, -0.3476, 135.8, 37.9, 119.8),
        (609.75, 0.151, -0.3325, 15.6, 18.5, 12.4),
        (708.0, 0.3491, -0.3147, 120.3, 38.6, 110.3),
        (806.25, 0.3488, -0.2955, 84.4, 0.0, 84.4),
        (897.75, 0.197, -0.2763, 17.2, 0.0, 17.2),
        (996.0, 0.4078, -0.2545, 278.8, 437.9, 131.5),
        (1094.25, 0.4116, -0.2315, 101.5, 0.0, 101.5),
        (1185.75, 0.256, -0.2091, 17.2, 0.0, 17.2),
        (1284.0, 0.4775, -0.1843, 149.0, 4.7, 146.7),
        (1382.25, 0.4812, -0.1586, 131.0, 1.1, 130.1),
        (1473.75, 0.3253, -0.134, 86.8, 81.2, 70.3),
        (1572.0, 0.5551, -0.1071, 102.7, 0.0, 102.7),
        (1670.25, 0.5545, -0.0798, 131.8, 0.0, 131.8),
        (1761.75, 0.4015, -0.054, 48.9, 0.0, 48.9),
        (1860.0, 0.6375, -0.0261, 122.5, 0.0, 122.5),
        (1958.25, 0.6288, 0.0019, 151.0, 0.0, 151.0),
        (2049.75, 0.4805, 0.028, 95.4, 0.2, 95.3),
        (2148.0, 0.7211, 0.0559, 231.4, 11.3, 224.4),
        (2246.25, 0.7017, 0.0835, 515.0, 266.6, 334.0),
        (2337.75, 0.5583, 0.109, 223.5, 109.3, 178.9),
        (2436.0, 0.8025, 0.1359, 165.1, 0.0, 164.5),
        (2534.25, 0.7709, 0.1621, 204.3, 6.1, 199.9),
    ]
)

hours_of_year = st.floats(0.0, 8760.0)
latitudes = st.floats(-90.0, 90.0)


@pytest.mark.parametrize(("latitude", "longitude", "timezone", "hour", "altitude", "azimuth"), SPA)
def test_position_is_within_a_quarter_degree_of_the_reference_algorithm(
    latitude: float, longitude: float, timezone: float, hour: float, altitude: float, azimuth: float
) -> None:
    seen = sun.position(hour, latitude, longitude, timezone)
    reference, facing = np.deg2rad(altitude), np.deg2rad(azimuth)
    there = np.array([np.cos(reference) * np.sin(facing), np.cos(reference) * np.cos(facing), np.sin(reference)])
    here = np.array([seen.east, seen.north, seen.up])
    assert np.rad2deg(np.arccos(here @ there)) < 0.25
    assert np.rad2deg(seen.altitude) == pytest.approx(altitude, abs=0.25)


def test_altitude_agrees_with_the_emulator_of_the_house_within_its_error() -> None:
    """The emulator's declination neglects the orbit's eccentricity, which costs it up to one degree; allow that."""
    hour, altitude = BRUSSELS[:, 0], BRUSSELS[:, 1]
    error = np.rad2deg(sun.position(hour, 50.9, 4.5, 1.0).altitude - altitude)
    assert np.sqrt(np.mean(error**2)) < 0.75
    assert np.abs(error).max() < 1.05


def test_altitude_follows_from_the_emulators_own_declination() -> None:
    """With its declination put in, what is left is hour angle and equation of time: 0.1 degree."""
    hour, altitude, declination = BRUSSELS[:, 0], BRUSSELS[:, 1], BRUSSELS[:, 2]
    seen = sun.position(hour, 50.9, 4.5, 1.0)
    latitude = np.deg2rad(50.9)
    our_declination = np.arcsin(np.sin(latitude) * seen.up + np.cos(latitude) * seen.north)
    hour_angle = np.arcsin(-seen.east / np.cos(our_declination))
    up = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
    assert np.abs(np.rad2deg(np.arcsin(up) - altitude)).max() < 0.1


def test_beam_and_diffuse_add_up_to_the_emulators_global_irradiance() -> None:
    hour, ghi, dni, dhi = BRUSSELS[:, 0], BRUSSELS[:, 3], BRUSSELS[:, 4], BRUSSELS[:, 5]
    on_ground = sun.tilted(dni, dhi, ghi, sun.position(hour, 50.9, 4.5, 1.0), tilt=0.0)
    assert np.abs(on_ground - ghi).mean() < 5.0


@given(hour=hours_of_year, latitude=latitudes)
def test_direction_is_a_unit_vector(hour: float, latitude: float) -> None:
    seen = sun.position(hour, latitude, 0.0, 0.0)
    assert seen.east**2 + seen.north**2 + seen.up**2 == pytest.approx(1.0)


def test_noon_midnight_and_azimuth_are_where_they_should_be() -> None:
    day = sun.position(24.0 * 80 + np.array([6.0, 12.0, 18.0, 24.0]), 45.0, 0.0, 0.0)
    np.testing.assert_allclose(np.rad2deg(day.azimuth[:3]), [90.0, 180.0, 270.0], atol=3.0)
    assert np.rad2deg(day.altitude[1]) == pytest.approx(45.0, abs=1.0)
    assert day.altitude[3] < 0.0


def test_extraterrestrial_irradiance_is_largest_in_january() -> None:
    january, july = sun.extraterrestrial([72.0, 4392.0])
    assert january == pytest.approx(1361.0 * 1.034, rel=2e-3)
    assert july == pytest.approx(1361.0 * 0.967, rel=2e-3)


@given(hour=hours_of_year, dni=st.floats(0.0, 1000.0), dhi=st.floats(0.0, 500.0), ghi=st.floats(0.0, 1000.0))
def test_south_wall_is_the_formula_of_the_house(hour: float, dni: float, dhi: float, ghi: float) -> None:
    """I_s = DNI max(cos, 0) + 0.5 DHI + 0.1 GHI, the beam only from a sun above the horizon."""
    seen = sun.position(hour, 50.9, 4.5, 1.0)
    cosine = -seen.north if seen.up > 0.0 else 0.0
    expected = dni * max(cosine, 0.0) + 0.5 * dhi + 0.1 * ghi
    wall = sun.tilted(np.array(dni), np.array(dhi), np.array(ghi), seen)
    assert wall == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("tilt", "azimuth", "expected"),
    [(90.0, 180.0, 500.53404), (30.0, 135.0, 445.50619), (90.0, 270.0, 379.83579), (0.0, 180.0, 450.00186)],
)
def test_tilted_irradiance_equals_the_reference(tilt: float, azimuth: float, expected: float) -> None:
    """Reference: pvlib 0.16.1, irradiance.get_total_irradiance, isotropic, zenith 55 and azimuth 215 degrees."""
    zenith, facing = np.deg2rad(55.0), np.deg2rad(215.0)
    seen = sun.Sun(
        east=np.asarray(np.sin(zenith) * np.sin(facing)),
        north=np.asarray(np.sin(zenith) * np.cos(facing)),
        up=np.asarray(np.cos(zenith)),
    )
    surface = sun.tilted(np.array(600.0), np.array(105.856), np.array(450.0), seen, tilt, azimuth)
    assert surface == pytest.approx(expected, abs=1e-3)


def test_no_beam_from_a_sun_below_the_horizon() -> None:
    set_in_the_south = sun.Sun(east=np.array(0.0), north=np.array(-0.995), up=np.array(-0.1))
    assert sun.tilted(np.array(500.0), np.array(0.0), np.array(0.0), set_in_the_south) == 0.0


@pytest.mark.parametrize("azimuth", [90.0, 180.0, 270.0])
@pytest.mark.parametrize("place", ["sand_point_ak", "sterling_va"])
def test_walls_never_receive_more_than_the_hours_around_hold(place: str, azimuth: float) -> None:
    """No spike at sunrise: the wall stays below the larger of the neighbouring hourly means, in every minute of a year."""
    year = load(place)
    weather = year.at(np.arange(0.0, 8760.0, 0.1))
    wall = year.on_surface(weather, azimuth=azimuth)
    assert np.isfinite(wall).all()
    assert (wall >= 0.0).all()
    assert (wall <= weather.dni + 0.5 * weather.dhi + 0.1 * weather.ghi + 1e-9).all()
    assert wall.max() < 1200.0
