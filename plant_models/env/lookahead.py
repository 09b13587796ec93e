"""What becomes of a plant that is left with one command: its closed loop, simulated ahead from an estimate.

Compiled and for many plants at once, each in several variants: other parameters, other disturbances, another state to begin with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.blocks import Block
from plant_models.derive.kernel import kernel
from plant_models.derive.layout import COMPLETE, LANES, MAN, RUNNING, STRIDE
from plant_models.env.start import SETTINGS, Settings
from plant_models.env.substeps import substeps

COARSER, FEWEST = 4, 2
"""The sub-step of what is foreseen over the simulator's, and the sub-steps in a loop period below which it does not go."""


class Command(NamedTuple):
    """What a supervisor sends ``n`` plants: ``r`` (n, masters) setpoints, ``a`` (n, actions) in [-1, 1].

    Plants in ``safe`` (n,) get the plant's safe action instead, their loops in manual.
    """

    r: Array
    a: Array
    safe: NDArray[np.bool_]

    def of(self, plants: NDArray[np.bool_]) -> Command:
        """Return the command of some plants."""
        return Command(self.r[plants], self.a[plants], self.safe[plants])


@dataclass(frozen=True)
class Standing:
    """How ``n`` plants stand, as a control room knows it.

    ``x`` (n, variants, states) as estimated, ``d`` (n, variants, samples, disturbances) from now on, the last one held, ``p`` (n
    or 1, variants, parameters); ``u`` (n, inputs), ``y`` (n, outputs), ``memory`` (n, rows), ``v`` (n, actions) and ``was`` (n,
    loops) as the PID layer knows them.
    """

    x: Array
    d: Array
    p: Array
    u: Array
    y: Array
    memory: Array
    v: Array
    was: Array

    def of(self, plants: NDArray[np.bool_]) -> Standing:
        """Return how some plants stand."""
        parts = (self.u, self.y, self.memory, self.v, self.was)
        p = self.p if len(self.p) == 1 else self.p[plants]
        return Standing(self.x[plants], self.d[plants], p, *(part[plants] for part in parts))


@dataclass(frozen=True)
class Outlook:
    """What was foreseen: ``lowest`` (n, variants, margins), ``sound`` (n, variants): finite and within the model's range.

    ``x`` (n, variants, states) and ``y`` (n, variants, outputs) are those at the end.
    """

    lowest: Array
    sound: NDArray[np.bool_]
    x: Array
    y: Array


class Lookahead:
    """Looks ahead for up to ``n`` plants in ``variants`` variants, at level ``setpoint``."""

    def __init__(self, plant: Plant, n: int, variants: int) -> None:
        self.plant, self._variants, self._substeps = plant, variants, coarser(plant)
        self._kernel = kernel(plant, operated=True)
        rows, lanes = self._kernel.layout, n * variants
        self._S, self._P, self._E = Block(rows.S, lanes), Block(rows.P, lanes), Block(rows.E, lanes)
        self._N = np.zeros((self._S.data.shape[0], rows.noise * STRIDE))
        self._W = np.zeros((lanes, plant.loops_per_decision + 1, rows.noise), dtype=np.float32)
        self._k = np.zeros(lanes, dtype=np.intp)
        layer = Settings.of(plant, plant.loops, plant.advance)
        for part in SETTINGS:
            self._P.write(part, getattr(layer, part))
        self._E.write("manual", safe_outputs(plant))
        self._by_hand = by_hand(plant)

    def hold(self, standing: Standing, first: Command, then: Command | None, decisions: int) -> Outlook:
        """Look ahead over ``decisions`` in which a command is held, or is given once and ``then`` another one is held."""
        plants = slice(0, standing.x.shape[0] * self._variants)
        self._begin(standing, plants)
        lowest, chunks = np.full_like(self._read("lowest", plants), np.inf), -(-plants.stop // LANES)
        for k in range(decisions):
            if k == 0 or k < standing.d.shape[2]:
                self._disturb(standing.d, k, plants)
            if k == 0 or (k == 1 and then is not None):
                self._command(first if k == 0 or then is None else then, plants)
            self._kernel.closed_loop(
                self._S.data[:chunks], self._P.data[:chunks], self._E.data[:chunks], self._N[:chunks],
                self._W, self._k[plants], 1, self._substeps,
            )  # fmt: skip
            lowest = np.minimum(lowest, self._read("lowest", plants))
        status = self._read("status", plants)[:, :, 0]
        sound = ((status == RUNNING) | (status == COMPLETE)) & np.isfinite(lowest).all(axis=2)
        return Outlook(lowest, sound, self._read("x", plants), self._read("y", plants))

    def _begin(self, standing: Standing, plants: slice) -> None:
        n, variants = standing.x.shape[:2]
        shared = {"u": standing.u, "y": standing.y, "memory": standing.memory, "v": standing.v, "was": standing.was}
        self._S.write("x", standing.x.reshape(n * variants, -1).T, plants)
        self._S.write("d", standing.d[:, :, 0].reshape(n * variants, -1).T, plants)
        for part, values in shared.items():
            self._S.write(part, np.repeat(values, variants, axis=0).T, plants)
        self._S.write("status", RUNNING, plants)
        columns = [self.plant.Output.names().index(name) for name, periods in self._kernel.layout.delayed for _ in range(periods)]
        if columns:
            self._S.write("history", np.repeat(standing.y[:, columns], variants, axis=0).T, plants)
        self._P.write("p", np.broadcast_to(standing.p, (n, *standing.p.shape[1:])).reshape(n * variants, -1).T, plants)

    def _disturb(self, d: Array, k: int, plants: slice) -> None:
        """Give the disturbances of a decision, and those at its end."""
        last = d.shape[2] - 1
        for part, sample in (("d", min(k, last)), ("d1", min(k + 1, last))):
            self._E.write(part, d[:, :, sample].reshape(plants.stop, -1).T, plants)

    def _command(self, command: Command, plants: slice) -> None:
        given = {"r": command.r, "a": command.a, "mode": command.safe[:, None] * self._by_hand}
        for part, values in given.items():
            self._E.write(part, np.repeat(values, self._variants, axis=0).T, plants)

    def _read(self, part: str, plants: slice) -> Array:
        rows = self._S.read(part)[:, plants]
        values: Array = rows.T.reshape(-1, self._variants, len(rows))
        return values


def safe_outputs(plant: Plant) -> Array:
    """Return what the loops put out in the plant's safe action, (loops, 1); those that move no input are not asked."""
    return np.array([[plant.safe_action.get(loop.mv, 0.0)] for loop in plant.loops])


def by_hand(plant: Plant) -> Array:
    """Return the modes of the loops in the plant's safe action, (loops,)."""
    return MAN * np.array([bool(loop.mv) for loop in plant.loops])


def coarser(plant: Plant) -> int:
    """Return the sub-steps in a loop period with which a plant is foreseen."""
    return min(substeps(plant), max(FEWEST, -(-substeps(plant) // COARSER)))
