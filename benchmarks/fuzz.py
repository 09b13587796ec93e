"""Whatever comes, what leaves the shell is finite, in bounds and within the rate: fuzzed decisions and calls of the limiter.

``python -m benchmarks.fuzz --json``: decisions of the shell around plants in the field. In 100,000 of them readings, time
stamps, what the PID layer says, setpoints, the operator's request and command, and the policy's answer may be wrong: NaN,
infinite, huge, denormal, of another type or shape, or nothing at all. In between are calm times in which all is true, so that
every mode is entered again and again. And 100,000 commands to the limiter of one sort and another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from benchmarks.provenance import arguments, report
from controller.safety.fault_trial import EARNED
from controller.safety.field import Field, Reading
from controller.safety.given import Given, Shapes, given
from controller.safety.governor import Calibration
from controller.safety.known import calibrated
from controller.safety.limiter import limited
from controller.safety.record import Record
from controller.safety.shell import Shell
from controller.safety.signal_limits import instruments
from controller.safety.watchdog import Answer, checked
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command
from plant_models.env.scenario import draw

EPISODES, STEPS = 110, 1200
TENTH = {True: "quadruple_tank", False: "exothermic_cstr"}
"""Which plant every tenth episode is of, and all others: a decision of the tanks costs ten times one of the reactor."""
MODEST, CALM, WAVE = 100, 140, 600
"""Of so many decisions in a row the first are calm, more than a policy needs to earn the plant; else anything may come.

After the modest ones the hierarchy swings all setpoints from end to end, which no shield lets through as it is.
"""
SWING = 7
"""Decisions that it stays at an end, half the reactor's resonance."""
ROUNDING = 1e-9
LIMITED = 100_000
"""Calls of the limiter."""
JUNK = (np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -5e-324, 0.0, 1e6, -1.0, 341.0)
OTHERS: tuple[object, ...] = (
    None, "7", True, 3, 2.5, {}, [], [[1.0, 2.0], [3.0]], ["a"], np.zeros(7), np.zeros((3, 1)), np.array([1j]), np.array(["x"]),
    np.array([None]), np.zeros((1, 0)), [10**400], np.array([True, False]), object(),
)  # fmt: skip
REQUESTS: tuple[object, ...] = ("none", "manual", "auto", "acknowledge", "trip", None, 3, np.nan, ["auto"], b"auto")


@dataclass(frozen=True)
class Counts:
    """What came of decisions: commands ``not_finite``, commands or inputs ``out_of_bounds``, and inputs that moved ``too_fast``.

    ``fuzzed`` are the decisions in which something was wrong, ``modes`` how many each mode decided.
    """

    decisions: int = 0
    fuzzed: int = 0
    not_finite: int = 0
    out_of_bounds: int = 0
    too_fast: int = 0
    raised: int = 0
    modes: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Counts) -> Counts:
        """Add the counts of further decisions."""
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def measure(episodes: int, steps: int, calls: int) -> dict[str, Any]:
    """Return the counts of so many episodes of the shell, all plants together, and of so many calls of the limiter."""
    plants = {name: get(name) for name in TENTH.values()}
    known = {name: calibrated(plant, plant.scenario()) for name, plant in plants.items()}
    names = [TENTH[seed % 10 == 1] for seed in range(episodes)]
    found = sum((episode(plants[name], known[name], seed, steps) for seed, name in enumerate(names)), Counts())
    return vars(found) | {"limiter": limiting(calls)}


def episode(plant: Plant, known: Calibration, seed: int, steps: int) -> Counts:
    """Run one plant on whatever comes, and count."""
    records, moved = list[Record](), list[Array]()
    try:
        for record, u in course(plant, known, seed, steps):
            records.append(record)
            moved.append(u)
    except Exception:  # noqa: BLE001 - whatever is raised is what is looked for
        return counted(plant, records, moved) + Counts(decisions=1, raised=1)
    return counted(plant, records, moved)


def course(plant: Plant, known: Calibration, seed: int, steps: int) -> Iterator[tuple[Record, Array]]:
    """Yield each decision's record, and where the inputs stand after it, (inputs,)."""
    rng = np.random.default_rng([seed, 7])
    scene = Field(plant, draw(plant, replace(plant.scenario(), steps=steps), seed, 1, "judging"))
    calm = (np.arange(steps) % WAVE < CALM).tolist()
    asked = iter(calm)

    def answer(used: Array) -> Answer:
        good = np.full((1, len(plant.acted)), 0.5)
        return checked(good if next(asked) else junk(rng, good), good.shape)

    shell = Shell(plant, known, instruments(plant), answer, EARNED)
    for k in range(steps):
        now = fuzzed(rng, plant, shell.shapes, scene, k % WAVE)
        if k == 0:
            shell.begin(now)
        record = shell.decide(now)
        scene.command(Command(np.array([record.sent.r]), np.array([record.sent.a]), np.array([record.sent.safe])))
        yield record, scene.read().u[0].copy()


