"""Where a policy may be written, asked before a training begins: a policy takes the place of its folder whole."""

from __future__ import annotations

from pathlib import Path

from controller.fingerprint import WEIGHTS
from controller.policy import MANIFEST
from plant_models.core.errors import BadInput
from plant_models.core.files import check_room

LAST = "last"
"""Folder within a policy's folder: the policy that the training ended with, beside the best one."""
PARTS = frozenset((MANIFEST, WEIGHTS, LAST))
"""All that a policy's folder holds."""


def check_free(folder: Path) -> None:
    """See that a policy can be written to a folder that is new, empty or a policy's own; nothing is left behind.

    Raises:
        BadInput: where it is no folder, holds something else, which would be lost, or cannot be written.
    """
    check_writable(folder)
    other = sorted(each.name for each in folder.iterdir() if each.name not in PARTS) if folder.is_dir() else []
    if other:
        raise BadInput(f"folder {folder}: holds {other[0]!r}, which is no part of a policy and would be lost; name a new folder")


def check_writable(folder: Path) -> None:
    """See that files can be written to a folder, which need not be there; raises BadInput."""
    try:
        if folder.exists() and not folder.is_dir():
            raise BadInput(f"folder {folder}: a file; name a new folder")
        check_room(folder.absolute().parent)
    except OSError as error:
        raise BadInput(f"folder {folder}: cannot be written ({error.strerror}); name another folder") from error
