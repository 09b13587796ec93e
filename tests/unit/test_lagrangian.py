"""PPO under a budget: its cost and critic, what a multiplier of zero leaves alone, exact resumption, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3.common.buffers import RolloutBuffer

from benchmarks.resume import last, small
from controller.cost_critic import CostCritic, estimated
from controller.demo import recorded_training
from controller.ground import environment, validation
from controller.historian import Historian
from controller.lagrangian import LagrangianPPO, learner, weighed
from controller.limits import beyond
from controller.methods import Method
from controller.policy import Policy, load
from controller.sb3_env import PlantVecEnv
from controller.train import Progress, train
from dashboard.cli import run
from plant_models.catalogue import get
from plant_models.core.errors import InvalidFile
from plant_models.env.batched import PlantVectorEnv

SMALL, WHOLE, REACTOR = small("batch_crystallizer"), get("batch_crystallizer"), get("exothermic_cstr")
PLANT = replace(SMALL, learning=replace(SMALL.learning, spread=0.2, gae=0.99, rate=2e-3, paired=0.0, whitened=False))
"""It learns to go beyond the limit."""
STRICT, WIDE = Method(safety="lagrangian", cost_limit=0.0), Method(safety="lagrangian", cost_limit=0.99)
STEPS, BROKEN_OFF = 3072, 1024


def same(one: Policy, other: Policy) -> bool:
    pairs = zip(one.layers, other.layers, strict=True)
    return all(a.tobytes() == b.tobytes() for layers in pairs for a, b in zip(*layers, strict=True))


def model_of(rollout: int = 16, parallel: int = 16) -> LagrangianPPO:
    learning = replace(PLANT.learning, rollout=rollout, parallel=parallel)
    return learner(learning, environment(replace(PLANT, learning=learning), 0), 0, "clip", 0.0)


def test_advantages_of_the_cost_are_estimated_as_those_of_the_reward() -> None:
    model, rng, shape = model_of(), np.random.default_rng(0), (16, 16)
    costs, values, starts = rng.uniform(size=shape), rng.normal(size=shape), rng.uniform(size=shape) < 0.2
    ahead, over = rng.normal(size=16).astype(np.float32), rng.uniform(size=16) < 0.5
    theirs = RolloutBuffer(16, model.observation_space, model.action_space, gamma=0.9, gae_lambda=0.8, n_envs=16)
    theirs.rewards, theirs.values, theirs.episode_starts = (part.astype(np.float32) for part in (costs, values, starts))
    theirs.compute_returns_and_advantage(torch.as_tensor(ahead), over)
    ours = estimated(theirs.rewards, theirs.values, ahead, starts, over, 0.9, 0.8)
    np.testing.assert_allclose(ours, theirs.advantages, rtol=1e-5, atol=1e-6)


def test_what_is_learned_from_is_the_reward_less_the_cost_in_its_own_deviations() -> None:
    reward, cost = np.array([1.0, -1.0], dtype=np.float32), np.array([0.0, 4.0], dtype=np.float32)
    np.testing.assert_array_equal(weighed(reward, cost, 0.0), reward)
    np.testing.assert_allclose(weighed(reward, cost, 0.5), [1.0 / 1.5, (-1.0 - 0.5 * 4.0) / 1.5])
    np.testing.assert_allclose(weighed(8.0 * reward, cost, 0.5), 8.0 * weighed(reward, cost, 0.5))


def test_the_critic_begins_at_zero_learns_and_draws_from_no_global_generator() -> None:
    rng, before = np.random.default_rng(0), (torch.get_rng_state(), np.random.get_state(legacy=False))  # noqa: NPY002
    critic, seen = CostCritic(3, (32, 32), 0), rng.normal(size=(512, 3)).astype(np.float32)
    assert (critic.values(seen) == 0.0).all()
    losses = [critic.learn(seen, np.abs(seen[:, 0]), 3e-3, 128, 10) for _ in range(10)]
    assert losses[-1] < 0.1 * losses[0]
    assert critic.values(seen.reshape(2, 256, 3)).shape == (2, 256)
    after = torch.get_rng_state(), np.random.get_state(legacy=False)  # noqa: NPY002
    assert torch.equal(before[0], after[0])
    assert str(before[1]) == str(after[1])


def test_the_critic_goes_back_to_a_state() -> None:
    seen = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    one, other = CostCritic(3, (8,), 1), CostCritic(3, (8,), 1)
    one.learn(seen, seen[:, 0], 1e-2, 16, 2)
    other.resume(one.state())
    for critic in (one, other):
        critic.learn(seen, seen[:, 1], 1e-2, 16, 2)
    assert one.values(seen).tobytes() == other.values(seen).tobytes()


class Crossing(PlantVecEnv):
    """Says that plant 0, which trips in its last decision, was always beyond its limit, and plant 1 only in its last one."""

    def step_wait(self) -> Any:
        simulator, final = self.plants.simulator, self.plants.simulator.k[0] == REACTOR.scenario().steps - 1
        if final:
            simulator.S.write("x", np.array([[0.5], [350.0]]), np.array([0]))
        result = super().step_wait()
        self.time_beyond[:] = [[REACTOR.decision, 0.5 * REACTOR.decision * final], [9.0, 9.0]]
        return result


def rolled(steps: int) -> LagrangianPPO:
    env = Crossing(PlantVectorEnv(REACTOR, 2), stagger=False)
    model = learner(replace(REACTOR.learning, rollout=steps), env, 0, "clip", 0.0)
    _, callback = model._setup_learn(2 * steps, None)
    assert model.env is not None
    model.collect_rollouts(model.env, callback, model.rollout_buffer, steps)
    return model


def test_costs_stand_with_their_decision_and_only_a_time_limit_is_bootstrapped() -> None:
    steps = REACTOR.scenario().steps
    model = rolled(steps + 2)
    at, expected = model.constraint, np.zeros((steps + 2, 2))
    expected[:, 0], expected[steps - 1, 1] = 1.0, 0.5
    np.testing.assert_array_equal(np.stack(at.costs), expected)
    assert [place[:2] for place in at.cut] == [(steps - 1, 1)]
    for part in at.critic._net[-1].parameters():
        torch.nn.init.constant_(part, 0.25)
    expected[steps - 1, 1] += model.gamma * at.critic.values(at.cut[0][2])
    assert expected[steps - 1, 1] != 0.5
    np.testing.assert_allclose(at.bootstrapped(model.gamma), expected, rtol=1e-6)


def test_a_first_episode_that_began_in_its_middle_does_not_move_the_multiplier() -> None:
    model = rolled(4)
    model.constraint.settle()
    assert model.constraint.multiplier.value == 0.0
    assert "train/multiplier" not in model.constraint.measures
    model.constraint.clear()
    for over in ([True, False], [False, False]):
        model.constraint.note(np.array([[REACTOR.decision, 0.0], [0.0, 0.0]]), [{}, {}], np.array(over))
    model.constraint.settle()
    assert model.constraint.measures["train/limit_cost"] == 1.0
    assert model.constraint.multiplier.value > 0.0


def test_the_last_decision_of_an_episode_counts_though_the_next_has_begun() -> None:
    env = PlantVecEnv(PlantVectorEnv(PLANT, 1), stagger=False)
    env.reset()
    simulator, done = env.plants.simulator, np.zeros(1, dtype=bool)
    with pytest.MonkeyPatch.context() as patch:
        step = simulator.step

        def beyond_limits(actions: Any) -> Any:
            result = step(actions)
            simulator.S.write("time", PLANT.decision)
            return result

        patch.setattr(simulator, "step", beyond_limits)
        while not done.any():
            done = env.step(np.zeros((1, env.action_space.shape[0]), dtype=np.float32))[2]  # type: ignore[index]
    assert (simulator.S.read("time") == 0.0).all()
    assert (env.time_beyond == PLANT.decision).all()


def test_while_the_budget_is_kept_the_policy_is_ppos_bit_for_bit() -> None:
    ours, plain = train(PLANT, 0, STEPS, method=WIDE), train(PLANT, 0, STEPS)
    assert same(ours.last, plain.last)
    assert same(ours.policy, plain.policy)


def test_a_budget_that_ppo_exceeds_is_kept() -> None:
    plain, kept = train(PLANT, 0, STEPS), train(PLANT, 0, STEPS, method=STRICT)
    episodes = validation(PLANT)
    assert beyond(plain.last, episodes) > 0.0
    assert beyond(kept.last, episodes) == 0.0
    assert beyond(kept.policy, episodes) == 0.0
    assert kept.score < plain.score


@pytest.mark.parametrize("method", [STRICT, replace(STRICT, penalty="kl")])
def test_from_any_checkpoint_it_goes_on_to_the_same_bits(method: Method, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.step > BROKEN_OFF:
            raise KeyboardInterrupt

    whole = train(PLANT, 0, STEPS, method=method)
    with pytest.raises(KeyboardInterrupt):
        train(PLANT, 0, STEPS, keep=tmp_path, report=stop, method=method)
    start = last(PLANT, tmp_path)
    assert start is not None
    assert start.step == BROKEN_OFF
    resumed = train(PLANT, 0, STEPS, start=start, method=method)
    assert same(resumed.last, whole.last)
    assert same(resumed.policy, whole.policy)


def test_a_checkpoint_without_a_budget_is_refused_under_one(tmp_path: Path) -> None:
    train(PLANT, 0, 512, keep=tmp_path)
    with pytest.raises(InvalidFile, match="multiplier") as refused:
        train(PLANT, 0, STEPS, start=last(PLANT, tmp_path), method=STRICT)
    assert "\n" not in str(refused.value)


def test_a_recorded_one_is_logged_and_resumed_from_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, steps = str(tmp_path / "s.db"), 4 * WHOLE.learning.parallel * WHOLE.learning.rollout

    def stop(progress: Progress) -> None:
        if progress.step >= steps // 2:
            raise KeyboardInterrupt

    with Historian(store) as historian:
        whole, trained = recorded_training(WHOLE, historian, 1, steps, lambda progress: None, method=STRICT)
        with pytest.raises(KeyboardInterrupt):
            recorded_training(WHOLE, historian, 1, steps, stop, method=STRICT)
        (stopped,) = [each.id for each in historian.runs() if each.status == "stopped"]
    arguments = ["--store", store, "train", WHOLE.name, "--resume", stopped, "--out", str(tmp_path / "p"), "--json"]
    assert run(arguments) == 0
    again = json.loads(capsys.readouterr().out)["run"]
    assert same(load(tmp_path / "p" / "last", WHOLE), trained.last)
    with Historian(store) as historian:
        assert historian.find(again).config["cost_limit"] == 0.0
        curves = [{(row.step, row.key): row.value for row in historian.metrics_after(each) if row.key != "train/steps_per_s"}
                  for each in (whole, again)]  # fmt: skip
    np.testing.assert_equal(curves[0], curves[1])
    logged = {key for _, key in curves[0]}
    assert {"train/limit_cost", "train/multiplier", "train/cost_value_loss", "train/cost_explained_variance"} <= logged
    assert "validation/limit_cost" in logged
    assert run([*arguments[:6], "--safety", "lagrangian", "--cost-limit", "0.2"]) == 2
    assert f"--cost-limit 0.2: run {stopped} was begun with 0.0; leave --cost-limit out" in capsys.readouterr().err


REFUSED = {
    ("--safety", "lagrange"): "unknown safety 'lagrange'; did you mean 'lagrangian'?",
    ("--safety", "lagrangian", "--algorithm", "sac"): "safety 'lagrangian' with sac: only ppo learns under a budget",
    ("--cost-limit", "0.1"): "cost limit 0.1 with safety 'none': give safety lagrangian, or leave it out",
    ("--safety", "lagrangian", "--cost-limit", "25"): "cost limit 25: a share of time from 0 to below 1 allowed",
    ("--safety", "lagrangian", "--cost-limit", "nan"): "cost limit nan: a share of time from 0 to below 1 allowed",
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.items())
def test_what_does_not_go_together_is_one_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", PLANT.name, *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"setpoint: {message}")
    assert err.count("\n") == 1
