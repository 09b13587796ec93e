"""The whole contract of every plant with nothing compiled, as `setpoint check` runs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from controller.contract.locate import file_of
from plant_models.catalogue import get, usable

QUICK = ("batch_crystallizer", "exothermic_cstr")
"""Plants of which this is asked in every run; interpreted equations of the others take up to minutes."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in usable()])
def test_the_whole_contract_holds_interpreted(name: str) -> None:
    command = [sys.executable, "-m", "setpoint", "check", str(file_of(get(name)))]
    found = subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{name} keeps the whole contract" in found.stdout
