"""Estimate what no instrument shows: an extended Kalman filter over one decision, with disturbances that integrate.

It knows what a control room knows: readings, inputs, the PID layer's memory and the measured disturbances. Beside the states it
estimates the unmeasured disturbances and the uncertain parameters. Their means are held between readings (integrators, so that a
model corrected by them has no offset), while their covariance returns to the declared spread, so that what the readings do
not tell stays as uncertain as declared and never drifts away.

| covariance | one standard deviation |
|---|---|
| reading | the instrument's noise, at least 0.1 % of half its range |
| first state | a third of the half range declared for it |
| state, added in a decision | 0.3 % of the half range, and what the instruments' noise moves through the PID layer |
| unmeasured disturbance | as the scenario draws it, and at least 1 % of the half range; forgotten as fast as it moves there |
| uncertain parameter | its declared half-width over the square root of three; forgotten over a hundred horizons of learning |

How a disturbance moves is what the training episodes of a scenario show (:class:`Liveliness`). After the first, readings farther
than five standard deviations from what is expected count as that far, so that one wild value moves little.
Source: Simon, Optimal State Estimation, Wiley 2006, section 13.2; Pannocchia and Rawlings, AIChE J. 49 (2003) 426-437.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import Level
from plant_models.derive.prediction import prediction
from plant_models.derive.slopes import moved, shown

FIRST, ADDED, FLOOR = 1.0 / 3.0, 0.003, 0.001
FORGETTING = 100.0
"""Horizons of learning over which a parameter's spread returns."""
STILL = 0.01
"""Share of the half range by which a disturbance that never moves may be off: what integrates leaves no offset."""
WILD, FARTHEST = 5.0, 4.0
"""Deviations of a reading, and half-widths of a parameter, beyond which neither is believed."""
ESTIMATED = ("load", "weather", "schedule")
"""Kinds of unmeasured disturbances that move the plant; prices and limits do not."""


@dataclass(frozen=True)
class Liveliness:
    """How each unmeasured disturbance moves: its usual value, its deviation from it, the share of that which a decision keeps."""

    usual: tuple[float, ...]
    deviation: tuple[float, ...]
    kept: tuple[float, ...]


@dataclass(frozen=True)
class Estimate:
    """Means (n, states + disturbances + parameters) and covariances (n, same, same), in units of the declared spread."""

    mean: Array
    covariance: Array


