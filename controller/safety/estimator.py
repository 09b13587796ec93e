"""Estimate what no instrument shows, for many plants at once: a predictor on the compiled plant, corrected by a learned gain.

    z-  = the nominal closed loop, simulated over one decision from z        z = (states, unmeasured disturbances, parameters)
    z   = z- + K (y - y-)

The gain is that of the ensemble Kalman filter, with the covariances taken over simulated plants whose parameters, disturbances,
noise and commands differ: K = cov(z, y) cov(y)^-1 of the errors of the prediction. Disturbances and parameters are integrated, so
that what is built on them has no offset. The error that is left is measured on episodes that the gain was not learned from.

Source: Evensen, J. Geophys. Res. 99 (1994) 10143-10162; Anderson and Moore, Optimal Filtering, Prentice-Hall 1979, section 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.safety.corners import within
from controller.safety.field import Reading
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command, Lookahead, Standing

WILD = 5.0
"""Standard deviations beyond which a surprise counts as that many."""
ESTIMATED = ("load", "weather", "schedule")
"""Kinds of unmeasured disturbances that move the plant; prices and limits do not."""


@dataclass(frozen=True)
class Unknowns:
    """What is estimated: all states, then the ``disturbances`` and ``parameters`` of these places; ``unit`` scales them."""

    disturbances: tuple[int, ...]
    parameters: tuple[int, ...]
    nominal: Array
    unit: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, plant: Plant) -> Unknowns:
        """Work out what a plant hides."""
        d, p = plant.Disturbance.quantities(), plant.Parameter.quantities()
        hidden = [(i, q) for i, q in enumerate(d.values()) if not q.measured and q.kind in ESTIMATED]
        uncertain = [(i, q) for i, q in enumerate(p.values()) if q.uncertain > 0.0]
        rows = [(q.nominal, q.half_range, *q.valid) for q in plant.State.quantities().values()]
        rows += [(q.nominal, q.half_range, q.low, q.high) for _, q in hidden]
        for _, q in uncertain:
            half = q.uncertain * abs(q.nominal)
            rows.append((q.nominal, half, q.nominal - half, q.nominal + half))
        return cls(tuple(i for i, _ in hidden), tuple(i for i, _ in uncertain), *np.array(rows, dtype=float).T)

    def split(self, z: Array) -> tuple[Array, Array, Array]:
        """Return states, unmeasured disturbances and uncertain parameters of ``z`` (n, entries)."""
        first, second = len(self.nominal) - len(self.disturbances) - len(self.parameters), -len(self.parameters) or None
        return z[:, :first], z[:, first:second], z[:, len(self.nominal) - len(self.parameters) :]


@dataclass(frozen=True)
class Gain:
    """``K`` (phases, entries, outputs) on readings, ``surprise`` (phases, outputs) one standard deviation of a surprise.

    The phase is the number of readings since the start; the last one holds from then on.
    """

    K: Array
    surprise: Array


class Estimator:
    """The estimates of up to ``n`` plants; each counts its own readings since :meth:`begin`."""

    def __init__(self, plant: Plant, n: int, gain: Gain) -> None:
        self.plant, self.unknowns, self._gain = plant, Unknowns.of(plant), gain
        self._ahead = Lookahead(plant)
        self.z = np.tile(self.unknowns.nominal, (n, 1))
        self._y = np.zeros((n, len(plant.Output.names())))
        self._phase = np.zeros(n, dtype=np.intp)

    def begin(self, plants: NDArray[np.intp], reading: Reading) -> None:
        """Forget what was estimated of these plants: everything is nominal before the first reading."""
        self.z[plants], self._phase[plants] = self.unknowns.nominal, 0
        self._y[plants] = shown(self.plant, self.unknowns, self.z[plants], reading.of(plants))

    def correct(self, reading: Reading) -> Array:
        """Take in readings (n rows each; NaN counts as none) and return the estimate, (n, entries)."""
        return self.moved(corrected(self._gain, self.unknowns, self.z, self.surprise(reading), self._phase))

    def surprise(self, reading: Reading) -> Array:
        """Return by how much readings differ from what was expected, (n, outputs)."""
        return reading.y - self._y

    @property
    def expected(self) -> tuple[Array, Array]:
        """What the next readings should show, and one standard deviation of a surprise, each (n, outputs), copied."""
        return self._y.copy(), self._gain.surprise[np.minimum(self._phase, len(self._gain.surprise) - 1)]

    def moved(self, z: Array) -> Array:
        """Put another estimate, (n, entries), in place of the present one, and return it."""
        self.z[:] = z
        return self.z

    def predict(self, standing: Standing, command: Command) -> None:
        """Move the estimate over the decision that the command begins."""
        outlook = self._ahead.hold(standing, command, None, 1)
        states = outlook.x.shape[2]
        self.z[:, :states] = np.where(outlook.sound[:, :1], outlook.x[:, 0], self.z[:, :states])
        self._y[:] = outlook.y[:, 0]
        self._phase += 1

    def parts(self) -> dict[str, NDArray[Any]]:
        """Return what changes from decision to decision, not copied."""
        return {"z": self.z, "y": self._y, "readings": self._phase}

    def standing(self, reading: Reading) -> Standing:
        """Return how the plants stand by the estimate, in one variant."""
        x, _, _ = self.unknowns.split(self.z.copy())
        d, p = filled(self.plant, self.unknowns, self.z, reading.d)
        y = np.where(np.isfinite(reading.y), reading.y, self._y)
        return Standing(x[:, None], p[:, None], d[:, None, None], reading.u, y, reading.memory, reading.v, reading.was)


def corrected(gain: Gain, unknowns: Unknowns, z: Array, surprise: Array, phase: NDArray[np.intp]) -> Array:
    """Return the estimate after surprises ``y - y-`` (n, outputs), NaN where there was no reading; ``phase`` (n,)."""
    at = np.minimum(phase, len(gain.K) - 1)
    most = WILD * gain.surprise[at]
    known = within(np.where(np.isfinite(surprise), surprise, 0.0), -most, most)
    moved = z + np.einsum("nij,nj->ni", gain.K[at], known)
    return within(np.where(np.isfinite(moved), moved, z), unknowns.low, unknowns.high)


def filled(plant: Plant, unknowns: Unknowns, z: Array, measured: Array) -> tuple[Array, Array]:
    """Return disturbances and parameters, (n, ...), with what is estimated filled in, and what nobody knows nominal."""
    _, hidden, uncertain = unknowns.split(z)
    usual, known = _usual(plant)
    d, p = np.where(np.isfinite(measured), measured, usual), np.repeat(known, len(z), axis=0)
    d[:, unknowns.disturbances] = hidden
    p[:, unknowns.parameters] = uncertain
    return d, p


@cache
def _usual(plant: Plant) -> tuple[Array, Array]:
    """Return the nominal disturbances (disturbances,) and parameters (1, parameters)."""
    return np.array(list(plant.Disturbance.nominal()), dtype=float), np.array([list(plant.Parameter.nominal())], dtype=float)


def shown(plant: Plant, unknowns: Unknowns, z: Array, reading: Reading) -> Array:
    """Return what noise-free instruments would show of an estimate, (n, outputs)."""
    x, _, _ = unknowns.split(z)
    d, p = filled(plant, unknowns, z, reading.d)
    columns = zip(plant.arguments, (x, reading.u, d, p), strict=True)
    values = plant.outputs(*(vector.of(list(column.T)) for vector, column in columns))
    return np.stack([np.broadcast_to(value, (len(z),)) for value in values], axis=1)
