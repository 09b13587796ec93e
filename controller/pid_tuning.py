"""Tune a plant's PID layer as an expert would: SIMC first, then the very objective that judges, robustly.

SIMC: Skogestad, Simple analytic rules for model reduction and PID controller tuning, J. Process Control 13 (2003) 291-309.
The refinement is differential evolution over the compiled closed loop, many candidates at once, on tuning scenarios only;
a candidate whose sensitivity peak exceeds 2 is charged for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import OptimizeResult, differential_evolution

from controller.baselines import Pid, Scheduled
from controller.panel import calendar
from controller.rollout import returns
from controller.simc import simc_layer
from plant_models.core.duty import Economic, Part, Reset, Setback
from plant_models.core.errors import BadInput
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.linear import Robustness
from plant_models.derive.steady import nominal_equilibrium
from plant_models.env.scenario import Episodes, concatenate, draw
from plant_models.env.start import Settings

EPISODES = 96
"""Tuning episodes that a candidate is judged on."""
MOST_SENSITIVE = 2.0
CHARGE = 5.0
"""Relative cost for each unit of M_s above the limit."""
LEAD = 24
"""Most samples by which a schedule may be ahead of its calendar."""


@dataclass(frozen=True)
class Tuning:
    """A PID layer with its advance and schedule, what it costs on the tuning scenarios, and its sensitivity peak."""

    loops: tuple[Loop, ...]
    advance: int
    schedule: tuple[Part, ...]
    cost: float
    sensitivity: float


@dataclass(frozen=True)
class _Knob:
    """One number that tuning may turn: where it stands in the unit cube and what it sets."""

    name: str
    low: float
    high: float
    log: bool = False

    def value(self, share: float) -> float:
        """Return the number at a share of the range."""
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return float(self.low + (self.high - self.low) * share)


def _between(name: str, far: float) -> _Knob:
    return _Knob(name, min(0.0, far), max(0.0, far))


class Tuner:
    """The search space of one plant and the cost of many of its points at once.

    ``layer`` False keeps the gains and the advance of the plant file, so that only the schedule is turned.
    """

    def __init__(self, plant: Plant, seed: int = 0, episodes: int = EPISODES, scenario: str = "", layer: bool = True) -> None:
        self.plant, self.layer = plant, layer
        self.episodes = draw(plant, plant.scenario(scenario), seed, episodes, "tuning")
        self.start = _begin(plant) if layer else plant.loops
        self.robustness = Robustness(plant, nominal_equilibrium(plant))
        self.knobs = (*(self._loop_knobs() if layer else ()), *schedule_knobs(plant))

    def _loop_knobs(self) -> list[_Knob]:
        knobs = [_Knob("advance", 0.0, self.plant.preview + 0.999)] if self.plant.preview else []
        for loop in self.start:
            if loop.gains.K_c == 0.0:
                continue
            size, g = abs(loop.gains.K_c), loop.gains
            knobs += [
                _Knob(f"{loop.tag} K_c", 0.05 * size, 20.0 * size, log=True),
                _Knob(f"{loop.tag} T_i", max(0.1 * g.T_i, 2.0 * self.plant.loop_period), 10.0 * g.T_i, log=True),
                _Knob(f"{loop.tag} T_d", 0.0, 0.5 * g.T_i),
                _Knob(f"{loop.tag} b", 0.0, 1.0),
                _between(f"{loop.tag} setpoint", 1.5 * g.setpoint),
            ]
            knobs += [_between(f"{loop.tag} {name}", 1.5 * gain) for name, gain in g.disturbance]
            if loop.schedule:
                knobs += [_Knob(f"{loop.tag} schedule K_c", 0.0, 1.5), _Knob(f"{loop.tag} schedule T_i", -1.0, 1.0)]
        return knobs

    def at(self, shares: Array) -> tuple[tuple[Loop, ...], int, tuple[Part, ...]]:
        """Return the layer, the advance and the schedule at a point of the unit cube."""
        values = {knob.name: knob.value(float(s)) for knob, s in zip(self.knobs, shares, strict=True)}
        schedule = tuple(_turned(part, f"{part.tag} {i}", values) for i, part in enumerate(scheduled(self.plant)))
        if not self.layer:
            return self.plant.loops, self.plant.advance, schedule
        return tuple(self._loop(loop, values) for loop in self.start), int(values.get("advance", 0.0)), schedule

    def _loop(self, loop: Loop, values: dict[str, float]) -> Loop:
        g, tag = loop.gains, loop.tag
        if g.K_c == 0.0:
            return loop
        found = replace(
            g,
            K_c=float(np.copysign(values[f"{tag} K_c"], g.K_c)),
            T_i=values[f"{tag} T_i"],
            T_d=values[f"{tag} T_d"],
            b=values[f"{tag} b"],
            setpoint=values[f"{tag} setpoint"],
            disturbance=tuple((name, values[f"{tag} {name}"]) for name, _ in g.disturbance),
        )
        if loop.schedule is None:
            return replace(loop, gains=found)
        schedule = replace(loop.schedule, K_c=values[f"{tag} schedule K_c"], T_i=values[f"{tag} schedule T_i"])
        return replace(loop, gains=found, schedule=schedule)

    def cost(self, loops: tuple[Loop, ...], advance: int, schedule: tuple[Part, ...]) -> tuple[float, float]:
        """Return the mean objective on the tuning scenarios and the sensitivity peak of one layer."""
        settings = Settings.of(self.plant, loops, advance)
        total = returns(Pid(self.plant), self._scheduled(schedule), settings).mean()
        return float(total), self.robustness.peak(settings.coefficients, settings.limits)

    def costs(self, points: Array) -> Array:
        """Return the charged cost of many points of the unit cube, (points,)."""
        layers = [self.at(point) for point in points]
        each = [Settings.of(self.plant, loops, advance) for loops, advance, _ in layers]
        peaks = np.array([self.robustness.peak(s.coefficients, s.limits) for s in (each if self.layer else each[:1])])
        episodes = concatenate([self._scheduled(schedule) for _, _, schedule in layers])
        totals = returns(Pid(self.plant), episodes, _side_by_side(each, len(self.episodes)))
        means = totals.reshape(len(points), -1).mean(axis=1)
        excess = np.minimum(np.maximum(peaks - MOST_SENSITIVE, 0.0), 10.0)
        charged: Array = means + CHARGE * excess * np.abs(means)
        return charged

    def _scheduled(self, schedule: tuple[Part, ...]) -> Episodes:
        return Scheduled(self.plant, schedule).plan(self.episodes) if schedule else self.episodes


def tune(
    plant: Plant, seed: int = 0, generations: int = 100, episodes: int = EPISODES,
    report: Callable[[int, float], None] = lambda generation, cost: None, layer: bool = True,
) -> Tuning:  # fmt: skip
    """Return the best PID layer found, or with ``layer`` False the best schedule for it; the same seed finds the same.

    Raises:
        BadInput: where only a schedule shall be turned and the plant declares none.
    """
    tuner = Tuner(plant, seed, episodes, layer=layer)
    if not tuner.knobs:
        raise BadInput(f"{plant.name} declares no schedule to be tuned; tune its PID layer")
    generation = 0

    def progress(intermediate_result: OptimizeResult) -> None:
        nonlocal generation
        generation += 1
        report(generation, float(intermediate_result.fun))

    result = differential_evolution(
        lambda points: tuner.costs(np.atleast_2d(points.T)), [(0.0, 1.0)] * len(tuner.knobs), rng=seed,
        maxiter=generations, popsize=8, tol=1e-6, polish=False, vectorized=True, updating="deferred", callback=progress,
    )  # fmt: skip
    loops, advance, schedule = tuner.at(result.x)
    cost, sensitivity = tuner.cost(loops, advance, schedule)
    return Tuning(loops, advance, schedule, cost, sensitivity)


def current(plant: Plant, seed: int = 0, episodes: int = EPISODES) -> Tuning:
    """Return the PID layer that the plant file carries, judged like a candidate."""
    schedule = scheduled(plant)
    cost, sensitivity = Tuner(plant, seed, episodes).cost(plant.loops, plant.advance, schedule)
    return Tuning(plant.loops, plant.advance, schedule, cost, sensitivity)


def _begin(plant: Plant) -> tuple[Loop, ...]:
    """Return the layer around which to search: SIMC's, or where a loop runs away the plant file's own."""
    try:
        return simc_layer(plant)
    except BadInput:
        return plant.loops


def scheduled(plant: Plant) -> tuple[Part, ...]:
    """Return the schedule that the plant file carries."""
    return plant.duty.schedule if isinstance(plant.duty, Economic) else ()


def schedule_knobs(plant: Plant) -> tuple[_Knob, ...]:
    """Return what may be turned in a schedule: each setpoint by its loop's authority, and leads where a calendar is known."""
    masters = {loop.tag: loop for loop in plant.masters}
    parts = scheduled(plant)
    alone = [part.tag for part in parts]
    knobs: list[_Knob] = []
    for i, part in enumerate(parts):
        loop, name = masters[part.tag], f"{part.tag} {i}"
        low, high = (loop.low, loop.high) if alone.count(part.tag) == 1 else (-np.inf, np.inf)
        knobs += [
            _Knob(f"{name} {key}", max(low, value - loop.authority), min(high, value + loop.authority))
            for key, value in _setpoints(part).items()
        ]
        knobs += [_Knob(f"{name} lead", 0.0, LEAD + 0.999)] if calendar(plant, [part]) else []
    return tuple(knobs)


def _setpoints(part: Part) -> dict[str, float]:
    if isinstance(part, Setback):
        return {"occupied": part.occupied, "empty": part.empty}
    return {str(k): value for k, value in enumerate(part.values if isinstance(part, Reset) else (part.value,))}


def _turned(part: Part, name: str, values: Mapping[str, float]) -> Part:
    """Return a part with the setpoints and the lead at which its knobs stand."""
    found = [values[f"{name} {key}"] for key in _setpoints(part)]
    if isinstance(part, Setback):
        lead = int(values.get(f"{name} lead", part.lead))
        return replace(part, occupied=found[0], empty=found[1], lead=lead)
    return replace(part, values=tuple(found)) if isinstance(part, Reset) else replace(part, value=found[0])


def _side_by_side(each: list[Settings], repeat: int) -> Settings:
    """Return the settings of all candidates, each for ``repeat`` plants in a row."""

    def wide(part: Callable[[Settings], Array]) -> Array:
        return np.repeat(np.concatenate([part(s) for s in each], axis=1), repeat, axis=1)

    return Settings(
        wide(lambda s: s.coefficients), wide(lambda s: s.feedforward), wide(lambda s: s.limits), wide(lambda s: s.advance)
    )
