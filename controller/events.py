"""The event journal: alarms and what operators and the software did, in the order they came."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import insert, select, update

from controller.schema import EVENT
from controller.store import Store
from plant_models.core.errors import UnknownName


@dataclass(frozen=True)
class Event:
    """One entry: when (seconds since 1970), at which tag, of which kind and priority (1 is the highest), its state and text.

    ``run`` is the run it belongs to, None where it belongs to none; ``id`` grows, 0 until it is entered.
    """

    time: float
    tag: str
    kind: str
    priority: int
    state: str
    text: str
    run: str | None = None
    id: int = 0


def enter(store: Store, event: Event) -> Event:
    """Enter an event and return it with its number; raises UnknownName for its run."""
    row = {key: value for key, value in vars(event).items() if key != "id"}
    with store.transaction(event.run or "") as connection:
        return replace(event, id=int(connection.execute(insert(EVENT).values(**row).returning(EVENT.c.id)).scalar_one()))


def change(store: Store, event: int, state: str) -> None:
    """Set the state of an event; raises UnknownName."""
    with store.transaction() as connection:
        if connection.execute(update(EVENT).where(EVENT.c.id == event).values(state=state)).rowcount == 0:
            raise UnknownName(f"event {event}: not in the store")


def events(store: Store, run: str | None = None, after: int = 0, limit: int = 1000) -> list[Event]:
    """Return the newest events after number ``after``, newest first, of all runs or of one."""
    query = select(EVENT).where(EVENT.c.id > after).order_by(EVENT.c.id.desc()).limit(limit)
    rows = store.rows(query if run is None else query.where(EVENT.c.run == run))
    return [Event(**row._asdict()) for row in rows]
