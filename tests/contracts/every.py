"""What the contract tests share: every plant of the catalogue that can be used."""

from __future__ import annotations

import pytest

from plant_models.catalogue import get, usable

plants = pytest.mark.parametrize("plant", [get(name) for name in usable()], ids=usable())
