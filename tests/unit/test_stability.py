"""What is measured of an update, what is taken back, and that measuring changes nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO

from benchmarks.resume import small
from controller.ground import environment
from controller.historian import Historian
from controller.methods import Method
from controller.ppo import GuardedPPO, discount, learner, log_probability
from controller.sb3_env import PlantVecEnv
from controller.stability import (
    REMEMBERED,
    Diverged,
    Update,
    Verdict,
    drawdown,
    judge,
    moved,
    packed,
    percentile_99,
    probes,
    steps,
    unpacked,
    volatility,
    worst_tenth,
)
from controller.train import Progress, train
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.scenario import draw

PLANT = small("exothermic_cstr")
USUAL = Update(
    kl=0.003, kl_p99=0.03, clip_fraction=0.02, entropy=-0.2, spread_low=0.2, spread_high=0.2, behaviour=0.005, behaviour_p99=0.02,
    gradient_norm=0.3, explained_variance=0.8, value_loss=0.06, advantage=0.3,
)  # fmt: skip
BEFORE = [USUAL] * 20


def test_kl_is_schulmans_estimate_and_clipping_counts_ratios() -> None:
    before, after = np.log(np.array([0.5, 0.5, 0.5, 0.5])), np.log(np.array([0.5, 0.55, 0.65, 0.25]))
    ratios = np.array([1.0, 1.1, 1.3, 0.5])
    kl, worst, clipped = steps(before, after, 0.2)
    assert kl == pytest.approx(np.mean(ratios - 1.0 - np.log(ratios)))
    assert worst == pytest.approx(0.5 - 1.0 - math.log(0.5))
    assert clipped == 0.5
    assert steps(before, before, 0.2) == (0.0, 0.0, 0.0)


def test_log_probability_is_that_of_torch() -> None:
    rng = np.random.default_rng(0)
    actions, mean, spread = rng.normal(size=(7, 2)), rng.normal(size=(7, 2)), np.array([0.2, 1.3])
    theirs = torch.distributions.Normal(torch.tensor(mean), torch.tensor(spread)).log_prob(torch.tensor(actions)).sum(dim=1)
    np.testing.assert_allclose(log_probability(actions, mean, spread), theirs.numpy())


def test_behaviour_is_a_share_of_the_whole_range_and_what_is_clipped_does_not_move() -> None:
    before, after = np.zeros((100, 1), dtype=np.float32), np.zeros((100, 1), dtype=np.float32)
    after[:50] = 1.0
    assert moved(before, after) == (0.25, 0.5)
    assert moved(before + 2.0, after + 3.0) == (0.0, 0.0)


def test_the_percentile_is_one_of_the_values_and_no_number_where_one_is_none() -> None:
    assert percentile_99(np.arange(1.0, 101.0)) == 99.0
    assert math.isnan(percentile_99(np.array([1.0, np.nan])))


def test_probes_cover_what_was_seen_the_ranges_and_their_corners() -> None:
    seen = np.random.default_rng(1).normal(size=(2000, 3)).astype(np.float32)
    chosen = probes(seen)
    assert chosen.shape == (1000, 3)
    assert all((row == seen).all(axis=1).any() for row in chosen[:500:50])
    inside = chosen[500:800]
    assert np.abs(inside).max() <= 1.0
    strata = np.sort(np.floor((inside.astype(float) + 1.0) / 2.0 * 300), axis=0)
    assert (np.abs(strata - np.arange(300)[:, None]) <= 1).all()
    assert (np.abs(chosen[800:]) == 1.0).all()
    np.testing.assert_array_equal(probes(seen), chosen)


def test_a_usual_update_stays_without_a_word() -> None:
    assert judge(USUAL, BEFORE, 0.3) == Verdict("", {})
    assert judge(replace(USUAL, explained_variance=-0.5), [], 0.0) == Verdict("", {})


HARM = {
    "kl": ({"kl": 0.06}, "KL divergence [nat] 0.06 above 0.02"),
    "kl beyond five times its median": ({"kl": 0.021}, "KL divergence [nat] 0.021 above 0.02"),
    "tail of kl": ({"kl_p99": 2.1}, "99th percentile of KL [nat] 2.1 above 2"),
    "clipping": ({"clip_fraction": 0.51}, "clip fraction 0.51 above 0.5"),
    "behaviour": ({"behaviour": 0.051}, "behaviour step 0.051 above 0.05"),
    "tail of behaviour": ({"behaviour_p99": 0.21}, "99th percentile of behaviour step 0.21 above 0.2"),
    "narrow": ({"spread_low": 0.019}, "spread of an action 0.019 below 0.02"),
    "narrow by little": ({"spread_low": 0.019999}, "spread of an action 0.019999 below 0.02"),
    "wide": ({"spread_high": 1.51}, "spread of an action 1.51 above 1.5"),
    "not finite": ({"gradient_norm": math.nan}, "a measure of the update is not finite"),
    "infinite": ({"kl": math.inf}, "a measure of the update is not finite"),
}


@pytest.mark.parametrize("case", HARM)
def test_harm_is_named_with_its_limit(case: str) -> None:
    change, reason = HARM[case]
    assert judge(replace(USUAL, **change), BEFORE, 0.3) == Verdict(reason, {})


def test_without_a_past_only_the_fixed_limit_counts() -> None:
    assert judge(replace(USUAL, kl=0.049), [], 0.0).harm == ""
    assert judge(replace(USUAL, kl=0.051), [], 0.0).harm == "KL divergence [nat] 0.051 above 0.05"
    assert judge(replace(USUAL, spread_low=0.015), [replace(USUAL, spread_low=0.018)], 0.0).harm == ""


WARNINGS: dict[str, tuple[dict[str, float], list[Update], str]] = {
    "kl": ({"kl": 0.035}, BEFORE[:5], "large steps"),
    "behaviour": ({"behaviour": 0.03}, BEFORE, "actions moved by 3.0 % of their range"),
    "clip": ({"clip_fraction": 0.35}, [replace(USUAL, clip_fraction=0.32)] * 2, "35 % of samples clipped"),
    "spread": ({"spread_low": 0.04}, BEFORE, "Learning.spread"),
    "entropy": ({"entropy": -0.8}, BEFORE, "entropy fell by more than 0.5 nat"),
    "wide": ({"spread_high": 1.2}, BEFORE, "hardly depends on what is tried"),
    "value": ({"explained_variance": 0.1}, BEFORE, "explains 10 % of the returns"),
    "gradient": ({"gradient_norm": 2.0}, BEFORE, "over five times its median"),
    "loss": ({"value_loss": 0.7}, BEFORE, "over ten times its median"),
    "advantage": ({"advantage": 1e4}, BEFORE, "check the plant's scale"),
}


@pytest.mark.parametrize("about", WARNINGS)
def test_a_warning_says_what_is_unusual_and_leaves_the_update(about: str) -> None:
    change, before, words = WARNINGS[about]
    verdict = judge(replace(USUAL, **change), before, 0.3)
    assert verdict.harm == ""
    assert list(verdict.warnings) == [about]
    assert words in verdict.warnings[about]


def test_the_past_is_kept_as_rows_and_only_so_much_of_it() -> None:
    updates = [replace(USUAL, kl=0.001 * i) for i in range(REMEMBERED + 7)]
    assert unpacked(packed(updates)) == updates[7:]
    assert unpacked(packed([])) == []


def test_drawdown_volatility_and_the_worst_tenth_by_hand() -> None:
    assert drawdown([-10.0, -6.0, -7.0], -10.0) == pytest.approx(25.0)
    assert drawdown([-10.0, -11.0], -10.0) == 0.0
    assert volatility([-10.0, -9.0, -8.0, -7.0]) == 0.0
    assert volatility([-10.0, -8.0, -10.0, -8.0]) == pytest.approx(100.0 * 2.0 / 9.0)
    assert volatility([-10.0, -8.0]) == 0.0
    assert worst_tenth(np.array([5.0, *range(10, 29)])) == 7.5


def rollouts(count: int) -> tuple[GuardedPPO, int]:
    return learner(PLANT.learning, environment(PLANT, 0), seed=0), count * 256


def parameters(model: PPO) -> list[NDArray[Any]]:
    return [np.array(part.numpy()) for part in model.policy.state_dict().values()]


@pytest.mark.parametrize("name", ["exothermic_cstr", "quadruple_tank"])
def test_measuring_changes_no_bit_of_a_healthy_training(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = small(name)
    plant = replace(plant, learning=replace(plant.learning, parallel=128))
    measured = learner(plant.learning, environment(plant, 0), seed=0)
    measured.learn(12 * 128 * 16)
    assert len(measured.guard.updates) == 12
    assert measured.guard.undone == 0
    monkeypatch.setattr(GuardedPPO, "train", PPO.train)
    plain = learner(plant.learning, environment(plant, 0), seed=0)
    plain.learn(12 * 128 * 16)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(parameters(measured), parameters(plain), strict=True))


def test_the_norm_before_clipping_is_measured_and_clipping_stays_sb3s(monkeypatch: pytest.MonkeyPatch) -> None:
    model, total = rollouts(3)
    model.learn(total)
    assert max(update.gradient_norm for update in model.guard.updates) > model.max_grad_norm == 0.5


def test_a_harmful_update_is_taken_back_whole_and_the_rate_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    model, total = rollouts(4)
    model.learn(total // 2)
    before, memory = parameters(model), model.state()
    monkeypatch.setattr("controller.ppo.judge", lambda *given: Verdict("as the test has it", {}))
    model.learn(256, reset_num_timesteps=False)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(before, parameters(model), strict=True))
    after = model.state()
    assert [name for name in memory if name.startswith("adam.") and memory[name].tobytes() != after[name].tobytes()] == []
    assert (model.guard.share, model.guard.undone, model.guard.strikes) == (0.5, 1, 0)
    assert "an update was taken back (as the test has it); the learning rate is halved" in next(iter(model.guard.told.values()))
    monkeypatch.undo()
    model.learn(256, reset_num_timesteps=False)
    assert model.policy.optimizer.param_groups[0]["lr"] == model.guard.rate(model._current_progress_remaining)
    assert any(a.tobytes() != b.tobytes() for a, b in zip(before, parameters(model), strict=True))


def test_three_updates_with_a_gradient_that_is_no_number_end_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = rollouts(1)
    before = parameters(model)
    weight = model.policy.value_net.weight
    weight.register_hook(lambda gradient: gradient * float("nan"))
    with pytest.raises(Diverged, match="training given up, 3 updates were lost: a gradient is not finite; look at"):
        model.learn(5 * 256)
    assert model.num_timesteps == 3 * 256
    assert all(a.tobytes() == b.tobytes() for a, b in zip(before, parameters(model), strict=True))


def test_a_weight_that_is_no_number_takes_the_update_back(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = rollouts(1)
    before, learn = parameters(model), PPO.train

    def overflowing(given: PPO) -> None:
        learn(given)
        with torch.no_grad():
            given.policy.value_net.bias.fill_(float("inf"))

    monkeypatch.setattr(PPO, "train", overflowing)
    model.learn(256)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(before, parameters(model), strict=True))
    assert (model.guard.strikes, model.guard.undone, model.guard.share) == (1, 1, 0.5)
    assert "a weight is not finite" in next(iter(model.guard.told.values()))


class Spoiling(PlantVectorEnv):
    """Plants of which number 5 gives what is not finite at some calls of ``step``."""

    def spoil(self, calls: set[int], what: str) -> None:
        self._calls, self._what, self._at = calls, what, 0

    def step(self, actions: Any) -> Any:
        observation, reward, *rest = super().step(actions)
        self._at += 1
        if self._at in self._calls:
            {"reward": reward, "observation": observation[:, 2]}[self._what][5] = np.nan
        return observation, reward, *rest


def spoiled_training(
    monkeypatch: pytest.MonkeyPatch, calls: set[int], what: str, total: int
) -> tuple[list[str], Any, PlantVecEnv]:
    plants = Spoiling(PLANT, PLANT.learning.parallel)
    plants.spoil(calls, what)
    env, notes, models = PlantVecEnv(plants, scale=1.0 - discount(PLANT.learning)), list[str](), list[GuardedPPO]()

    def listen(progress: Progress) -> None:
        if progress.note:
            notes.append(progress.note)

    def kept(_: Method, *given: Any) -> GuardedPPO:
        models.append(learner(*given))
        return models[0]

    monkeypatch.setattr("controller.train.environment", lambda *_: env)
    monkeypatch.setattr("controller.train.learner", kept)
    train(PLANT, 3, total, report=listen)
    return notes, models[0], env


@pytest.mark.parametrize("what", ["reward", "observation"])
def test_a_number_that_is_none_costs_its_rollout_and_names_the_episode(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, model, env = spoiled_training(monkeypatch, {20}, what, 4 * 256)
    article = {"reward": "a reward", "observation": "an observation"}[what]
    (note,) = [note for note in notes if "not finite" in note]
    assert note.startswith(
        f"exothermic_cstr, step 512: exothermic_cstr: {article} that is not finite in scenario 'tracking', decision "
    )
    assert note.endswith("of training episode 21, seed 3; nothing is learned from this rollout")
    assert (len(model.guard.updates), model.guard.strikes, model.guard.undone) == (3, 1, 0)
    assert env.plants.numbers[5] > 21
    assert len(draw(PLANT, PLANT.scenario("tracking"), 3, 1, "training", 21)) == 1


def test_another_algorithm_takes_it_as_an_end_without_reward(monkeypatch: pytest.MonkeyPatch) -> None:
    plants, notes = Spoiling(PLANT, PLANT.learning.parallel), list[str]()
    plants.spoil({20}, "reward")
    monkeypatch.setattr("controller.train.environment", lambda *_: PlantVecEnv(plants))
    trained = train(PLANT, 3, 40 * 16, report=lambda progress: notes.append(progress.note), method=Method("a2c"))
    (note,) = [note for note in notes if "not finite" in note]
    assert note.endswith("of training episode 21, seed 3; it counts as an end without reward")
    assert all(np.isfinite(part).all() for layer in trained.last.layers for part in layer)


def test_what_is_named_is_the_episode_and_the_decision_that_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    plants = Spoiling(PLANT, 16)
    plants.spoil({3}, "reward")
    env = PlantVecEnv(plants)
    env.seed(7)
    env.reset()
    zero = np.zeros((16, 1), dtype=np.float32)
    for _ in range(2):
        env.step(zero)
    number, decision = int(plants.numbers[5]), int(plants.simulator.k[5])
    observation, reward, done, infos = env.step(zero)
    (spoiled,) = env.spoiled
    assert (spoiled.episode, spoiled.decision, spoiled.seed) == (number, decision, 7)
    assert np.isfinite(np.asarray(observation)).all()
    assert np.isfinite(reward).all()
    assert list(np.flatnonzero(done)) == [5]
    assert infos[5]["TimeLimit.truncated"] is False
    assert plants.simulator.k[5] == 0


def test_a_plant_that_keeps_spoiling_ends_the_training_with_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        Diverged, match=r"3 updates were lost: exothermic_cstr: a reward that is not finite in scenario 'tracking'"
    ):
        spoiled_training(monkeypatch, {1, 2, 20, 40}, "reward", 8 * 256)


def test_an_entropy_bonus_falls_to_zero_and_widens_the_search() -> None:
    wide = replace(PLANT, learning=replace(PLANT.learning, entropy=0.02))
    spreads = {}
    for plant in (PLANT, wide):
        model = learner(plant.learning, environment(plant, 0), seed=0)
        model.learn(8 * 256)
        spreads[plant.learning.entropy] = model.guard.updates[-1].spread_low
        assert model.ent_coef == 0.0
    assert spreads[0.02] > spreads[0.0]


def test_every_update_and_the_risk_of_every_validation_are_logged(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as historian:
        with historian.run("train", PLANT.name, "ppo", 0, {}, {}) as run:
            trained = train(PLANT, 0, 1024, historian=historian, run_id=run, keep=tmp_path / "kept")
        rows = historian.metrics_after(run)
    logged = {key: [row for row in rows if row.key == key] for key in {row.key for row in rows}}
    assert [row.step for row in logged["train/kl"]] == [256, 512, 768, 1024]
    assert set(USUAL.metrics()) | {"train/learning_rate", "train/taken_back"} <= set(logged)
    assert [row.step for row in logged["validation/worst_tenth"]] == [0, 256, 512, 768, 1024]
    assert all(tail.value < mean.value for tail, mean in zip(logged["validation/worst_tenth"], logged["score/ppo"], strict=True))
    assert {"validation/drawdown", "validation/volatility", "cost/c_A", "cost/hot", "cost/rest"} <= set(logged)
    cost = sum(logged[key][-1].value for key in ("cost/c_A", "cost/hot", "cost/rest"))
    assert -cost / PLANT.scale == pytest.approx(logged["score/ppo"][-1].value)
    assert trained.score == max(row.value for row in logged["score/ppo"])
