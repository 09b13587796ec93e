"""Where a result comes from: machine, versions, commit, date."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "numba", "llvmlite", "casadi", "gymnasium", "stable_baselines3", "torch")


def provenance() -> dict[str, Any]:
    """Return what a reader needs to repeat a result; the commit is empty outside a checkout."""
    return {
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.system()},
        "python": sys.version.split()[0],
        "versions": {"setpoint": version("setpoint")} | {name: version(name) for name in PACKAGES},
        "commit": _commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def _commit() -> str:
    """Return the commit of the checkout that this file is tracked in: a package installed below another project has none."""
    if not _git("ls-files", "--error-unmatch", Path(__file__).name):
        return ""
    return _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def _git(*words: str) -> str:
    here = Path(__file__).parent
    try:
        found = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""
