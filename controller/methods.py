"""How a training learns, as far as the user chooses it; importing this loads no learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from plant_models.core.errors import BadInput, UnknownName, unknown
from plant_models.core.plant import Learning
from plant_models.derive.layout import LEVELS, Level

Algorithm = Literal["ppo", "a2c", "trpo", "sac", "td3", "ddpg", "reinforce"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
Penalty = Literal["clip", "kl"]
"""How PPO stays near its last policy: by clipping the ratio, or by a penalty on the KL divergence."""
Teacher = Literal["", "pid", "nmpc"]
"""Whose actions a policy is first regressed on."""
OFF_POLICY: tuple[Algorithm, ...] = ("sac", "td3", "ddpg")
"""Those that learn from what older policies did; they squash their mean actions with tanh."""
FEWER = 4
"""Share of the plant's decisions that they need, as its inverse: each decision is learned from many times."""


@dataclass(frozen=True)
class Method:
    """What a training learns by, what its actions move, and where it begins.

    Raises:
        UnknownName: for a name that is none.
        BadInput: for a choice that another one rules out.
    """

    algorithm: Algorithm = "ppo"
    level: Level = "setpoint"
    penalty: Penalty = "clip"
    clone: Teacher = ""

    def __post_init__(self) -> None:
        """Check the names, and what goes together."""
        known = {"algorithm": ALGORITHMS, "level": LEVELS, "penalty": get_args(Penalty), "clone": get_args(Teacher)}
        for what, names in known.items():
            given = vars(self)[what]
            if given not in names:
                raise UnknownName(unknown(what, given, [name for name in names if name]))
        if self.algorithm != "ppo" and self.penalty != "clip":
            raise BadInput(f"penalty {self.penalty!r} with {self.algorithm}: only ppo has a choice; leave one of them out")
        if self.algorithm != "ppo" and self.clone:
            raise BadInput(f"clone {self.clone!r} with {self.algorithm}: only ppo begins from a clone; leave one of them out")
        if self.clone == "pid" and self.level == "setpoint":
            raise BadInput(
                "clone 'pid' at level 'setpoint': there PPO begins as the PID layer anyway; give level absolute or direct"
            )
        if self.clone == "nmpc" and self.level == "absolute":
            raise BadInput("clone 'nmpc' at level 'absolute': NMPC moves offsets or inputs; give level setpoint or direct")

    def steps(self, learning: Learning) -> int:
        """Return the decisions to learn from where the user gives no number."""
        return learning.steps // FEWER if self.algorithm in OFF_POLICY else learning.steps


PPO_METHOD = Method()
