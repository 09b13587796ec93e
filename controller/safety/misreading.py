"""Faults of readings on their way from the plant to the shell, to try the shell with: what is shown in place of what is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from plant_models.core.scenario import Array

Kind = Literal["none", "value", "freeze", "bias", "drift", "replay"]
FOREVER = 1_000_000
"""Decisions of a fault that stays."""


@dataclass(frozen=True)
class Faulty:
    """An instrument that is wrong from decision ``first`` on, for ``decisions``; ``output`` is its place.

    ``value``: it shows ``size``, which may be no number. ``freeze``: its last reading stands. ``bias`` and ``drift``: it errs by
    ``size``, in all or more in each decision. ``replay``: it shows what was read ``size`` decisions ago, with that time stamp.
    """

    kind: Kind
    output: int = 0
    size: float = 0.0
    first: int = 0
    decisions: int = FOREVER

    def at(self, k: int) -> bool:
        """Return whether it is wrong in a decision."""
        return self.kind != "none" and self.first <= k < self.first + self.decisions


GOOD = Faulty("none")


def misread(fault: Faulty, past: Sequence[Array]) -> tuple[Array, Array]:
    """Return readings and the ages of their time stamps, each (outputs,), of the last of all true readings so far."""
    k, shown = len(past) - 1, past[-1].copy()
    age = np.zeros_like(shown)
    if fault.at(k):
        i, since = fault.output, k - fault.first
        shown[i], age[i] = _shown(fault, [float(y[i]) for y in past], k, since), _age(fault, k)
    return shown, age


def _shown(fault: Faulty, true: Sequence[float], k: int, since: int) -> float:
    now = true[-1]
    shown = {
        "value": fault.size,
        "freeze": true[max(fault.first - 1, 0)],
        "bias": now + fault.size,
        "drift": now + fault.size * (since + 1),
        "replay": true[k - int(_age(fault, k))],
    }
    return shown[fault.kind]


def _age(fault: Faulty, k: int) -> float:
    return min(fault.size, float(k)) if fault.kind == "replay" else 0.0
