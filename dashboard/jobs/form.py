"""The form of a command, made from the command's own declaration: each option with its kind, range, default and help."""

from __future__ import annotations

import inspect
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from controller.methods import ALGORITHMS, Penalty, Safety, Teacher
from dashboard.commands import benchmark, learn, stress, sweeping
from dashboard.commands.shielding import KINDS
from plant_models.core.errors import BadInput, UnknownName, unknown
from plant_models.core.scenario import Protocol
from plant_models.derive.layout import LEVELS

Kind = Literal["text", "whole", "number", "switch"]
COMMANDS: Mapping[str, Callable[..., None]] = {
    "train": learn.train, "benchmark": benchmark.benchmark, "stress": stress.stress, "sweep": sweeping.sweep
}  # fmt: skip
CHOICES: Mapping[str, tuple[str, ...]] = {
    "algorithm": ALGORITHMS, "level": LEVELS, "penalty": get_args(Penalty), "clone": get_args(Teacher),
    "safety": get_args(Safety), "against": ("", "nmpc"), "protocol": ("", *get_args(Protocol), "all"),
}  # fmt: skip
FILES = ("plant_file", "out", "weather_file", "replay", "report", "cluster", "as_json")
"""Options that name files or machines, which a browser has no say in, and the output for machines."""


@dataclass(frozen=True)
class Field:
    """One option of a command; ``flag`` is empty for the argument that comes first. ``low`` and ``high`` bound a number."""

    name: str
    flag: str
    kind: Kind
    default: str | float | bool | None
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


def fields(command: str) -> tuple[Field, ...]:
    """Return what may be asked of a command, in its own order; raises UnknownName."""
    if command not in COMMANDS:
        raise UnknownName(unknown("command", command, tuple(COMMANDS)))
    function = COMMANDS[command]
    hints = get_type_hints(function, include_extras=True)
    named = {
        name: each.default for name, each in inspect.signature(function).parameters.items() if name not in ("context", *FILES)
    }
    known = {**CHOICES, "safety": KINDS if command == "benchmark" else CHOICES["safety"]}
    return tuple(_field(name, hints[name], default, known.get(name, ())) for name, default in named.items())


def _field(name: str, hint: Any, default: Any, choices: tuple[str, ...]) -> Field:
    kind, info = hint.__origin__, hint.__metadata__[0]
    assert isinstance(info, OptionInfo | ArgumentInfo)
    declared = [str(each) for each in (info.default, *(info.param_decls or ())) if str(each).startswith("--")]
    flag = "" if isinstance(info, ArgumentInfo) else (declared or [f"--{name.replace('_', '-')}"])[0].partition("/")[0]
    high = float(os.cpu_count() or 1) if name == "workers" else info.max  # a browser must not fill the machine
    return Field(name, flag, _kind(kind), default, info.help or "", info.min, high, choices)


def _kind(declared: Any) -> Kind:
    kinds: tuple[tuple[type, Kind], ...] = ((bool, "switch"), (int, "whole"), (float, "number"))
    inside = (declared, *get_args(declared))
    return next((kind for of, kind in kinds if of in inside), "text")


def arguments(command: str, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return a command's arguments from what a form holds, by field; what is left at its default is left out.

    Raises:
        UnknownName: for a command or a choice that there is none of.
        BadInput: for a number that is none or out of range; the text says what is allowed.
    """
    words = [command]
    for field in fields(command):
        text = given.get(field.name, "").strip()
        if text and text != _written(field.default):
            words += _words(field, text)
    return tuple(words)


def _words(field: Field, text: str) -> list[str]:
    if field.kind == "switch":
        return [field.flag] if text == "on" else []
    if field.choices and text not in field.choices:
        raise UnknownName(unknown(field.name, text, [each for each in field.choices if each]))
    if field.kind in ("whole", "number"):
        _check(field, text)
    elif text.startswith("-"):
        raise BadInput(f"{field.name} {text[:40]!r}: begins with a hyphen; give a name")
    elif field.name == "scenario" and text.endswith(".toml"):
        raise BadInput(f"scenario {text[:40]!r}: a file; give one of the plant's scenarios by name")
    return [field.flag, text] if field.flag else [text]


def _check(field: Field, text: str) -> None:
    """Raise BadInput for a text that is no number of the field's kind and range."""
    low, high = (-float("inf") if field.low is None else field.low, float("inf") if field.high is None else field.high)
    try:
        value = int(text) if field.kind == "whole" else float(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:
        what = "a whole number" if field.kind == "whole" else "a number"
        raise BadInput(f"{field.name} {text[:40]!r}: allowed is {what}{_range(field)}")


def _range(field: Field) -> str:
    if field.low is None and field.high is None:
        return ""
    if field.high is None:
        return f" from {field.low:.12g} on"
    return f" from {field.low:.12g} to {field.high:.12g}" if field.low is not None else f" up to {field.high:.12g}"


def _written(default: object) -> str:
    """A default as it stands in a form's field."""
    return "" if default is None or default is False else str(default)


def line(words: tuple[str, ...]) -> str:
    """Return a command as one types it."""
    return shlex.join(("setpoint", *words))
