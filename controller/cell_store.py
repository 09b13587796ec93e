"""Cells of benchmarks that were computed once and are kept: whoever asks for the same cell again takes it from here."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from controller.records import plain
from controller.schema import CELL
from controller.store import Store, insert_once

_AT_ONCE = 500
"""Keys in one query: databases bound how many values a query may carry."""


@dataclass(frozen=True)
class KeptCell:
    """A cell's result under the key that says all it depends on; ``block`` is what the result's JSON cannot hold.

    ``run`` is the benchmark that computed it, ``created`` seconds since 1970; numbers that are not finite come back as None.
    """

    key: str
    plant: str
    result: Mapping[str, Any]
    block: bytes | None = None
    run: str | None = None
    created: float = 0.0


def keep(store: Store, cell: KeptCell) -> bool:
    """Keep a cell and return True, or leave what is kept under its key and return False; raises UnknownName for its run."""
    row = {"key": cell.key, "plant": cell.plant, "result": plain(cell.result), "block": cell.block, "run": cell.run}
    with store.transaction(cell.run or "") as connection:
        return insert_once(connection, CELL, row | {"created": cell.created or time.time()})


def kept(store: Store, keys: Iterable[str]) -> dict[str, KeptCell]:
    """Return, by key, those of the cells that are kept."""
    wanted, found = list(keys), {}
    for i in range(0, len(wanted), _AT_ONCE):
        for row in store.rows(select(CELL).where(CELL.c.key.in_(wanted[i : i + _AT_ONCE]))):
            found[row.key] = KeptCell(**row._asdict())
    return found


def forget(store: Store, keys: Iterable[str]) -> int:
    """Drop cells, so that they are computed anew, and return how many were there."""
    wanted, gone = list(keys), 0
    with store.transaction() as connection:
        for i in range(0, len(wanted), _AT_ONCE):
            gone += connection.execute(delete(CELL).where(CELL.c.key.in_(wanted[i : i + _AT_ONCE]))).rowcount
    return gone
