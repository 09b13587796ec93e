"""Cost at equal comfort: what PID can buy with discomfort itself is no saving of a policy's."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.plants import _comfort
from controller.baselines import Pid
from controller.comfort import SHARES, Point, Shifted, cost_at, front, saved, shifts, tried
from controller.rollout import rollout
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.env.scenario import Episodes, draw

HOUSE = get("heat_pump_house")
NOISE = np.random.default_rng(0).normal(0.0, 1.0, 20)


def point(cost: float, discomfort: float) -> Point:
    return Point(cost + NOISE - NOISE.mean(), np.full(20, discomfort))


TRIED = (point(10.0, 2.0), point(14.0, 1.0), point(8.0, 4.0), point(11.0, 3.0), point(9.0, 6.0))
"""PID as it stands, warmer, colder; the last two are beaten in both."""


def episodes(plant: Plant, n: int = 6) -> Episodes:
    return draw(plant, plant.scenario(), 0, n, "judging")


def means(found: tuple[Point, ...]) -> list[tuple[float, float]]:
    return [(round(float(each.cost.mean()), 9), float(each.discomfort.mean())) for each in found]


def test_the_front_holds_what_nothing_beats_in_both() -> None:
    assert means(front(TRIED)) == [(14.0, 1.0), (10.0, 2.0), (8.0, 4.0)]
    assert means(front(TRIED[::-1])) == means(front(TRIED))


def test_of_two_equally_comfortable_the_dearer_is_left_out() -> None:
    assert means(front((point(12.0, 2.0), point(10.0, 2.0)))) == [(10.0, 2.0)]


@pytest.mark.parametrize(
    ("discomfort", "cost"), [(1.0, 14.0), (1.5, 12.0), (2.0, 10.0), (3.0, 9.0), (4.0, 8.0), (0.0, 14.0), (99.0, 8.0)]
)
def test_between_its_points_the_front_is_straight_and_beyond_its_ends_level(discomfort: float, cost: float) -> None:
    assert cost_at(front(TRIED), discomfort).mean() == pytest.approx(cost)


def test_a_front_of_one_point_is_level() -> None:
    assert cost_at(front(TRIED[:1]), 3.0).mean() == pytest.approx(10.0)


def test_episodes_are_paired() -> None:
    """What all controllers have in common, a cold week or a warm one, is not in the interval."""
    found = saved(TRIED, point(8.5, 3.0))
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("cost", "discomfort", "counts", "gain"), [(9.9, 2.05, True, 0.05), (9.5, 3.0, False, -0.5), (8.5, 3.0, True, 0.5)]
)
def test_a_lower_cost_counts_at_equal_comfort_alone(cost: float, discomfort: float, counts: bool, gain: float) -> None:
    """With little more discomfort as it is; with much more only below what PID costs there. The judged cost holds the price."""
    points = [[each.cost.tolist(), each.discomfort.tolist()] for each in TRIED]
    other = point(cost, discomfort)
    told = _comfort({"points": points, "price": 0.25}, other.cost + 0.25 * other.discomfort, other.discomfort)
    assert told["counts"] is counts
    assert (told["pid"], told["ppo"]) == pytest.approx((2.0, discomfort))
    assert told["saved"]["mean"] == pytest.approx(gain)
    assert told["front"] == [pytest.approx(pair) for pair in ([1.0, 14.0], [2.0, 10.0], [4.0, 8.0])]


def test_loops_that_are_alike_are_shifted_together() -> None:
    office = get("office_vav")
    found = shifts(office)
    zones = [i for i, loop in enumerate(office.acted) if loop.tag.startswith("TIC-61")]
    assert found[0] == (0.0,) * len(office.acted)
    assert len(found) == 1 + len(SHARES) * 2
    assert all(len({shares[i] for i in zones}) == 1 for shares in found)


def test_no_offset_is_the_pid_layer() -> None:
    judged = episodes(HOUSE, 2)
    np.testing.assert_array_equal(rollout(Shifted(HOUSE, (0.0,)), judged).cost, rollout(Pid(HOUSE), judged).cost)


def test_what_pid_buys_with_discomfort_is_no_saving() -> None:
    """On the house: colder is cheaper and less comfortable, at 0.5 EUR/(K h); no offset saves anything at equal comfort."""
    found = tried(episodes(HOUSE))
    assert found.price == pytest.approx(0.5)
    stands, much, more, little, *warmer = found.points
    assert stands.discomfort.mean() < little.discomfort.mean() < more.discomfort.mean() < much.discomfort.mean()
    assert stands.cost.mean() > little.cost.mean() > more.cost.mean() > much.cost.mean()
    assert set(map(id, (stands, little, more, much))) <= set(map(id, front(found.points)))
    assert all(saved(found.points, each).mean <= 1e-9 for each in (*found.points, *warmer))
    judged = rollout(Pid(HOUSE), episodes(HOUSE))
    np.testing.assert_allclose(found.point(judged.total, stands.discomfort).cost, stands.cost)


def test_a_plant_without_comfort_is_refused() -> None:
    with pytest.raises(BadInput, match="exothermic_cstr declares no building, and so no discomfort; take a plant that does"):
        tried(episodes(get("exothermic_cstr"), 1))
