"""What BOPTEST's building figures need to know of a plant: floor area, zones, energy carriers and tariffs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from plant_models.core.quantity import Source

Tariff: TypeAlias = Callable[[np.random.Generator, Any], Any] | str
"""Prices per kWh at hours since midnight of an episode's first day, (n, k); or the name of the disturbance that is the price."""
SAMPLING = 60.0
"""Seconds: the coarsest sub-step at which a building is judged."""
BIN = 900.0
"""Seconds over which a peak's power is averaged."""


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """An energy carrier: the measures in kWh that count it, what it emits in kg/kWh, and its price per kWh by tariff."""

    measures: tuple[str, ...]
    kind: Literal["electricity", "gas", "district heat"]
    emission: float
    tariffs: Mapping[str, Tariff]
    source: Source


@dataclass(frozen=True, kw_only=True)
class Building:
    """Floor area in m^2, zones, carriers, and the measures that count discomfort over all zones.

    ``thermal`` is in K h, ``air`` (CO2 beyond its limit) in ppm h. Episodes begin at midnight.
    """

    area: float
    zones: int
    carriers: tuple[Carrier, ...]
    thermal: str
    air: str = ""
