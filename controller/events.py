"""The event journal: alarms and what operators and the software did, in the order they came."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import insert, select, update

from controller.schema import EVENT
from controller.store import Store
from controller.written import MOMENT, Kinds, sound
from plant_models.core.errors import UnknownName

Level = Literal["info", "warning", "error"]
LOG = "log"
"""The kind of what a run says of itself."""
UNSEEN = 4
"""The priority of what is recorded and calls for nobody, ISA-18.2's journal."""
_KINDS: Kinds = {"time": MOMENT, "priority": int}
_PRIORITIES: dict[Level, int] = {"error": 2, "warning": 3, "info": UNSEEN}


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

    @property
    def level(self) -> Level:
        """How serious it is, as a log has it."""
        return next((level for level, priority in _PRIORITIES.items() if self.priority <= priority), "info")


def enter(store: Store, event: Event) -> Event:
    """Enter an event and return it with its number; raises UnknownName for its run."""
    row = {key: value for key, value in vars(event).items() if key != "id"}
    with store.transaction(event.run or "") as connection:
        return replace(event, id=int(connection.execute(insert(EVENT).values(**row).returning(EVENT.c.id)).scalar_one()))


def say(store: Store, run: str, who: str, text: str, level: Level = "info") -> None:
    """Write a line into a run's log: ``who`` says what, now; raises UnknownName."""
    enter(store, Event(time.time(), who, LOG, _PRIORITIES[level], "noted", text, run))


def change(store: Store, event: int, state: str) -> None:
    """Set the state of an event; raises UnknownName."""
    with store.transaction() as connection:
        if connection.execute(update(EVENT).where(EVENT.c.id == event).values(state=state)).rowcount == 0:
            raise UnknownName(f"event {event}: not in the store")


def events(store: Store, run: str | None = None, after: int = 0, limit: int = 1000, lowest: int | None = None) -> list[Event]:
    """Return the newest events after number ``after``, newest first, of all runs or of one, down to priority ``lowest``."""
    query = select(EVENT).where(EVENT.c.id > after).order_by(EVENT.c.id.desc()).limit(limit)
    query = query if lowest is None else query.where(EVENT.c.priority <= lowest)
    rows = store.rows(query if run is None else query.where(EVENT.c.run == run))
    return [Event(**sound(store, row, _KINDS)._asdict()) for row in rows]
