"""Alarms of one plant in the states of ISA-18.2: from margins, instrument ranges, the trip and the shield.

An alarm comes after its on-delay and goes once its condition has been clear, by more than the deadband, for its off-delay.

Source: ANSI/ISA-18.2-2016, Management of alarm systems for the process industries, section 5.4 (alarm state transitions) and
annex on deadbands and delays; deadbands and delays are this project's own, in the sizes that EEMUA 191 starts from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from controller.safety.corners import scales
from plant_models.core.plant import Plant
from plant_models.derive.layout import layout

Stage = Literal["normal", "unacknowledged", "acknowledged", "returned", "shelved"]
"""``returned``: the condition has gone and nobody has acknowledged that it was there."""
Priority = Literal[1, 2, 3]
"""1 asks for an operator at once, 3 is to be known."""
MARGIN_DEADBAND, RANGE_DEADBAND = 0.02, 0.01
"""Of the nominal margin, and of an instrument's range."""
PRIORITIES: dict[str, Priority] = {"hard": 1, "trip": 1, "soft": 3}
WORDS = {"hard": "hard limit crossed", "soft": "soft limit crossed", "trip": "trip limit crossed"}
STOPPED, UNCERTIFIED = "stopped", "shield"


@dataclass(frozen=True)
class Alarm:
    """An alarm, what it is raised by, and where it stands.

    Its quantity is that ``source``; it is abnormal below ``low`` or above ``high``, and normal again ``deadband`` within.
    Delays are in decisions. ``since`` is the decision at which it was last raised; ``shelved`` that at which it comes back.
    """

    name: str
    text: str
    unit: str
    priority: Priority
    low: float = -math.inf
    high: float = math.inf
    deadband: float = 0.0
    on_delay: int = 1
    off_delay: int = 2
    stage: Stage = "normal"
    active: bool = False
    since: int = -1
    raised: int = 0
    value: float = math.nan
    shelved: int = -1
    count: int = 0
    """Decisions in a row that speak against how the alarm stands."""


def alarms(plant: Plant) -> tuple[Alarm, ...]:
    """Return the alarms of a plant, the gravest first."""
    rows = layout(plant, "setpoint")
    found = [
        Alarm(
            f"margin:{name}", f"{name}: {WORDS[kind]}", "", PRIORITIES[kind], low=0.0, deadband=MARGIN_DEADBAND * float(scale),
            on_delay=1 if kind != "soft" else 2,
        )
        for name, kind, scale in zip(rows.margins, rows.kinds, scales(plant), strict=True)
    ]  # fmt: skip
    found += [Alarm(STOPPED, "the plant's protection has stopped it", "", 1, high=0.5)]
    found += [Alarm(UNCERTIFIED, "shield: no move and no hold is certified", "", 2, high=0.5)]
    for name, q in plant.Output.quantities().items():
        if math.isfinite(q.low) and math.isfinite(q.high):
            text = f"{q.tag or name}: {q.meaning} out of the instrument's range"
            band = RANGE_DEADBAND * (q.high - q.low)
            found.append(Alarm(f"range:{name}", text, q.unit, 2, q.low, q.high, band, on_delay=2))
    return tuple(sorted(found, key=lambda alarm: alarm.priority))


def judged(alarm: Alarm, value: float, decision: int) -> Alarm:
    """Return an alarm after a decision in which its quantity had a value; what is no number is abnormal."""
    alarm = replace(alarm, value=value)
    if alarm.stage == "shelved" and decision >= alarm.shelved:
        alarm = replace(alarm, stage=_begun(alarm))
    band = alarm.deadband if alarm.active else 0.0
    normal = alarm.low + band <= value <= alarm.high - band
    if normal != alarm.active:
        return replace(alarm, count=0)
    waited = alarm.count + 1
    if waited < (alarm.off_delay if alarm.active else alarm.on_delay):
        return replace(alarm, count=waited)
    return _cleared(alarm) if alarm.active else _raised(alarm, decision)


def judge(alarms: tuple[Alarm, ...], values: Mapping[str, float], decision: int) -> tuple[Alarm, ...]:
    """Return the alarms after a decision."""
    return tuple(judged(alarm, values[alarm.name], decision) for alarm in alarms)


def acknowledged(alarm: Alarm) -> Alarm:
    """Return the alarm once an operator has acknowledged it."""
    if alarm.stage == "unacknowledged":
        return replace(alarm, stage="acknowledged")
    return replace(alarm, stage="normal") if alarm.stage == "returned" else alarm


def shelved(alarm: Alarm, decision: int, decisions: int) -> Alarm:
    """Return the alarm shelved for so many decisions, or with none taken off the shelf."""
    if decisions > 0:
        return replace(alarm, stage="shelved", shelved=decision + decisions)
    return replace(alarm, stage=_begun(alarm), shelved=-1) if alarm.stage == "shelved" else alarm


def _begun(alarm: Alarm) -> Stage:
    """Return where an alarm stands when it comes off the shelf."""
    return "unacknowledged" if alarm.active else "normal"


def _raised(alarm: Alarm, decision: int) -> Alarm:
    stage: Stage = "shelved" if alarm.stage == "shelved" else "unacknowledged"
    return replace(alarm, stage=stage, active=True, count=0, since=decision, raised=alarm.raised + 1)


def _cleared(alarm: Alarm) -> Alarm:
    after: dict[Stage, Stage] = {"unacknowledged": "returned", "acknowledged": "normal"}
    return replace(alarm, stage=after.get(alarm.stage, alarm.stage), active=False, count=0)
