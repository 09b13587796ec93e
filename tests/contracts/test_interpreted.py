"""The whole contract of every plant with nothing compiled, as `setpoint check` runs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from controller.contract.locate import file_of
from plant_models.catalogue import get, usable

SLOW = (
    "boiler_drum", "chiller_plant", "data_hall", "distillation_column", "evaporator", "fed_batch_bioreactor",
    "greenhouse_lettuce", "heat_pump_house", "office_vav", "penicillin_fermentation", "semibatch_polymerization",
)  # fmt: skip
"""Plants whose interpreted equations take over twenty seconds."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in usable()])
def test_the_whole_contract_holds_interpreted(name: str) -> None:
    command = [sys.executable, "-m", "setpoint", "check", str(file_of(get(name)))]
    found = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{name} keeps the whole contract" in found.stdout
