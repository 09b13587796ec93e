"""A pair of twins run by a thread of its own: orders in a queue, a clock, and what readers see, published whole.

The thread alone touches the pair. Orders are carried out between two decisions, at once where the clock waits; one whose
controller or shield takes time to build waits for it beside the clock, and is carried out before the decision that comes next.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from controller.live.alarms import Alarm
from controller.live.case import Case
from controller.live.clock import Clock
from controller.live.commands import Command, Logged, Shield, Supervise, Swap
from controller.live.pair import Pair
from controller.live.prescription import What
from controller.live.ring import Samples
from controller.live.twin import Face
from controller.live.workshop import Kept
from plant_models.core.errors import BadInput, SetpointError
from plant_models.core.plant import SECONDS, Plant
from plant_models.core.scenario import Array

UNWATCHED, FORGOTTEN = 120.0, 1800.0
"""Seconds without a reader after which the clock pauses, and after which the session ends."""
APART = 0.02
"""Seconds between two publications where decisions follow each other faster."""
PATIENCE = 1.0
"""Seconds that who orders something waits to hear what came of it."""
KEPT_EVENTS = 200


@dataclass(frozen=True)
class Event:
    """A line of the session's journal: before which decision, and what: a command, or in words what came of itself."""

    number: int
    decision: int
    what: Command | str


@dataclass(frozen=True)
class TwinView:
    """One twin as it stands; ``share`` of the last move that the shield let through, below 0 where nothing was certified.

    ``supervised`` says who has the plant and why, both empty without a shell; ``foreseen`` are the outputs that NMPC expects,
    (samples, outputs), empty for others.
    """

    controller: str
    status: str
    faces: tuple[Face, ...]
    alarms: tuple[Alarm, ...]
    changes: tuple[What, ...]
    disturbances: Array
    foreseen: Array
    shielded: bool
    suspended: str
    share: float
    safe: bool
    total: float
    problem: str
    supervised: tuple[str, str]


@dataclass(frozen=True)
class View:
    """A session as it stands after so many publications, ``number``; ``slow`` says why the clock falls behind."""

    number: int
    decision: int
    running: bool
    over: bool
    speed: float
    slowed: int
    preparing: tuple[str, ...]
    twins: Mapping[str, TwinView]
    events: tuple[Event, ...]


