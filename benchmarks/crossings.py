"""What stood behind a hard limit that was crossed behind the shield: a certificate given in vain, or no certificate.

A certificate is in vain where the limit is crossed in a decision in which one was given. Else nothing was certified in that
decision: for how many decisions in a row that had been so, and whether anything had ever been certified, tells how the plant
came there. What a shield begins with, the hierarchy's first command, may itself cross a limit where it is held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.safety.field import Field, unmoved
from controller.safety.governor import Calibration, Governor
from controller.safety.shield import UNCERTIFIED, copied
from controller.safety.stress import TOGETHER
from controller.safety.trial import Send, Supervisor, hard, joined, limits, trial
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command
from plant_models.env.scenario import Episodes, draw


@dataclass(frozen=True)
class Crossing:
    """How one ``episode`` came to cross a hard limit.

    The margin of ``limit`` fell below zero first in this ``decision``, and to ``lowest`` in the whole episode, in its own unit.
    ``uncertified`` decisions in a row, that one included, had no certificate; ``foreseen`` is the margin that the last
    certificate foresaw, None where there had been none.
    """

    episode: int
    decision: int
    limit: str
    lowest: float
    uncertified: int
    foreseen: float | None


@dataclass(frozen=True)
class Course:
    """What became of ``n`` plants: true hard margins ``lowest`` and those ``foreseen``, (decisions, n, hard limits).

    ``certified`` (decisions, n) tells where there was a certificate; elsewhere nothing is foreseen, NaN.
    """

    lowest: Array
    foreseen: Array
    certified: NDArray[np.bool_]


def found(supervisor: Supervisor, known: Calibration, plant: Plant, episodes: int, seed: int) -> dict[str, Any]:
    """Return how many judging episodes crossed a hard limit with a certificate and without one, and each of them."""
    each = [one for first in range(0, episodes, TOGETHER) for one in _lot(supervisor, known, plant, episodes, first, seed)]
    certified = sum(one.uncertified == 0 for one in each)
    counts = {"episodes": episodes, "certified": certified, "uncertified": len(each) - certified}
    return counts | {"each": [asdict(one) for one in each]}


def _lot(supervisor: Supervisor, known: Calibration, plant: Plant, episodes: int, first: int, seed: int) -> Iterator[Crossing]:
    return crossed(course(supervisor, _drawn(plant, episodes, first, seed), known, first), plant, first)


def _drawn(plant: Plant, episodes: int, first: int, seed: int) -> Episodes:
    return draw(plant, plant.scenario(), seed, min(TOGETHER, episodes - first), "judging", first)


def course(supervisor: Supervisor, drawn: Episodes, known: Calibration, first: int = 0) -> Course:
    """Run episodes behind the shield from start to end."""
    episodes = supervisor.plan(drawn)
    field, n, at = Field(episodes.plant, episodes), len(episodes), hard(episodes.plant)
    reading, send, governor = field.read(), supervisor.begin(episodes, first), Governor(episodes.plant, n, known)
    governor.begin(np.arange(n), reading, unmoved(field))
    lowest, foreseen, certified = list[Array](), list[Array](), list[NDArray[np.bool_]]()
    for k in range(episodes.scenario.steps):
        decision = governor.allow(governor.estimate(reading), send(field, k))
        field.command(decision.sent)
        reading = field.read()
        lowest.append(field.lowest[:, at].copy())
        foreseen.append(decision.foreseen[:, at])
        certified.append(decision.share > UNCERTIFIED)
    return Course(np.stack(lowest), np.stack(foreseen), np.stack(certified))


def crossed(ran: Course, plant: Plant, first: int = 0) -> Iterator[Crossing]:
    """Return how each episode that crossed a hard limit came to it; the first of them has this number."""
    names = np.array(limits(plant))[hard(plant)]
    beyond = ~(ran.lowest >= 0.0)
    for e in np.flatnonzero(beyond.any(axis=(0, 2))):
        k = int(beyond[:, e].any(axis=1).argmax())
        c = int(beyond[k, e].argmax())
        with_one = np.flatnonzero(ran.certified[: k + 1, e])
        last = int(with_one[-1]) if len(with_one) else -1
        foreseen = float(ran.foreseen[last, e, c]) if last >= 0 else None
        yield Crossing(first + int(e), k, str(names[c]), float(ran.lowest[:, e, c].min()), k - last, foreseen)


def held(plant: Plant, episodes: int, seed: int) -> dict[str, Any]:
    """Return how many judging episodes cross a hard limit where what is sent first is held to their end, without a shield.

    That is what a shield sends that lets nothing through and has nothing better. ``smallest`` are the smallest margins.
    """
    lots = [trial(_holding(), _drawn(plant, episodes, first, seed), None, first) for first in range(0, episodes, TOGETHER)]
    ran, at = joined(lots), np.flatnonzero(hard(plant))
    smallest = {limits(plant)[c]: float(ran.lowest[:, c].min()) for c in at}
    return {"episodes": episodes, "violating": int(ran.violating(plant).sum()), "smallest": smallest}


def _holding() -> Supervisor:
    """Return who goes on sending what the hierarchy sends by itself in the first decision."""

    def begin(_: Episodes, __: int) -> Send:
        first = list[Command]()

        def send(field: Field, _: int) -> Command:
            if not first:
                first.append(copied(unmoved(field)))
            return first[0]

        return send

    return Supervisor("held", begin)
