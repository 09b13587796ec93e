"""One figure of an episode, with its unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

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
FIGURES = {
    "IAE": "absolute error, summed over time",
    "ISE": "squared error, summed over time",
    "ITAE": "absolute error times time since its target moved, summed",
    "overshoot": "how far it goes beyond a new target",
    "settling": "time until it stays within 5 % of a move",
    "settling, 2 %": "time until it stays within 2 % of a move",
    "travel": "its moves, summed",
    "reversals": "how often it turns round",
    "interventions": "what the shield did not let through whole",
    "uncertified": "nothing that the shield could certify",
}
"""What the figures of an output, an input or a shield are; the name of what they are of stands before them."""


@dataclass(frozen=True)
class Kpi:
    """One figure of every episode, (n,), with its unit."""

    values: Array
    unit: str


def is_boptest(name: str) -> bool:
    """Whether a figure is one of BOPTEST's, which stand beside the plant's own."""
    return name.startswith(_TARIFF) or name in BOPTEST


def meaning(name: str, of: Mapping[str, str] = MappingProxyType({})) -> str:
    """What a figure is, with words for what it is ``of`` where they are known; nothing for a figure whose name says it."""
    if is_boptest(name):
        return BOPTEST.get(name, "energy cost for each square metre")
    kind = next((kind for kind in FIGURES if name == kind or name.endswith(f" {kind}")), "")
    subject = of.get(name.removesuffix(kind).strip(), "") if kind else ""
    return ": ".join(part for part in (subject, FIGURES.get(kind, "")) if part)
