"""In which unit a plant's margins are, read off its own functions: a difference has the unit of what it is the difference of."""

from __future__ import annotations

from typing import Any

from plant_models.core.plant import Plant
from plant_models.derive.written import Written

_ALIKE = {"+": 0, "-": 0, "neg": 0, "abs": 0, "min": 0, "max": 0, "where": 1}
"""Operations whose result has the unit of an operand, and from which one on."""


def margin_units(plant: Plant) -> dict[str, str]:
    """Return the unit of each margin by its name; nothing for one whose unit its function does not show."""
    vectors = [vector.of([Written("name", f"{k} {name}") for name in vector.names()]) for k, vector in enumerate(plant.arguments)]
    units = {f"{k} {name}": q.unit for k, vector in enumerate(plant.arguments) for name, q in vector.quantities().items()}
    return {name: _unit(margin.value, units) for name, margin in plant.margins(*vectors).items()}


def _unit(e: Any, units: dict[str, str]) -> str:
    if not isinstance(e, Written):
        return ""
    if e.leaf:
        return units[e.operands[0]].replace("degC", "K")
    parts = e.operands[_ALIKE[e.operation] :] if e.operation in _ALIKE else ()
    return next((found for found in (_unit(part, units) for part in parts) if found), "")