class Session:
    """Twin plants that run until they are ended or forgotten; every method may be called from any thread.

    ``limits`` are the lowest and highest setpoint and output of each loop by tag, ``cascades`` whether it has a CAS, ``offered``
    the controllers that there are, ``parameters`` those of the true plants, by name.

    Raises:
        BadInput: where a controller cannot be had.
    """

    def __init__(self, case: Case, controllers: Sequence[str], workshop: Kept, speed: float = 1.0) -> None:
        self._pair = Pair(case, controllers, workshop)
        self.case, self.plant, self.columns = case, self._pair.plant, self._pair.columns
        self.offered, self.steps = workshop.names, self._pair.episodes.scenario.steps
        self.parameters = dict(zip(self.plant.Parameter.names(), self._pair.episodes.parameters[0].tolist(), strict=True))
        hands = self._pair.twins["A"].operated
        self.limits = {loop.tag: hands.limits(loop.tag) for loop in self.plant.loops}
        self.cascades = {loop.tag: hands.sent_to(loop.tag) for loop in self.plant.loops}
        self._workshop = workshop
        self._builds: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._clock = Clock(period_of(self.plant), speed, time.monotonic())
        self._orders: queue.SimpleQueue[tuple[Callable[[], None], Future[None]]] = queue.SimpleQueue()
        self._preparing: tuple[str, ...] = ()
        self._events: tuple[Event, ...] = ()
        self._seen, self._ended, self._told, self._untold = time.monotonic(), False, 0.0, False
        self._said = 0
        self._view = self._published(0)
        self._thread = threading.Thread(target=self._run, name="live-session", daemon=True)
        self._thread.start()
        builder = threading.Thread(target=self._build, name="live-builder", daemon=True)  # the program need not wait for it
        builder.start()

    @property
    def alive(self) -> bool:
        """Whether the session has not ended."""
        return self._thread.is_alive()

    @property
    def log(self) -> tuple[Logged, ...]:
        """The commands that were carried out, and before which decisions."""
        return self._pair.log

    def view(self) -> View:
        """Return the session as it stands; whoever asks keeps it awake."""
        self._seen = time.monotonic()
        return self._view

    def pace(self) -> float:
        """Return how many times as fast as real time the plants run."""
        return self._clock.pace(time.monotonic())

    def samples(self, twin: str, after: int) -> Samples:
        """Return the samples of a twin after one number, -1 for all that are kept."""
        return self._pair.rings[twin].after(after)

    def order(self, command: Command) -> bool:
        """Have a command carried out; returns False where that takes longer than a moment.

        Raises:
            BadInput: where it is refused.
        """
        wanted = self._to_build(command)
        if wanted is None:
            return self._wait(self._post(lambda: self._pair.apply(command)))
        words, build = wanted
        done: Future[None] = Future()
        self._post(lambda: self._prepare((*self._preparing, words)))
        self._builds.put(lambda: self._built(build, words, command, done))
        return self._wait(done)

    def run(self) -> None:
        """Let the clock run."""
        self._wait(self._post(lambda: self._clock.run(time.monotonic())))

    def pause(self) -> None:
        """Stop before the next decision."""
        self._wait(self._post(self._clock.pause))

    def step(self) -> None:
        """Make one decision and stop."""
        self._wait(self._post(self._clock.step))

    def speed(self, speed: float) -> None:
        """Run so many times as fast as real time, infinity for as fast as possible; raises BadInput."""
        self._wait(self._post(lambda: self._clock.set_speed(speed, time.monotonic())))

    def end(self) -> None:
        """End the session and let go of everything."""
        self._post(self._stop)
        self._thread.join(10.0)

    def _stop(self) -> None:
        self._ended = True

    def _to_build(self, command: Command) -> tuple[str, Callable[[], None]] | None:
        """Return what has to be built for a command, in words, and how, where there is something."""
        if isinstance(command, Swap):
            return self._workshop.preparation(command.controller, len(command.twins))
        if isinstance(command, Shield | Supervise) and command.on:
            return self._workshop.shielding(len(command.twins) if isinstance(command, Shield) else 0)
        return None

    def _build(self) -> None:
        """Build one after the other what was ordered, beside the clock."""
        for build in iter(self._builds.get, None):
            if not self._ended:
                build()

    def _built(self, build: Callable[[], None], words: str, command: Command, done: Future[None]) -> None:
        """Build, then have the command carried out."""
        try:
            build()
        except Exception as error:  # noqa: BLE001 - whoever ordered it hears of it
            problem = str(error)
            self._post(lambda: self._failed(words, problem))
            done.set_exception(error if isinstance(error, SetpointError) else BadInput(f"{words}: {error}"))
            return

        def carry_out() -> None:
            self._prepare(tuple(other for other in self._preparing if other != words))
            self._pair.apply(command)

        self._post(carry_out, done)

    def _failed(self, words: str, problem: str) -> None:
        self._prepare(tuple(other for other in self._preparing if other != words))
        self._note(problem)

    def _prepare(self, words: tuple[str, ...]) -> None:
        self._preparing = words

    def _post(self, do: Callable[[], None], done: Future[None] | None = None) -> Future[None]:
        future: Future[None] = Future() if done is None else done
        self._orders.put((do, future))
        return future

    def _wait(self, future: Future[None]) -> bool:
        try:
            future.result(PATIENCE)
        except TimeoutError:
            return False
        return True

    def _run(self) -> None:
        try:
            while not self._ended:
                self._turn()
        finally:
            self._pair.close()
            self._workshop.close()
            self._ended = True
            self._builds.put(None)

    def _turn(self) -> None:
        """Carry out an order, or wait for one until the next decision is due, or make that decision."""
        left = self._left()
        try:
            do, done = self._orders.get(timeout=min(left, 1.0)) if left > 0.0 else self._orders.get_nowait()
        except queue.Empty:
            if self._left() <= 0.0:
                self._decide()
            elif self._untold:
                self._publish()
            self._look_after()
            return
        before, problem = len(self._pair.log), None
        try:
            do()
        except Exception as error:  # noqa: BLE001 - whoever ordered it hears of it, and the plants go on
            problem = error if isinstance(error, SetpointError) else BadInput(f"refused: {error}")
            self._note(str(problem))
        for logged in self._pair.log[before:]:
            self._note(logged.command)
        self._publish()
        if problem is None:
            done.set_result(None)
        else:
            done.set_exception(problem)

    def _left(self) -> float:
        """Return the seconds until the next decision is due, infinity where there is none."""
        return math.inf if self._pair.over else self._clock.left(time.monotonic())

    def _decide(self) -> None:
        stages = {name: twin.status for name, twin in self._pair.twins.items()}
        self._pair.decide()
        self._pair.advance()
        self._clock.made(time.monotonic())
        for name, twin in self._pair.twins.items():
            if twin.status != stages[name]:
                self._note(f"{name}: {twin.status}")
        over = self._pair.over
        if over:
            self._clock.pause()
            self._note("the episode is over")
        self._untold = True
        if over or not self._clock.running or time.monotonic() - self._told >= APART:
            self._publish()
        if math.isinf(self._clock.speed):
            time.sleep(0)

    def _look_after(self) -> None:
        """Pause where nobody watches, end where nobody has for long."""
        unseen = time.monotonic() - self._seen
        if unseen > UNWATCHED and self._clock.running:
            self._clock.pause()
            self._note("paused: nobody watches")
            self._publish()
        if unseen > FORGOTTEN:
            self._ended = True

    def _note(self, what: Command | str) -> None:
        self._said += 1
        self._events = (*self._events, Event(self._said, self._pair.decision, what))[-KEPT_EVENTS:]

    def _publish(self) -> None:
        self._told, self._untold = time.monotonic(), False
        self._view = self._published(self._view.number + 1)

    def _published(self, number: int) -> View:
        pair, clock = self._pair, self._clock
        twins = {
            name: TwinView(
                twin.driver.name, twin.status, twin.faces(), pair.alarms[name], twin.standing(), twin.disturbances().copy(),
                twin.asked.foreseen, twin.shielded, twin.suspended if twin.shielded else "", twin.share, twin.safe, twin.total,
                twin.problem, twin.supervised,
            )
            for name, twin in pair.twins.items()
        }  # fmt: skip
        return View(
            number, pair.decision, clock.running, pair.over, clock.speed, clock.slowed, self._preparing, twins, self._events
        )


def period_of(plant: Plant) -> float:
    """Return the seconds of plant time in a decision."""
    return plant.decision * SECONDS[plant.time_unit]
