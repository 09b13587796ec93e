"""Many plants as a Gymnasium vector environment over the one compiled kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario, Split
from plant_models.derive.layout import FAILED, Level
from plant_models.env.mixture import label, mixture
from plant_models.env.scenario import Episodes, Single, concatenate
from plant_models.env.simulator import Index, Step
from plant_models.env.source import EpisodeSource
from plant_models.env.spaces import action_space, observation_space
from plant_models.env.start import Starts, starts
from plant_models.env.substeps import fleet


class PlantVectorEnv(VectorEnv[Single, Single, Any]):
    """``gym.make_vec("plants/ExothermicCstr-v0", num_envs=256)``: every plant runs an episode of its own.

    ``scenario`` may name several with commas between, or ``all``: plant ``e`` then takes its episodes from the one at ``e``
    modulo their number.

    An episode that ends is followed at once by the next one; ``infos`` then holds what the next one overwrites: its last
    observation ``final_obs``, and ``time_beyond`` (limits, n), how long each margin was below zero in this decision.
    Costs, margins and failures are arrays on ``simulator``.

    Raises:
        UnknownName: for a plant that the catalogue does not hold, or a scenario that the plant lacks.
        BadInput: for scenarios that cannot share a fleet, or fewer plants than scenarios.
        InvalidAction: for actions of the wrong shape or not finite; no state has moved.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self, plant: str | Plant, num_envs: int = 1, level: Level = "setpoint", scenario: str = "", split: Split = "training",
        render_mode: str | None = None, operated: bool = False,
    ) -> None:  # fmt: skip
        self.plant = plant if isinstance(plant, Plant) else get(plant)
        self.scenarios = mixture(self.plant, scenario)
        if num_envs < len(self.scenarios):
            raise BadInput(f"{num_envs} plants for {len(self.scenarios)} scenarios of {self.plant.name}: give at least as many")
        self.which: Index = np.arange(num_envs) % len(self.scenarios)
        """The scenario that each plant takes its episodes from, by its place among :attr:`scenarios`."""
        self.render_mode = render_mode
        self.num_envs = num_envs
        self._split: Split = split
        self.simulator = fleet(self.plant, num_envs, self.scenario.steps, level, operated)
        self.single_observation_space = observation_space(self.simulator.kernel)
        self.single_action_space = action_space(self.simulator.kernel)
        self.observation_space: gymnasium.Space[Single] = batch_space(self.single_observation_space, num_envs)
        self.action_space: gymnasium.Space[Single] = batch_space(self.single_action_space, num_envs)
        self.sources: tuple[EpisodeSource, ...] = ()
        """Where the episodes of each scenario come from; none before the first reset."""
        self.numbers: Index = np.zeros(num_envs, dtype=np.intp)
        """The number of the episode that each plant runs: with the seed and the scenario it tells how to draw it again."""

    @property
    def scenario(self) -> Scenario:
        """The first of the scenarios; the others are as long."""
        return self.scenarios[0]

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Single, dict[str, Any]]:
        """Start an episode on every plant; a seed starts the sequence of episodes anew."""
        if seed is not None or not self.sources:
            first = seed[0] if isinstance(seed, list) else seed
            self.sources = self._begin(int(np.random.default_rng().integers(2**31)) if first is None else first)
        return self.restart(np.arange(self.num_envs)), {}

    def _begin(self, seed: int) -> tuple[EpisodeSource, ...]:
        layout, ahead = self.simulator.kernel.layout, -(-self.num_envs // len(self.scenarios))
        return tuple(EpisodeSource(self.plant, layout, each, seed, self._split, ahead) for each in self.scenarios)

    def step(self, actions: Single) -> tuple[Single, Any, Any, Any, dict[str, Any]]:
        """Run one decision on every plant."""
        return self.after(self.simulator.step(actions))

    def after(self, result: Step) -> tuple[Single, Any, Any, Any, dict[str, Any]]:
        """Return what a decision brought, and start the next episodes where one ended."""
        observation, infos = result.observation, {}
        ended = np.flatnonzero(result.terminated | result.truncated)
        if len(ended):
            infos = {
                "final_obs": observation.copy(),
                "_final_obs": result.terminated | result.truncated,
                "integration_failed": self.simulator.S.read("status")[0] == FAILED,
                "time_beyond": self.simulator.S.read("time"),
            }
            observation[ended] = self.restart(ended)
        return observation, result.reward, result.terminated, result.truncated, infos

    def restart(self, plants: Index) -> Single:
        """Start the next episodes on these plants and return their first observations."""
        for some, begun in self._take(plants):
            self.simulator.load(begun, some)
        return self.simulator.observe()[plants]

    def _take(self, plants: Index) -> Iterator[tuple[Index, Starts]]:
        """Hand out the next episodes to these plants, scenario by scenario."""
        assert self.sources, "call reset() first"
        for at, source in enumerate(self.sources):
            some = plants[self.which[plants] == at]
            if len(some):
                self.numbers[some] = source.next + np.arange(len(some))
                yield some, source.take(len(some))

    def stagger(self) -> Single:
        """Start the next episodes at different samples, so that their ends do not all fall on one step."""
        n, steps = self.num_envs, self.scenario.steps
        at = np.arange(n) * steps // n
        for some, begun in self._take(np.arange(n)):
            self.simulator.load(starts(self.simulator.kernel.layout, begun.episodes, at=at[some]), some)
        return self.simulator.observe()

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return what it takes to go on from here: the simulator's memory, and which episodes run and come next."""
        assert self.sources, "call reset() first"
        place = np.array([[source.seed, *source.place] for source in self.sources])
        return self.simulator.snapshot() | {"numbers": self.numbers.copy(), "place": place}

    def restore(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go back to a snapshot; its episodes are drawn again from their numbers.

        Raises:
            BadInput: where a part is missing or of another shape, or the scenarios draw other episodes than before.
        """
        places = kept["place"].reshape(-1, 4).tolist()
        if len(places) != len(self.scenarios):
            raise BadInput(f"{self.plant.name}: a snapshot of {len(places)} scenarios; {label(self.scenarios)!r} run here")
        self.sources = self._begin(places[0][0])
        for source, (_, following, first, count) in zip(self.sources, places, strict=True):
            source.seek(following, first, count)
        self.numbers[:] = kept["numbers"]
        self.simulator.restore(self._running(), kept)

    def _running(self) -> Episodes:
        """Draw the episodes that run anew from their numbers, one a plant; loops' settings are in the simulator's memory."""
        plants = [np.flatnonzero(self.which == at) for at in range(len(self.scenarios))]
        drawn = [source.numbered(self.numbers[some]) for source, some in zip(self.sources, plants, strict=True)]
        whole = concatenate(drawn)[np.argsort(np.concatenate(plants))]
        return replace(whole, scenario=replace(self.scenario, name=label(self.scenarios)))