class Observer:
    """The filter of one plant at one action level; ``disturbances`` and ``parameters`` are the places that it estimates."""

    def __init__(self, plant: Plant, level: Level, substeps: int, lively: Liveliness) -> None:
        self.plant, self._usual = plant, lively.usual
        self._model = prediction(plant, level, substeps)
        self.disturbances, self.parameters = unmeasured(plant), _uncertain(plant)
        self._states = len(plant.State.names())
        self._unit, self._spread, low, high = _sizes(plant, lively.deviation)
        self._bounds = low, high
        self._kept, added = _forgetting(plant, lively.kept)
        self._forgotten = np.diag(added + (1.0 - self._kept**2) * self._spread**2)
        self._noise = np.array([max(q.noise, FLOOR * q.half_range) for q in plant.Output.quantities().values()])
        self._stirring = np.tile(self._noise, plant.loops_per_decision)
        self._move = moved(self._model, self.disturbances, self.parameters)
        self._show = shown(plant, self.disturbances, self.parameters)

    def begin(self, n: int, p: Array) -> Estimate:
        """Return what is known before the first reading: everything as usual; ``p`` are the parameters held nominal."""
        x = np.array(list(self.plant.State.nominal()))
        mean = np.concatenate([x, self._usual, p[self.parameters]]) / self._unit
        return Estimate(np.tile(mean, (n, 1)), np.tile(np.diag(self._spread**2), (n, 1, 1)))

    def predict(self, last: Estimate, z: Array, v: Array, e: Array, s: Array) -> Estimate:
        """Return the estimate one decision later; ``z``, ``v``, ``e``, ``s`` as in the prediction, (n, rows), ``x`` ignored."""
        moved, slope, noise = (part.full() for part in self._move((last.mean * self._unit).T, z.T, v.T, e.T, s.T))
        mean = last.mean.copy()
        mean[:, : self._states] = moved.T / self._unit[: self._states]
        F = np.tile(np.diag(self._kept), (len(mean), 1, 1))
        F[:, : self._states] = self._each(slope) / self._unit[: self._states, None]
        G = noise.reshape(self._states, len(mean), -1).transpose(1, 0, 2) / self._unit[: self._states, None] * self._stirring
        covariance = F @ last.covariance @ F.transpose(0, 2, 1) + self._forgotten
        covariance[:, : self._states, : self._states] += G @ G.transpose(0, 2, 1)
        return self._within(Estimate(mean, covariance), last, s[:, self._model.s["p"]])

    def correct(self, expected: Estimate, y: Array, u: Array, d: Array, p: Array, wild: float = WILD) -> Estimate:
        """Return the estimate after readings ``y`` (n, outputs).

        NaN counts as no reading; ``wild`` standard deviations are the farthest that a reading may be.
        """
        shown, slope = (part.full() for part in self._show((expected.mean * self._unit).T, u.T, self._seen(d).T, p.T))
        seen, P = np.isfinite(y), expected.covariance
        H, R = self._each(slope) * seen[:, :, None], np.diag(self._noise**2)
        S = H @ P @ H.transpose(0, 2, 1) + R
        K = np.linalg.solve(S, H @ P).transpose(0, 2, 1)
        farthest = wild * np.sqrt(np.einsum("nii->ni", S))
        surprise = np.clip(np.where(seen, y - shown.T, 0.0), -farthest, farthest)
        mean = expected.mean + np.einsum("nij,nj->ni", K, surprise)
        left = np.eye(mean.shape[1]) - K @ H
        covariance = left @ P @ left.transpose(0, 2, 1) + K @ R @ K.transpose(0, 2, 1)
        return self._within(Estimate(mean, covariance), expected, p)

    def states(self, estimate: Estimate) -> Array:
        """Return the estimated states, (n, states)."""
        x: Array = (estimate.mean * self._unit)[:, : self._states]
        return x

    def deviations(self, estimate: Estimate) -> Array:
        """Return one standard deviation of the estimated states, (n, states)."""
        variances = np.einsum("nii->ni", estimate.covariance)[:, : self._states]
        x: Array = np.sqrt(np.maximum(variances, 0.0)) * self._unit[: self._states]
        return x

    def completed(self, estimate: Estimate, d: Array, p: Array) -> tuple[Array, Array]:
        """Return disturbances and parameters, (n, ...), with what is estimated filled in, and what nobody knows nominal."""
        values, first = estimate.mean * self._unit, self._states + len(self.disturbances)
        d, p = self._seen(d), p.copy()
        d[:, self.disturbances], p[:, self.parameters] = values[:, self._states : first], values[:, first:]
        return d, p

    def _seen(self, d: Array) -> Array:
        """Return the disturbances, nominal where nobody measures them."""
        return np.where(np.isfinite(d), d, list(self.plant.Disturbance.nominal()))

    def _each(self, slopes: Array) -> Array:
        """Return slopes (rows, plants * entries) as (plants, rows, entries), over entries in units of their spread."""
        rows = slopes.reshape(len(slopes), -1, len(self._unit))
        each: Array = rows.transpose(1, 0, 2) * self._unit
        return each

    def _within(self, found: Estimate, last: Estimate, p: Array) -> Estimate:
        """Keep means within what is physical; where one is not finite the last estimate stands."""
        sound = np.asarray(np.isfinite(found.mean).all(axis=1) & np.isfinite(found.covariance).all(axis=(1, 2)))
        middle, first = np.zeros_like(found.mean), found.mean.shape[1] - len(self.parameters)
        middle[:, first:] = p[:, self.parameters] / self._unit[first:]
        low, high = self._bounds
        mean = np.clip(np.where(sound[:, None], found.mean, last.mean), middle + low, middle + high)
        return replace(found, mean=mean, covariance=np.where(sound[:, None, None], found.covariance, last.covariance))


@cache
def observer(plant: Plant, level: Level, substeps: int, lively: Liveliness) -> Observer:
    """Return the observer, built once a process."""
    return Observer(plant, level, substeps, lively)


def unmeasured(plant: Plant) -> list[int]:
    """Return the places of the disturbances that an observer estimates."""
    disturbances = plant.Disturbance.quantities().values()
    return [i for i, q in enumerate(disturbances) if not q.measured and q.kind in ESTIMATED]


def _uncertain(plant: Plant) -> list[int]:
    return [i for i, q in enumerate(plant.Parameter.quantities().values()) if q.uncertain > 0.0]


def _sizes(plant: Plant, deviation: tuple[float, ...]) -> tuple[Array, Array, Array, Array]:
    """Return the unit of every entry, and spread, lowest and highest value in that unit; those of a parameter from its middle."""
    rows = [(q.half_range, FIRST, *q.valid) for q in plant.State.quantities().values()]
    declared, parameters = list(plant.Disturbance.quantities().values()), list(plant.Parameter.quantities().values())
    for i, drawn in zip(unmeasured(plant), deviation, strict=True):
        q = declared[i]
        rows.append((q.half_range, max(drawn / q.half_range, STILL), q.low - q.half_range, q.high + q.half_range))
    for q in (parameters[i] for i in _uncertain(plant)):
        half = q.uncertain * abs(q.nominal)
        rows.append((half, 1.0 / np.sqrt(3.0), -FARTHEST * half, FARTHEST * half))
    unit, spread, low, high = np.array(rows, dtype=float).T
    return unit, spread, low / unit, high / unit


def _forgetting(plant: Plant, disturbances: tuple[float, ...]) -> tuple[Array, Array]:
    """Return the share of each spread that a decision keeps, and the variance that it adds to the states."""
    states, parameters = len(plant.State.names()), len(_uncertain(plant))
    parameter = np.exp(-1.0 / (FORGETTING * min(plant.learning.horizon, plant.scenario().steps)))
    kept = np.array([1.0] * states + list(disturbances) + [parameter] * parameters)
    return kept, np.array([ADDED**2] * states + [0.0] * (len(disturbances) + parameters))
