"""Looks last for claims that no test held."""

from __future__ import annotations

from pathlib import Path

import pytest

LAST = Path(__file__).parent / "test_claims.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path == LAST)
