"""The catalogue of faults that the shell is tried with: what goes wrong, and what has to become of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from controller.safety.instrument import Instruments
from controller.safety.misbehaviour import BEHAVED, Kind, Misbehaviour
from controller.safety.misreading import GOOD, Faulty
from controller.safety.state import MODES, Mode
from plant_models.core.fault import DeadBand, Jammed, Stiction, Valve
from plant_models.core.loop import Loop
from plant_models.core.plant import SECONDS, Plant

ONSET = 20
"""The decision at which each fault begins."""
HOURLY, LARGEST = 0.02, 0.05
"""Share of the span by which an instrument drifts in an hour, and at which the drift has to be known at the latest."""
LONGEST = 1000
"""Decisions that an episode may have."""
STICKS = 0.035
"""Stiction and play as a share of the span: the middle of what is usual (2 to 5 %)."""
OUTSIDE = 3.0
"""Half ranges by which parameters lie off their nominal values where they are outside what is declared."""
RUNAWAY = 1e6
"""Times the calibrated error of the estimate at which no plant is within its model's range."""
STALE = 5
"""Decisions by which replayed readings are old."""
BACKUP: tuple[Mode, ...] = ("BACKUP",)
STOPPED: tuple[Mode, ...] = ("BACKUP", "TRIPPED")
ANY = MODES


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fault and what is expected: one of ``modes`` and one of the ``words`` in the log ``within`` so many decisions.

    What goes wrong is a ``reading``, ``shared`` where the PID layer has it from the same transmitter, the ``policy``, a
    ``valve``, or the parameters, ``off`` by so many half ranges; or the corners lie ``runaway`` times as far away as they may.
    ``crossing``: a hard limit may be crossed.
    """

    code: str
    fault: str
    expected: str
    modes: tuple[Mode, ...]
    words: tuple[str, ...]
    within: int
    reading: Faulty = GOOD
    policy: Misbehaviour = BEHAVED
    valve: Valve | None = None
    off: float = 0.0
    runaway: float = 1.0
    shared: bool = False
    crossing: bool = False
    steps: int = 60
    onset: int = ONSET


def cases(plant: Plant, signals: Instruments) -> tuple[Case, ...]:
    """Return the catalogue for a plant; instruments fail at what its first supervised loop controls."""
    loop = final(plant)
    output = plant.Output.names().index(loop.pv)
    return *_lost(output), *_wrong(plant, signals, output), *_valves(plant, loop), *_broken(), *_policies(), _elsewhere()


def final(plant: Plant) -> Loop:
    """Return the loop that moves an input for the first loop that a supervisor acts on."""
    loop = (plant.acted or plant.loops)[0]
    while loop.sp_of:
        loop = plant.slave(loop)
    return loop


def _lost(output: int) -> tuple[Case, ...]:
    """F1: readings that are no numbers; the last one is held for three decisions, then the model stands in."""
    expected = "BACKUP in 3 decisions, F; no such number is used"
    kinds = (
        ("NaN for one decision", math.nan, 1),
        ("inf for five decisions", math.inf, 5),
        ("NaN from now on", math.nan, 10_000),
    )
    return tuple(
        Case(
            code="F1", fault=fault, expected=expected, modes=BACKUP, words=("is not a number",), within=3,
            reading=Faulty("value", output, value, ONSET, decisions),
        )
        for fault, value, decisions in kinds
    )  # fmt: skip


def _wrong(plant: Plant, signals: Instruments, output: int) -> tuple[Case, ...]:
    """F2 to F5: readings that are numbers and not the plant's."""
    span = float((signals.high - signals.low)[output])
    hours = plant.decision * SECONDS[plant.time_unit] / 3600.0
    allowed = min(math.ceil(LARGEST / HOURLY / hours), LONGEST - ONSET)
    beyond = float(signals.highest[output]) + span
    return (
        Case(
            code="F2", fault="instrument stuck", expected="BACKUP in 20 decisions", modes=BACKUP, within=20,
            words=("does not move", "against the model"), reading=Faulty("freeze", output, first=ONSET),
        ),
        Case(
            code="F3", fault="drift of 2 % of span an hour", expected="S before 5 % of span", modes=ANY, within=allowed,
            words=("against the model",), reading=Faulty("drift", output, HOURLY * span * hours, ONSET), steps=ONSET + allowed,
        ),
        Case(
            code="F2", fault="instrument stuck, PID's too", expected="BACKUP in 20 decisions", modes=BACKUP, within=20,
            words=("does not move", "against the model"), reading=Faulty("freeze", output, first=ONSET), shared=True,
        ),
        Case(
            code="F3", fault="the same drift, PID's too", expected="S before 5 % of span", modes=ANY, within=allowed,
            words=("against the model",), reading=Faulty("drift", output, HOURLY * span * hours, ONSET), steps=ONSET + allowed,
            shared=True,
        ),
        Case(
            code="F4", fault="spike beyond the range", expected="not used: BACKUP at once, F", modes=BACKUP, within=1,
            words=("outside the measuring range",), reading=Faulty("value", output, beyond, ONSET, 1),
        ),
        Case(
            code="F5", fault=f"readings replayed, {STALE} decisions old", expected="BACKUP at once, F", modes=BACKUP, within=1,
            words=("time stamp",), reading=Faulty("replay", output, STALE, ONSET),
        ),
    )  # fmt: skip


