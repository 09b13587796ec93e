"""How a training learns, as far as the user chooses it; importing this loads no learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from plant_models.core.errors import UnknownName, unknown
from plant_models.core.plant import Learning

Algorithm = Literal["ppo", "a2c", "trpo", "sac", "td3", "ddpg", "reinforce"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
OFF_POLICY: tuple[Algorithm, ...] = ("sac", "td3", "ddpg")
"""Those that learn from what older policies did; they squash their mean actions with tanh."""
FEWER = 4
"""Share of the plant's decisions that they need, as its inverse: each decision is learned from many times."""


@dataclass(frozen=True)
class Method:
    """What a training learns by; raises UnknownName for an algorithm that is none."""

    algorithm: Algorithm = "ppo"

    def __post_init__(self) -> None:
        """Check the names."""
        if self.algorithm not in ALGORITHMS:
            raise UnknownName(unknown("algorithm", self.algorithm, ALGORITHMS))

    def steps(self, learning: Learning) -> int:
        """Return the decisions to learn from where the user gives no number."""
        return learning.steps // FEWER if self.algorithm in OFF_POLICY else learning.steps


PPO_METHOD = Method()
