"""The bundled years: which there are, that they hold the published numbers, and what an unknown name gets."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from plant_models.core.errors import UnknownName
from plant_models.weather.bundled import load, names

PUBLISHED = {
    # Mean temperature in degC, sums of GHI, DNI, DHI in Wh/m2, mean humidity in %, mean wind in m/s, latitude, longitude:
    # the source files read with pvlib 0.16.1 (iotools.read_tmy3, iotools.read_epw)
    "chicago_il": (9.988, 1406646, 1294257, 660253, 70.3354, 4.5605, 41.98, -87.92),
    "golden_co": (9.7608, 1619948, 1866531, 577938, 53.7453, 3.958, 39.74, -105.18),
    "greensboro_nc": (14.4218, 1566203, 1476549, 682223, 69.5161, 3.0544, 36.1, -79.95),
    "san_francisco_ca": (13.7938, 1716434, 1771485, 629637, 74.4756, 4.6708, 37.62, -122.4),
    "sand_point_ak": (4.4207, 829243, 819209, 460947, 73.4866, 5.072, 55.317, -160.517),
    "sterling_va": (12.6713, 1481122, 1378344, 686921, 69.0147, 3.2812, 38.98, -77.47),
    "tampa_fl": (22.29, 1811211, 1760409, 684650, 75.2721, 3.2506, 27.97, -82.53),
}


def test_the_names_are_those_of_the_published_years() -> None:
    assert names() == tuple(sorted(PUBLISHED))


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_bundled_year_holds_what_the_source_file_holds(name: str) -> None:
    year = load(name)
    temperature, ghi, dni, dhi, humidity, wind, latitude, longitude = PUBLISHED[name]
    assert year.dry_bulb.mean() - 273.15 == pytest.approx(temperature, abs=1e-4)
    assert (year.ghi.sum(), year.dni.sum(), year.dhi.sum()) == (ghi, dni, dhi)
    assert year.relative_humidity.mean() == pytest.approx(humidity, abs=1e-4)
    assert year.wind_speed.mean() == pytest.approx(wind, abs=1e-4)
    assert (year.latitude, year.longitude) == (latitude, longitude)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_sun_and_data_agree_on_the_hour(name: str) -> None:
    """GHI = DNI sin(altitude) + DHI closes best when the sun is computed for the middle of the hour, as the format says."""
    year = load(name)
    rows = np.arange(len(year.ghi))

    def gap(offset: float) -> float:
        up = np.maximum(year.sun_at(rows + offset).up, 0.0)
        return float(np.abs(year.ghi - (year.dni * up + year.dhi)).mean())

    assert gap(0.5) < 1.0
    assert gap(0.5) < 0.1 * min(gap(0.0), gap(1.0))


def test_a_year_is_read_once() -> None:
    assert load("sterling_va") is load("sterling_va")


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownName) as refused:
        load("Sterling")
    assert str(refused.value) == (
        "weather: 'Sterling' given, chicago_il, golden_co, greensboro_nc, san_francisco_ca, sand_point_ak, sterling_va, tampa_fl "
        "or the path of an .epw or TMY3 .csv allowed; did you mean sterling_va?"
    )


def test_source_and_licence_stand_beside_the_data() -> None:
    text = (resources.files("plant_models.weather") / "data" / "README.md").read_text()
    assert "NREL/TP-581-43156" in text
    assert all(f"`{name}`" in text and load(name).station in text for name in names())
