"""What a plant file declares, checked for consistency when it is built."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, get_args

from plant_models.core.building import Building
from plant_models.core.duty import Batch, Duty, Economic, Held, Tracking
from plant_models.core.errors import UnknownName, unknown
from plant_models.core.fault import Fading, Fault, Timed, Valve
from plant_models.core.loop import Loop
from plant_models.core.quantity import Reproduced, Source
from plant_models.core.scenario import Scenario
from plant_models.core.schedule import SETPOINT, Schedule
from plant_models.core.vector import Expr, Vector

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
Side = Literal["low", "high"]


class Margin(NamedTuple):
    """Distance to a limit; the plant is safe while it is at least zero."""

    value: Expr
    kind: Literal["hard", "soft", "trip"]


class Measure(NamedTuple):
    """A rate whose time integral is reported: its value, and the unit it accumulates to over hours."""

    rate: Expr
    unit: str


def hard(value: Expr) -> Margin:
    """Declare a limit that must not be crossed."""
    return Margin(value, "hard")


def soft(value: Expr) -> Margin:
    """Declare a limit that may be crossed at a price."""
    return Margin(value, "soft")


def trip(value: Expr) -> Margin:
    """Declare the limit at which the protection system stops the plant."""
    return Margin(value, "trip")


@dataclass(frozen=True)
class Limit:
    """A limit line for trends: an output, the parameter or disturbance that bounds it, and on which side."""

    output: str
    bound: str
    side: Side

    def __post_init__(self) -> None:
        """Raise ValueError for a side that is none."""
        if self.side not in get_args(Side):
            raise ValueError(f"limit line of {self.output}: side {self.side!r} given; low or high allowed")


def _nothing(x: Any, u: Any, d: Any, p: Any) -> dict[str, Any]:
    return {}


def _no_stock(x: Any, p: Any) -> Expr:
    return 0.0


Rival = Literal["pid", "itself"]
"""Whose reward in the same episode is subtracted from each."""


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How learning goes here: the discount's horizon in decisions, the steps that suffice, and the first exploration.

    ``parallel`` plants take ``rollout`` decisions between updates; ``net`` are the widths of the hidden layers; ``spread`` is
    the standard deviation of the first actions, as a share of the loops' authority; ``entropy`` the first bonus for entropy, in
    scaled reward a nat, which falls linearly to zero. ``gae`` is the lambda of the advantages: near 1 where a payoff comes late.
    ``rate`` is PPO's first learning rate. ``paired`` above zero has the PID layer's reward in the same episode subtracted from
    each, and multiplies what is left, which is smaller; ``against`` "itself" it is what the policy's own mean action earns there,
    as long as a rollout holds whole episodes. ``crossing`` are the rewards that a decision beyond a hard limit costs while
    learning; where it is above zero, a policy that is beyond hard limits for longer than PID is not kept. ``whitened`` has the
    networks see uncorrelated entries of one size: what batches differ in, not how far they are. ``demonstrated`` above zero has
    PPO begin as a clone of NMPC where the user names no teacher; it is the standard deviation of the perturbations under which
    NMPC demonstrates, as a share of the loops' authority.
    """

    horizon: float
    steps: int
    parallel: int = 256
    rollout: int = 32
    net: tuple[int, ...] = (32, 32)
    spread: float = 0.2
    entropy: float = 0.0
    gae: float = 0.95
    rate: float = 2e-3
    paired: float = 0.0
    against: Rival = "pid"
    crossing: float = 0.0
    whitened: bool = False
    demonstrated: float = 0.0

    def __repr__(self) -> str:
        """Name what every plant sets, and of the rest what is not as usual: results are kept under this text."""
        names = ("rate", "paired", "against", "crossing", "whitened", "demonstrated")
        usual = {name: getattr(Learning, name) for name in names}
        shown = (each.name for each in fields(self) if each.name not in usual or getattr(self, each.name) != usual[each.name])
        return f"Learning({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


