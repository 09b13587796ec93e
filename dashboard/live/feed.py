"""What a browser is told of a session each time it asks: what it has not seen, in display units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from controller.live.alarms import Alarm
from controller.live.prescription import Held, Stepped, What
from controller.live.session import Event, Session, TwinView, View
from controller.live.twin import Face
from controller.recording import shown
from dashboard.figures import shown_name
from dashboard.live.plan import displayed, moves
from dashboard.live.words import change_words, journal
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.operated import MODES

KEPT_UP = 0.9
"""Share of the speed asked for below which the clock has been slowed."""
MOST = 1500
"""Samples in one answer."""
FIGURES = 6


def feed(session: Session, number: int, after: int, event: int) -> dict[str, Any] | None:
    """Return what is new since publication ``number``, sample ``after`` and journal line ``event``; None where nothing is."""
    view = session.view()
    if view.number == number:
        return None
    return {
        "n": view.number, "k": view.decision, "running": view.running, "over": view.over,
        "speed": None if math.isinf(view.speed) else view.speed, "pace": _number(session.pace()), "slowed": view.slowed,
        "notes": notes(view, session.pace()), "twins": {name: _twin(session.plant, twin) for name, twin in view.twins.items()},
        "alarms": [_alarm(name, alarm) for name, twin in view.twins.items() for alarm in twin.alarms if _told(alarm)],
        "events": [_line_of(session.plant, e) for e in view.events if e.number > event],
        "samples": {name: _samples(session, name, after, view.decision) for name in view.twins},
    }  # fmt: skip


def notes(view: View, pace: float) -> list[str]:
    """Return what the operator has to know of the session itself."""
    found = [f"{words}; the twin goes on with what it has" for words in view.preparing]
    if view.slowed and view.running and pace < KEPT_UP * view.speed:
        slow = [shown_name(twin.controller) for twin in view.twins.values() if twin.controller.startswith("nmpc")]
        who = " and ".join(dict.fromkeys(slow)) or "this computer"
        found.append(f"{who} needs longer than {view.speed:,.0f}x leaves it: the clock waits, and runs at {pace:,.0f}x")
    for name, twin in view.twins.items():
        if twin.problem:
            found.append(f"{name}: {twin.problem}")
        if twin.suspended:
            found.append(f"{name}: shield suspended, {twin.suspended}")
    return found


def shield_words(twin: TwinView) -> str:
    """Return what the shield does, in a word or two."""
    if not twin.shielded:
        return "off"
    if twin.suspended:
        return "suspended"
    if twin.safe:
        return "safe action"
    if twin.share < 0.0:
        return "not certified"
    return "lets all through" if twin.share >= 1.0 else (f"lets {twin.share:.0%} through" if twin.share > 0.0 else "holds")


def _twin(plant: Plant, twin: TwinView) -> dict[str, Any]:
    return {
        "name": twin.controller, "label": shown_name(twin.controller.split(" ")[0]), "status": twin.status,
        "faces": [_face(plant, face, twin.disturbances) for face in twin.faces], "cost": _number(twin.total),
        "shell": {"mode": twin.supervised[0], "why": twin.supervised[1]},
        "shield": {"on": twin.shielded, "words": shield_words(twin), "share": twin.share},
        "d": [_number(displayed(q, float(v))) for q, v in
              zip(plant.Disturbance.quantities().values(), twin.disturbances, strict=True)],
        "changes": [{"text": change_words(plant, what), **_undone(what)} for what in twin.changes],
        "ahead": [_line(displayed_column(plant, loop.pv, twin.foreseen)) for loop in plant.loops] if len(twin.foreseen) else [],
    }  # fmt: skip


def _undone(what: What) -> dict[str, Any]:
    """Return the kind of a change and its place, from which the order that takes it back is made."""
    if isinstance(what, Held):
        return {"kind": "setpoint", "place": what.tag}
    if isinstance(what, Stepped):
        return {"kind": "disturbance", "place": what.name, "size": what.size}
    return {"kind": "fault", "place": next(iter(vars(what).values()))}


def _face(plant: Plant, face: Face, disturbances: Array) -> list[Any]:
    loop = next(loop for loop in plant.loops if loop.tag == face.tag)
    pv, out = plant.Output.quantities()[loop.pv], moves(plant, loop)
    values = [displayed(pv, face.pv), displayed(pv, face.setpoint), displayed(pv, face.asked), displayed(out, face.output)]
    bounds = [_number(float(bound[0])) for bound in _bounds(plant, loop.pv, disturbances[None])]
    return [*map(_number, values), MODES.index(face.mode), int(face.heard), int(face.by_hand), bounds]


def _line_of(plant: Plant, event: Event) -> dict[str, Any]:
    return {"e": event.number, "k": event.decision, "text": journal(plant, event.what)}


def _told(alarm: Alarm) -> bool:
    return alarm.stage != "normal"


def _alarm(twin: str, alarm: Alarm) -> dict[str, Any]:
    return {"twin": twin, "name": alarm.name, "text": alarm.text, "priority": alarm.priority, "stage": alarm.stage,
            "since": alarm.since, "active": alarm.active}  # fmt: skip


def _samples(session: Session, twin: str, after: int, last: int) -> dict[str, Any]:
    """Return the samples of a twin after one number and up to another, so that both twins' end at the same."""
    plant, columns, measured = session.plant, session.columns, session.plant.Output.quantities()
    first, rows = session.samples(twin, after)
    rows = rows[: max(0, last + 1 - first)]
    first, rows = first + max(0, len(rows) - MOST), rows[-MOST:]
    return {
        "first": first,
        "pv": [_line(displayed_column(plant, loop.pv, rows[:, columns.y : columns.sp])) for loop in plant.loops],
        "sp": [_line(shown(measured[loop.pv], rows[:, columns.sp + i])) for i, loop in enumerate(plant.loops)],
        "op": [_line(shown(moves(plant, loop), rows[:, columns.op + i])) for i, loop in enumerate(plant.loops)],
        "bounds": [
            [_line(bound) for bound in _bounds(plant, loop.pv, rows[:, columns.d : columns.share])] for loop in plant.loops
        ],
        "share": _line(rows[:, columns.share]),
        "cost": _line(rows[:, columns.cost]),
    }


def _bounds(plant: Plant, output: str, disturbances: Array) -> list[Array]:
    """Return the limits of an output that vary in time, each (samples,), in the unit that displays use."""
    names, q = plant.Disturbance.names(), plant.Output.quantities()[output]
    lines = [line.bound for line in plant.limits if line.output == output and line.bound in names]
    return [shown(q, disturbances[:, names.index(bound)]) for bound in lines]


def displayed_column(plant: Plant, output: str, outputs: Array) -> Array:
    """Return one output of many samples (samples, outputs), in the unit that displays use."""
    return shown(plant.Output.quantities()[output], outputs[:, plant.Output.names().index(output)])


def _line(values: Array) -> list[float | None]:
    return [_number(float(v)) for v in np.asarray(values)]


def _number(value: float) -> float | None:
    """Return a number with as many figures as a screen shows; null for what is none."""
    return float(f"{value:.{FIGURES}g}") if math.isfinite(value) else None
