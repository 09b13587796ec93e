"""One figure of an episode, with its unit."""

from __future__ import annotations

from dataclasses import dataclass

from plant_models.core.scenario import Array

BOPTEST = {
    "tdis": "thermal discomfort, mean over the zones",
    "idis": "CO2 beyond its limit, mean over the zones",
    "ener": "energy used for each square metre",
    "emis": "CO2 emitted for each square metre",
    "pele": "highest electric power of a quarter of an hour for each square metre",
    "pgas": "highest gas power of a quarter of an hour for each square metre",
    "pdih": "highest district heating power of a quarter of an hour for each square metre",
}
"""What BOPTEST's short names of a building's figures stand for."""
_TARIFF = "cost, "
"""How its figures of cost begin, one a tariff."""


@dataclass(frozen=True)
class Kpi:
    """One figure of every episode, (n,), with its unit."""

    values: Array
    unit: str


def meaning(name: str) -> str:
    """What one of BOPTEST's figures is; nothing for any other figure, whose name says it."""
    return "energy cost for each square metre" if name.startswith(_TARIFF) else BOPTEST.get(name, "")
