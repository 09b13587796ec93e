"""Put a plant under stress: every adversary on the same held-out episodes, with the shield and without it.

What counts is episodes in which a hard limit was crossed at any sub-step of the true plant. A row without a violation
tells something only where the same adversary brings unshielded plants over their limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from controller.safety.adversaries import PATHS
from controller.safety.attack import attack, resonance, sequences
from controller.safety.corners import scales
from controller.safety.governor import Calibration
from controller.safety.opponents import along, edge_seeking
from controller.safety.trial import DECIDED, Supervisor, Trial, hard, joined, limits, trial
from controller.statistics import upper95
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario
from plant_models.env.scenario import Episodes, draw

TOGETHER = 256
"""Episodes that run at once."""
ADVERSARIES = (*PATHS, "edge-seeking", "CMA-ES")


@dataclass(frozen=True)
class Opposed:
    """A supervisor as it treats plants behind the shield and ``bare`` ones: an attack is fitted to what it attacks."""

    shielded: Supervisor
    bare: Supervisor


@dataclass(frozen=True)
class Outcome:
    """What a supervisor brought about in held-out episodes, shield on and off.

    ``violating`` episodes crossed a hard limit with the shield, ``violating_unshielded`` without it; ``upper95`` bounds the share
    of the former. ``smallest`` are the smallest margins of the hard limits with the shield, by name, in their own units;
    ``scales`` the nominal ones; ``decided`` are shares of decisions by kind; ``trips`` and ``failures`` episodes with the shield.
    """

    supervisor: str
    episodes: int
    violating: int
    violating_unshielded: int
    smallest: dict[str, float]
    scales: dict[str, float]
    decided: dict[str, float]
    trips: int
    failures: int

    @property
    def upper95(self) -> float:
        """The 95 % upper bound of the share of violating episodes."""
        return upper95(self.violating, self.episodes)

    @property
    def interventions(self) -> float:
        """The share of decisions in which less than the whole move was let through."""
        return 1.0 - self.decided["full"]

    def as_json(self) -> dict[str, Any]:
        """Return all of it by name."""
        return vars(self) | {"upper95": self.upper95, "interventions": self.interventions}


def outcome(plant: Plant, name: str, shielded: Trial, bare: Trial) -> Outcome:
    """Return what two trials on the same episodes tell."""
    decisions, at = shielded.decided.sum(axis=0), np.flatnonzero(hard(plant))
    lowest, usual = shielded.lowest.min(axis=0), scales(plant)
    return Outcome(
        name, len(shielded.lowest), int(shielded.violating(plant).sum()), int(bare.violating(plant).sum()),
        {limits(plant)[c]: float(lowest[c]) for c in at}, {limits(plant)[c]: float(usual[c]) for c in at},
        dict(zip(DECIDED, (decisions / max(decisions.sum(), 1)).tolist(), strict=True)),
        int(shielded.tripped.sum()), int(shielded.failed.sum()),
    )  # fmt: skip


def adversary(name: str, plant: Plant, scenario: Scenario, known: Calibration, seed: int, generations: int) -> Opposed:
    """Return one of ``ADVERSARIES``, fitted to the plant on tuning episodes where it is of a kind that is."""
    if name == "edge-seeking":
        return alike(edge_seeking(known.horizon, seed))
    if name == "CMA-ES":
        fitted = (sequences(plant, scenario, shield, seed, generations) for shield in (known, None))
        return Opposed(*(attack(scenario, knots) for knots in fitted))
    kind = next(path for path in PATHS if path == name)
    return alike(along(kind, resonance(plant, scenario, seed) if kind == "bang-bang" else 1, seed))


def alike(supervisor: Supervisor) -> Opposed:
    """Return a supervisor that does the same whether there is a shield or not."""
    return Opposed(supervisor, supervisor)


def stressed(
    opposed: Opposed, known: Calibration, plant: Plant, scenario: Scenario, n: int, seed: int,
    follow: Callable[[int], None] = lambda _: None, change: Callable[[Episodes], Episodes] = lambda episodes: episodes,
) -> Outcome:  # fmt: skip
    """Run a supervisor on ``n`` judging episodes; ``follow`` is told how many are done, ``change`` alters what was drawn."""
    shielded, bare = list[Trial](), list[Trial]()
    for first, count in _lots(n):
        episodes = change(draw(plant, scenario, seed, count, "judging", first))
        shielded.append(trial(opposed.shielded, episodes, known, first))
        bare.append(trial(opposed.bare, episodes, None, first))
        follow(first + count)
    return outcome(plant, opposed.shielded.name, joined(shielded), joined(bare))


def _lots(n: int) -> Iterator[tuple[int, int]]:
    for first in range(0, n, TOGETHER):
        yield first, min(TOGETHER, n - first)


def nominal(episodes: Episodes) -> Episodes:
    """Return the episodes with nominal parameters and instruments without noise."""
    plant = episodes.plant
    parameters = np.tile(np.array(list(plant.Parameter.nominal()), dtype=float), (len(episodes), 1))
    return replace(episodes, parameters=parameters, noise=np.zeros_like(episodes.noise))
