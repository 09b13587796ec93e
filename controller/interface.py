"""What every controller is: the setpoints it wants its hierarchy to send, and what it adds to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from plant_models.core.scenario import Array
from plant_models.derive.layout import Level
from plant_models.env.scenario import Episodes, Single


@dataclass(frozen=True)
class Panel:
    """What a control room knows of ``n`` plants: never a true state, nor a disturbance that nobody measures.

    ``k`` (n,) the decision each is at; ``y`` (n, outputs) as the instruments show them; ``u`` (n, inputs) as they stand;
    ``memory`` (n, rows) of the PID layer; ``v`` (n, actions) the last offsets, setpoints or inputs applied; ``d`` (n,
    disturbances), NaN where not measured; ``targets`` (n, preview + 1, targets) and ``references`` (n, samples, masters) from
    now on as far as they are known, the last to be held; ``forecasts`` (n, forecast disturbances, leads).
    """

    k: NDArray[np.intp]
    y: Array
    u: Array
    memory: Array
    v: Array
    d: Array
    targets: Array
    references: Array
    forecasts: Array


def _no_panel() -> Panel:
    raise LookupError("this reading holds an observation and nothing else")


@dataclass(frozen=True)
class Reading:
    """What a controller may decide on: the observation that a policy sees, (n, entries), and the ``panel``, read on demand."""

    observation: Single
    panel: Callable[[], Panel] = _no_panel


class Controller(Protocol):
    """A way to run a plant; the same for a floor, a PID layer, a schedule, a trained policy and an optimising controller."""

    @property
    def name(self) -> str:
        """The name in tables and in the store."""

    @property
    def level(self) -> Level:
        """What its actions move."""

    def plan(self, episodes: Episodes) -> Episodes:
        """Return the episodes with the setpoints that this controller's hierarchy sends; only those may change."""

    def act(self, reading: Reading) -> Single:
        """Return actions in [-1, 1], (n, actions), for readings of ``n`` plants."""
