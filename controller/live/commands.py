"""What an operator may ask of twin plants: immutable commands, each for one twin or for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from plant_models.core.fault import Sensor, Valve
from plant_models.env.operated import Mode

Twin = Literal["A", "B"]
TWINS: tuple[Twin, ...] = get_args(Twin)
Injected: TypeAlias = Sensor | Valve
"""What may be made to go wrong by hand: an instrument or a valve."""


@dataclass(frozen=True)
class SetMode:
    """Put a loop into MAN, AUTO or CAS."""

    twins: tuple[Twin, ...]
    tag: str
    mode: Mode


@dataclass(frozen=True)
class SetSetpoint:
    """Move a setpoint, in the unit of what is measured: the loop's own in AUTO, what is sent to a master loop in CAS."""

    twins: tuple[Twin, ...]
    tag: str
    value: float


@dataclass(frozen=True)
class SetOutput:
    """Set the output of a loop in MAN, in the unit of what it moves."""

    twins: tuple[Twin, ...]
    tag: str
    value: float


@dataclass(frozen=True)
class Release:
    """Give a setpoint that was moved by hand back to the scenario's programme."""

    twins: tuple[Twin, ...]
    tag: str


@dataclass(frozen=True)
class Disturb:
    """Step a disturbance by ``size`` from what the scenario has, in its unit; 0 takes the step back."""

    twins: tuple[Twin, ...]
    name: str
    size: float


@dataclass(frozen=True)
class Inject:
    """Let an instrument or a valve go wrong from now on."""

    twins: tuple[Twin, ...]
    fault: Injected


@dataclass(frozen=True)
class Mend:
    """Take back whatever is wrong with an instrument or a valve, by the name of its output or input."""

    twins: tuple[Twin, ...]
    place: str


@dataclass(frozen=True)
class Swap:
    """Let another controller move the setpoints."""

    twins: tuple[Twin, ...]
    controller: str


@dataclass(frozen=True)
class Shield:
    """Switch the shield on or off."""

    twins: tuple[Twin, ...]
    on: bool


@dataclass(frozen=True)
class Supervise:
    """Put a plant under the shell, which says who has it, in place of the shield alone; or take the shell away."""

    twins: tuple[Twin, ...]
    on: bool


@dataclass(frozen=True)
class Acknowledge:
    """Acknowledge an alarm of the twins; without a name all of them."""

    twins: tuple[Twin, ...]
    alarm: str = ""


@dataclass(frozen=True)
class Shelve:
    """Shelve an alarm for so many decisions; 0 takes it off the shelf."""

    twins: tuple[Twin, ...]
    alarm: str
    decisions: int


Command: TypeAlias = (
    SetMode | SetSetpoint | SetOutput | Release | Disturb | Inject | Mend | Swap | Shield | Supervise | Acknowledge | Shelve
)


@dataclass(frozen=True)
class Logged:
    """A command that was applied, and before which decision."""

    decision: int
    command: Command
