"""The folder of what is generated and compiled once: files are put in place whole, by whichever process is last."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import platformdirs

from plant_models.core.files import write_whole


def kept(name: str, make: Callable[[], bytes], sound: Callable[[Path], bool]) -> Path:
    """Return the file of this name, made anew where it is not there or not ``sound``.

    Where the user's cache folder is not writable, a folder for this process alone serves.
    """
    folder = Path(platformdirs.user_cache_dir("setpoint")) / "kernels"
    try:
        return _kept(folder, name, make, sound)
    except OSError as error:
        return _kept(_elsewhere(folder, error.strerror or "no reason given"), name, make, sound)


@cache
def _elsewhere(folder: Path, reason: str) -> Path:
    """Return a folder for this process alone, and say so once."""
    temporary = Path(tempfile.mkdtemp(prefix="setpoint-kernels-"))
    sys.stderr.write(f"kernels are compiled anew in {temporary}: {folder} is not writable ({reason})\n")
    return temporary


def _kept(folder: Path, name: str, make: Callable[[], bytes], sound: Callable[[Path], bool]) -> Path:
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(13, "permission denied")
    if not (path.exists() and sound(path)):
        write_whole(path, make())
    return path
