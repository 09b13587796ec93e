"""NMPC: what it knows, what it does when a search fails, and that a wrong parameter leaves no offset."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from controller.baselines import Pid
from controller.foresight import day, expected
from controller.interface import Panel, Reading
from controller.nmpc import Nmpc, decisions, settings
from controller.panel import panel
from controller.reference import Optimum, optimum
from controller.rollout import rollout
from dashboard.cli import run as command
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import Level
from plant_models.derive.shooting import reaches
from plant_models.env.scenario import Episodes, draw
from plant_models.env.substeps import fleet

CSTR, CRYSTALLIZER, HOUSE = get("exothermic_cstr"), get("batch_crystallizer"), get("heat_pump_house")


def judging(plant: Plant, n: int, steps: int | None = None, scenario: str = "") -> Episodes:
    """Return held-out episodes, cut to their first ``steps`` decisions."""
    episodes = draw(plant, plant.scenario(scenario), 0, n, "judging")
    if steps is None:
        return episodes
    noise = episodes.noise[:, : steps * plant.loops_per_decision + 1]
    samples = steps + 1 + max(plant.preview, *plant.leads, 1)
    return replace(
        episodes, scenario=replace(episodes.scenario, steps=steps), noise=noise, exogenous=episodes.exogenous[:, :samples],
        forecasts=episodes.forecasts[:, : steps + 1],
    )  # fmt: skip


def shown(plant: Plant, episodes: Episodes) -> Panel:
    simulator = fleet(plant, len(episodes), episodes.scenario.steps)
    simulator.load(episodes, np.arange(len(episodes)))
    return panel(simulator, episodes)


def act(controller: Nmpc, episodes: Episodes, seen: Panel) -> Array:
    controller.plan(episodes)
    return np.asarray(controller.act(Reading(np.zeros((len(episodes), 1), dtype=np.float32), lambda: seen)))


def test_a_search_that_is_late_leaves_the_plant_to_its_pid_layer_and_is_counted() -> None:
    episodes = judging(CSTR, 2, 8)
    late = Nmpc(CSTR, limit=0)
    np.testing.assert_array_equal(rollout(late, episodes).total, rollout(Pid(CSTR), episodes).total)
    account = late.account()
    assert account["capped"] == account["fell back"] == 16
    assert account["converged"] == account["infeasible"] == account["error"] == 0


@pytest.mark.slow
def test_a_plant_with_parts_faster_than_its_loops_is_predicted_as_finely_as_it_needs() -> None:
    column = get("distillation_column")
    episodes = judging(column, 1, 24)
    assert rollout(Nmpc(column), episodes).total < rollout(Pid(column), episodes).total


def test_a_deadline_of_no_time_is_late() -> None:
    episodes = judging(CSTR, 1, 4)
    hurried = Nmpc(CSTR, deadline=1e-9)
    np.testing.assert_array_equal(rollout(hurried, episodes).total, rollout(Pid(CSTR), episodes).total)
    assert hurried.account()["fell back"] == 4


def test_a_cap_of_one_iteration_falls_back_where_more_are_needed_and_never_elsewhere() -> None:
    episodes = judging(CSTR, 2, 20)
    capped = Nmpc(CSTR, limit=1)
    run = rollout(capped, episodes)
    account = capped.account()
    assert 0 < account["capped"] == account["fell back"] <= 40
    offsets = np.abs(run.path["v"][:, 1:, 0])
    used = np.array([solve.used for solve in capped.solves]).reshape(20, 2).T
    assert (offsets[~used] == 0.0).all()


def test_a_memory_that_is_not_finite_is_an_error_that_falls_back() -> None:
    episodes = judging(CSTR, 2)
    seen = shown(CSTR, episodes)
    memory = seen.memory.copy()
    memory[0, 0] = np.nan
    controller = Nmpc(CSTR)
    action = act(controller, episodes, replace(seen, memory=memory))
    assert action[0] == 0.0
    assert np.isfinite(action).all()
    assert [solve.status for solve in controller.solves] == ["error", "converged"]
    assert controller.account()["fell back"] == 1


def test_a_reading_that_fails_is_estimated_instead() -> None:
    episodes = judging(CSTR, 2)
    seen = shown(CSTR, episodes)
    controller = Nmpc(CSTR)
    action = act(controller, episodes, replace(seen, y=np.full_like(seen.y, np.nan)))
    assert np.isfinite(action).all()
    assert controller.account()["converged"] == 2


def test_at_level_direct_a_late_search_leaves_the_inputs_where_they_are() -> None:
    run = rollout(Nmpc(CSTR, "direct", limit=0), judging(CSTR, 1, 5))
    np.testing.assert_allclose(np.diff(run.path["u"], axis=1), 0.0, atol=1e-5)


def test_it_decides_on_nothing_that_a_control_room_does_not_know() -> None:
    """Targets beyond the preview, true parameters, disturbances that are not measured or yet to come: none of them matters."""
    episodes = judging(CSTR, 2)
    other = episodes.exogenous.copy()
    other[:, CSTR.preview + 1 :, episodes.targets()] += 0.02
    other[:, CSTR.preview + 1 :, episodes.references()] += 0.02
    other[:, 1:, 0] += 3.0
    other[:, :, 1] += 0.02
    changed = replace(episodes, exogenous=other, parameters=episodes.parameters * 1.01)
    first, second = (act(Nmpc(CSTR), e, shown(CSTR, e)) for e in (episodes, changed))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first).max() > 0.0


def test_a_target_within_the_preview_does_matter() -> None:
    episodes = judging(CSTR, 2)
    other = episodes.exogenous.copy()
    other[:, CSTR.preview :, episodes.targets()] += 0.02
    other[:, CSTR.preview :, episodes.references()] += 0.02
    changed = replace(episodes, exogenous=other)
    first, second = (act(Nmpc(CSTR), e, shown(CSTR, e)) for e in (episodes, changed))
    assert np.abs(first - second).min() > 1e-3


def test_with_preview_the_future_matters() -> None:
    episodes = judging(CSTR, 2)
    other = episodes.exogenous.copy()
    other[:, CSTR.preview + 1 :, episodes.targets()] += 0.02
    changed = replace(episodes, exogenous=other)
    first, second = (act(Nmpc(CSTR, preview=True), e, shown(CSTR, e)) for e in (episodes, changed))
    assert np.abs(first - second).max() > 1e-3


def test_a_scenario_with_its_own_loops_is_known_and_one_without_is_not() -> None:
    unstable = judging(CSTR, 1, scenario="unstable")
    names = CSTR.Parameter.names()
    assert settings(unstable)[names.index("T_max")] == 362.0
    worn = judging(HOUSE, 1, scenario="frost")
    assert settings(worn)[HOUSE.Parameter.names().index("UA_zo")] == HOUSE.Parameter.nominal().UA_zo


def test_the_horizon_follows_the_slowest_loop_and_ends_with_the_forecast() -> None:
    """T_i of 7.517 min over 26 s; 24 half hours of forecasts; valves turned, a loop of 349 s, but at most twice 12."""
    assert decisions(judging(CSTR, 1)) == 17
    assert decisions(judging(HOUSE, 1)) == max(HOUSE.leads) == 24
    assert decisions(judging(get("quadruple_tank"), 1, scenario="non-minimum phase")) == 24


@pytest.mark.parametrize("level", ["setpoint", "direct"])
def test_a_wrong_parameter_leaves_no_offset(level: Level) -> None:
    """Heat transfer 5 % worse and kinetics 5 % faster than the model: the mean of the last decisions is at the target."""
    drawn = judging(CSTR, 1, 60, "disturbance")
    exogenous = np.repeat(drawn.exogenous[:, :1], drawn.exogenous.shape[1], axis=1)
    p = CSTR.Parameter.names()
    parameters = np.array([list(CSTR.Parameter.nominal())])
    parameters[0, p.index("UA")] *= 0.95
    parameters[0, p.index("k_0")] *= 1.05
    still = replace(drawn, exogenous=exogenous, parameters=parameters, noise=np.zeros_like(drawn.noise))
    run = rollout(Nmpc(CSTR, level), still)
    target = exogenous[0, 0, still.targets()]
    assert abs(run.path["x"][0, 40:, 0] - target).max() < 2e-4


def test_nmpc_costs_less_than_the_pid_layer_and_the_optimum_less_than_both() -> None:
    episodes = judging(CSTR, 2, 30)
    by_pid, by_nmpc, best = rollout(Pid(CSTR), episodes), rollout(Nmpc(CSTR), episodes), optimum(episodes)
    assert (by_nmpc.total < by_pid.total).all()
    assert best.total.mean() < by_nmpc.total.mean()
    assert not best.tripped.any()


@pytest.mark.parametrize("plant", [CSTR, CRYSTALLIZER], ids=["reactor", "batch"])
def test_the_optimum_as_a_controller_costs_less_than_the_pid_layer(plant: Plant) -> None:
    episodes = judging(plant, 2)
    run, below = rollout(Optimum(plant), episodes), rollout(Pid(plant), episodes)
    assert (run.total < below.total).all()
    assert not run.tripped.any()
    np.testing.assert_array_equal(run.episodes.noise, episodes.noise)


def test_the_quick_optimum_is_close_to_the_polished_one() -> None:
    episodes = judging(CSTR, 1, 20)
    best = optimum(episodes).total
    quick = rollout(Optimum(CSTR), replace(episodes, noise=np.zeros_like(episodes.noise))).total
    np.testing.assert_allclose(quick, best, rtol=5e-3)


def test_the_optimum_of_a_long_episode_is_refused() -> None:
    with pytest.raises(BadInput, match="take 'nmpc with preview'"):
        Optimum(HOUSE)


def test_the_optimum_keeps_to_the_authority_at_level_setpoint() -> None:
    episodes = judging(CSTR, 2, 30)
    best = optimum(episodes, "setpoint")
    quiet = replace(episodes, noise=np.zeros_like(episodes.noise))
    assert np.abs(best.path["v"]).max() <= CSTR.acted[0].authority + 1e-6
    assert (best.total < rollout(Pid(CSTR), quiet).total).all()


def test_offsets_keep_their_rate_and_a_batch_its_end() -> None:
    episodes = judging(CRYSTALLIZER, 1)
    run = rollout(Nmpc(CRYSTALLIZER), episodes)
    assert np.abs(np.diff(run.path["v"], axis=1)).max() <= reaches(CRYSTALLIZER, "setpoint")[0] + 1e-6
    assert (run.total < rollout(Pid(CRYSTALLIZER), episodes).total).all()


def test_forecasts_are_followed_then_yesterday_then_the_last_value() -> None:
    episodes = judging(HOUSE, 1)
    seen = shown(HOUSE, episodes)
    d, last, period = np.nan_to_num(seen.d), max(HOUSE.leads), day(HOUSE)
    past = np.tile(d[:, None, :], (1, period, 1)) + np.arange(period)[None, :, None]
    horizon = last + 6
    e = expected(HOUSE, seen, d, past, horizon)[0]
    outdoor, price = e[0], e[2]
    np.testing.assert_allclose(outdoor[list(HOUSE.leads[:-1])], seen.forecasts[0, 0, :-1])
    np.testing.assert_allclose(outdoor[last + 1 :], past[0, last + 1 : horizon, 0])
    np.testing.assert_allclose(outdoor[5], 0.5 * (outdoor[4] + outdoor[6]))
    assert price[5] == price[4]
    held = expected(HOUSE, seen, d, past[:, :0], horizon)[0]
    np.testing.assert_allclose(held[0, last + 1 :], seen.forecasts[0, 0, -1])


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(BadInput, match="allowed are 'setpoint' and 'direct'"):
        Nmpc(CSTR, "absolute")
    with pytest.raises(BadInput, match="give at least 1"):
        Nmpc(CSTR, horizon=0)


def test_the_command_line_compares_it_and_says_how_its_searches_ended(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = f"--store {tmp_path / 's.db'} benchmark exothermic_cstr --controllers pid,nmpc --episodes 1".split()
    assert command([*arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result["controllers"]) == {"pid", "nmpc"}
    assert result["searches"]["nmpc"]["converged"] + result["searches"]["nmpc"]["fell back"] == 60
    assert command(arguments) == 0
    assert "decisions fell back to the PID layer" in capsys.readouterr().out