@dataclass(frozen=True, kw_only=True, eq=False)
class Plant:
    """A plant: five vectors, pure functions of ``x, u, d, p``, its PID layer, its duty and its clocks.

    ``decision``, ``loop_period`` are in ``time_unit``. ``scale`` divides the stage cost to give the reward, ``worst`` is the
    stage cost charged for each step that a trip leaves undone. ``complete`` is at least zero once a batch is finished.
    ``preview`` counts the future targets shown, ``leads`` the steps ahead at which forecast disturbances are shown.
    """

    title: str
    State: type[Vector]
    Input: type[Vector]
    Disturbance: type[Vector]
    Parameter: type[Vector]
    Output: type[Vector]
    derivative: Callable[..., Any]
    outputs: Callable[..., Any]
    margins: Callable[..., dict[str, Margin]]
    cost: Callable[..., dict[str, Expr]] = _nothing
    measures: Callable[..., dict[str, Measure]] = _nothing
    stock: Callable[..., Expr] = _no_stock
    complete: Callable[..., Expr] | None = None
    loops: tuple[Loop, ...]
    duty: Duty
    scenarios: tuple[Scenario, ...]
    safe_action: Mapping[str, float]
    time_unit: Literal["s", "min", "h"]
    decision: float
    loop_period: float
    scale: float
    worst: float
    learning: Learning
    preview: int = 0
    advance: int = 0
    leads: tuple[int, ...] = ()
    limits: tuple[Limit, ...] = ()
    building: Building | None = None
    sources: tuple[Source, ...] = ()
    reproduced: tuple[Reproduced, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError, naming the plant, for a name that a declaration uses but nothing holds, and for clocks that stop."""
        _check_clocks(self)
        _check_scenarios(self)
        _check_loops(self)
        _check_names(self, "safe action", self.safe_action, self.Input)
        if isinstance(self.duty, Tracking):
            _check_names(self, "duty", self.duty.scales, self.Output)
            _check_names(self, "moves", self.duty.moves, self.Input)
        _check_hierarchy(self)
        _check_tariffs(self)
        _check_faults(self)

    @property
    def name(self) -> str:
        """The id: the name of the plant's file."""
        return self.derivative.__module__.rpartition(".")[2]

    @property
    def folder(self) -> str:
        """The family: the name of the folder that holds the plant's file."""
        return self.derivative.__module__.rpartition(".")[0].rpartition(".")[2]

    @property
    def arguments(self) -> tuple[type[Vector], ...]:
        """The vectors that the plant's functions take: states, inputs, disturbances, parameters."""
        return self.State, self.Input, self.Disturbance, self.Parameter

    @property
    def loops_per_decision(self) -> int:
        """Loop periods in one decision."""
        return round(self.decision / self.loop_period)

    @property
    def hours(self) -> float:
        """Hours in one time unit."""
        return SECONDS[self.time_unit] / 3600.0

    @property
    def acted(self) -> tuple[Loop, ...]:
        """The loops whose setpoint a supervisor may offset, in order."""
        return tuple(loop for loop in self.loops if loop.authority > 0.0)

    @property
    def masters(self) -> tuple[Loop, ...]:
        """The loops that no other loop commands, in order; their setpoints come from operator, schedule or recipe."""
        return tuple(loop for loop in self.loops if not any(other.sp_of == loop.tag for other in self.loops))

    def slave(self, loop: Loop) -> Loop:
        """Return the loop that a master commands.

        Raises:
            LookupError: where it moves an input.
        """
        for other in self.loops:
            if other.tag == loop.sp_of:
                return other
        raise LookupError(f"{loop.tag} commands no loop")

    @property
    def targets(self) -> tuple[str, ...]:
        """The outputs that the duty judges against a target."""
        return tuple(self.duty.scales) if isinstance(self.duty, Tracking) else ()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What goes wrong in any of the scenarios."""
        return tuple(fault for scenario in self.scenarios for fault in scenario.faults)

    @property
    def worth(self) -> str:
        """The unit of the objective: a currency, a product's unit, or 1 for tracking."""
        return "1" if isinstance(self.duty, Tracking) else self.duty.unit

    def scenario(self, name: str = "") -> Scenario:
        """Return a scenario by name; the first one without a name.

        Raises:
            UnknownName: where there is none of that name; the text suggests the nearest.
        """
        known = {s.name: s for s in self.scenarios}
        if name and name not in known:
            raise UnknownName(unknown("scenario", name, known))
        return known[name or self.scenarios[0].name]


def _check_names(plant: Plant, what: str, used: Any, vector: type[Vector]) -> None:
    for name in used:
        if name not in vector.names():
            raise ValueError(f"{plant.title}: {what} names {name!r}; known are {', '.join(vector.names())}")


def _check_clocks(plant: Plant) -> None:
    unit, steps = plant.time_unit, (plant.preview, plant.advance, *plant.leads)
    if unit not in SECONDS:
        raise ValueError(f"{plant.title}: time_unit {unit!r} given; one of {', '.join(SECONDS)} allowed")
    for name, period in (("loop_period", plant.loop_period), ("decision", plant.decision)):
        if not 0.0 < period < math.inf:
            raise ValueError(f"{plant.title}: {name} {period} {unit} given; a time above 0 allowed")
    if plant.loops_per_decision < 1 or abs(plant.decision / plant.loop_period - plant.loops_per_decision) > 1e-9:
        raise ValueError(f"{plant.title}: the decision period is not a whole number of loop periods")
    if any(not isinstance(count, int) for count in steps) or any(lead < 1 for lead in plant.leads):
        raise ValueError(f"{plant.title}: preview {steps[0]}, advance {steps[1]}, leads {plant.leads} given; "
                         "whole numbers of decisions allowed, leads of at least 1")  # fmt: skip
    if not 0 <= plant.advance <= plant.preview:
        raise ValueError(f"{plant.title}: advance {plant.advance} must lie within the preview of {plant.preview} steps")


def _check_scenarios(plant: Plant) -> None:
    if not plant.scenarios:
        raise ValueError(f"{plant.title}: no scenarios given; at least one Scenario(...) allowed")
    for scenario in plant.scenarios:
        steps: Any = scenario.steps
        if not scenario.name or not isinstance(steps, int) or steps < 1:
            given = f"scenario {scenario.name!r} of {steps} steps given"
            raise ValueError(f"{plant.title}: {given}; a name, and a whole number of at least 1 decision allowed")


def _check_hierarchy(plant: Plant) -> None:
    """Refuse a schedule or a recipe for what is no master loop."""
    tags, duty = [loop.tag for loop in plant.masters], plant.duty
    recipes = (*duty.recipe, *duty.published) if isinstance(duty, Batch) else ()
    parts = (*duty.schedule, *duty.rule) if isinstance(duty, Economic) else ()
    for tag in (*(recipe.tag for recipe in recipes), *(part.tag for part in parts)):
        if tag not in tags:
            raise ValueError(f"{plant.title}: {type(duty).__name__} duty: {unknown('master loop', tag, tags)}")
    _check_names(plant, "a schedule", [part.by for part in parts if not isinstance(part, Held)], plant.Disturbance)


def _check_tariffs(plant: Plant) -> None:
    for carrier in plant.building.carriers if plant.building else ():
        names = [tariff for tariff in carrier.tariffs.values() if isinstance(tariff, str)]
        _check_names(plant, "a tariff", names, plant.Disturbance)


def _check_loops(plant: Plant) -> None:
    tags = [loop.tag for loop in plant.loops]
    if len(set(tags)) != len(tags):
        raise ValueError(f"{plant.title}: a loop tag is used twice: {', '.join(tags)}")
    _check_schedules(plant)
    for i, loop in enumerate(plant.loops):
        _check_names(plant, f"{loop.tag} pv", [loop.pv], plant.Output)
        _check_names(plant, f"{loop.tag} feed-forward", [name for name, _ in loop.gains.disturbance], plant.Disturbance)
        if loop.mv:
            _check_names(plant, f"{loop.tag} mv", [loop.mv], plant.Input)
        elif loop.sp_of not in tags[i + 1 :]:
            raise ValueError(f"{plant.title}: {loop.tag} commands {loop.sp_of!r}, which no later loop is; masters come first")


def _check_schedules(plant: Plant) -> None:
    """Refuse a scheduling variable that is no output, and a scenario's schedule that the kernel has no rows for."""
    for loop in plant.loops:
        if loop.schedule and loop.schedule.variable != SETPOINT:
            _check_names(plant, f"{loop.tag} gain schedule", [loop.schedule.variable], plant.Output)
    for scenario in plant.scenarios:
        for own, loop in zip(plant.loops, scenario.loops, strict=False):
            if loop.schedule and (not own.schedule or _shape(own.schedule) != _shape(loop.schedule)):
                allowed = "none, or as many breakpoints in the variable of the plant's own, allowed"
                raise ValueError(f"{plant.title}: gain schedule of {loop.tag} in scenario {scenario.name!r}; {allowed}")


def _shape(schedule: Schedule) -> tuple[str, int]:
    return schedule.variable, len(schedule.at)


def _check_faults(plant: Plant) -> None:
    for scenario in plant.scenarios:
        longest = scenario.steps * plant.decision
        for fault in scenario.faults:
            if isinstance(fault, Timed) and not 0.0 <= fault.time <= longest * (1.0 + 1e-9):
                given = f"{type(fault).__name__} of {fault.time:g} {plant.time_unit} in scenario {scenario.name!r}"
                raise ValueError(f"{plant.title}: {given}; 0 to {longest:g} {plant.time_unit}, its length, allowed")
    for fault in plant.faults:
        if isinstance(fault, Fading):
            _check_names(plant, "fading", [fault.parameter], plant.Parameter)
        elif isinstance(fault, Valve):
            _check_names(plant, "a valve's fault", [fault.input], plant.Input)
        else:
            _check_names(plant, "an instrument's fault", [fault.output], plant.Output)
