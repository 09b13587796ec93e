"""Other algorithms than PPO: the same first policy, the same environments, the same kind of result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm

from controller.algorithms import Paced, learner, policy_of
from controller.ground import environment
from controller.historian import Historian
from controller.interface import Reading
from controller.methods import ALGORITHMS, OFF_POLICY, Algorithm, Method
from controller.policy import load
from controller.reinforce import Reinforce
from controller.train import train
from dashboard.cli import run
from plant_models.catalogue import get
from plant_models.env.scenario import Single

PLANT = get("exothermic_cstr")
STEPS = 8192
OTHERS = tuple(name for name in ALGORITHMS if name != "ppo")


def model_of(algorithm: Algorithm) -> BaseAlgorithm:
    return learner(Method(algorithm), PLANT.learning, environment(PLANT, 0), seed=0)


def observations(model: BaseAlgorithm) -> Single:
    width = (model.observation_space.shape or (0,))[0]
    return np.random.default_rng(0).normal(size=(200, width)).astype(np.float32)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_policy_begins_as_the_pid_layer_and_acts_as_torch_does(algorithm: Algorithm) -> None:
    model = model_of(algorithm)
    seen = observations(model)
    assert (policy_of(model, PLANT, Method(algorithm)).act(Reading(seen)) == 0.0).all()
    with torch.no_grad():
        for part in model.policy.parameters():
            part.normal_(0.0, 0.5, generator=torch.Generator().manual_seed(part.numel()))
    policy = policy_of(model, PLANT, Method(algorithm))
    ours, theirs = policy.act(Reading(seen)), model.predict(seen, deterministic=True)[0]
    assert (policy.name, policy.squash) == (algorithm, "tanh" if algorithm in OFF_POLICY else "clip")
    assert np.ptp(theirs) > 0.5
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("algorithm", OTHERS)
def test_each_learns_and_is_kept_under_its_name(algorithm: Algorithm, tmp_path: Path) -> None:
    trained = train(PLANT, 0, STEPS, method=Method(algorithm))
    assert trained.steps >= STEPS
    assert trained.score >= trained.baseline - 1e-9  # the untrained policy, which is the PID layer, is among those judged
    assert any(np.any(weight != 0.0) for weight, _ in trained.last.layers[-1:])
    trained.last.save(tmp_path / "p")
    assert load(tmp_path / "p", PLANT).name == algorithm


def test_the_same_seed_gives_the_same_policy() -> None:
    one, other = (train(PLANT, 3, STEPS, method=Method("sac")).last for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one.layers[-1], other.layers[-1], strict=True))


def test_an_off_policy_actor_waits_for_its_critic() -> None:
    for algorithm in OFF_POLICY:
        model = model_of(algorithm)
        assert isinstance(model, SAC | TD3)
        critic = [part.clone() for part in model.critic.parameters()]
        model.learn(4 * 256, callback=Paced(start=10**9, every=1))
        assert (policy_of(model, PLANT, Method(algorithm)).act(Reading(observations(model))) == 0.0).all()
        assert any(not torch.equal(a, b) for a, b in zip(critic, model.critic.parameters(), strict=True))


def test_reinforce_learns_from_whole_returns_without_a_baseline() -> None:
    model = model_of("reinforce")
    assert isinstance(model, Reinforce)
    model.learn(model.n_steps * 256)
    buffer, expected = model.rollout_buffer, np.zeros(256)
    ends = np.zeros((model.n_steps, 256), dtype=bool)
    ends[:-1] = buffer.episode_starts[1:]
    assert ends.any()
    for k in reversed(range(model.n_steps)):
        expected = buffer.rewards[k] + model.gamma * expected * ~ends[k]
        np.testing.assert_allclose(buffer.returns[k], expected, rtol=1e-4)
    assert (buffer.values == 0.0).all()
    learned = model.n_steps - model.tail
    assert model.tail >= PLANT.learning.horizon
    assert [len(part) for part in model._learned_from()] == [learned * 256] * 3


def test_from_the_terminal_it_is_a_run_of_its_own_that_cannot_be_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, folder = str(tmp_path / "s.db"), str(tmp_path / "p")
    command = ["--store", store, "train", "exothermic_cstr"]
    assert run([*command, "--algorithm", "a2c", "--steps", str(STEPS), "--out", folder]) == 0
    assert f"--controllers pid,a2c --policy {folder}" in capsys.readouterr().out
    with Historian(store) as historian:
        (recorded,) = historian.runs()
        keys = {row.key for row in historian.metrics_after(recorded.id)}
    assert (recorded.controller, recorded.config["algorithm"]) == ("a2c", "A2C")
    assert {"score/a2c", "score/best", "train/value_loss"} <= keys
    assert np.isfinite(recorded.score)
    for more, said in (
        ([], f"run {recorded.id}: trained by a2c, and only PPO leaves checkpoints to go on from; train anew"),
        (
            ["--algorithm", "sac"],
            "--algorithm sac: only PPO leaves checkpoints to go on from; leave --algorithm out, or train anew",
        ),
    ):
        assert run([*command, "--resume", recorded.id, *more]) == 2
        assert capsys.readouterr().err == f"setpoint: {said}\n"
    judged = ["--store", store, "benchmark", "exothermic_cstr", "--episodes", "2", "--policy", folder, "--controllers"]
    assert run([*judged, "pid,a2c"]) == 0
    assert "a2c" in capsys.readouterr().out
    assert run([*judged, "pid,ppo"]) == 2
    assert "was trained by a2c; name it so" in capsys.readouterr().err
