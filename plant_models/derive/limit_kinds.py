"""What crossing each limit line of a plant means, found from its margins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from plant_models.core.plant import Plant

Kind = Literal["soft", "hard", "trip"]
ORDER: tuple[Kind, ...] = ("soft", "hard", "trip")
NUDGE = 1e-3
"""By how much a bound is moved, as a share of its size and one, to see which margins it belongs to."""


def limit_kinds(plant: Plant) -> dict[str, Kind]:
    """Return the kind of each limit line by the name of its bound: that of the gravest margin which moves with the bound."""
    at = tuple(v.nominal() for v in plant.arguments)
    before = plant.margins(*at)
    kinds: dict[str, Kind] = {}
    for limit in plant.limits:
        after = plant.margins(*(_nudged(part, limit.bound) for part in at))
        moved = [ORDER.index(before[name].kind) for name in before if float(after[name].value) != float(before[name].value)]
        kinds[limit.bound] = ORDER[max(moved, default=0)]
    return kinds


def _nudged(part: Any, name: str) -> Any:
    if name not in type(part).names():
        return part
    value = float(getattr(part, name))
    return replace(part, **{name: value + NUDGE * (abs(value) + 1.0)})
