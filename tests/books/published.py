"""Hold a number that a test computed against the one a plant file declares as reproduced."""

from __future__ import annotations

import pytest

from plant_models.core.plant import Plant


def check(plant: Plant, what: str, value: float) -> None:
    """Assert that ``value`` is what the plant file says is ours, and as near to the published number as it says."""
    claims = {claim.what: claim for claim in plant.reproduced}
    assert what in claims, f"{plant.name} claims no {what!r}; it claims {', '.join(claims)}"
    claim = claims[what]
    assert value == pytest.approx(claim.ours, rel=1e-3, abs=1e-9), what
    assert abs(value - claim.published) <= claim.tolerance * (abs(claim.published) or 1.0), what
