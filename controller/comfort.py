"""What PID costs at another controller's discomfort, on a front of cost against discomfort.

A lower cost that is paid for with discomfort is no lower cost. The PID layer can buy as much itself: its setpoints are held a
little off those that its hierarchy sends. Of what that brings nothing counts that another offset beats in both. Costs are
compared without what discomfort is charged, for at equal discomfort that is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from controller.building import building
from controller.interface import Reading
from controller.rollout import Run, rollout
from controller.statistics import Interval, paired_difference
from plant_models.core.errors import BadInput
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import Level
from plant_models.env.scenario import Episodes, Single

SHARES = (-0.5, -0.25, -0.1, 0.1, 0.25, 0.5)
"""Offsets that are held, as shares of a loop's authority."""


@dataclass(frozen=True)
class Shifted:
    """The PID layer with its setpoints held off what its hierarchy sends, by ``shares`` of each acted loop's authority."""

    plant: Plant
    shares: tuple[float, ...]
    name: str = "pid, shifted"
    level: Level = "setpoint"

    def plan(self, episodes: Episodes) -> Episodes:
        """Leave the setpoints as the plant's hierarchy sends them."""
        return episodes

    def act(self, reading: Reading) -> Single:
        """Hold the offsets."""
        return np.tile(np.asarray(self.shares, dtype=np.float32), (len(reading.observation), 1))


@dataclass(frozen=True)
class Point:
    """What one way to run a building brought.

    ``cost`` (n,) in the objective's unit without what discomfort is charged, ``discomfort`` (n,) in K h/zone.
    """

    cost: Array
    discomfort: Array


def shifts(plant: Plant) -> tuple[tuple[float, ...], ...]:
    """Return the offsets of all acted loops that are tried: none, and for alike loops together each of ``SHARES``."""
    kinds = [_kind(plant, loop) for loop in plant.acted]
    none = tuple(0.0 for _ in kinds)
    return none, *(tuple(share if kind == each else 0.0 for each in kinds) for kind in dict.fromkeys(kinds) for share in SHARES)


def _kind(plant: Plant, loop: Loop) -> tuple[str, float, float, float]:
    return plant.Output.quantities()[loop.pv].unit, loop.low, loop.high, loop.authority


@dataclass(frozen=True)
class Tried:
    """PID's points, as it stands first, and the ``price`` of discomfort in the objective's unit for each K h/zone."""

    points: tuple[Point, ...]
    price: float

    def point(self, cost: Array, discomfort: Array) -> Point:
        """Return the point of a controller from its judged cost (n,) and its discomfort (n,)."""
        return Point(cost - self.price * discomfort, discomfort)


def tried(episodes: Episodes) -> Tried:
    """Run the PID layer at every one of :func:`shifts` on the same episodes.

    Raises:
        BadInput: where the plant is no building.
    """
    plant = episodes.plant
    if plant.building is None:
        raise BadInput(f"{plant.name} declares no building, and so no discomfort; take a plant that does, such as data_hall")
    outcomes = [_outcome(rollout(Shifted(plant, shares), episodes)) for shares in shifts(plant)]
    charged = max(price for *_, price in outcomes)
    return Tried(tuple(Point(cost - charged * discomfort, discomfort) for cost, discomfort, _ in outcomes), charged)


def _outcome(run: Run) -> tuple[Array, Array, float]:
    """Return cost and discomfort of each episode, and what discomfort is charged."""
    discomfort = building(run)["tdis"].values
    return run.total, discomfort, price(run.sums["terms"].sum(axis=1), discomfort)


def price(terms: Array, discomfort: Array) -> float:
    """Return what a K h/zone is charged: by that of the cost's terms, (n, terms), which is in proportion to it, if any."""
    prices = terms.sum(axis=0) / discomfort.sum() if discomfort.any() else np.zeros(terms.shape[1])
    charged = [each for each, term in zip(prices, terms.T, strict=True) if np.allclose(term, each * discomfort, rtol=1e-6)]
    return float(max(charged, default=0.0))


def front(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points that none beats in both mean cost and mean discomfort, the most comfortable first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.discomfort.mean(), point.cost.mean())):
        if not best or point.cost.mean() < best[-1].cost.mean():
            best.append(point)
    return tuple(best)


def cost_at(best: Sequence[Point], discomfort: float) -> Array:
    """Return what each episode costs at a mean discomfort in K h/zone, (n,): in between, a straight line.

    Beyond its ends the front's own ends count: whoever is less comfortable than all need not be so, and the most comfortable
    cost less than one would that is more comfortable still.
    """
    means = np.array([point.discomfort.mean() for point in best])
    place = float(np.interp(discomfort, means, np.arange(len(means))))
    below = min(int(place), len(best) - 1)
    above, share = min(below + 1, len(best) - 1), place - below
    cost: Array = (1.0 - share) * best[below].cost + share * best[above].cost
    return cost


def saved(points: Sequence[Point], other: Point) -> Interval:
    """Return by how much another controller costs less than PID at the same discomfort, with its 95 % interval.

    Episodes are paired; the place on the front is taken as known.
    """
    return paired_difference(cost_at(front(points), float(other.discomfort.mean())), other.cost)
