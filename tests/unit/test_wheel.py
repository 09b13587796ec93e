"""The built wheel, in a clean environment outside the checkout, is a working setpoint with its data inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

DATA = """
import json
from importlib.resources import files
from plant_models.weather import bundled
assets = sorted(entry.name for entry in (files("dashboard") / "assets").iterdir())
print(json.dumps({"years": [type(bundled.load(name)).__name__ for name in bundled.names()], "assets": assets}))
"""


def _said(command: list[str | Path], folder: Path) -> str:
    """Standard output of a command that must succeed, run in `folder` without what points back at the checkout."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment that holds the wheel and what the wheel asks for, in the lock's versions."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    _said([*pip, "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", folder, ROOT], folder)
    [wheel] = folder.glob("setpoint-*.whl")
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder / "venv")
    python = folder / "venv" / "bin" / "python"
    _said([*pip, "--python", python, "install", "--constraint", ROOT / "requirements.lock", wheel], folder)
    return folder


@pytest.mark.slow
def test_the_wheel_lists_its_plants(clean: Path) -> None:
    listed = _said([clean / "venv" / "bin" / "setpoint", "plants", "--json"], clean)
    assert "heat_pump_house" in json.dumps(json.loads(listed))


@pytest.mark.slow
def test_the_wheel_holds_its_data(clean: Path) -> None:
    held = json.loads(_said([clean / "venv" / "bin" / "python", "-c", DATA], clean))
    assert held["years"] == ["WeatherYear"] * len(list((ROOT / "plant_models" / "weather" / "data").glob("*.npz")))
    assert len(held["years"]) >= 4
    assert held["assets"] == sorted(path.name for path in (ROOT / "dashboard" / "assets").iterdir())


@pytest.mark.slow
def test_the_wheel_makes_a_store(clean: Path) -> None:
    setpoint = [clean / "venv" / "bin" / "setpoint", "--store", clean / "runs.db", "runs", "--json"]
    assert [json.loads(_said(setpoint, clean)) for _ in range(2)] == [[], []]
