"""The release gate: each criterion on runs whose figures are known, and whole judgements of policies that are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from controller.baselines import Pid
from controller.gate import (
    Criterion,
    Pair,
    ahead,
    behaviour,
    costs,
    effort,
    limits,
    percent,
    repeatable,
    same_sign,
    saved,
    segment,
    worst,
)
from controller.policy import Policy
from controller.release import Scope, judge, kept_reference
from controller.rollout import Run, rollout
from controller.statistics import matched_upper95
from plant_models.catalogue import get
from plant_models.derive.kernel import kernel
from plant_models.env.scenario import draw

CSTR = get("exothermic_cstr")
EPISODES = draw(CSTR, CSTR.scenario(), 0, 40, "judging")
PID = rollout(Pid(CSTR), EPISODES)


def constant(offset: float) -> Policy:
    """Return a policy that always adds the same share of the authority; with nothing to add it is the PID layer."""
    width, actions = len(kernel(CSTR, "setpoint").observation.features), len(CSTR.acted)
    zeros = np.zeros((actions, width), dtype=np.float32)
    return Policy(CSTR, "setpoint", ((zeros, np.full(actions, offset, dtype=np.float32)),))


def failing(criteria: list[Criterion]) -> list[str]:
    return [c.name for c in criteria if not c.passed]


def dearer(run: Run, factor: float) -> Run:
    return replace(run, cost=factor * run.cost)


def test_a_figure_that_is_no_number_never_passes() -> None:
    for sense in ("at most", "at least", "above"):
        assert not Criterion("cost", "x", math.nan, sense, 0.0, "%").passed


def test_on_the_limit_is_within_it_but_as_good_is_not_better() -> None:
    assert Criterion("cost", "x", 5.0, "at most", 5.0, "%").passed
    assert Criterion("cost", "x", -2.0, "at least", -2.0, "%").passed
    assert not Criterion("cost", "x", 50.0, "above", 50.0, "%").passed


@pytest.mark.parametrize(
    ("more", "fewer", "n", "upper"),
    [(0, 0, 1000, 0.00196), (0, 0, 200, 0.0097), (10, 0, 1000, 0.01644), (0, 10, 1000, -0.00352)],
)
def test_interval_of_matched_proportions(more: int, fewer: int, n: int, upper: float) -> None:
    b, c, total = more + 0.5, fewer + 0.5, n + 2
    by_hand = (b - c) / total + 1.959964 * math.sqrt(b + c - (b - c) ** 2 / total) / total
    assert matched_upper95(more, fewer, n) == pytest.approx(by_hand)
    assert matched_upper95(more, fewer, n) == pytest.approx(upper, abs=1e-4)


@pytest.mark.parametrize(
    ("better", "than", "saving"), [(8.0, 10.0, 20.0), (-12.0, -10.0, 20.0), (11.0, 10.0, -10.0), (0.0, 0.0, 0.0)]
)
def test_savings_are_in_percent_of_the_size_of_the_champions_cost(better: float, than: float, saving: float) -> None:
    assert percent(better, than) == pytest.approx(saving)


def test_three_percent_dearer_on_every_episode_is_refused_and_one_percent_is_not() -> None:
    assert saved(PID.total, 1.01 * PID.total) == pytest.approx(-1.0, abs=0.5)
    assert saved(PID.total, 1.01 * PID.total) > -2.0 > saved(PID.total, 1.03 * PID.total)


def test_one_bad_scenario_is_not_made_up_for_by_a_good_one() -> None:
    pairs = [Pair(PID, dearer(PID, 0.5)), Pair(PID, dearer(PID, 1.1))]
    found = list(costs(pairs))
    assert [c.passed for c in found] == [True, False, False]
    assert "tracking" in found[1].where


def test_the_share_of_wins_counts_ties_as_half_and_scenarios_alike() -> None:
    one, two = np.ones(100), np.full(100, 2.0)
    assert ahead([(one, one)]) == 0.5
    assert ahead([(two, one)]) == 1.0
    assert ahead([(two, one), (one[:10], two[:10])]) == pytest.approx(0.5)


def test_the_worst_segment_is_found_with_its_episode_and_place() -> None:
    cost = np.zeros((3, 10))
    cost[1, 4:7] = 6.0
    assert segment(cost, 3) == (6.0, 1, 4)
    assert segment(cost, 100) == (1.8, 1, 0)
    cost[2, 8] = math.nan
    assert segment(cost, 3)[0] != segment(cost, 3)[0]


def test_a_worse_tenth_or_a_worse_segment_is_refused_though_the_middle_is_better() -> None:
    tail = PID.cost.copy()
    tail *= 0.9
    tail[np.argsort(PID.total)[-4:]] *= 2.0
    found = list(worst([Pair(PID, replace(PID, cost=tail))], 10))
    assert failing(found) == [c.name for c in found]
    assert not failing(list(worst([Pair(PID, dearer(PID, 0.9))], 10)))


def test_a_violation_more_is_refused_with_and_without_the_shield() -> None:
    behind = replace(PID, share=np.ones_like(PID.cost))
    clean = Pair(behind, behind)
    assert failing(list(limits([Pair(PID, PID)], clean)))[0].startswith("violations behind")  # too few to say
    many = replace(PID, lowest=np.tile(PID.lowest, (100, 1)), tripped=np.zeros(4000, bool), failed=np.zeros(4000, bool))
    rows = {name: np.tile(part, (100, 1, 1)) for name, part in PID.sums.items()}
    path = {name: np.tile(part, (100, 1, 1)) for name, part in PID.path.items()}
    picked = np.tile(np.arange(40), 100)
    many = replace(
        many,
        cost=np.tile(PID.cost, (100, 1)),
        sums=rows,
        path=path,
        episodes=EPISODES[picked],
        share=np.ones((4000, PID.cost.shape[1])),
    )
    assert not failing(list(limits([Pair(many, many)], Pair(many, many))))
    tripped = many.tripped.copy()
    tripped[0] = True
    once = replace(many, tripped=tripped)
    assert failing(list(limits([Pair(many, many)], Pair(many, once)))) == ["violations behind the shield, 95 % upper bound"]
    tripped = np.arange(4000) < 20
    assert len(failing(list(limits([Pair(many, replace(many, tripped=tripped))], None)))) == 1


def test_behaviour_is_bounded_in_mean_tail_sign_and_closed_loop() -> None:
    before = np.linspace(-1.0, 1.0, 1000, dtype=np.float32)[:, None]
    same = list(behaviour(before, before, [Pair(PID, PID)]))
    assert not failing(same)
    assert [c.value for c in same] == [0.0, 0.0, 100.0, 0.0]
    assert [c.passed for c in behaviour(before, -before, [Pair(PID, PID)])] == [False, False, False, True]
    elsewhere = replace(PID, path=PID.path | {"v": PID.path["v"] + 1.0})
    assert [c.passed for c in behaviour(before, before, [Pair(PID, elsewhere)])] == [True, True, True, False]


def test_small_actions_have_no_sign() -> None:
    signs = same_sign(np.float32([0.01, 0.5, -0.5]), np.float32([-0.9, -0.5, -0.1]))
    np.testing.assert_array_equal(signs, [True, False, True])


def test_valve_travel_and_interventions_are_bounded() -> None:
    busy = PID.path["u"].copy()
    busy[:, 1::2] += 1.0
    restless = replace(PID, path=PID.path | {"u": busy})
    assert not failing(list(effort([Pair(PID, PID)], None, first=False)))
    assert failing(list(effort([Pair(PID, restless)], None, first=True))) == ["valve travel, as a multiple"]
    idle = replace(PID, share=np.ones_like(PID.cost))
    stopped = replace(PID, share=np.where(np.arange(PID.cost.shape[1]) % 20 == 0, 0.5, 1.0) * np.ones_like(PID.cost))
    found = list(effort([Pair(PID, PID)], Pair(idle, stopped), first=False))
    assert failing(found) == ["increase of interventions by the shield"]
    assert found[-1].value == pytest.approx(5.0)


def test_one_bit_is_a_difference() -> None:
    again = replace(PID, cost=PID.cost[:10].copy())
    assert repeatable(PID, again).passed
    again.cost[3, 3] = np.nextafter(again.cost[3, 3], 1e9)
    assert repeatable(PID, again).value == 1.0


def test_the_pid_layer_replaces_a_bad_champion_where_the_change_is_consented_to() -> None:
    scope = Scope((CSTR.scenario(),), episodes=450)
    refused = judge(CSTR, constant(0.0), constant(0.5), scope)
    assert {c.group for c in refused.unmet} == {"behaviour"}
    assert not refused.accepted
    assert "of its range" in refused.reason
    accepted = judge(CSTR, constant(0.0), constant(0.5), scope, consent="offsets are taken back")
    assert accepted.accepted
    assert "offsets are taken back" in accepted.reason
    assert set(kept_reference(accepted.as_json())) == set(accepted.reference)


def test_a_worse_policy_is_refused_whatever_is_consented_to() -> None:
    found = judge(CSTR, constant(0.5), None, Scope((CSTR.scenario(),), episodes=100), consent="please")
    assert found.against == "pid"
    assert "cost" in {c.group for c in found.unmet}


def test_the_same_policy_again_is_no_improvement() -> None:
    found = judge(CSTR, constant(0.0), constant(0.0), Scope((CSTR.scenario(),), episodes=450))
    assert failing(list(found.criteria)) == ["episodes that the challenger wins, 95 % lower bound"]
