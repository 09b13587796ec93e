"""Which plants every run of the tests compiles: one of each kind of duty, and one with several targets.

Tests of another plant that compile it carry the mark ``every``. A batch has no steady state to test.
"""

from __future__ import annotations

import pytest

from plant_models.catalogue import get, names
from plant_models.core.duty import Batch

COMPILED = ("exothermic_cstr", "heat_pump_house", "quadruple_tank", "batch_crystallizer")

alone = pytest.mark.xdist_group
"""Has the tests of one name run in one process, so that only one compiles what they share."""

each = pytest.mark.parametrize(
    "name", [name if name in COMPILED else pytest.param(name, marks=pytest.mark.every) for name in names()]
)
continuous = pytest.mark.parametrize("name", [name for name in names() if not isinstance(get(name).duty, Batch)])
