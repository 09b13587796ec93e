"""Which policy it is: the sha256 of its weights, by which runs name what drove them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from plant_models.core.errors import InvalidFile

WEIGHTS = "weights.safetensors"
"""The file of a policy's folder that holds them."""


def fingerprint(source: Path) -> str:
    """Return the sha256 of the weights in a policy's folder, which a copy shares; raises InvalidFile where there are none."""
    try:
        return hashlib.sha256((source / WEIGHTS).read_bytes()).hexdigest()
    except OSError as error:
        raise InvalidFile(source / WEIGHTS, "file", f"{error.strerror}; give the folder that training wrote") from error
