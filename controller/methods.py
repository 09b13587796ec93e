"""How a training learns, as far as the user chooses it; importing this loads no learner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from plant_models.core.errors import BadInput, UnknownName, unknown
from plant_models.core.plant import Learning
from plant_models.derive.layout import LEVELS, Level

Algorithm = Literal["ppo", "a2c", "trpo", "sac", "td3", "ddpg", "reinforce"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
Penalty = Literal["clip", "kl"]
"""How PPO stays near its last policy: by clipping the ratio, or by a penalty on the KL divergence."""
Teacher = Literal["", "pid", "nmpc", "none"]
"""Whose actions a policy is first regressed on; where none is named, that of the plant's own learning."""
Safety = Literal["none", "lagrangian", "shield", "both"]
"""What keeps a policy within limits while it learns: nothing but the reward, a budget of time beyond them, a shield, or both."""
BUDGETED: tuple[Safety, ...] = ("lagrangian", "both")
"""Those that learn under a budget, which alone have a cost limit."""
SHIELDED: tuple[Safety, ...] = ("shield", "both")
"""Those whose actions pass the shield first."""
OFF_POLICY: tuple[Algorithm, ...] = ("sac", "td3", "ddpg")
"""Those that learn from what older policies did; they squash their mean actions with tanh."""
ROLLED_OUT: tuple[Algorithm, ...] = ("ppo", "a2c", "trpo")
"""Those that learn from rollouts of the plant's own length, one after the other."""
FEWER = 4
"""Share of the plant's decisions that they need, as its inverse: each decision is learned from many times."""


@dataclass(frozen=True)
class Method:
    """What a training learns by, what its actions move, where it begins, and what keeps its limits.

    ``cost_limit`` is the share of time that may be spent beyond limits; None stands for what the PID layer spends.

    Raises:
        UnknownName: for a name that is none.
        BadInput: for a choice that another one rules out.
    """

    algorithm: Algorithm = "ppo"
    level: Level = "setpoint"
    penalty: Penalty = "clip"
    clone: Teacher = ""
    safety: Safety = "none"
    cost_limit: float | None = None

    def __post_init__(self) -> None:
        """Check the names, and what goes together."""
        known = {"algorithm": ALGORITHMS, "level": LEVELS, "penalty": get_args(Penalty), "clone": get_args(Teacher),
                 "safety": get_args(Safety)}  # fmt: skip
        for what, names in known.items():
            given = vars(self)[what]
            if given not in names:
                raise UnknownName(unknown(what, given, [name for name in names if name]))
        if self.algorithm != "ppo" and self.penalty != "clip":
            raise BadInput(f"penalty {self.penalty!r} with {self.algorithm}: only ppo has a choice; leave one of them out")
        if self.algorithm != "ppo" and self.cloned:
            raise BadInput(f"clone {self.clone!r} with {self.algorithm}: only ppo begins from a clone; leave one of them out")
        self._check_safety()
        if self.clone == "pid" and self.level == "setpoint":
            raise BadInput(
                "clone 'pid' at level 'setpoint': there PPO begins as the PID layer anyway; give level absolute or direct"
            )
        if self.clone == "nmpc" and self.level == "absolute":
            raise BadInput("clone 'nmpc' at level 'absolute': NMPC moves offsets or inputs; give level setpoint or direct")

    def _check_safety(self) -> None:
        """Check what keeps the limits; raises BadInput."""
        if self.shielded and self.level != "setpoint":
            raise BadInput(
                f"safety {self.safety!r} at level {self.level!r}: the shield governs level setpoint; leave one of them out"
            )
        if self.algorithm != "ppo" and self.budgeted:
            raise BadInput(f"safety {self.safety!r} with {self.algorithm}: only ppo learns under a budget; leave one of them out")
        if self.cost_limit is None:
            return
        if not self.budgeted:
            raise BadInput(f"cost limit {self.cost_limit:g} with safety {self.safety!r}: give safety lagrangian, or leave it out")
        if not 0.0 <= self.cost_limit < 1.0:
            raise BadInput(f"cost limit {self.cost_limit:g}: a share of time from 0 to below 1 allowed; 0.01 is one per cent")

    @property
    def cloned(self) -> bool:
        """Whether the first policy is regressed on a teacher that is named."""
        return self.clone in ("pid", "nmpc")

    def of(self, learning: Learning) -> Method:
        """Return the method with the plant's own teacher, of PPO's offsets without a budget or shield, where none is named."""
        asked = self.algorithm, self.level, self.safety
        if self.clone or not learning.demonstrated or asked != ("ppo", "setpoint", "none"):
            return self
        return replace(self, clone="nmpc")

    @property
    def shielded(self) -> bool:
        """Whether actions pass the shield first."""
        return self.safety in SHIELDED

    @property
    def budgeted(self) -> bool:
        """Whether time beyond limits has a budget."""
        return self.safety in BUDGETED

    def recorded(self) -> dict[str, Any]:
        """Return what a run's configuration says beside the algorithm: level and penalty, and of the rest what is chosen."""
        chosen = {"clone": self.clone or None, "safety": None if self.safety == "none" else self.safety,
                  "cost_limit": self.cost_limit}  # fmt: skip
        always = {"level": self.level, "penalty": self.penalty}
        return always | {name: value for name, value in chosen.items() if value is not None}

    def steps(self, learning: Learning) -> int:
        """Return the decisions to learn from where the user gives no number."""
        return learning.steps // FEWER if self.algorithm in OFF_POLICY else learning.steps


PPO_METHOD = Method()
