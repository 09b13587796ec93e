"""A simulated plant run by the shell for a whole episode, and an episode repeated from the records that it left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from controller.safety.evidence import Request
from controller.safety.field import Field
from controller.safety.given import Given, Shapes, given
from controller.safety.governor import Calibration
from controller.safety.instrument import Instruments
from controller.safety.misreading import GOOD, Faulty, misread
from controller.safety.record import Record
from controller.safety.shell import Shell
from controller.safety.signal_limits import instruments
from controller.safety.state import State
from controller.safety.watchdog import Answer, Watchdog
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import TRIPPED
from plant_models.env.lookahead import Command
from plant_models.env.scenario import Episodes, Single
from plant_models.env.simulator import Simulator

Act = Callable[[Single], object]
"""What a policy answers to the observation of one plant, (1, entries): an array (1, actions), or whatever else it is."""
DEADLINE = 0.5  # s


@dataclass(frozen=True)
class Hand:
    """An operator's ``request`` at decision ``at``, with a ``command`` (masters + actions) on the panel from then on."""

    at: int
    request: Request
    command: tuple[float, ...] = ()


@dataclass(frozen=True)
class Course:
    """What came of an episode: the ``records``, one more where the plant's protection stopped it, and what the plant did.

    Of the true plant the smallest margins ``lowest`` (decisions, margins); at the end of each the inputs ``u`` (decisions,
    inputs), the outputs ``y`` (decisions, outputs) as instruments in good order show them, and its ``status`` (decisions,).
    """

    records: tuple[Record, ...]
    lowest: Array
    u: Array
    y: Array
    status: Array


def operate(
    episodes: Episodes, known: Calibration, act: Act, fault: Faulty = GOOD, state: State | None = None,
    hands: Sequence[Hand] = (), plant: Plant | None = None, deadline: float = DEADLINE,
) -> Course:  # fmt: skip
    """Run one episode; ``plant`` is what the shell takes the plant for, where faults make the simulated one another."""
    field, of = Field(episodes.plant, episodes), plant or episodes.plant
    watchdog = Watchdog(act, (1, len(of.acted)), deadline)
    shell = Shell(of, known, instruments(of), lambda used: watchdog.ask(observed(field.simulator, used)), state)
    try:
        return _run(field, shell, fault, hands)
    finally:
        watchdog.close()


def _run(field: Field, shell: Shell, fault: Faulty, hands: Sequence[Hand]) -> Course:
    records, past, rows = list[Record](), list[Array](), list[tuple[Array, ...]]()
    while len(records) < field.episodes.scenario.steps and field.running[0]:
        now = _given(field, shell.shapes, fault, past, hands)
        if not records:
            shell.begin(now)
        record = shell.decide(now)
        field.command(Command(np.array([record.sent.r]), np.array([record.sent.a]), np.array([record.sent.safe])))
        records.append(record)
        after = field.read()
        rows.append((field.lowest[0].copy(), after.u[0].copy(), after.y[0].copy(), field.simulator.S.read("status")[0].copy()))
    if field.simulator.S.read("status")[0] == TRIPPED:
        records.append(shell.decide(_given(field, shell.shapes, fault, past, hands)))
    return Course(tuple(records), *(np.array(part) for part in zip(*rows, strict=True)))


def _given(field: Field, shapes: Shapes, fault: Faulty, past: list[Array], hands: Sequence[Hand]) -> Given:
    """Read the plant, with the fault between it and the shell, and the operator's panel."""
    reading = field.read()
    past.append(reading.y[0].copy())
    y, age = misread(fault, past)
    k = len(past) - 1
    request = next((hand.request for hand in hands if hand.at == k), "none")
    command = next((hand.command for hand in reversed(hands) if hand.at <= k and hand.command), None)
    return given(shapes, replace(reading, y=y[None]), field.simulator.sent, age, request, command)


def observed(simulator: Simulator, used: Array) -> Single:
    """Return the observation of one plant as it would be with these readings, (1, entries); the plant stays as it is."""
    true = simulator.S.read("y").copy()
    simulator.S.write("y", used.T)
    try:
        return simulator.observe()
    finally:
        simulator.S.write("y", true)


def repeated(
    plant: Plant, known: Calibration, signals: Instruments, records: Sequence[Record], state: State | None = None
) -> tuple[Record, ...]:
    """Return what a new shell decides on what records were given, the policy's recorded answers in place of the policy."""
    answers = iter([record.answer for record in records])

    def ask(used: Array) -> Answer:
        return next(answers)

    shell = Shell(plant, known, signals, ask, state)
    shell.begin(records[0].given)
    return tuple(shell.decide(record.given) for record in records)
