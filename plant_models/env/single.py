"""One plant as a Gymnasium environment."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Space
from numpy.typing import NDArray

from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.scenario import Split
from plant_models.derive.layout import FAILED, TRIPPED, Level
from plant_models.env.scenario import Episodes, Single
from plant_models.env.source import EpisodeSource
from plant_models.env.spaces import action_space, observation_space
from plant_models.env.substeps import fleet

ONE = np.zeros(1, dtype=np.intp)


class PlantEnv(gymnasium.Env[Single, Single]):
    """``gym.make("plants/ExothermicCstr-v0")``: supervise the PID layer of one plant.

    An action in [-1, 1] moves the setpoint offsets (``level="setpoint"``, zero is the PID layer alone), the setpoints
    (``"absolute"``) or the manipulated variables (``"direct"``). A time limit truncates, a trip terminates, a failed
    integration truncates and says so in ``info``. ``reset(options={"episodes": ...})`` runs a given episode.

    Raises:
        UnknownName: for a plant that the catalogue does not hold.
        InvalidAction: for an action of the wrong shape or not finite; the state is untouched.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self, plant: str | Plant, level: Level = "setpoint", scenario: str = "", split: Split = "training",
        render_mode: str | None = None,
    ) -> None:  # fmt: skip
        self.plant = plant if isinstance(plant, Plant) else get(plant)
        self.scenario = self.plant.scenario(scenario)
        self.render_mode = render_mode
        self._split: Split = split
        self.simulator = fleet(self.plant, 1, self.scenario.steps, level)
        self.observation_space: Space[Single] = observation_space(self.simulator.kernel)
        self.action_space: Space[Single] = action_space(self.simulator.kernel)
        self._source: EpisodeSource | None = None
        rows = self.simulator.kernel.layout
        self._margins = {name: i for i, name in enumerate(rows.margins)}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Single, dict[str, Any]]:
        """Start the next episode; a seed starts the sequence of episodes anew."""
        super().reset(seed=seed)
        if seed is not None or self._source is None:
            first = seed if seed is not None else int(self.np_random.integers(2**31))
            self._source = EpisodeSource(self.plant, self.simulator.kernel.layout, self.scenario, first, self._split)
        given: Episodes | None = (options or {}).get("episodes")
        self.simulator.load(given if given is not None else self._source.take(1), ONE)
        return self.simulator.observe()[0], self._info()

    def step(self, action: Single) -> tuple[Single, float, bool, bool, dict[str, Any]]:
        """Run one decision."""
        result = self.simulator.step(np.reshape(action, (1, -1)))
        return (
            result.observation[0], float(result.reward[0]), bool(result.terminated[0]), bool(result.truncated[0]),
            self._info(),
        )  # fmt: skip

    def _info(self) -> dict[str, Any]:
        simulator = self.simulator
        column = simulator.S.view(0)
        rows = simulator.kernel.layout.S
        status = column[rows.row("status")]
        lowest, time, terms = rows.row("lowest"), rows.row("time"), rows.row("terms")
        info = {f"margin/{name}": column[lowest + i] for name, i in self._margins.items()}
        info |= {f"cost/{name}": column[time + i] for name, i in self._margins.items()}
        info |= {f"term/{name}": column[terms + i] for i, name in enumerate(simulator.kernel.layout.terms)}
        info["cost"] = sum(column[time + i] for i in self._hard)
        info["clipped"] = int(simulator.clipped[0])
        info["tripped"], info["integration_failed"] = bool(status == TRIPPED), bool(status == FAILED)
        return info

    @property
    def _hard(self) -> NDArray[np.intp]:
        return np.flatnonzero([kind == "hard" for kind in self.simulator.kernel.layout.kinds])
