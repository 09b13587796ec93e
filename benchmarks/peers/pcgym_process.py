"""PC-Gym in an environment of its own: built once in the user's cache folder, started as a process, asked by lines of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import platformdirs

SERVER = Path(__file__).with_name("pcgym_server.py")
PCGYM = "pcgym==0.1.8"
BESIDE = ("torch==2.13.0", "stable-baselines3==2.9.2", "gymnasium==1.4.0", "casadi==3.8.2", "do-mpc==5.1.2", "jax[cpu]==0.10.2",
          "equinox==0.13.8", "diffrax==0.7.2", "matplotlib==3.11.2", "tqdm==4.70.1", "numpy==2.3.5")  # fmt: skip
"""What PC-Gym imports. It is installed without what it asks for itself: with torch left open CUDA's builds would come, and it
asks for a linter too; under NumPy 2.4 its oracle fails."""


def python() -> Path:
    """Return the interpreter that has PC-Gym; its environment is built where there is none, which takes some minutes."""
    home = Path(platformdirs.user_cache_dir("setpoint")) / "peers" / PCGYM.replace("==", "-")
    found = home / "bin" / "python"
    ready = home / "ready"
    if not ready.exists():
        venv.create(home, with_pip=True, clear=True)
        pip = [str(found), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *BESIDE], check=True)
        subprocess.run([*pip, "--no-deps", PCGYM], check=True)
        ready.touch()
    return found


class PcGym:
    """A running PC-Gym; one request at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(python()), str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def __enter__(self) -> Self:
        """The process itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the process."""
        with self._process:
            self._process.kill()

    def ask(self, what: str, **given: Any) -> dict[str, Any]:
        """Return the answer to a request.

        Raises:
            RuntimeError: where the process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": what} | given) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"PC-Gym ended while it was asked for {what}; run {python()} {SERVER} by hand to see why")
        answer: dict[str, Any] = json.loads(line)
        return answer


if __name__ == "__main__":
    sys.stdout.write(f"{python()}\n")
