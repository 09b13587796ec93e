"""Many plants in step: the kernel with its memory, the episodes loaded into it, and what happens when a step fails."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plant_models.core.duty import Batch
from plant_models.core.errors import BadInput, IntegrationError, InvalidAction, UnknownName, unknown
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.blocks import Block
from plant_models.derive.kernel import Kernel, kernel
from plant_models.derive.layout import COMPLETE, FAILED, LEVELS, RUNNING, STRIDE, TRIPPED, Level
from plant_models.derive.network import Network, compiled_loop
from plant_models.derive.twin import twin
from plant_models.env.scenario import Episodes, Single
from plant_models.env.start import Settings, Starts, starts

Index: TypeAlias = NDArray[np.intp]
FINGERPRINTED = 16
"""The episode of every so manieth plant is part of a snapshot's fingerprint."""


@dataclass(frozen=True)
class Step:
    """What one decision brought, one entry a plant; the arrays are the caller's to keep."""

    observation: Single
    reward: Array
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class Simulator:
    """``n`` plants of one kind at one action level; each runs an episode of its own from :meth:`load`.

    ``S``, ``P``, ``E`` and ``noise`` are the kernel's blocks, ``noises`` (n, loop periods + 1, rows of ``N``) what the
    episodes' instruments add, ``k`` the decision each plant is at, ``substeps`` the steps in which a loop period is
    integrated; ``mend`` has CVODES redo what the kernel cannot; ``clipped``, ``failures`` and ``rescued`` count what happened
    to each. The loops of plants that are ``operated`` have modes, which stand in ``E`` and in ``S``.
    """

    def __init__(
        self, plant: Plant, n: int, steps: int, substeps: int, level: Level = "setpoint", mend: bool = True,
        operated: bool = False,
    ) -> None:  # fmt: skip
        if n < 1:
            raise BadInput(f"{n} plants of {plant.name}: give at least 1")
        if level not in LEVELS:
            raise UnknownName(unknown("level", level, LEVELS))
        self.plant, self.n, self.steps, self.level, self.substeps = plant, n, steps, level, substeps
        self._mend, self._operated = mend, operated
        self.kernel: Kernel = kernel(plant, level, operated, slow=operated and n == 1)
        rows = self.kernel.layout
        self.S, self.P, self.E = Block(rows.S, n), Block(rows.P, n), Block(rows.E, n)
        self.noise = np.zeros((self.S.data.shape[0], rows.noise * STRIDE))
        self._before = np.zeros_like(self.S.data)
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
        self._M = np.zeros((n, samples, rows.exogenous + len(rows.fading)))
        self.noises = np.zeros((n, steps * plant.loops_per_decision + 1, rows.noise), dtype=np.float32)
        self._F = np.zeros((n, steps + 1, forecasts), dtype=np.float32)

    @property
    def width(self) -> int:
        """Entries of an observation."""
        return len(self.kernel.observation.features)

    def load(self, given: Episodes | Starts, plants: Index, settings: Settings | None = None) -> None:
        """Start episodes on these plants; ``settings`` replace those of the episodes' PID layer.

        Raises:
            BadInput: where the episodes are another plant's, of another length, or not one for each plant.
        """
        episodes = given if isinstance(given, Episodes) else given.episodes
        if episodes.plant is not self.plant or episodes.scenario.steps != self.steps or len(episodes) != len(plants):
            stated = f"{len(episodes)} episodes of {episodes.plant.name}, {episodes.scenario.steps} steps long"
            raise BadInput(f"{stated}; {len(plants)} of {self.plant.name}, {self.steps} steps long, are allowed")
        begun = starts(self.kernel.layout, given, settings) if isinstance(given, Episodes) else given
        self._M[plants], self.noises[plants], self._F[plants] = episodes.exogenous, episodes.noise, episodes.forecasts
        self.S.fill(plants, begun.S)
        self.P.fill(plants, begun.P)
        self.k[plants], self.clipped[plants] = begun.at, 0

    def prescribe(self, episodes: Episodes) -> None:
        """Exchange what the rest of the running episodes brings: the plants go on as they stand.

        Raises:
            BadInput: where they are not as many, as long and of the same plant as those that run.
        """
        parts = (episodes.exogenous, self._M), (episodes.noise, self.noises), (episodes.forecasts, self._F)
        if episodes.plant is not self.plant or any(given.shape != held.shape for given, held in parts):
            raise BadInput(f"{self.plant.name}: episodes that differ in more than their signals from those that run")
        for given, held in parts:
            held[:] = given

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return copies of what changes while episodes run, and a fingerprint of the episodes, which are not among them."""
        return {name: np.array(part) for name, part in self._parts().items()} | {"episodes": self._fingerprint()}

    def restore(self, episodes: Episodes, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go back to a snapshot: the episodes that ran then, one a plant, and what :meth:`snapshot` returned.

        Raises:
            BadInput: where a part is missing or of another shape, or these are other episodes.
        """
        self.load(episodes, np.arange(self.n))
        for name, part in self._parts().items():
            if name not in kept or kept[name].shape != part.shape:
                raise BadInput(f"{self.plant.name}: {name} of a snapshot is missing or not of shape {part.shape}")
            part[:] = kept[name]
        if not np.array_equal(self._fingerprint(), kept["episodes"]):
            name = episodes.scenario.name
            raise BadInput(f"{self.plant.name}: scenario {name!r} draws other episodes than before; it has changed since")

    def _parts(self) -> dict[str, NDArray[Any]]:
        blocks = {"S": self.S.data, "P": self.P.data, "E": self.E.data, "N": self.noise}
        return {**blocks, "k": self.k, "clipped": self.clipped, "failures": self.failures, "rescued": self.rescued}

    def _fingerprint(self) -> NDArray[Any]:
        """The sha256 of every sixteenth plant's episode, (32,)."""
        digest = hashlib.sha256()
        for part in (self._M, self.noises, self._F):
            digest.update(np.ascontiguousarray(part[::FINGERPRINTED]).tobytes())
        return np.frombuffer(digest.digest(), dtype=np.uint8)

    def noise_of(self, plant: int, decision: int) -> Array:
        """Return what instruments add during a decision, in units, and the valves' bands, (loops per decision, rows of ``N``)."""
        loops = self.plant.loops_per_decision
        return self.noises[plant, decision * loops + 1 : (decision + 1) * loops + 1].astype(float)

    def observe(self) -> Single:
        """Return the observation of every plant as it stands, (n, width)."""
        out = np.zeros((self.n, self.width), dtype=np.float32)
        self.kernel.see(self.S.data, self.P.data, self._M, self._F, self.k, out)
        return out

    @property
    def sent(self) -> Array:
        """The setpoints that the hierarchy sends in the coming decision, (n, masters)."""
        sent: Array = self._M[self._sending()]
        return sent

    @property
    def measured(self) -> Array:
        """The disturbances as they are now, (n, disturbances), NaN where nobody measures them."""
        kinds = self.plant.Disturbance.quantities().values()
        now = self._M[np.arange(self.n), self.k, : len(kinds)]
        return np.where([q.measured for q in kinds], now, np.nan)

    def _sending(self) -> tuple[Index, Index, Index]:
        at = self.k + self.P.read("advance")[0].astype(np.intp)
        first = self.kernel.layout.E.row("r")
        columns = np.arange(first, first + len(self.plant.masters))
        return np.arange(self.n)[:, None], at[:, None], columns[None, :]

    def step(self, actions: ArrayLike, sent: Array | None = None) -> Step:
        """Advance every plant by one decision; ``sent`` (n, masters) are setpoints in place of the hierarchy's.

        Raises:
            InvalidAction: for a wrong shape or a value that is not finite; nothing has moved.
            BadInput: where an episode is over.
        """
        if (self.k >= self.steps).any():
            raise BadInput(f"{self.plant.name}: an episode is over after its {self.steps} steps; call reset() first")
        self._actions[:] = self.numbers(actions)
        if sent is None:
            return self._step()
        place = self._sending()
        drawn = self._M[place]
        self._M[place] = sent
        try:
            return self._step()
        finally:
            self._M[place] = drawn

    def _step(self) -> Step:
        np.copyto(self._before, self.S.data)
        observation = np.empty((self.n, self.width), dtype=np.float32)
        if not self.kernel.step(*self._arguments(observation)):
            raise InvalidAction(f"{self.plant.name}: an action is not finite; give numbers in [-1, 1]")
        status = self._report[:, 1]
        if self._mend and (status == FAILED).any():
            self._rescue(observation)
        return self._judge(observation)

    def decide(self, network: Network, rows: Index, kept: Array) -> int:
        """Run decisions by a network in one compiled loop; keep these rows of ``S`` after each, ``kept`` (decisions, rows, n).

        Returns how many were run: all, or as many as need no mending, which :meth:`step` does; none where nothing is compiled.

        Raises:
            BadInput: where the network is of another shape, or more decisions are asked for than are left.
        """
        shape, wanted = tuple(network.sizes[[0, -1]].tolist()), (self.width, self._actions.shape[1])
        if shape != wanted or len(kept) > self.steps - self.k.max():
            stated = f"{len(kept)} decisions by a network of {shape[0]} entries and {shape[1]} actions"
            left = self.steps - int(self.k.max())
            raise BadInput(f"{self.plant.name}: {stated}; allowed are at most {left} by one of {wanted[0]} and {wanted[1]}")
        if not self.kernel.compiled:
            return 0
        status = self.kernel.layout.S.row("status")
        given = *self._arguments(self.observe()), *network.arguments()
        return int(compiled_loop().decide(self.kernel.step, *given, self._before, status, FAILED, rows, kept))

    def _arguments(self, observation: Single) -> tuple[Any, ...]:
        return (
            self.S.data, self.P.data, self.E.data, self.noise, self._M, self.noises, self._F, self.k,
            self._actions, self.clipped, observation, self._report, self.substeps,
        )  # fmt: skip

    def numbers(self, actions: ArrayLike) -> NDArray[Any]:
        """Return the actions of all plants as an array of numbers, (n, actions), which may yet be out of range or not finite.

        Raises:
            InvalidAction: for what is no number, or of another shape.
        """
        given = np.asarray(actions)
        if given.dtype.kind not in "biuf":
            raise InvalidAction(f"{self.plant.name}: an action that is no number; give numbers in [-1, 1]")
        if given.shape != self._actions.shape:
            raise InvalidAction(f"{self.plant.name}: actions of shape {given.shape}; allowed is {self._actions.shape}")
        return given

    def reward(self, stage: Array, status: Array, left: NDArray[np.intp]) -> Array:
        """Return the rewards of decisions, (...), from the stage cost, the status after them and the decisions left.

        A trip or a failure is charged every remaining step at the worst declared stage cost.
        """
        lost = (status == TRIPPED) | (status == FAILED)
        rewards: Array = -np.where(lost, self.plant.worst * (left + 1), stage) / self.plant.scale
        return rewards

    def _judge(self, observation: Single) -> Step:
        """A batch's end is final."""
        status, left = self._report[:, 1], self.steps - self.k
        reward = self.reward(self._report[:, 0], status, left)
        final, over = (status == TRIPPED) | (status == COMPLETE), left <= 0
        if isinstance(self.plant.duty, Batch):
            final |= over & (status == RUNNING)
        return Step(observation, reward, final, ((status == FAILED) | over) & ~final)

    def _rescue(self, observation: Single) -> None:
        """Repeat by CVODES what the kernel could not integrate; what fails there too stays frozen and is counted."""
        failed = np.flatnonzero(self._report[:, 1] == FAILED)
        after = self.S.data.copy()
        self.S.data[:] = self._before
        columns = {int(e): self.S.column(int(e)) for e in failed}
        self.S.data[:] = after
        for e, start in columns.items():
            if start[self.kernel.layout.S.row("status")] != RUNNING:
                continue
            try:
                self._redo(e, start)
                self.rescued[e] += 1
            except IntegrationError:
                self.failures[e] += 1
        self.kernel.see(self.S.data, self.P.data, self._M, self._F, self.k, observation)

    def _redo(self, e: int, start: Array) -> None:
        rows, noise = self.kernel.layout.S, self.noise_of(e, int(self.k[e]) - 1)
        exact = twin(self.plant, self.level, self.substeps, operated=self._operated)
        column = exact.step(start, self.P.column(e), self.E.column(e), noise)
        self.S.restore(e, column)
        self._report[e] = column[rows.row("stage")], column[rows.row("status")]
