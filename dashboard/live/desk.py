"""Where live sessions are started: the controllers that a plant can be driven by, and the sessions that run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from controller.records import RunRecord
from controller.store import runs_folder
from plant_models.core.errors import UnknownName, unknown

if TYPE_CHECKING:
    from controller.interface import Controller
    from controller.live.session import Session
    from controller.live.sessions import Sessions
    from plant_models.core.plant import Plant

LEVEL = "setpoint"
FASTEST = 2.0
"""Decisions a second that a session makes at least when it begins."""


class Choice(NamedTuple):
    """A controller by the name that sessions know it by, and in words."""

    name: str
    words: str


class Start(NamedTuple):
    """What a session is started with: the case, and the controllers of both twins by name."""

    plant: str
    scenario: str
    seed: int
    controllers: tuple[str, str]


class Desk:
    """Starts sessions, with the policies that ``runs`` left; loading plants and NMPC waits until the first one."""

    def __init__(self, runs: Callable[[], Sequence[RunRecord]]) -> None:
        self._runs = runs

    @cached_property
    def sessions(self) -> Sessions:
        """The sessions that run."""
        from controller.live.sessions import Sessions

        return Sessions()

    def policies(self, plant: str) -> list[Choice]:
        """Return the policies trained on a plant, the best first."""
        from controller.policy import MANIFEST

        found = [run for run in self._runs() if run.plant == plant and run.config.get("level", LEVEL) == LEVEL]
        kept = [run for run in found if (runs_folder() / run.id / "policy" / MANIFEST).is_file()]
        ranked = sorted(kept, key=lambda run: -run.best if math.isfinite(run.best) else math.inf)
        return [Choice(f"{run.controller} {run.id}", f"{run.controller.upper()} {run.id}, {_score(run)}") for run in ranked]

    def controllers(self, plant: str) -> list[Choice]:
        """Return what may drive a plant: PID, its policies, NMPC."""
        return [Choice("pid", "PID as tuned"), *self.policies(plant), Choice("nmpc", "NMPC, same information")]

    def start(self, wanted: Start) -> str:
        """Start a session, paused at its first decision, and return its name.

        Raises:
            UnknownName: for a plant, a scenario or a controller that there is not.
            BadInput: where it cannot run, or too many sessions do.
        """
        offered = [choice.name for choice in self.controllers(wanted.plant)]
        for name in wanted.controllers:
            if name not in offered:
                raise UnknownName(unknown("controller", name[:80], offered))
        best = [choice.name for choice in self.policies(wanted.plant)][:1]
        return self.sessions.begin(partial(_begun, wanted, best))


def _score(run: RunRecord) -> str:
    return f"best return {run.best:.4g}".replace("-", "−") if math.isfinite(run.best) else "no score"


def _begun(wanted: Start, best: Sequence[str]) -> Session:
    """Make the session with the controllers asked for, and the best policy to change to.

    NMPC, which takes long to build, takes over from PID once it is there.
    """
    from controller.live.case import Case
    from controller.live.commands import TWINS, Swap
    from controller.live.session import Session, period_of
    from controller.live.workshop import PID, Kept
    from controller.nmpc import NAMES

    case = Case(wanted.plant, wanted.scenario, wanted.seed)
    policies = [name for name in (*wanted.controllers, *best) if name != PID and name not in NAMES]
    workshop = Kept(case, {name: partial(_loaded, name) for name in policies})
    at_once = [PID if name in NAMES else name for name in wanted.controllers]
    session = Session(case, at_once, workshop)
    session.speed(pleasant(period_of(session.plant)))
    for twin, name in zip(TWINS, wanted.controllers, strict=True):
        if name in NAMES:
            session.order(Swap((twin,), name))
    return session


def pleasant(period: float) -> float:
    """Return the lowest speed at which a plant whose decisions are ``period`` seconds apart can be watched."""
    from controller.live.clock import SPEEDS

    return next((speed for speed in SPEEDS if speed / period >= FASTEST), SPEEDS[-2])


def _loaded(name: str, plant: Plant) -> Controller:
    from controller.policy import load

    return load(runs_folder() / name.partition(" ")[2] / "policy", plant)
