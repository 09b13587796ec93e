"""One figure of an episode, with its unit."""

from __future__ import annotations

from dataclasses import dataclass

from plant_models.core.scenario import Array


@dataclass(frozen=True)
class Kpi:
    """One figure of every episode, (n,), with its unit."""

    values: Array
    unit: str
