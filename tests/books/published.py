"""Hold a number that a test computed against the one a plant file declares as reproduced."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

import pytest

from plant_models.core.plant import Plant

HELD: set[tuple[str, str]] = set()
"""Plant and claim of whatever this process has held, or left out for want of data: what no test holds is found by it."""


def check(plant: Plant, what: str, value: float) -> None:
    """Assert that ``value`` is what the plant file says is ours, and as near to the published number as it says."""
    claims = {claim.what: claim for claim in plant.reproduced}
    assert what in claims, f"{plant.name} claims no {what!r}; it claims {', '.join(claims)}"
    HELD.add((plant.name, what))
    claim = claims[what]
    assert value == pytest.approx(claim.ours, rel=1e-3, abs=1e-9), what
    assert abs(value - claim.published) <= claim.tolerance * (abs(claim.published) or 1.0), what


def absent(plant: Plant, claims: Iterable[str], reason: str) -> NoReturn:
    """Skip the test that would hold these claims; they count as held."""
    HELD.update((plant.name, what) for what in claims)
    pytest.skip(reason)
