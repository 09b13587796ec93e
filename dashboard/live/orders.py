"""What a browser may order, read from JSON that may hold anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, get_args

from controller.live import commands as ask
from controller.live.commands import TWINS, Command, Injected, Twin
from controller.live.session import Session
from controller.recording import shown
from dashboard.live.plan import moves
from plant_models.core.errors import BadInput, UnknownName, unknown
from plant_models.core.fault import Bias, DeadBand, Drift, Dropout, Jammed, Noise, Spike, Stiction, Stuck
from plant_models.core.plant import Plant
from plant_models.core.quantity import Quantity
from plant_models.env.operated import MODES

SPIKES, SILENT, SILENCE = 0.05, 0.1, 5.0
"""Chance of a spike and of falling silent at each reading, and the loop periods that a silence lasts."""
SHELF = 60
"""Decisions for which an alarm is shelved."""
_KINDS: dict[str, Callable[[Plant, str, float], Injected]] = {
    "bias": lambda plant, place, size: Bias(place, size),
    "drift": lambda plant, place, size: Drift(place, size),
    "noise": lambda plant, place, size: Noise(place, size),
    "spike": lambda plant, place, size: Spike(place, size, SPIKES),
    "stuck": lambda plant, place, size: Stuck(place, 0.0),
    "dropout": lambda plant, place, size: Dropout(place, SILENT, SILENCE * plant.loop_period),
    "jammed": lambda plant, place, size: Jammed(place, 0.0),
    "stiction": lambda plant, place, size: Stiction(place, size),
    "deadband": lambda plant, place, size: DeadBand(place, size),
}


def carry_out(session: Session, given: Mapping[str, Any]) -> bool:
    """Do what an order says; returns False where that takes longer than a moment.

    Raises:
        UnknownName: for a word that is none, and for what the plant does not have.
        BadInput: for a part that is missing or of another type, and for what is refused.
    """
    clock = {"run": session.run, "pause": session.pause, "step": session.step, "end": session.end}
    what = _text(given, "do")
    if what in clock:
        clock[what]()
    elif what == "speed":
        session.speed(math.inf if given.get("value") is None else _number(given, "value"))
    elif what in _COMMANDS:
        return session.order(_COMMANDS[what](session.plant, _twins(given), given))
    else:
        raise UnknownName(unknown("order", what[:40], (*clock, "speed", *_COMMANDS)))
    return True


def _mode(plant: Plant, twins: tuple[Twin, ...], given: Mapping[str, Any]) -> Command:
    mode = _text(given, "mode")
    if mode not in MODES:
        raise UnknownName(unknown("mode", mode[:40], MODES))
    return ask.SetMode(twins, _text(given, "tag"), mode)


def _setpoint(plant: Plant, twins: tuple[Twin, ...], given: Mapping[str, Any]) -> Command:
    tag = _text(given, "tag")
    return ask.SetSetpoint(twins, tag, _stored(plant.Output.quantities()[_loop(plant, tag).pv], _number(given, "value")))


def _output(plant: Plant, twins: tuple[Twin, ...], given: Mapping[str, Any]) -> Command:
    tag = _text(given, "tag")
    return ask.SetOutput(twins, tag, _stored(moves(plant, _loop(plant, tag)), _number(given, "value")))


def _inject(plant: Plant, twins: tuple[Twin, ...], given: Mapping[str, Any]) -> Command:
    kind = _text(given, "kind")
    if kind not in _KINDS:
        raise UnknownName(unknown("fault", kind[:40], _KINDS))
    size = _number(given, "size") if given.get("size") is not None else 0.0
    return ask.Inject(twins, _KINDS[kind](plant, _text(given, "place"), size))


_COMMANDS: dict[str, Callable[[Plant, tuple[Twin, ...], Mapping[str, Any]], Command]] = {
    "mode": _mode,
    "setpoint": _setpoint,
    "output": _output,
    "release": lambda plant, twins, given: ask.Release(twins, _text(given, "tag")),
    "disturb": lambda plant, twins, given: ask.Disturb(twins, _text(given, "name"), _number(given, "size")),
    "inject": _inject,
    "mend": lambda plant, twins, given: ask.Mend(twins, _text(given, "place")),
    "controller": lambda plant, twins, given: ask.Swap(twins, _text(given, "name")),
    "shell": lambda plant, twins, given: ask.Supervise(twins, given.get("on") is True),
    "shield": lambda plant, twins, given: ask.Shield(twins, given.get("on") is True),
    "acknowledge": lambda plant, twins, given: ask.Acknowledge(twins, _text(given, "alarm", "")),
    "shelve": lambda plant, twins, given: ask.Shelve(twins, _text(given, "alarm"), SHELF if given.get("on") is True else 0),
}


def _twins(given: Mapping[str, Any]) -> tuple[Twin, ...]:
    wanted = _text(given, "twins")
    if wanted not in (*TWINS, "".join(TWINS)):
        raise BadInput(f"twins {wanted[:10]!r}: {', '.join(get_args(Twin))} or AB allowed")
    return tuple(twin for twin in TWINS if twin in wanted)


def _loop(plant: Plant, tag: str) -> Any:
    known = {loop.tag: loop for loop in plant.loops}
    if tag not in known:
        raise UnknownName(unknown("loop", tag[:40], known))
    return known[tag]


def _text(given: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = given.get(key, default)
    if not isinstance(value, str):
        raise BadInput(f"{key}: a text expected, {type(value).__name__} given")
    return value


def _number(given: Mapping[str, Any], key: str) -> float:
    value = given.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(f"{key}: a finite number expected, {str(value)[:40]} given")
    return float(value)


def _stored(q: Quantity, value: float) -> float:
    """Return a displayed value in the quantity's own unit."""
    return value - float(shown(q, 0.0))  # type: ignore[arg-type]
