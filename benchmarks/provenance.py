"""Where a result comes from: machine, versions, commit, date."""

from __future__ import annotations

import argparse
import json
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
    """Return what a reader needs to repeat a result."""
    return {
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.system()},
        "python": sys.version.split()[0],
        "versions": {name: version(name) for name in PACKAGES},
        "commit": _commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def parser(description: str) -> argparse.ArgumentParser:
    """Return the options that every benchmark takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--plants", type=lambda text: tuple(text.split(",")), help="names, separated by commas")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    return parser


def arguments(description: str) -> argparse.Namespace:
    """Return what was given of the options that every benchmark takes."""
    return parser(description).parse_args()


def report(result: dict[str, Any], options: argparse.Namespace) -> None:
    """Print a result and write it where asked."""
    whole = result | provenance()
    text = json.dumps(whole, indent=1)
    if options.out:
        options.out.write_text(text + "\n")
    print(text if options.json else "\n".join(f"{key}: {value}" for key, value in result.items()))
