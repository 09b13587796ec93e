"""What an operator did and what is changed, in words and display units."""

from __future__ import annotations

import math
from collections.abc import Mapping

from controller.live import commands as ask
from controller.live.commands import Command
from controller.live.prescription import Held, Stepped, What
from dashboard.figures import shown_name, unit_text
from dashboard.live.plan import difference, displayed, moves
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.quantity import Quantity


def journal(plant: Plant, what: Command | str) -> str:
    """Return a line of the journal."""
    return what if isinstance(what, str) else f"{' + '.join(what.twins)}: {ordered(plant, what)}"


def ordered(plant: Plant, command: Command) -> str:
    """Return what a command does."""
    if isinstance(command, ask.Disturb):
        return change_words(plant, Stepped(command.name, command.size))
    if isinstance(command, ask.Inject):
        return change_words(plant, command.fault)
    return _moved(plant, command) or _watched(plant, command)


def _moved(plant: Plant, command: Command) -> str:
    match command:
        case ask.SetMode():
            return f"{command.tag} to {command.mode}"
        case ask.SetSetpoint():
            return f"{command.tag} setpoint {_value(plant.Output.quantities()[_loop(plant, command.tag).pv], command.value)}"
        case ask.SetOutput():
            return f"{command.tag} output {_value(moves(plant, _loop(plant, command.tag)), command.value)}"
        case ask.Release():
            return f"{command.tag} back to the programme"
        case ask.Mend():
            return f"fault at {_where(plant, command.place)} taken back"
        case _:
            return ""


def _watched(plant: Plant, command: Command) -> str:
    match command:
        case ask.Swap():
            return f"{shown_name(command.controller)} takes over"
        case ask.Shield() | ask.Supervise():
            return f"{'shield' if isinstance(command, ask.Shield) else 'shell'} {'on' if command.on else 'off'}"
        case ask.Acknowledge():
            return f"acknowledged {_alarm(plant, command.alarm) if command.alarm else 'all alarms'}"
        case ask.Shelve():
            return f"{_alarm(plant, command.alarm)} {'shelved' if command.decisions else 'off the shelf'}"
        case _:
            return type(command).__name__


def change_words(plant: Plant, what: What) -> str:
    """Return a change that holds."""
    if isinstance(what, Held):
        return f"{what.tag} by hand"
    if isinstance(what, Stepped):
        unit = unit_text(plant.Disturbance.quantities()[what.name].unit)
        return f"{what.name} {what.size:+.4g} {unit}".replace("-", "−") if what.size else f"{what.name} as the scenario has it"
    (_, name), *sizes = vars(what).items()
    words = [type(what).__name__.lower(), "at", _where(plant, str(name))]
    return " ".join([*words, *_sizes(plant, _places(plant).get(str(name)), dict(sizes))])


def _places(plant: Plant) -> Mapping[str, Quantity]:
    return {**plant.Output.quantities(), **plant.Input.quantities()}


def _where(plant: Plant, name: str) -> str:
    """An instrument or a valve by its tag."""
    q = _places(plant).get(name)
    return name if q is None else q.tag or name


def _alarm(plant: Plant, name: str) -> str:
    """An alarm by what it watches: an instrument's tag, or a margin by its name."""
    kind, _, of = name.partition(":")
    return f"{_where(plant, of)} out of range" if kind == "range" else of or name


def _sizes(plant: Plant, q: Quantity | None, sizes: Mapping[str, float]) -> list[str]:
    """How large a fault is, each part in its unit; what has no end has no time."""
    unit, time = "" if q is None else unit_text(difference(q)), plant.time_unit
    units = {"size": unit, "band": unit, "rate": f"{unit}/{time}", "time": time, "factor": "times"}
    known = {key: size for key, size in sizes.items() if size and math.isfinite(size)}
    words = [f"{size:{'+' * (key == 'size')}.4g} {units.get(key, '')}" for key, size in known.items()]
    return [word.rstrip(" –").replace("-", "−") for word in words]


def _value(q: Quantity, value: float) -> str:
    return f"{displayed(q, value):.5g} {unit_text(q.shown)}"


def _loop(plant: Plant, tag: str) -> Loop:
    return next(loop for loop in plant.loops if loop.tag == tag)
