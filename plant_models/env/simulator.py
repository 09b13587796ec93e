"""Many plants in step: the kernel with its memory, the episodes loaded into it, and what happens when a step fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plant_models.core.errors import BadInput, IntegrationError, InvalidAction, UnknownName, unknown
from plant_models.core.loop import Loop, coefficients
from plant_models.core.plant import Plant
from plant_models.core.quantity import Quantity
from plant_models.core.scenario import Array
from plant_models.derive.blocks import Block
from plant_models.derive.kernel import Kernel, kernel
from plant_models.derive.layout import FAILED, LEVELS, LIMITS, RUNNING, STRIDE, TRIPPED, Level
from plant_models.derive.twin import twin
from plant_models.env.scenario import Episodes, Single

Index: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True)
class Settings:
    """The rows of the PID layer that an episode fixes: ``coefficients``, ``feedforward``, ``limits``, ``advance``."""

    coefficients: Array
    feedforward: Array
    limits: Array
    advance: Array

    @classmethod
    def of(cls, plant: Plant, loops: tuple[Loop, ...], advance: int) -> Settings:
        """Work out the rows of declared loops, (rows, 1)."""
        h = plant.loop_period
        gains = [loop.gains for loop in loops]
        c = [coefficients(g.K_c, g.T_i, g.T_d, g.b, g.setpoint, h) for g in gains]
        feedforward = [gain for g in gains for _, gain in g.disturbance]
        limits = [bound for loop in loops for bound in (loop.low, loop.high)]
        return cls(*(np.reshape(np.asarray(rows, dtype=float), (-1, 1)) for rows in (c, feedforward, limits, [advance])))


@dataclass(frozen=True)
class Step:
    """What one decision brought, one entry a plant; the arrays are the caller's to keep."""

    observation: Single
    reward: Array
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class Simulator:
    """``n`` plants of one kind at one action level; each runs an episode of its own from :meth:`load`.

    ``S``, ``P``, ``E`` and ``noise`` are the kernel's blocks, ``noises`` (n, loop periods + 1, outputs) the episodes' sensor
    noise, ``k`` the decision each plant is at; ``clipped``, ``failures`` and ``rescued`` count what happened to each.
    """

    def __init__(self, plant: Plant, n: int, steps: int, level: Level = "setpoint") -> None:
        if n < 1:
            raise BadInput(f"{n} plants of {plant.name}: give at least 1")
        if level not in LEVELS:
            raise UnknownName(unknown("level", level, LEVELS))
        self.plant, self.n, self.steps, self.level = plant, n, steps, level
        self.kernel: Kernel = kernel(plant, level)
        rows = self.kernel.layout
        self.S, self.P, self.E = Block(rows.S, n), Block(rows.P, n), Block(rows.E, n)
        self.noise = np.zeros((self.S.data.shape[0], rows.noise * STRIDE))
        self._reserve(plant, n, steps)
        self.k: Index = np.zeros(n, dtype=np.intp)
        self.clipped: Index = np.zeros(n, dtype=np.intp)
        self.failures: Index = np.zeros(n, dtype=np.intp)
        self.rescued: Index = np.zeros(n, dtype=np.intp)
        self._actions = np.zeros((n, rows.actions), dtype=np.float32)
        self._report = np.zeros((n, 2))

    def _reserve(self, plant: Plant, n: int, steps: int) -> None:
        rows = self.kernel.layout
        samples = steps + 1 + max(plant.preview, *plant.leads, 1)
        forecasts = sum(q.forecast for q in plant.Disturbance.quantities().values()) * len(plant.leads)
        self._M = np.zeros((n, samples, rows.exogenous))
        self.noises = np.zeros((n, steps * plant.loops_per_decision + 1, rows.noise), dtype=np.float32)
        self._F = np.zeros((n, steps + 1, forecasts))

    @property
    def width(self) -> int:
        """Entries of an observation."""
        return len(self.kernel.observation.features)

    def load(self, episodes: Episodes, plants: Index, settings: Settings | None = None) -> None:
        """Start the episodes on these plants, each at its nominal inputs with its loops in automatic.

        Raises:
            BadInput: where the episodes are another plant's, of another length, or not one for each plant.
        """
        if episodes.plant is not self.plant or episodes.scenario.steps != self.steps or len(episodes) != len(plants):
            given = f"{len(episodes)} episodes of {episodes.plant.name}, {episodes.scenario.steps} steps long"
            raise BadInput(f"{given}; {len(plants)} of {self.plant.name}, {self.steps} steps long, are allowed")
        chosen = settings or Settings.of(self.plant, episodes.loops, self.plant.advance)
        self._M[plants], self.noises[plants], self._F[plants] = episodes.exogenous, episodes.noise, episodes.forecasts
        self.k[plants], self.clipped[plants] = 0, 0
        self.P.write("p", episodes.parameters.T, plants)
        for part in ("coefficients", "feedforward", "limits", "advance"):
            self.P.write(part, getattr(chosen, part), plants)
        self._start(episodes, plants, chosen)

    def _start(self, episodes: Episodes, plants: Index, settings: Settings) -> None:
        plant, S = self.plant, self.S
        inputs = np.array(list(plant.Input.nominal()))[:, None]
        d = episodes.exogenous[:, 0, : len(plant.Disturbance.names())]
        y = self._first_measurement(episodes, d)
        S.clear(plants)
        for part, values in (("x", episodes.initial.T), ("u", inputs), ("d", d.T), ("y", y.T), ("lowest", np.inf)):
            S.write(part, values, plants)
        S.write("memory", self._memory(y), plants)
        S.write("base", self._bases(episodes, settings), plants)

    def _first_measurement(self, episodes: Episodes, d: Array) -> Array:
        plant = self.plant
        clean = plant.outputs(plant.State.of(list(episodes.initial.T)), plant.Input.nominal(),
                              plant.Disturbance.of(list(d.T)), plant.Parameter.of(list(episodes.parameters.T)))  # fmt: skip
        sd = np.array([q.noise for q in plant.Output.quantities().values()])
        shown = np.stack([np.broadcast_to(value, (len(episodes),)) for value in clean], axis=1)
        return shown + sd * episodes.noise[:, 0]

    def _memory(self, y: Array) -> Array:
        plant, rows = self.plant, []
        zero = np.zeros(len(y))
        for loop in plant.loops:
            output = plant.Input.quantities()[loop.mv].nominal if loop.mv else self._slave(loop).nominal
            rows += [zero, zero, y[:, plant.Output.names().index(loop.pv)], zero + output, zero]
        return np.stack(rows)

    def _slave(self, loop: Loop) -> Quantity:
        slave = next(other for other in self.plant.loops if other.tag == loop.sp_of)
        return self.plant.Output.quantities()[slave.pv]

    def _bases(self, episodes: Episodes, settings: Settings) -> Array:
        """Before the first decision a master sends its reference, a slave its nominal setpoint."""
        plant, rows = self.plant, []
        masters = list(plant.masters)
        for loop in plant.acted:
            i = plant.loops.index(loop)
            nominal = np.full(len(episodes), plant.Output.quantities()[loop.pv].nominal)
            first = episodes.exogenous[:, 0, episodes.references()]
            sent = first[:, masters.index(loop)] if loop in masters else nominal
            rows.append(np.clip(sent, settings.limits[LIMITS * i], settings.limits[LIMITS * i + 1]))
        return np.stack(rows)

    def noise_of(self, plant: int) -> Single:
        """Return the sensor noise of a plant's episode in standard deviations, (loop periods + 1, outputs)."""
        seen: Single = self.noises[plant]
        return seen

    def observe(self) -> Single:
        """Return the observation of every plant as it stands, (n, width)."""
        out = np.zeros((self.n, self.width), dtype=np.float32)
        self.kernel.see(self.S.data, self._M, self._F, self.k, out)
        return out

    def step(self, actions: ArrayLike) -> Step:
        """Advance every plant by one decision.

        Raises:
            InvalidAction: for a wrong shape or a value that is not finite; nothing has moved.
            BadInput: where an episode is over.
        """
        if (self.k >= self.steps).any():
            raise BadInput(f"{self.plant.name}: an episode is over after its {self.steps} steps; call reset() first")
        self._take(actions)
        before = self.S.data.copy()
        observation = np.empty((self.n, self.width), dtype=np.float32)
        accepted = self.kernel.step(
            self.S.data, self.P.data, self.E.data, self.noise, self._M, self.noises, self._F, self.k,
            self._actions, self.clipped, observation, self._report,
        )  # fmt: skip
        if not accepted:
            raise InvalidAction(f"{self.plant.name}: an action is not finite; give numbers in [-1, 1]")
        status = self._report[:, 1]
        if (status == FAILED).any():
            self._rescue(before, observation)
        return self._judge(observation)

    def _take(self, actions: ArrayLike) -> None:
        given = np.asarray(actions)
        if given.dtype.kind not in "biuf":
            raise InvalidAction(f"{self.plant.name}: an action that is no number; give numbers in [-1, 1]")
        if given.shape != self._actions.shape:
            raise InvalidAction(f"{self.plant.name}: actions of shape {given.shape}; allowed is {self._actions.shape}")
        self._actions[:] = given

    def _judge(self, observation: Single) -> Step:
        """A trip or a failure is charged every remaining step at the worst declared stage cost."""
        stage, status = self._report[:, 0], self._report[:, 1]
        left = self.steps - self.k
        cost = np.where(status == RUNNING, stage, self.plant.worst * (left + 1))
        return Step(observation, -cost / self.plant.scale, status == TRIPPED, (status == FAILED) | (left <= 0))

    def _rescue(self, before: Array, observation: Single) -> None:
        """Repeat by CVODES what the kernel could not integrate; what fails there too stays frozen and is counted."""
        failed = np.flatnonzero(self._report[:, 1] == FAILED)
        after, self.S.data[:] = self.S.data.copy(), before
        starts = {int(e): self.S.column(int(e)) for e in failed}
        self.S.data[:] = after
        for e, start in starts.items():
            if start[self.kernel.layout.S.row("status")] != RUNNING:
                continue
            try:
                self._redo(e, start)
                self.rescued[e] += 1
            except IntegrationError:
                self.failures[e] += 1
        self.kernel.see(self.S.data, self._M, self._F, self.k, observation)

    def _redo(self, e: int, start: Array) -> None:
        loops, rows = self.plant.loops_per_decision, self.kernel.layout.S
        first = (self.k[e] - 1) * loops + 1
        noise = self.noises[e, first : first + loops].astype(float)
        column = twin(self.plant, self.level).step(start, self.P.column(e), self.E.column(e), noise)
        self.S.restore(e, column)
        self._report[e] = column[rows.row("stage")], column[rows.row("status")]
