"""What every test relies on: nothing is written to the user's own folders, and Hypothesis never measures time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.databases import database, postgres
from tests.safety import SHARED

__all__ = ["database", "postgres"]

settings.register_profile("setpoint", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("setpoint")


@pytest.fixture(scope="session", autouse=True)
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Points the default run store, for this process and its children, at a folder that goes with the session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setitem(os.environ, SHARED, str(_shared(tmp_path_factory)))
        yield


def _shared(factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the session: the one that was named, or its own, the parent's where this is one of its processes."""
    if SHARED in os.environ:
        return Path(os.environ[SHARED])
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
