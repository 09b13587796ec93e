"""Learning on several scenarios at once: which can share a fleet, who runs what, what each counts, and going on to the bit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controller.baselines import Pid
from controller.checkpoint import latest
from controller.cloning import lessons
from controller.demo import recorded_training
from controller.ground import environment, ground
from controller.historian import Historian
from controller.limits import beyond, budget
from controller.methods import Method
from controller.policy import Policy
from controller.policy_map import visited
from controller.ppo import discount
from controller.rollout import returns
from controller.sb3_env import PlantVecEnv
from controller.source import Source
from controller.train import Progress, train
from dashboard.cli import run
from dashboard.curves import log, panels
from dashboard.jobs.form import arguments
from plant_models.catalogue import get
from plant_models.core.errors import BadInput, UnknownName
from plant_models.derive.kernel import kernel
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.mixture import label, left_out, mixture
from plant_models.env.scenario import draw

PLANT, TANKS = get("exothermic_cstr"), get("quadruple_tank")
MIXED = "tracking,disturbance,unstable"
"""The last one has settings of the loops of its own, and another cost by far."""
N = 71  # more than one chunk of lanes, and no multiple of three


def running(scenario: str, seed: int) -> PlantVectorEnv:
    env = PlantVectorEnv(PLANT, N, scenario=scenario)
    env.reset(seed=seed)
    env.stagger()
    return env


def test_all_are_those_that_are_as_long_as_the_first_and_the_others_are_known() -> None:
    assert label(mixture(PLANT, "all")) == "tracking,disturbance,boundary,unstable"
    assert label(mixture(TANKS, "all")) == "tracking,disturbance,boundary"
    assert [each.name for each in left_out(TANKS, "all")] == ["non-minimum phase"]
    assert left_out(TANKS, "tracking") == ()
    assert label(mixture(PLANT)) == "tracking"
    assert mixture(PLANT, "boundary, tracking") == (PLANT.scenario("boundary"), PLANT.scenario("tracking"))


def test_a_scenario_of_the_plants_own_goes_by_its_name_whatever_that_is() -> None:
    first = PLANT.scenario()
    odd = replace(PLANT, scenarios=(first, replace(first, name="all"), replace(first, name="a, b")))
    assert [each.name for each in (*mixture(odd, "all"), *mixture(odd, "a, b"))] == ["all", "a, b"]


def test_a_plant_takes_every_episode_from_the_scenario_at_its_place() -> None:
    """Staggered, restarted and restarted alone, each runs what drawing its number of its scenario again gives."""
    env = running(MIXED, 5)
    for _ in range(env.scenario.steps):
        env.step(np.zeros((N, 1), dtype=np.float32))
    before = env.numbers.copy()
    env.restart(np.array([4, 7, 9]))
    assert [int(before[1::3].max()) + 1, int(before[1::3].max()) + 2] == env.numbers[[4, 7]].tolist()
    assert env.numbers[9] == before[0::3].max() + 1
    chosen = mixture(PLANT, MIXED)
    for e, number in enumerate(env.numbers):
        drawn = draw(PLANT, chosen[e % 3], 5, 1, "training", int(number))
        np.testing.assert_array_equal(env.simulator._M[e], drawn.exogenous[0])
        np.testing.assert_array_equal(env.simulator.P.column(e)[env.simulator.kernel.layout.P["p"]], drawn.parameters[0])


def test_loops_of_a_scenarios_own_go_with_its_plants() -> None:
    env, own, usual = running("tracking,unstable", 0), running("unstable", 0), running("tracking", 0)
    for e in (0, 1):
        theirs = (usual, own)[e]
        for part in ("coefficients", "limits"):
            np.testing.assert_array_equal(env.simulator.P.read(part)[:, e], theirs.simulator.P.read(part)[:, 0])
    assert (env.simulator.P.read("coefficients")[:, 0] != env.simulator.P.read("coefficients")[:, 1]).any()


def test_what_follows_a_snapshot_is_the_same_to_the_last_bit() -> None:
    env, other = running(MIXED, 3), PlantVectorEnv(PLANT, N, scenario=MIXED)
    actions = np.random.default_rng(0).uniform(-1.0, 1.0, (150, N, 1)).astype(np.float32)
    for action in actions[:75]:
        env.step(action)
    other.restore(kept := env.snapshot())
    for action in actions[75:]:
        ours, theirs = env.step(action), other.step(action)
        assert all(a.tobytes() == b.tobytes() for a, b in zip(ours[:4], theirs[:4], strict=True))
    assert all(other.snapshot()[name].tobytes() == part.tobytes() for name, part in env.snapshot().items())
    with pytest.raises(BadInput, match=r"a snapshot of 3 scenarios; 'tracking,boundary' run here"):
        PlantVectorEnv(PLANT, N, scenario="tracking,boundary").restore(kept)
    with pytest.raises(BadInput, match="'tracking,boundary,unstable' draws other episodes than before"):
        PlantVectorEnv(PLANT, N, scenario="tracking,boundary,unstable").restore(kept)


def test_pid_costs_as_much_in_each_scenario_as_in_the_first_and_so_it_is_rewarded() -> None:
    watched = ground(PLANT, MIXED)
    assert [len(part) for part in watched.parts] == [21, 21, 21]
    costs = [returns(Pid(PLANT), draw(PLANT, each, 0, 256, "validation")).mean() for each in mixture(PLANT, MIXED)]
    np.testing.assert_allclose(np.multiply(costs, watched.weights), costs[0])
    found = watched.returns(Pid(PLANT)).reshape(3, 21)
    np.testing.assert_array_equal(found[1], watched.weights[1] * returns(Pid(PLANT), watched.parts[1]))
    assert watched.weights[0] == 1.0
    assert watched.weights[1] > 3.0
    assert watched.weights[2] < 0.2


def test_a_reward_counts_its_scenarios_weight_and_half_of_that_way_where_it_is_raised() -> None:
    watched = ground(PLANT, MIXED)
    counts = np.array([1.0, np.sqrt(watched.weights[1]), watched.weights[2]])
    env, plain = environment(PLANT, 0, MIXED, weights=watched.rewards), running(MIXED, 0)
    small = PlantVecEnv(PlantVectorEnv(PLANT, N, scenario=MIXED), scale=counts[plain.which])
    small.seed(0)
    small.reset()
    zero = np.zeros((N, 1), dtype=np.float32)
    rewards = plain.step(zero)[1]
    np.testing.assert_allclose(small.step(zero)[1], rewards * counts[np.arange(N) % 3], rtol=1e-6)
    np.testing.assert_allclose(env._scale, (1.0 - discount(PLANT.learning)) * counts[np.arange(256) % 3])


def test_money_counts_as_it_is_and_one_scenario_as_ever() -> None:
    assert ground(get("heat_pump_house"), "all").weights == (1.0, 1.0, 1.0)
    one = ground(PLANT, "boundary")
    assert (one.weights, len(one.parts[0]), one.by_scenario()) == ((1.0,), 64, {})


def test_what_is_saved_in_each_scenario_is_told() -> None:
    watched = ground(PLANT, MIXED)
    rival = watched.returns(Pid(PLANT))
    told = watched.saved(rival, rival * np.repeat([0.9, 1.0, 1.2], 21))
    assert told == pytest.approx({"saved/tracking": 10.0, "saved/disturbance": 0.0, "saved/unstable": -20.0})


def test_a_number_that_is_none_is_named_with_its_own_scenario() -> None:
    env = PlantVecEnv(PlantVectorEnv(PLANT, 6, scenario=MIXED))
    env.seed(7)
    env.reset()
    step = env.plants.after

    def spoil(result: Any) -> Any:
        observation, reward, *rest = step(result)
        reward[4] = np.nan
        return (observation, reward, *rest)

    env.plants.after = spoil  # type: ignore[method-assign]
    number = int(env.plants.numbers[4])
    env.step(np.zeros((6, 1), dtype=np.float32))
    (spoiled,) = env.spoiled
    assert (spoiled.scenario, spoiled.episode) == ("disturbance", number)


def test_a_budget_is_what_pid_spends_over_the_scenarios() -> None:
    parts = ground(PLANT, "tracking,boundary").parts
    found = budget(Method(safety="lagrangian"), PLANT, parts)
    assert found is not None
    assert found.share == pytest.approx(np.mean([beyond(Pid(PLANT), part) for part in parts]))


def test_a_clone_and_the_map_of_a_policy_see_every_scenario() -> None:
    seen, done = lessons(PLANT, Method(level="absolute", clone="pid"), 0, "tracking,disturbance")
    alone, _ = lessons(PLANT, Method(level="absolute", clone="pid"), 0, "disturbance")
    assert len(seen) == len(done) == 64 * PLANT.scenario().steps
    half = len(seen) // 2
    kept = alone.reshape(PLANT.scenario().steps, 64, -1)[:, :32].reshape(half, -1)
    np.testing.assert_array_equal(seen[half:], kept)
    width = kernel(PLANT, "setpoint").layout.actions, len(kernel(PLANT, "setpoint").observation.features)
    policy = Policy(PLANT, "setpoint", ((np.zeros(width, dtype=np.float32), np.zeros(width[0], dtype=np.float32)),))
    both = visited(policy, "tracking,boundary", episodes=4)
    last = visited(policy, "boundary", episodes=2)
    np.testing.assert_array_equal(both.observations[:, 2:], last.observations)


REFUSED = {
    ("exothermic_cstr", "--scenario", "tracking,boundry"): "scenario 'boundry'",
    (
        "exothermic_cstr",
        "--scenario",
        "tracking,tracking",
    ): "scenarios 'tracking,tracking' of exothermic_cstr: one is named twice",
    ("quadruple_tank", "--scenario", "tracking,non-minimum phase"): "'tracking' has 100 decisions, 'non-minimum phase' 120",
    ("exothermic_cstr", "--scenario", "all", "--safety", "shield"): "a shield is calibrated for one scenario; name one",
    ("exothermic_cstr", "--scenario", "all", "--against", "nmpc"): "nmpc is scored on one; leave one of them out",
}


@pytest.mark.parametrize(("given", "told"), REFUSED.items())
def test_what_cannot_be_mixed_is_refused_in_one_line(
    given: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "runs.db"
    code = run(["--store", str(store), "train", *given])
    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    assert captured.err.startswith("setpoint: ")
    assert captured.err.count("\n") == 1
    assert told in captured.err
    with Historian(str(store)) as historian:
        assert historian.runs() == []


def test_fewer_plants_than_scenarios_are_refused() -> None:
    with pytest.raises(BadInput, match=r"^2 plants for 3 scenarios of exothermic_cstr: give at least as many$"):
        PlantVectorEnv(PLANT, 2, scenario=MIXED)


def test_only_learning_mixes() -> None:
    with pytest.raises(UnknownName, match="scenario 'all'"):
        Source(PLANT.name, None, "all").case()
    assert Source(PLANT.name, None, "all").cases()[1] == "tracking,disturbance,boundary,unstable"
    assert arguments("train", {"plant": PLANT.name, "scenario": "tracking,unstable"})[-2:] == ("--scenario", "tracking,unstable")


SMALL = replace(PLANT, learning=replace(PLANT.learning, parallel=66, rollout=16))
STEPS, BROKEN_OFF = 6 * 66 * 16, 3 * 66 * 16


def same(one: Policy, other: Policy) -> bool:
    pairs = zip(one.layers, other.layers, strict=True)
    return all(np.array_equal(a, b) for layers in pairs for a, b in zip(*layers, strict=True))


def _interrupt(progress: Progress) -> None:
    if progress.step >= BROKEN_OFF:
        raise KeyboardInterrupt


def test_a_training_on_several_that_was_broken_off_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole = train(SMALL, 1, STEPS, MIXED)
    with pytest.raises(KeyboardInterrupt):
        train(SMALL, 1, STEPS, MIXED, report=_interrupt, keep=tmp_path)
    start, _ = latest(tmp_path, SMALL)
    assert 0 < start.step < BROKEN_OFF
    again = train(SMALL, 1, STEPS, start.course.scenario, start=start)
    assert start.course.scenario == MIXED
    assert same(again.last, whole.last)
    assert same(again.policy, whole.policy)


def test_a_run_says_what_each_scenario_counts_and_saves(tmp_path: Path) -> None:
    said: list[str] = []
    with Historian(str(tmp_path / "runs.db")) as historian:
        run_id, _ = recorded_training(SMALL, historian, 0, 66 * 16, lambda progress: said.append(progress.note), MIXED)
        config = historian.find(run_id).config
        rows = historian.metrics_after(run_id)
        shown = panels(historian.find(run_id), log(historian.find(run_id), rows), "1", {})
    logged = {row.key for row in rows}
    (told,) = [note for note in said if "trips" in note]
    assert told.startswith("exothermic_cstr: in scenario 'unstable' PID itself trips in 5 of 256 episodes, ")
    assert "Saved against PID by scenario" in str(shown)
    assert config["scenario"] == MIXED
    assert config["weights"]["tracking"] == config["reward_weights"]["tracking"] == 1.0
    for name, weight in config["weights"].items():
        assert config["reward_weights"][name] == pytest.approx(min(weight, weight**0.5))
    assert {"saved/tracking", "saved/disturbance", "saved/unstable"} <= logged


def test_another_mixture_is_another_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "runs.db")
    with Historian(store) as historian:
        begun = historian.start("train", PLANT.name, "ppo", 0, {"scenario": MIXED}, {})
        historian.finish(begun, "stopped")
    code = run(["--store", store, "train", PLANT.name, "--resume", begun, "--scenario", "all"])
    stated = f"setpoint: --scenario tracking,disturbance,boundary,unstable: run {begun} was begun on scenario '{MIXED}'"
    assert (code, capsys.readouterr().err) == (2, f"{stated}; leave --scenario out\n")


@pytest.mark.slow
def test_seeds_side_by_side_learn_on_all_go_on_from_the_terminal_and_say_what_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "runs.db")
    asked = ["--scenario", "all", "--seeds", "2", "--steps", "9000", "--out", str(tmp_path / "p"), "--json"]
    code = run(["--store", store, "train", TANKS.name, *asked])
    captured = capsys.readouterr()
    assert code == 0
    assert "--scenario all: non-minimum phase of quadruple_tank is left out (120 decisions, the others 100)\n" in captured.err
    assert json.loads(captured.out)["scenario"] == "tracking,disturbance,boundary"
    with Historian(store) as historian:
        runs = historian.runs()
    assert {each.config["scenario"] for each in runs} == {"tracking,disturbance,boundary"}
    code = run(["--store", store, "train", TANKS.name, "--resume", runs[0].id, "--steps", "20000", "--out", str(tmp_path / "q")])
    assert code == 0
    assert "--protocol all" in capsys.readouterr().out
