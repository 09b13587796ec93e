"""Many plants as a Gymnasium vector environment over the one compiled kernel."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.scenario import Split
from plant_models.derive.layout import FAILED, Level
from plant_models.env.scenario import Single
from plant_models.env.simulator import Index
from plant_models.env.source import EpisodeSource
from plant_models.env.spaces import action_space, observation_space
from plant_models.env.start import starts
from plant_models.env.substeps import fleet


class PlantVectorEnv(VectorEnv[Single, Single, Any]):
    """``gym.make_vec("plants/ExothermicCstr-v0", num_envs=256)``: every plant runs an episode of its own.

    An episode that ends is followed at once by the next one; ``infos["final_obs"]`` then holds its last observation.
    Costs, margins and failures are arrays on ``simulator``.

    Raises:
        UnknownName: for a plant that the catalogue does not hold.
        InvalidAction: for actions of the wrong shape or not finite; no state has moved.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self, plant: str | Plant, num_envs: int = 1, level: Level = "setpoint", scenario: str = "", split: Split = "training",
        render_mode: str | None = None,
    ) -> None:  # fmt: skip
        self.plant = plant if isinstance(plant, Plant) else get(plant)
        self.scenario = self.plant.scenario(scenario)
        self.render_mode = render_mode
        self.num_envs = num_envs
        self._split: Split = split
        self.simulator = fleet(self.plant, num_envs, self.scenario.steps, level)
        self.single_observation_space = observation_space(self.simulator.kernel)
        self.single_action_space = action_space(self.simulator.kernel)
        self.observation_space: gymnasium.Space[Single] = batch_space(self.single_observation_space, num_envs)
        self.action_space: gymnasium.Space[Single] = batch_space(self.single_action_space, num_envs)
        self._source: EpisodeSource | None = None

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Single, dict[str, Any]]:
        """Start an episode on every plant; a seed starts the sequence of episodes anew."""
        if seed is not None or self._source is None:
            first = seed[0] if isinstance(seed, list) else seed
            first = int(np.random.default_rng().integers(2**31)) if first is None else first
            self._source = EpisodeSource(
                self.plant, self.simulator.kernel.layout, self.scenario, first, self._split, ahead=self.num_envs
            )
        self.simulator.load(self._source.take(self.num_envs), np.arange(self.num_envs))
        return self.simulator.observe(), {}

    def step(self, actions: Single) -> tuple[Single, Any, Any, Any, dict[str, Any]]:
        """Run one decision on every plant."""
        result = self.simulator.step(actions)
        observation, infos = result.observation, {}
        ended = np.flatnonzero(result.terminated | result.truncated)
        if len(ended):
            infos = {
                "final_obs": observation.copy(),
                "_final_obs": result.terminated | result.truncated,
                "integration_failed": self.simulator.S.read("status")[0] == FAILED,
            }
            observation[ended] = self.restart(ended)
        return observation, result.reward, result.terminated, result.truncated, infos

    def restart(self, plants: Index) -> Single:
        """Start the next episodes on these plants and return their first observations."""
        assert self._source is not None, "call reset() first"
        self.simulator.load(self._source.take(len(plants)), plants)
        return self.simulator.observe()[plants]

    def stagger(self) -> Single:
        """Start the next episodes at different samples, so that their ends do not all fall on one step."""
        assert self._source is not None, "call reset() first"
        n, steps = self.num_envs, self.scenario.steps
        episodes = self._source.take(n).episodes
        at = np.arange(n) * steps // n
        self.simulator.load(starts(self.simulator.kernel.layout, episodes, at=at), np.arange(n))
        return self.simulator.observe()
