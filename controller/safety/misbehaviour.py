"""Policies that do what a policy must not do, to try the shell with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from plant_models.env.scenario import Single

Kind = Literal["none", "everything at its upper end", "not a number", "of another shape", "a second late", "an exception"]
LATE = 1.0  # s
STEADY = 0.25
"""What a policy that does nothing wrong asks for, of each offset."""


@dataclass(frozen=True)
class Misbehaviour:
    """What a policy does from decision ``first`` on; before that it asks for a steady small offset."""

    kind: Kind = "none"
    first: int = 0


BEHAVED = Misbehaviour()


def policy(fault: Misbehaviour, actions: int) -> Callable[[Single], object]:
    """Return a policy of so many actions that goes wrong as told; it counts the decisions that it is asked for."""
    asked = iter(range(1_000_000_000))

    def act(observation: Single) -> object:
        steady = np.full((1, actions), STEADY, dtype=np.float32)
        return steady if next(asked) < fault.first else _wrong(fault.kind, steady)

    return act


def _wrong(kind: Kind, steady: Single) -> object:
    if kind == "a second late":
        time.sleep(LATE)
    if kind == "an exception":
        raise FloatingPointError("weights are damaged")
    shown = {"everything at its upper end": np.ones_like(steady), "not a number": steady * np.nan, "of another shape": steady[0]}
    return shown.get(kind, steady)