def counted(plant: Plant, records: Sequence[Record], moved: Sequence[Array]) -> Counts:
    """Count the commands and the inputs, (inputs,) after each decision, that are not as they must be."""
    low, high, rate = np.array([(q.low, q.high, q.rate) for q in plant.Input.quantities().values()]).T
    u, wide = np.array(moved).reshape(-1, len(low)), ROUNDING * (high - low)
    within = (u >= low - wide) & (u <= high + wide)
    slow = np.abs(np.diff(u, axis=0)) <= rate * plant.decision * (1.0 + ROUNDING)
    ends = np.array([*((loop.low, loop.high) for loop in plant.masters), *([(-1.0, 1.0)] * len(plant.acted))]).T
    sent = np.array([(*record.sent.r, *record.sent.a) for record in records]).reshape(-1, ends.shape[1])
    allowed = ((ends[0] <= sent) & (sent <= ends[1])).all(axis=1) & within.all(axis=1)
    return Counts(
        len(records), sum(k % WAVE >= CALM for k in range(len(records))), int((~np.isfinite(sent).all(axis=1)).sum()),
        int((~allowed).sum()), int((~slow.all(axis=1)).sum()), 0, Counter(record.mode for record in records),
    )  # fmt: skip


def fuzzed(rng: np.random.Generator, plant: Plant, shapes: Shapes, scene: Field, turn: int) -> Given:
    """Return what a decision of a wave is given, each part of it with a chance wrong in any way; in calm times what is true."""
    true = scene.read()
    if turn < CALM:
        r = (
            scene.simulator.sent
            if turn < MODEST
            else np.array([[(loop.low, loop.high)[turn // SWING % 2] for loop in plant.masters]])
        )
        return given(shapes, true, r, request=("acknowledge", "auto", "none")[rng.integers(3)])
    parts = {name: junk(rng, part) if rng.random() < 0.5 else part for name, part in vars(true).items()}
    request = REQUESTS[rng.integers(len(REQUESTS))]
    r, a, age = scene.simulator.sent, 0.3 * np.ones(len(plant.acted)), np.zeros(true.y.shape[1])
    hand = junk(rng, np.array([*np.ravel(r), *a]))
    return given(shapes, Reading(**parts), junk(rng, r), junk(rng, age), request, hand)  # type: ignore[arg-type]


def junk(rng: np.random.Generator, good: Array) -> object:
    """Return what may come in place of numbers: mostly the numbers, else some of them wrong, all of them, or no numbers."""
    kind = rng.random()
    if kind < 0.5:
        return good
    if kind > 0.8:
        return OTHERS[rng.integers(len(OTHERS))]
    wrong = np.array(good, dtype=float)
    struck = rng.random(wrong.shape) < (0.3 if kind < 0.65 else 1.0)
    wrong[struck] = rng.choice(JUNK, int(struck.sum()))
    return wrong


def limiting(calls: int) -> dict[str, int]:
    """Return how many calls of the limiter were ``refused``, as what is no command must be, and how many broke its promise."""
    rng, refused, broken = np.random.default_rng(8), 0, 0
    for _ in range(calls):
        low, last, high = np.sort(rng.choice([*JUNK[3:], *rng.normal(0.0, 100.0, 5)], (3, 2)), axis=0)
        rate, asked = np.abs(rng.choice([0.0, 5e-324, 1.0, 1e308, np.inf], 2)), junk(rng, rng.normal(0.0, 200.0, 2))
        try:
            left = limited(asked, last, low, high, rate)  # type: ignore[arg-type]
        except BadInput:
            refused += 1
            continue
        with np.errstate(over="ignore"):
            kept = np.isfinite(left) & (low <= left) & (left <= high) & (np.abs(left - last) <= rate)
        broken += not kept.all()
    return {"calls": calls, "refused": refused, "broken": broken}


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    report(measure(1, 200, 1000) if options.quick else measure(EPISODES, STEPS, LIMITED), options)
