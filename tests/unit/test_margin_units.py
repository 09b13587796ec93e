"""Margins have the unit of what they are the difference of."""

from __future__ import annotations

import pytest

from plant_models.catalogue import get, names
from plant_models.derive.margin_units import margin_units


@pytest.mark.parametrize("plant", names())
def test_every_margin_has_a_unit(plant: str) -> None:
    assert all(margin_units(get(plant)).values())


def test_margins_of_one_plant_differ_in_their_units() -> None:
    assert margin_units(get("boiler_drum")) == {
        "high level": "m", "low level": "m", "flooded drum": "m", "dry drum": "m", "high pressure": "MPa", "safety valve": "MPa",
    }  # fmt: skip
    assert margin_units(get("office_vav"))["stale n"] == "ppm"
    assert margin_units(get("wafer_furnace"))["ramp"] == "K/s"