def _valves(plant: Plant, loop: Loop) -> tuple[Case, ...]:
    """F7 and F8: a valve that sticks, has play or is jammed."""
    q = plant.Input.quantities()[loop.mv]
    band, steps = STICKS * (q.high - q.low), 120
    worn = "M; the policy may go on"
    sticks = ("sticks or has play", "does not follow")
    return (
        Case(code="F7", fault="valve sticks by 3.5 %", expected=worn, modes=ANY, words=sticks, within=100,
             valve=Stiction(loop.mv, band), steps=steps),
        Case(code="F7", fault="valve has 3.5 % of play", expected=worn, modes=ANY, words=sticks, within=100,
             valve=DeadBand(loop.mv, band), steps=steps),
        Case(code="F8", fault="valve jammed", expected="BACKUP, tripped where the trip limit is met", modes=STOPPED, words=sticks,
             within=100, valve=Jammed(loop.mv, steps * plant.decision), steps=steps, crossing=True),
    )  # fmt: skip


def _broken() -> tuple[Case, ...]:
    """F9: what is looked ahead at runs away in the corners; a number out of the model's range certifies nothing."""
    return (
        Case(
            code="F9", fault="look-ahead runs away", expected="safe action at once, BACKUP", modes=BACKUP, within=2,
            words=("nothing is certified",), runaway=RUNAWAY, onset=0,
        ),
    )  # fmt: skip


def _policies() -> tuple[Case, ...]:
    """F10: a policy that gives nothing that can be used."""
    kinds: dict[Kind, str] = {
        "not a number": "not finite", "of another shape": "of another shape", "a second late": "silent",
        "an exception": "broken off",
    }  # fmt: skip
    return tuple(
        Case(code="F10", fault=f"policy's answer {kind}", expected="BACKUP in the same decision", modes=BACKUP, within=1,
             words=(said,), policy=Misbehaviour(kind, ONSET), steps=40)
        for kind, said in kinds.items()
    )  # fmt: skip


def _elsewhere() -> Case:
    """F11: a plant outside what is declared of it."""
    return Case(
        code="F11", fault=f"parameters {OUTSIDE:g} half ranges off", expected="alarm; the trip holds", modes=ANY, within=100,
        words=("nothing is certified", "no certified move", "against the model", "scatters", "intervened", "trip margin"),
        policy=Misbehaviour("everything at its upper end"), off=OUTSIDE, crossing=True, steps=120, onset=0,
    )  # fmt: skip
