"""Rows of the run store held against what is written there: SQLite keeps whatever it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from sqlalchemy import Row

from controller.store import Store
from plant_models.core.errors import BadInput

NUMBER = (int, float)
MOMENT: Final = "moment"
"""A point in time in seconds since 1970, of which calendars know the date; None where the column allows it."""
LAST = 253_402_128_000.0
"""Two days before the year 10000, where Python's calendar ends: a time zone may add one."""
Kinds: TypeAlias = Mapping[str, "type | tuple[type, ...] | str"]


def sound(store: Store, row: Row[Any], kinds: Kinds) -> Row[Any]:
    """Return a row whose entries are of the kinds that are written; raises BadInput."""
    for name, kind in kinds.items():
        if not _fits(getattr(row, name), kind):
            what = f"{name} of {row.id!r} is not what was written"
            raise BadInput(f"store {store.url}: {what}; move the store away to begin a new one")
    return row


def _fits(value: object, kind: type | tuple[type, ...] | str) -> bool:
    if isinstance(kind, str):
        return value is None or (isinstance(value, NUMBER) and 0.0 <= value <= LAST)
    return isinstance(value, kind)
