"""The `setpoint` command: makes sure that its packages are its own, then hands over to the terminal interface."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("plant_models", "controller", "dashboard")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def _origin(package: str) -> Path | None:
    """The file that `import package` would run, found without running it; None when there is none."""
    spec = find_spec(package)
    return Path(spec.origin).resolve() if spec and spec.origin else None


def shadowed(home: Path) -> str:
    """Says in one line which file is in the way of a package that lies in `home`; empty when none is."""
    for package in PACKAGES:
        ours, found = home / package / "__init__.py", _origin(package)
        if found is None:
            return f"{ours.parent} is missing: install setpoint again"
        if found != ours:
            return (
                f"{found} is found in the place of setpoint's own package '{package}':"
                " rename it, or take its folder out of PYTHONPATH, or start setpoint from another folder"
            )
    return ""


def main() -> None:
    """Runs the command line in one thread a process; exits with 2 when a user's own module hides one of the packages."""
    problem = shadowed(Path(__file__).resolve().parent)
    if problem:
        sys.stderr.write(f"setpoint: {problem}\n")
        sys.exit(2)
    for name in THREADS:  # as NumPy is imported: its matrices are small here, and threads that wait for each other cost more
        os.environ.setdefault(name, "1")
    from dashboard import cli

    cli.main()


if __name__ == "__main__":
    main()
