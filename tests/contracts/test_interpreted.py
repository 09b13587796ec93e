"""The whole contract of every plant with nothing compiled, as `setpoint check` runs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from controller.contract.locate import file_of
from plant_models.catalogue import get, usable

SLOW = (
    "data_hall",
    "distillation_column",
    "evaporator",
    "fed_batch_bioreactor",
    "penicillin_fermentation",
    "semibatch_polymerization",
)
"""Plants whose interpreted equations take half a minute."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in usable()])
def test_the_whole_contract_holds_interpreted(name: str) -> None:
    command = [sys.executable, "-m", "setpoint", "check", str(file_of(get(name)))]
    found = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{name} keeps the whole contract" in found.stdout
