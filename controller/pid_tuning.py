"""Tune a plant's PID layer as an expert would: SIMC first, then the very objective that judges, robustly.

SIMC: Skogestad, Simple analytic rules for model reduction and PID controller tuning, J. Process Control 13 (2003) 291-309.
The refinement is differential evolution over the compiled closed loop, many candidates at once, on tuning scenarios only;
a candidate whose sensitivity peak exceeds 2 is charged for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import OptimizeResult, differential_evolution

from controller.baselines import Pid, Scheduled
from controller.rollout import returns
from controller.simc import simc_layer
from plant_models.core.duty import Economic, Setback
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


@dataclass(frozen=True)
class Tuning:
    """A PID layer with its advance and schedule, what it costs on the tuning scenarios, and its sensitivity peak."""

    loops: tuple[Loop, ...]
    advance: int
    schedule: Setback | None
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
    """The search space of one plant and the cost of many of its points at once."""

    def __init__(self, plant: Plant, seed: int = 0, episodes: int = EPISODES, scenario: str = "") -> None:
        self.plant = plant
        self.episodes = draw(plant, plant.scenario(scenario), seed, episodes, "tuning")
        self.start = _begin(plant)
        self.robustness = Robustness(plant, nominal_equilibrium(plant))
        self.knobs = tuple(self._loop_knobs()) + self._plant_knobs()

    def _loop_knobs(self) -> list[_Knob]:
        knobs = []
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

    def _plant_knobs(self) -> tuple[_Knob, ...]:
        knobs = [_Knob("advance", 0.0, self.plant.preview + 0.999)] if self.plant.preview else []
        if schedule := _schedule(self.plant):
            rule = _rule(self.plant) or schedule
            low = min(schedule.empty, rule.empty)
            knobs += [_Knob("occupied", rule.occupied - 1.0, rule.occupied + 2.0), _Knob("empty", low, rule.occupied + 1.0),
                      _Knob("lead", 0.0, 24.999)]  # fmt: skip
        return tuple(knobs)

    def at(self, shares: Array) -> tuple[tuple[Loop, ...], int, Setback | None]:
        """Return the layer, the advance and the schedule at a point of the unit cube."""
        values = {knob.name: knob.value(float(s)) for knob, s in zip(self.knobs, shares, strict=True)}
        loops = tuple(self._loop(loop, values) for loop in self.start)
        schedule = _schedule(self.plant)
        if schedule:
            schedule = replace(
                schedule, occupied=values["occupied"], empty=min(values["empty"], values["occupied"]),
                lead=int(values["lead"]),
            )  # fmt: skip
        return loops, int(values.get("advance", 0.0)), schedule

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

    def cost(self, loops: tuple[Loop, ...], advance: int, schedule: Setback | None) -> tuple[float, float]:
        """Return the mean objective on the tuning scenarios and the sensitivity peak of one layer."""
        settings = Settings.of(self.plant, loops, advance)
        total = returns(Pid(self.plant), self._scheduled(schedule), settings).mean()
        return float(total), self.robustness.peak(settings.coefficients, settings.limits)

    def costs(self, points: Array) -> Array:
        """Return the charged cost of many points of the unit cube, (points,)."""
        layers = [self.at(point) for point in points]
        each = [Settings.of(self.plant, loops, advance) for loops, advance, _ in layers]
        peaks = np.array([self.robustness.peak(s.coefficients, s.limits) for s in each])
        episodes = concatenate([self._scheduled(schedule) for _, _, schedule in layers])
        totals = returns(Pid(self.plant), episodes, _side_by_side(each, len(self.episodes)))
        means = totals.reshape(len(points), -1).mean(axis=1)
        excess = np.minimum(np.maximum(peaks - MOST_SENSITIVE, 0.0), 10.0)
        charged: Array = means + CHARGE * excess * np.abs(means)
        return charged

    def _scheduled(self, schedule: Setback | None) -> Episodes:
        if schedule is None:
            return self.episodes
        return Scheduled(self.plant, schedule).plan(self.episodes)


def tune(
    plant: Plant, seed: int = 0, generations: int = 100, episodes: int = EPISODES,
    report: Callable[[int, float], None] = lambda generation, cost: None,
) -> Tuning:  # fmt: skip
    """Return the best PID layer found; the same seed finds the same."""
    tuner = Tuner(plant, seed, episodes)
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
    schedule = _schedule(plant)
    cost, sensitivity = Tuner(plant, seed, episodes).cost(plant.loops, plant.advance, schedule)
    return Tuning(plant.loops, plant.advance, schedule, cost, sensitivity)


def _begin(plant: Plant) -> tuple[Loop, ...]:
    """Return the layer around which to search: SIMC's, or where a loop runs away the plant file's own."""
    try:
        return simc_layer(plant)
    except BadInput:
        return plant.loops


def _schedule(plant: Plant) -> Setback | None:
    return plant.duty.schedule if isinstance(plant.duty, Economic) else None


def _rule(plant: Plant) -> Setback | None:
    return plant.duty.rule if isinstance(plant.duty, Economic) else None


def _side_by_side(each: list[Settings], repeat: int) -> Settings:
    """Return the settings of all candidates, each for ``repeat`` plants in a row."""

    def wide(part: Callable[[Settings], Array]) -> Array:
        return np.repeat(np.concatenate([part(s) for s in each], axis=1), repeat, axis=1)

    return Settings(
        wide(lambda s: s.coefficients), wide(lambda s: s.feedforward), wide(lambda s: s.limits), wide(lambda s: s.advance)
    )
