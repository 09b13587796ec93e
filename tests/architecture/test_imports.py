"""The rules that tools check, who may import whom, style, layout and types; and that what is imported is declared."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sysconfig.get_path("scripts"))
OURS = {"plant_models", "controller", "dashboard", "setpoint"}

EXTRAS = ("cluster", "postgres", "sweep")
"""What users install for more; the module that needs one says so where it is missing."""
CHECKS = {
    "layers": [str(SCRIPTS / "lint-imports"), "--no-cache"],
    "style": [sys.executable, "-m", "ruff", "check", "--no-cache", "."],
    "layout": [sys.executable, "-m", "ruff", "format", "--check", "--no-cache", "."],
    "types": [sys.executable, "-m", "mypy", "--strict"],
}


def _imported(source: str) -> Iterator[str]:
    """Top-level names that a module imports, early or late."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("check", CHECKS)
def test_tool_finds_nothing(check: str) -> None:
    done = subprocess.run(CHECKS[check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _distributions(names: set[str]) -> set[str]:
    """What is installed to provide these modules, under its canonical name."""
    providers = packages_distributions()
    return {canonicalize_name(providers.get(name, [name])[0]) for name in names - OURS - sys.stdlib_module_names}


def test_what_is_imported_is_declared_and_nothing_else() -> None:
    sources = [path.read_text() for package in OURS for path in (ROOT / package).rglob("*.py")]
    imported = {name for source in sources for name in _imported(source)}
    generated = {name for source in sources for name in re.findall(r"^(?:import|from) (\w+)", source, re.MULTILINE)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared, optional = (
        {canonicalize_name(Requirement(text).name) for text in texts}
        for texts in (project["dependencies"], chain(*map(project["optional-dependencies"].get, EXTRAS)))
    )
    assert _distributions(imported) - declared - optional == set()
    assert declared - _distributions(imported | generated) == set()  # the kernel's imports stand in the text it generates
