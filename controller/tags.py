"""What users write on runs: tags, and whether a run is put away."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, func, select, update

from controller.schema import RUN, TAG
from controller.store import Store, insert_once
from plant_models.core.errors import BadInput, UnknownName

LONGEST = 64  # characters of a tag


def add(store: Store, run: str, tag: str) -> None:
    """Tag a run; a tag that it has stays. Raises BadInput for an empty or long tag, UnknownName for an unknown run."""
    with store.transaction(run) as connection:
        insert_once(connection, TAG, {"run": run, "tag": _checked(tag)})


def remove(store: Store, run: str, tag: str) -> None:
    """Take a tag from a run; nothing happens where it has none such."""
    with store.transaction(run) as connection:
        connection.execute(delete(TAG).where(TAG.c.run == run, TAG.c.tag == tag))


def of_runs(store: Store, runs: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
    """Return the tags, in order, of every run that has one, or of those of ``runs`` that have one."""
    query = select(TAG).order_by(TAG.c.run, TAG.c.tag)
    found: dict[str, tuple[str, ...]] = {}
    for row in store.rows(query if runs is None else query.where(TAG.c.run.in_(list(runs)))):
        found[row.run] = (*found.get(row.run, ()), row.tag)
    return found


def used(store: Store) -> dict[str, int]:
    """Return every tag in use, in order, with the number of its runs."""
    rows = store.rows(select(TAG.c.tag, func.count().label("runs")).group_by(TAG.c.tag).order_by(TAG.c.tag))
    return {row.tag: int(row.runs) for row in rows}


def archive(store: Store, run: str, archived: bool = True) -> None:
    """Put a run away, or take it out again; raises UnknownName."""
    with store.transaction(run) as connection:
        if connection.execute(update(RUN).where(RUN.c.id == run).values(archived=archived)).rowcount == 0:
            raise UnknownName(f"run {run[:64]!r}: not in the store; `setpoint runs` lists what it holds")


def _checked(tag: str) -> str:
    stripped = tag.strip()
    if not stripped or len(stripped) > LONGEST or not stripped.isprintable():
        raise BadInput(f"tag {tag[:LONGEST]!r}: expected 1 to {LONGEST} printable characters")
    return stripped
