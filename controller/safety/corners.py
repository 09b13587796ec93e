"""The plants that a command must be safe for: the nominal one, and the worst that is declared, one for each limit.

A corner is a direction in everything that is not known: each state off by its calibrated error, each disturbance by as much as
it may move, each uncertain parameter at one end of its range. Which end is the worse one is found by simulation, from the
situations that come nearest to the limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command, Lookahead, Standing

NEAR = 0.2
"""Share of the situations, those nearest to a limit, that tell which corner is its worst."""
IDLE = 0.01
"""Share of the strongest effect up to which an entry is left nominal."""
ENFORCED = ("hard", "trip")
"""Kinds of limits that must hold; soft ones have a price."""


@dataclass(frozen=True)
class Situations:
    """Moments of many episodes: how the plants stood by their estimates, for how many readings, what was sent, and then."""

    standing: Standing
    phase: NDArray[np.intp]
    sent: Command
    then: Command | None

    def of(self, which: NDArray[np.bool_]) -> Situations:
        """Return some of the situations."""
        then = None if self.then is None else self.then.of(which)
        return Situations(self.standing.of(which), self.phase[which], self.sent.of(which), then)


@dataclass(frozen=True)
class Spread:
    """How far off what is not known may be.

    ``states`` (phases, states), ``disturbances`` (samples, disturbances) from now on, ``parameters`` as shares of their values.
    """

    states: Array
    disturbances: Array
    parameters: Array

    @property
    def entries(self) -> int:
        """How many there are."""
        return int(self.states.shape[1]) + int(self.disturbances.shape[1]) + len(self.parameters)


def enforced(plant: Plant) -> NDArray[np.bool_]:
    """Return whether each margin must hold, (margins,)."""
    margins = plant.margins(*(vector.nominal() for vector in plant.arguments))
    return np.array([margin.kind in ENFORCED for margin in margins.values()])


def scales(plant: Plant) -> Array:
    """Return the margins at the nominal point, (margins,), by which margins of different units are compared."""
    margins = plant.margins(*(vector.nominal() for vector in plant.arguments))
    nominal = np.abs([float(margin.value) for margin in margins.values()])
    return np.where(nominal > 0.0, nominal, 1.0)


def shares(plant: Plant) -> Array:
    """Return the declared half-widths of the parameters, (parameters,), as shares of their values."""
    return np.array([q.uncertain for q in plant.Parameter.quantities().values()])


@dataclass(frozen=True)
class Corners:
    """Everything about a plant's variants that is the same at all times: by how much each differs, and between what bounds.

    ``signs`` of the states (variants, states), ``off`` (variants, samples, disturbances), ``p`` (1, variants, parameters);
    ``valid`` and ``ranges`` are those of states and disturbances, lower ends and upper ones.
    """

    spread: Spread
    signs: Array
    off: Array
    p: Array
    valid: Array
    ranges: Array

    @classmethod
    def of(cls, plant: Plant, signs: Array, spread: Spread) -> Corners:
        """Return the variants that differ by ``signs`` (variants, entries) times the spread."""
        states, disturbances = spread.states.shape[1], spread.disturbances.shape[1]
        s_x, s_d, s_p = np.split(signs, [states, states + disturbances], axis=1)
        valid = np.array([q.valid for q in plant.State.quantities().values()]).T
        ranges = np.array([(q.low, q.high) for q in plant.Disturbance.quantities().values()]).reshape(-1, 2).T
        nominal = np.array(list(plant.Parameter.nominal()), dtype=float)
        p = (nominal * (1.0 + s_p * spread.parameters))[None]
        return cls(spread, s_x, s_d[:, None, :] * spread.disturbances, p, valid, ranges)

    def varied(self, standing: Standing, phase: NDArray[np.intp]) -> Standing:
        """Return how plants that stand in one variant stand in all of them; ``phase`` (n,) counts their readings."""
        off = self.spread.states[np.minimum(phase, len(self.spread.states) - 1)]
        x = within(standing.x + self.signs * off[:, None], *self.valid)
        low, high = np.minimum(self.ranges[0], standing.d), np.maximum(self.ranges[1], standing.d)
        return standing._replace(x=x, d=within(standing.d + self.off, low, high), p=self.p)


def within(values: Array, low: Array | float, high: Array | float) -> Array:
    """Return values taken back to bounds, NaN where they are; for few of them faster than what NumPy has for it."""
    bounded: Array = np.minimum(np.maximum(values, low), high)
    return bounded


def varied(plant: Plant, standing: Standing, signs: Array, spread: Spread, phase: NDArray[np.intp]) -> Standing:
    """Return how plants that stand in one variant stand in others: by ``signs`` (variants, entries) times the spread."""
    return Corners.of(plant, signs, spread).varied(standing, phase)


def sensitivities(plant: Plant, met: Situations, spread: Spread, horizon: int) -> Array:
    """Return the lowest margins (situations, 1 + 2 * entries, margins) as it stands, and with each entry up, then down.

    That of a plant that trips is the one at its trip. What leaves the model's range before it crosses any limit tells nothing,
    and is NaN.
    """
    one = np.eye(spread.entries)
    signs = np.concatenate([np.zeros((1, spread.entries)), one, -one])
    ahead = Lookahead(plant)
    found = ahead.hold(varied(plant, met.standing, signs, spread, met.phase), met.sent, met.then, horizon)
    told = found.sound | (found.lowest < 0.0).any(axis=2)
    return np.where(told[:, :, None], found.lowest, np.nan)


def worst(plant: Plant, met: Situations, spread: Spread, horizon: int) -> Array:
    """Return the signs of the nominal plant and of the worst corner of each limit, (variants, entries), found in situations."""
    low = sensitivities(plant, met, spread, horizon)
    rows = [np.zeros(spread.entries)]
    for c in np.flatnonzero(enforced(plant)):
        nominal = low[:, 0, c]
        rows.append(_direction(low[nominal <= np.nanquantile(nominal, NEAR), :, c]))
    return np.unique(np.stack(rows), axis=0)


def further(plant: Plant, met: Situations, limits: Array, spread: Spread, horizon: int) -> Array:
    """Return the signs (situations, entries) that are worst for the limit of each situation, ``limits`` (situations,)."""
    low = sensitivities(plant, met, spread, horizon)
    return np.stack([_direction(low[i : i + 1, :, c]) for i, c in enumerate(limits)])


def _direction(low: Array) -> Array:
    """Return the signs that lower a margin most, (entries,), from its lowest values (situations, 1 + 2 * entries)."""
    entries = low.shape[1] // 2
    difference = low[:, 1 : entries + 1] - low[:, entries + 1 :]
    effect = np.nan_to_num(difference).mean(axis=0)
    signs: Array = -np.sign(effect) * (np.abs(effect) > IDLE * np.abs(effect).max(initial=0.0))
    return signs
