"""What a supervisor remembers from one decision to the next, and how that is kept as text."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from plant_models.core.errors import BadInput

Mode = Literal["AUTO", "FILTERED", "BACKUP", "TRIPPED", "MANUAL"]
"""Who controls the plant: the policy unfiltered, the policy reduced by the shield, the PID layer at the last certified command,
the plant's own safe action until it is reset, or the operator."""
MODES: tuple[Mode, ...] = get_args(Mode)
POLICY: tuple[Mode, ...] = ("AUTO", "FILTERED")
"""Modes in which the policy is in charge."""


@dataclass(frozen=True, kw_only=True)
class State:
    """The mode of a decision, why, and what later decisions need; a plant begins in BACKUP, and its policy earns the plant.

    Counted in decisions: ``decision`` all, ``dwell`` those since control last changed hands, this one included, ``full`` those in
    a row with a full certificate and without a fault, ``uncertified`` and ``silent`` those in a row without a certificate and
    without a usable answer. ``interventions``: at which of the last 100 decisions of a policy in charge the shield intervened.
    ``returns``: the decisions of the last hour at which the policy got the plant back. ``latched``: it has to be acknowledged.
    """

    mode: Mode = "BACKUP"
    reason: str = "PID holds the setpoint until the policy has earned the plant"
    decision: int = 0
    dwell: int = 0
    full: int = 0
    uncertified: int = 0
    silent: int = 0
    interventions: tuple[bool, ...] = ()
    returns: tuple[int, ...] = ()
    latched: bool = False


def packed(state: State) -> str:
    """Return a state as JSON."""
    return json.dumps(asdict(state))


def unpacked(text: str) -> State:
    """Return the state of :func:`packed`.

    Raises:
        BadInput: where the text is no JSON, or a part is missing, unknown or of another type.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput("a supervisor's state that is not JSON; start from a new one") from error
    names = [field.name for field in fields(State)]
    if not isinstance(given, dict) or sorted(given) != sorted(names):
        raise BadInput(f"a supervisor's state has exactly the keys {', '.join(names)}; start from a new one")
    for name, value in given.items():
        if not _allowed(name, value):
            raise BadInput(f"a supervisor's state with {name} {str(value)[:40]!r}; start from a new one")
    parts: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return State(**parts)


def _allowed(name: str, value: Any) -> bool:
    if name == "mode":
        return value in MODES
    if name in ("interventions", "returns"):
        kind = bool if name == "interventions" else int
        return isinstance(value, list) and all(_is(kind, item) for item in value)
    return _is(type(getattr(State(), name)), value)


def _is(kind: type[object], value: Any) -> bool:
    """Return whether a value is of a type; a count is none below zero, and a truth value is no count."""
    return type(value) is kind and not (isinstance(value, int) and value < 0)
