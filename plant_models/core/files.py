"""Files that are put in place whole, so that a reader never sees half of one, and files that are not trusted."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from plant_models.core.errors import InvalidFile


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, making its folder where there is none; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def check_room(folder: Path) -> None:
    """See that files can be made in a folder, or where it is not there in the nearest above it; raises OSError."""
    place = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    with tempfile.TemporaryFile(dir=place):
        pass


def read_plain(path: Path, largest: int, refused: type[InvalidFile], remedy: str = "") -> bytes:
    """Return what a file holds; raises ``refused`` for a link, a file of more than ``largest`` bytes, and none at all."""
    try:
        if path.is_symlink() or path.stat().st_size > largest:
            raise refused(path, "size", f"a link or larger than {largest} bytes; allowed is a plain file below that")
        return path.read_bytes()
    except OSError as error:
        raise refused(path, "file", f"{error.strerror}{remedy}") from error


def json_object(path: Path, data: bytes, refused: type[InvalidFile]) -> dict[str, Any]:
    """Return the JSON object that a file held; raises ``refused`` where it held none."""
    try:
        found = json.loads(data)
    except ValueError as error:
        raise refused(path, "format", f"not JSON ({error})") from error
    if not isinstance(found, dict):
        raise refused(path, "format", "not a JSON object")
    return found
