"""What is known of one decision before it is decided who controls the plant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["good", "maintenance", "out of specification", "check", "failure"]
"""The status signals of NAMUR NE 107 (2012), the best first."""
Finding = Literal["in time", "late", "raised", "wrong type", "wrong shape", "not finite"]
"""How a policy answered; only what came ``in time`` is finite and of the right type and shape."""
Request = Literal["none", "manual", "auto", "acknowledge"]
"""What the operator asks for: to have the plant, to give it back, to acknowledge a latch or reset a trip."""

USABLE: tuple[Status, ...] = ("good", "maintenance", "out of specification", "check")
"""All but ``failure``: written as what is allowed, so that a word that is not known counts as a failure."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of one decision of one plant.

    ``status`` is the worst of the tags that the policy or the shield need, ``tag`` the one that has it. ``share`` is how much of
    the policy's move the shield certified, 1 all of it and 0 none, where the backup's own move is certified; None where that is
    not either. ``within``: all trip margins are kept as measured, false where that cannot be told; ``margin`` names the one that
    is not. ``drift``: the drift alarm stands.
    """

    status: Status
    answer: Finding
    share: float | None
    drift: bool
    within: bool
    request: Request = "none"
    tag: str = ""
    margin: str = ""

    @property
    def certified(self) -> bool:
        """Whether the move to be applied has a certificate; false for a share that is no number."""
        return self.share is not None and 0.0 <= self.share <= 1.0

    @property
    def full(self) -> bool:
        """Whether the whole of the policy's move has a certificate."""
        return self.share == 1.0
