"""What a trained policy decides: where it has been, and a section through its decisions over two observed quantities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from controller.interface import Reading
from controller.policy import Policy
from plant_models.core.plant import Plant
from plant_models.core.quantity import ZERO_C, Quantity
from plant_models.core.scenario import Array
from plant_models.derive.kernel import kernel
from plant_models.derive.layout import Level
from plant_models.derive.observation import Feature
from plant_models.env.mixture import mixture
from plant_models.env.scenario import Episodes, Single, draw
from plant_models.env.substeps import fleet

EPISODES = 8
POINTS = 61
"""Validation episodes that a policy is run on, and points of a section on each axis."""


@dataclass(frozen=True)
class Axis:
    """One entry of the observation as displays show it: ``value = centre + half_range * entry`` in ``unit``."""

    name: str
    unit: str
    centre: float
    half_range: float

    def value(self, entry: Array | Single | np.floating) -> Array:
        """Return entries in the unit of displays."""
        return np.asarray(self.centre + self.half_range * entry, dtype=float)


@dataclass(frozen=True)
class Visited:
    """Observations (steps, episodes, entries) and actions in [-1, 1] (steps, episodes, actions) of a policy's episodes."""

    observations: Single
    actions: Single

    def at(self, place: str) -> Single:
        """Return an operating point, (entries,): ``median`` of all, or ``k`` of the first episode's decisions, as in ``12``."""
        if place.isdigit() and int(place) < len(self.observations):
            return np.asarray(self.observations[int(place), 0])
        return np.asarray(np.median(self.observations.reshape(-1, self.observations.shape[-1]), axis=0), dtype=np.float32)


@dataclass(frozen=True)
class Section:
    """A section through a policy: ``x``, ``y`` (points,) in units, and the ``moves``, (actions, points, points)."""

    x: Array
    y: Array
    moves: Array


def visited(policy: Policy, scenario: str = "", episodes: int = EPISODES) -> Visited:
    """Run a policy on validation episodes, without a shield, and return what it saw and decided.

    The episodes are of one scenario, or shared by several with commas between their names.
    """
    chosen = mixture(policy.plant, scenario)
    each = max(1, episodes // len(chosen))
    parts = [_visited(policy, draw(policy.plant, one, 0, each, "validation")) for one in chosen]
    observations, actions = zip(*((part.observations, part.actions) for part in parts), strict=True)
    return Visited(np.concatenate(observations, axis=1), np.concatenate(actions, axis=1))


def _visited(policy: Policy, drawn: Episodes) -> Visited:
    simulator = fleet(drawn.plant, len(drawn), drawn.scenario.steps, policy.level)
    simulator.load(drawn, np.arange(len(drawn)))
    seen, done = [], []
    for _ in range(drawn.scenario.steps):
        seen.append(simulator.observe())
        done.append(policy.act(Reading(seen[-1])))
        simulator.step(done[-1])
    return Visited(np.stack(seen), np.stack(done))


def axes(plant: Plant, level: Level) -> tuple[Axis, ...]:
    """Return the entries of the observation, in order, as displays show them."""
    return tuple(_shown(plant, feature) for feature in kernel(plant, level).observation.features)


def reach(plant: Plant, level: Level) -> tuple[Axis, ...]:
    """Return what each action moves, and how an action in [-1, 1] reads: an offset, a setpoint, or a manipulated variable."""
    if level == "direct":
        return tuple(_scaled(name, q, q.low, q.high) for name, q in plant.Input.quantities().items())
    found = []
    for loop in plant.acted:
        q = plant.Output.quantities()[loop.pv]
        offset = Axis(f"{loop.tag} offset", "K" if q.shown == "degC" else q.unit, 0.0, loop.authority)
        found.append(offset if level == "setpoint" else _scaled(f"{loop.tag} setpoint", q, loop.low, loop.high))
    return tuple(found)


def section(policy: Policy, at: Single, x: int, y: int) -> Section:
    """Return what a policy decides while entries ``x`` and ``y`` go over their declared ranges and the others stay."""
    entries = np.linspace(-1.0, 1.0, POINTS, dtype=np.float32)
    observations = np.tile(at, (POINTS * POINTS, 1))
    observations[:, x] = np.tile(entries, POINTS)
    observations[:, y] = np.repeat(entries, POINTS)
    actions = policy.act(Reading(observations)).T.reshape(-1, POINTS, POINTS)
    known, moved = axes(policy.plant, policy.level), reach(policy.plant, policy.level)
    moves = np.stack([axis.value(action) for axis, action in zip(moved, actions, strict=True)])
    return Section(known[x].value(entries), known[y].value(entries), moves)


def _scaled(name: str, q: Quantity, low: float, high: float) -> Axis:
    return Axis(name, q.shown, 0.5 * (low + high) - _zero(q), 0.5 * (high - low))


def _zero(q: Quantity) -> float:
    return ZERO_C if q.unit == "K" and q.shown == "degC" else 0.0


def _shown(plant: Plant, feature: Feature) -> Axis:
    """A difference of temperatures stays in K; a temperature is shown as its instrument shows it."""
    known = plant.Output.quantities() | plant.Input.quantities() | plant.Disturbance.quantities()
    known |= {loop.tag: plant.Output.quantities()[loop.pv] for loop in plant.loops}
    first, _, rest = feature.name.partition(" ")
    q = known.get(first)
    if q is None or not _zero(q) or any(word in rest for word in ("error", "change", "integral")) or rest == "offset":
        return Axis(feature.name, feature.unit, feature.centre, feature.half_range)
    return Axis(feature.name, q.shown, feature.centre - ZERO_C, feature.half_range)
