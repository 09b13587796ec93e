"""What counts as time beyond limits, what is allowed of it, and which policy of a training is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from benchmarks.resume import small
from controller.baselines import Pid
from controller.ground import validation
from controller.interface import Controller
from controller.keeping import Keeper
from controller.limits import Budget, allowed, beyond, budget, limited, share
from controller.methods import Method
from controller.policy import Policy
from controller.rollout import rollout
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.plant import hard
from plant_models.derive.layout import layout

PLANT = small("batch_crystallizer")
WHICH = np.array([0, 2])


LIMITS = {"semibatch_polymerization": ["cold", "hot", "adiabatic"], "chiller_plant": ["warm", "cold", "freezing"]}


@pytest.mark.parametrize("name", LIMITS)
def test_hard_and_soft_margins_are_limits_and_trips_are_not(name: str) -> None:
    margins = layout(get(name), "setpoint").margins
    assert [margins[i] for i in limited(get(name))] == LIMITS[name]


def test_the_share_of_a_decision_is_its_longest_time_beyond_a_limit() -> None:
    time = np.array([[0.0, 1.0, 0.5, 4.0, np.nan], [9.0, 9.0, 9.0, 9.0, 9.0], [0.0, 0.5, 2.0, 4.0, 0.0]])
    np.testing.assert_array_equal(share(time, WHICH, 4.0), [0.0, 0.25, 0.5, 1.0, 1.0])


def test_a_limit_declared_twice_weighs_as_much_as_once() -> None:
    time = np.random.default_rng(0).uniform(0.0, 1.0, (3, 50))
    np.testing.assert_array_equal(share(time, WHICH, 1.0), share(np.concatenate([time, time]), np.array([0, 2, 3, 5]), 1.0))


def test_what_a_controller_spends_is_what_a_rollout_records() -> None:
    """A batch that ends early ends its time too."""
    episodes = validation(PLANT)
    run = rollout(Pid(PLANT), episodes)
    done = np.isfinite(run.path["x"]).all(axis=2)[:, 1:] & (np.abs(np.diff(run.path["x"], axis=1)).max(axis=2) > 0.0)
    longest = run.sums["time"][:, :, limited(PLANT)].max(axis=2) / PLANT.decision
    assert beyond(Pid(PLANT), episodes) == pytest.approx(longest.sum() / done.sum())


def test_by_default_the_pid_layers_own_time_is_allowed() -> None:
    episodes = validation(PLANT)
    assert budget(Method(), PLANT, (episodes,)) is None
    allowed, given = (budget(method, PLANT, (episodes,)) for method in (Method(safety="lagrangian"), TENTH))
    assert allowed is not None
    assert given is not None
    assert allowed.share == beyond(Pid(PLANT), episodes)
    assert given.share == 0.1
    assert allowed.excess(allowed.spent(Pid(PLANT))) == 0.0


TENTH = Method(safety="lagrangian", cost_limit=0.1)


def test_a_plant_without_limits_has_no_budget() -> None:
    free = replace(PLANT, margins=lambda x, u, d, p: {})
    with pytest.raises(
        BadInput, match="safety 'lagrangian': test_limits declares no hard or soft limit; leave it out"
    ) as refused:
        budget(TENTH, replace(free, derivative=lambda x, u, d, p: x), (validation(PLANT),))
    assert "\n" not in str(refused.value)
    assert len(limited(replace(free, margins=lambda x, u, d, p: {"one": hard(1.0)}))) == 1


def test_where_crossing_is_charged_a_kept_policy_may_cross_hard_limits_as_long_as_pid() -> None:
    episodes = validation(PLANT)
    assert PLANT.learning.crossing > 0.0
    assert allowed(replace(PLANT, learning=replace(PLANT.learning, crossing=0.0)), (episodes,)) is None
    dear = allowed(PLANT, (episodes,))
    assert dear is not None
    assert dear.share == beyond(Pid(PLANT), episodes, hard=True)
    assert dear.excess(dear.spent(Pid(PLANT))) == 0.0
    assert [layout(get("chiller_plant"), "setpoint").margins[i] for i in limited(get("chiller_plant"), hard=True)] == ["freezing"]
    keeper = Keeper(dear)
    keeper.excess = 0.25
    assert keeper.complaint().endswith("; give more --steps")


@dataclass(frozen=True)
class _Fixed(Budget):
    """A budget of a tenth, where a policy spends what its only weight says."""

    def spent(self, controller: Controller) -> float:
        assert isinstance(controller, Policy)
        return float(controller.layers[0][0][0, 0])


def spending(value: float) -> Policy:
    return Policy(PLANT, "setpoint", ((np.full((1, 1), value, dtype=np.float32), np.zeros(1, dtype=np.float32)),))


def test_the_best_that_keeps_the_budget_is_kept_and_before_that_the_nearest() -> None:
    keeper = Keeper(_Fixed(0.125, (validation(PLANT),)))
    kept = []
    for value, score in (
        (0.5, 9.0),
        (0.25, 1.0),
        (0.375, 8.0),
        (0.125, -5.0),
        (0.0, -4.0),
        (0.25, 7.0),
        (0.0, -6.0),
        (0.0, np.nan),
    ):
        keeper.offer(spending(value), score)
        kept.append(keeper.score)
    assert kept == [9.0, 1.0, 1.0, -5.0, -4.0, -4.0, -4.0, -4.0]
    assert keeper.metrics() == {"score/best": -4.0, "validation/limit_cost": 0.0}
    assert keeper.complaint() == ""


def test_a_budget_that_nothing_kept_is_said() -> None:
    keeper = Keeper(_Fixed(0.125, (validation(PLANT),)))
    keeper.offer(spending(0.25), 1.0)
    said = "no policy kept to 12.5 % of time beyond limits; the nearest is kept, with 25 %; "
    assert keeper.complaint() == said + "give a larger --cost-limit, or more --steps"
    again = Keeper(keeper.budget)
    again.resume(keeper.state(), PLANT, "setpoint")
    assert (again.score, again.excess, again.complaint()) == (1.0, 0.125, keeper.complaint())


def test_without_a_budget_the_best_score_is_kept() -> None:
    keeper = Keeper(None)
    for score in (1.0, 3.0, 2.0, np.nan):
        keeper.offer(spending(0.5), score)
    assert keeper.score == 3.0
    assert set(keeper.state()) == {"best.0.0", "best.0.1", "best_score"}
