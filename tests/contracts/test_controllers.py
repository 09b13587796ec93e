"""Promises that every controller keeps on every plant."""

from __future__ import annotations

import numpy as np
import pytest

from controller.baselines import Pid, Scheduled
from controller.benchmark import baselines, compare
from controller.interface import Controller, Reading
from controller.nmpc import Nmpc
from controller.policy import Policy
from controller.rollout import returns, rollout
from plant_models.catalogue import get
from plant_models.core.duty import Economic
from plant_models.core.plant import Plant
from plant_models.env.scenario import Episodes, Single, draw
from plant_models.env.substeps import fleet, judged, substeps
from tests.contracts.every import plants


def every(plant: Plant) -> list[Controller]:
    rng = np.random.default_rng(0)
    width = fleet(plant, 1, 1).width
    weight, bias = rng.normal(size=(len(plant.acted), width)).astype(np.float32), np.zeros(len(plant.acted), dtype=np.float32)
    return [*baselines(plant), Policy(plant, "setpoint", ((weight, bias),))]


@plants
def test_actions_are_finite_bounded_and_shaped(plant: Plant) -> None:
    width = fleet(plant, 1, 1).width
    observation: Single = np.random.default_rng(1).uniform(-10, 10, (9, width)).astype(np.float32)
    for controller in every(plant):
        action = controller.act(Reading(observation))
        assert action.shape == (9, len(plant.acted)), controller.name
        assert (np.abs(action) <= 1.0).all(), controller.name


@plants
def test_only_the_setpoints_of_the_hierarchy_are_planned(plant: Plant) -> None:
    episodes = draw(plant, plant.scenario(), 0, 3, "judging")
    for controller in every(plant):
        planned: Episodes = controller.plan(episodes)
        masked = planned.exogenous.copy()
        masked[:, :, episodes.references()] = episodes.exogenous[:, :, episodes.references()]
        np.testing.assert_array_equal(masked, episodes.exogenous)
        for name in ("noise", "forecasts", "initial", "parameters"):
            assert getattr(planned, name) is getattr(episodes, name)


@plants
def test_a_rollout_repeats_and_its_cost_is_what_returns_gives(plant: Plant) -> None:
    """Buildings are judged at a finer step than they are learned and tuned at; the objective hardly depends on it."""
    episodes = draw(plant, plant.scenario(), 0, 4, "judging")
    close = 1e-7 if judged(plant, plant.scenario()) == substeps(plant) else 0.01
    for controller in every(plant):
        first = rollout(controller, episodes).total
        np.testing.assert_array_equal(first, rollout(controller, episodes).total)
        np.testing.assert_allclose(first, returns(controller, episodes), rtol=close)


@pytest.mark.parametrize("name", ["exothermic_cstr", "quadruple_tank"])
def test_nmpc_keeps_the_promises_of_every_controller(name: str) -> None:
    """Bounded actions that repeat, setpoints as the hierarchy sends them, no search lost, and never dearer than the PID layer."""
    plant = get(name)
    episodes, controller = draw(plant, plant.scenario(), 0, 3, "judging"), Nmpc(plant)
    assert controller.plan(episodes) is episodes
    first = rollout(controller, episodes)
    np.testing.assert_array_equal(first.total, rollout(controller, episodes).total)
    np.testing.assert_allclose(first.total, returns(controller, episodes), rtol=1e-7)
    assert (first.clipped == 0).all()
    assert (first.total < rollout(Pid(plant), episodes).total).all()
    account = controller.account()
    assert account["converged"] + account["fell back"] == 3 * 3 * plant.scenario().steps
    assert account["fell back"] <= 0.01 * account["converged"]


@plants
def test_names_are_unique(plant: Plant) -> None:
    names = [controller.name for controller in every(plant)]
    assert len(set(names)) == len(names)
    assert "pid" in names


@plants
def test_the_hierarchy_beats_the_best_constants_and_the_published_rule(plant: Plant) -> None:
    if not isinstance(plant.duty, Economic) or not plant.duty.rule:
        pytest.skip("the plant has no published rule")
    episodes = draw(plant, plant.scenario(), 0, 32, "judging")
    costs = {controller.name: returns(controller, episodes).mean() for controller in baselines(plant)}
    assert costs["pid"] < costs["constant"] < costs["rule"]


@pytest.mark.slow
@plants
def test_the_pid_layer_beats_its_floor_with_the_interval_above_zero(plant: Plant) -> None:
    comparison = compare(plant, baselines(plant), 100)
    below = [name for name in comparison.runs if name != "pid"]
    assert [name for name in below if not comparison.difference("pid", against=name).low > 0.0] == []
    assert below


@plants
def test_scenarios_send_what_the_schedule_declares(plant: Plant) -> None:
    if not isinstance(plant.duty, Economic) or not plant.duty.schedule:
        pytest.skip("the plant has no schedule")
    for scenario in plant.scenarios:
        episodes = draw(plant, scenario, 0, 8, "judging")
        one = episodes[slice(3, 4)]
        np.testing.assert_array_equal(Scheduled(plant, plant.duty.schedule).plan(episodes).exogenous, episodes.exogenous)
        np.testing.assert_array_equal(Scheduled(plant, plant.duty.schedule).plan(one).exogenous, one.exogenous)
