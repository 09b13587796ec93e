"""A number with a meaning: unit, range, source, and what an instrument or a forecast knows of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from plant_models.core.errors import unknown

Kind = Literal["load", "weather", "price", "schedule", "limit"]
"""What a disturbance is: loads and weather vary between samples; prices, schedules and limits hold."""
ZERO_C = 273.15
"""0 degC in K."""


@dataclass(frozen=True)
class Source:
    """Where a number comes from: a citation, and its DOI where there is one."""

    text: str
    doi: str = ""


@dataclass(frozen=True, kw_only=True)
class Reproduced:
    """A number that the plant reproduces: what it is, the published value, ours, and the deviation allowed.

    ``tolerance`` is relative to the published value (absolute where that is zero); ``remark`` says why it is that wide. A test
    computes ``ours`` anew and holds it against both. ``kind`` says where ``published`` comes from: ``printed`` in a publication
    (paper, book, standard, data sheet, published result file), computed by somebody else's published ``program`` that was run
    anew, or, in no publication, the other side of a ``check`` of our own against an independent calculation.
    """

    what: str
    published: float
    ours: float
    unit: str
    tolerance: float
    source: Source
    remark: str = ""
    kind: Literal["printed", "program", "check"] = "printed"

    def __post_init__(self) -> None:
        """Raise ValueError where our value is farther from the published one than the tolerance."""
        if abs(self.ours - self.published) > self.tolerance * (abs(self.published) or 1.0):
            raise ValueError(f"{self.what}: ours {self.ours} {self.unit} is not the published {self.published} {self.unit}")

    @property
    def deviation(self) -> float:
        """Our deviation, relative to the published value (absolute where that is zero)."""
        return (self.ours - self.published) / (abs(self.published) or 1.0)


@dataclass(frozen=True)
class Quantity:
    """One declared number; ``low``/``high`` scale it, ``valid`` bounds the physics, ``rate`` is per time unit."""

    nominal: float
    unit: str
    meaning: str
    low: float
    high: float
    valid: tuple[float, float]
    rate: float
    uncertain: float
    source: Source | None
    shown: str
    tag: str
    noise: float
    kind: Kind
    measured: bool
    forecast: bool

    def scaled(self, value: Any) -> Any:
        """Map ``low..high`` onto -1..1."""
        return (value - self.centre) / self.half_range

    @property
    def centre(self) -> float:
        """Middle of the declared range."""
        return 0.5 * (self.low + self.high)

    @property
    def half_range(self) -> float:
        """Half the declared range."""
        return 0.5 * (self.high - self.low)


def quantity(
    nominal: float,
    unit: str,
    meaning: str,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    valid: tuple[float, float] = (-math.inf, math.inf),
    rate: float = math.inf,
    uncertain: float = 0.0,
    source: Source | None = None,
    shown: str = "",
    tag: str = "",
    noise: float = 0.0,
    kind: Kind = "load",
    measured: bool = True,
    forecast: bool = False,
) -> Any:
    """Declare one field of a vector.

    ``rate`` is the largest change per time unit of the plant, ``uncertain`` a relative half-width of a parameter's range,
    ``shown`` the unit on displays, ``tag`` and ``noise`` (one standard deviation) belong to an instrument, and ``kind``,
    ``measured`` and ``forecast`` to a disturbance.

    Raises:
        ValueError: where the bounds are swapped or the nominal value lies outside them, the noise is below zero, the uncertainty
            is not a share below one, or the kind is none.
    """
    if not low <= nominal <= high:
        raise ValueError(f"{meaning}: nominal {nominal} {unit} lies outside [{low}, {high}] {unit}")
    if not valid[0] <= nominal <= valid[1]:
        raise ValueError(f"{meaning}: nominal {nominal} {unit} lies outside the valid range {valid} {unit}")
    if not 0.0 <= noise < math.inf:
        raise ValueError(f"{meaning}: noise {noise} {unit} given; a standard deviation of at least 0 {unit} allowed")
    if not 0.0 <= uncertain < 1.0:
        raise ValueError(f"{meaning}: uncertain {uncertain} given; a share of the nominal value, 0 to below 1, allowed")
    if kind not in get_args(Kind):
        raise ValueError(f"{meaning}: {unknown('kind', str(kind), get_args(Kind))}")
    declared = Quantity(
        nominal, unit, meaning, low, high, valid, rate, uncertain, source, shown or unit, tag, noise, kind, measured, forecast
    )
    return field(metadata={"quantity": declared})
