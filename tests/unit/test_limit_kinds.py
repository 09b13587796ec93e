"""What crossing a limit line means, by the margins that it belongs to."""

from __future__ import annotations

import pytest

from plant_models.catalogue import get
from plant_models.derive.limit_kinds import limit_kinds


@pytest.mark.parametrize(
    ("plant", "kinds"),
    [
        ("exothermic_cstr", {"T_max": "hard", "T_trip": "trip"}),
        ("heat_pump_house", {"T_low": "soft", "T_high": "soft"}),
        ("data_hall", {"T_cold": "soft", "T_warm": "soft", "T_high": "hard"}),
    ],
)
def test_a_limit_line_is_as_grave_as_the_margin_that_moves_with_it(plant: str, kinds: dict[str, str]) -> None:
    assert limit_kinds(get(plant)) == kinds
