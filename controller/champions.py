"""Which policy is released for a plant and a scenario, every verdict that was given, and the way back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from controller.records import plain
from controller.schema import CHAMPION, PROMOTION
from controller.store import Store, insert_once
from controller.written import MOMENT, Kinds, sound
from plant_models.core.errors import BadInput, UnknownName

_KINDS: Kinds = {"judged": MOMENT, "verdict": dict}


@dataclass(frozen=True)
class Promotion:
    """One verdict on a challenger: its run and policy folder, when it was judged (seconds since 1970), and the reasons.

    ``previous`` is the number of the promotion that was champion then, None where none was.
    """

    plant: str
    scenario: str
    policy: str
    accepted: bool
    verdict: Mapping[str, Any]
    run: str | None = None
    previous: int | None = None
    judged: float = 0.0
    id: int = 0


def champion(store: Store, plant: str, scenario: str) -> Promotion | None:
    """Return the promotion whose policy is released, None where none is."""
    where = (CHAMPION.c.plant == plant) & (CHAMPION.c.scenario == scenario)
    rows = store.rows(select(PROMOTION).join(CHAMPION, CHAMPION.c.promotion == PROMOTION.c.id).where(where))
    return _promotion(store, rows[0]) if rows else None


def promotions(store: Store, plant: str | None = None, limit: int = 1000) -> list[Promotion]:
    """Return every verdict, accepted or not, newest first."""
    query = select(PROMOTION).order_by(PROMOTION.c.id.desc()).limit(limit)
    return [_promotion(store, row) for row in store.rows(query if plant is None else query.where(PROMOTION.c.plant == plant))]


def held(standing: Promotion | None, given: Sequence[Promotion]) -> set[int]:
    """Return the numbers of a case's champion and of those that it and its predecessors replaced; others were rolled back."""
    previous, found, now = {each.id: each.previous for each in given}, set[int](), standing.id if standing else None
    while now is not None and now not in found:
        found.add(now)
        now = previous.get(now)
    return found


def judge(store: Store, given: Promotion) -> Promotion:
    """Record a verdict, and where it accepts make the challenger champion, both or neither; return it with its number.

    Raises:
        BadInput: where the champion is no longer ``given.previous``, against which the challenger was judged.
        UnknownName: where its run is not in the store.
    """
    row = {key: value for key, value in vars(given).items() if key != "id"}
    row |= {"verdict": plain(given.verdict), "judged": given.judged or time.time()}
    with store.transaction(given.run or "") as connection:
        entered = connection.execute(insert(PROMOTION).values(**row).returning(PROMOTION)).one()
        if given.accepted:
            _move(connection, given.plant, given.scenario, given.previous, entered.id)
    return _promotion(store, entered)


def roll_back(store: Store, plant: str, scenario: str) -> Promotion | None:
    """Make the champion's predecessor champion again, and return it, None where it had none.

    Raises:
        UnknownName: where there is no champion.
        BadInput: where it changed meanwhile.
    """
    current = champion(store, plant, scenario)
    if current is None:
        raise UnknownName(f"{plant}, scenario {scenario!r}: no champion to take back; promote a run first")
    with store.transaction() as connection:
        _move(connection, plant, scenario, current.id, current.previous)
    return champion(store, plant, scenario)


def _move(connection: Connection, plant: str, scenario: str, expected: int | None, to: int | None) -> None:
    """Point from one promotion to another, unless somebody else was faster."""
    case = {"plant": plant, "scenario": scenario}
    here = (CHAMPION.c.plant == plant) & (CHAMPION.c.scenario == scenario)
    if expected is None:
        moved = insert_once(connection, CHAMPION, case | {"promotion": to})
    else:
        where = here & (CHAMPION.c.promotion == expected)
        change = delete(CHAMPION).where(where) if to is None else update(CHAMPION).where(where).values(promotion=to)
        moved = connection.execute(change).rowcount > 0
    if not moved:
        raise BadInput(f"{plant}, scenario {scenario!r}: another champion was named meanwhile; judge again")


def _promotion(store: Store, row: Row[Any]) -> Promotion:
    return Promotion(**sound(store, row, _KINDS)._asdict())
