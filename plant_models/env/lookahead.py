"""What becomes of a plant that is left with one command: its closed loop, simulated ahead from an estimate.

Compiled and for many plants at once, each in several variants: other parameters, other disturbances, another state to begin with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.blocks import Block
from plant_models.derive.foresight import foresight
from plant_models.derive.kernel import kernel
from plant_models.derive.layout import FAILED, LANES, MAN, STRIDE
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator
from plant_models.env.start import SETTINGS, Settings
from plant_models.env.substeps import substeps

Plants: TypeAlias = NDArray[np.bool_] | NDArray[np.intp]
IN_S = ("x", "u", "y", "memory", "v", "was", "d", "status", "lowest", "history")
IN_E = ("d", "d1", "r", "a", "mode")
COARSER, FEWEST = 4, 2
"""The sub-step of what is foreseen over the simulator's at most, and the least sub-steps in a loop period."""
THROWS, SEEN, FAR = 8, 1e-3, 1e6
"""Decisions in which coarser sub-steps are tried, and by what share of a range they may then be off."""


class Command(NamedTuple):
    """What a supervisor sends ``n`` plants: ``r`` (n, masters) setpoints, ``a`` (n, actions) in [-1, 1].

    Plants in ``safe`` (n,) get the plant's safe action instead, their loops in manual.
    """

    r: Array
    a: Array
    safe: NDArray[np.bool_]

    def of(self, plants: Plants) -> Command:
        """Return the command of some plants; a plant may be named more than once."""
        return Command(self.r[plants], self.a[plants], self.safe[plants])


class Standing(NamedTuple):
    """How ``n`` plants stand, as a control room knows it.

    ``x`` (n, variants, states) as estimated, ``p`` (n or 1, variants, parameters), ``d`` (n, variants, samples, disturbances)
    from now on, the last one held; ``u`` (n, inputs), ``y`` (n, outputs), ``memory`` (n, rows), ``v`` (n, actions) and ``was``
    (n, loops) as the PID layer knows them.
    """

    x: Array
    p: Array
    d: Array
    u: Array
    y: Array
    memory: Array
    v: Array
    was: Array

    def of(self, plants: Plants) -> Standing:
        """Return how some plants stand; a plant may be named more than once."""
        shared = len(self.p) == 1
        return Standing(*(part if shared and part is self.p else part[plants] for part in self))


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
    """Looks ahead for plants in any number of variants, at level ``setpoint``."""

    def __init__(self, plant: Plant) -> None:
        self.plant, self._substeps, self._kernel = plant, coarser(plant), kernel(plant, operated=True)
        rows = self._kernel.layout
        self._S, self._P, self._E = Block(rows.S, LANES), Block(rows.P, LANES), Block(rows.E, LANES)
        self._N = np.zeros((1, rows.noise * STRIDE))
        self._W = np.zeros((LANES, plant.loops_per_decision + 1, rows.noise), dtype=np.float32)
        self._k = np.zeros(LANES, dtype=np.int64)
        layer = Settings.of(plant, plant.loops, plant.advance)
        for part in SETTINGS:
            self._P.write(part, getattr(layer, part))
        self._E.write("manual", safe_outputs(plant))
        names = plant.Output.names()
        self._delayed = np.array([names.index(name) for name, many in rows.delayed for _ in range(many)], dtype=np.int64)
        self._rows = np.array([*(rows.S.row(part) for part in IN_S), rows.P.row("p"), *(rows.E.row(part) for part in IN_E)])
        self._margins, self._foresee, self._by_hand = len(rows.margins), foresight(self._kernel), by_hand(plant)

    def hold(
        self, standing: Standing, first: Command, then: Command | None, decisions: int, plants: NDArray[np.intp] | None = None
    ) -> Outlook:
        """Look ahead over ``decisions`` in which a command is held, or is given once and ``then`` another one is held.

        Commands, and what is found, are of all plants, or of these ``plants`` (m,), of which one may be named more than once.
        """
        at = np.arange(len(standing.x)) if plants is None else np.ascontiguousarray(plants, dtype=np.intp)
        n, (_, variants, states) = len(at), standing.x.shape
        after = first if then is None else then
        lowest, sound = np.empty((n, variants, self._margins)), np.empty((n, variants), dtype=bool)
        x, y = np.empty((n, variants, states)), np.empty((n, variants, standing.y.shape[1]))
        room = self._S.data, self._P.data, self._E.data, self._N, self._W, self._k
        self._foresee(
            *room, self._substeps, self._rows, self._delayed, self._by_hand, at,
            *map(_flat, standing), *map(_flat, first), *map(_flat, after), decisions, lowest, sound, x, y,
        )  # fmt: skip
        return Outlook(lowest, sound, x, y)


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values one after the other in memory, numbers as float64."""
    return np.ascontiguousarray(values, dtype=bool if values.dtype == bool else float)


def safe_outputs(plant: Plant) -> Array:
    """Return what the loops put out in the plant's safe action, (loops, 1); those that move no input are not asked."""
    return np.array([[plant.safe_action.get(loop.mv, 0.0)] for loop in plant.loops])


def by_hand(plant: Plant) -> Array:
    """Return the modes of the loops in the plant's safe action, (loops,)."""
    return MAN * np.array([bool(loop.mv) for loop in plant.loops])


@cache
def coarser(plant: Plant) -> int:
    """Return the sub-steps in a loop period with which a plant is foreseen: as few as show what the simulator shows."""
    whole = substeps(plant)
    exact = np.empty(0)
    for share in (COARSER, COARSER // 2):
        count = min(whole, max(FEWEST, -(-whole // share)))
        if count == whole:
            break
        exact = exact if exact.size else _thrown(plant, whole)
        if np.abs(_thrown(plant, count) - exact).max() <= SEEN:
            return count
    return whole


def _thrown(plant: Plant, count: int) -> Array:
    """Return states of plants whose offsets are thrown about, as shares of their ranges; a failure is far from anything."""
    scenario, rng = plant.scenario(), np.random.default_rng(0)
    simulator = Simulator(plant, LANES, scenario.steps, count, mend=False, operated=True)
    simulator.load(draw(plant, scenario, 0, LANES, "tuning"), np.arange(LANES))
    for _ in range(min(THROWS, scenario.steps)):
        simulator.step(rng.choice([-1.0, 1.0], (LANES, simulator.kernel.layout.actions)))
    ranges = np.array([q.high - q.low for q in plant.State.quantities().values()])
    failed = simulator.S.read("status")[0] == FAILED
    return np.where(failed, FAR, simulator.S.read("x") / ranges[:, None])
