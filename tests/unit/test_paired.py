"""Rewards beyond what a twin earns in the same episode: nothing for the twin, the whole difference by the end, and to the bit."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from controller.baselines import Pid, Replay
from controller.checkpoint import latest
from controller.following import last_of
from controller.ground import environment
from controller.interface import Reading
from controller.methods import Algorithm, Method
from controller.paired import earned_by
from controller.policy import Policy
from controller.ppo import discount
from controller.rollout import returns, rollout
from controller.sb3_env import PlantVecEnv
from controller.train import Progress, train
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.derive.kernel import kernel
from plant_models.derive.layout import layout
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.scenario import draw

TANK, BATCH = get("exothermic_cstr"), get("penicillin_fermentation")
PAIRED = replace(TANK, learning=replace(TANK.learning, parallel=16, rollout=32, paired=10.0))
ITSELF = replace(TANK, learning=replace(PAIRED.learning, rollout=TANK.scenario().steps, against="itself"))
STEPS, BROKEN_OFF = 3_000, 1_500
every = partial(pytest.param, marks=pytest.mark.every)
LANES = 16
"""A multiple of what a processor computes at once: what is left over may differ in the last bit."""


def fleet(plant: Plant, n: int, scenario: str = "", stagger: bool = False) -> PlantVecEnv:
    env = PlantVecEnv(PlantVectorEnv(plant, n, scenario=scenario), stagger=stagger, against="pid")
    env.seed(3)
    env.reset()
    return env


@pytest.mark.parametrize(
    ("name", "scenario"), [("exothermic_cstr", "tracking,unstable"), every(BATCH.name, ""), ("quadruple_tank", "")]
)
@pytest.mark.parametrize("stagger", [False, True])
def test_pid_itself_earns_exactly_nothing_in_every_decision_of_every_episode(name: str, scenario: str, stagger: bool) -> None:
    plant = get(name)
    env, ends = fleet(plant, LANES, scenario, stagger), 0
    zero = np.zeros((LANES, *(env.action_space.shape or ())), dtype=np.float32)
    for _ in range(2 * plant.scenario().steps + 1):
        _, rewards, done, _ = env.step(zero)
        ends += int(done.sum())
        assert not np.asarray(rewards).any()
    assert ends > LANES


@pytest.mark.parametrize(("name", "action"), [every(BATCH.name, 1.0), every(BATCH.name, -1.0), (TANK.name, 0.3)])
def test_the_rewards_of_an_episode_are_its_return_minus_pids(name: str, action: float) -> None:
    """A vessel that is full sooner or later than PID's is settled all the same."""
    plant = get(name)
    n, steps, env = 8, plant.scenario().steps, fleet(plant, 8)
    actions = np.full((n, steps, 1), action, dtype=np.float32)
    earned, running, lengths = np.zeros(n), np.ones(n, dtype=bool), np.zeros(n)
    for k in range(steps):
        _, rewards, done, _ = env.step(actions[:, k])
        earned += np.where(running, rewards, 0.0)
        lengths += running
        running &= ~done
    episodes = draw(plant, plant.scenario(), 3, n, "training")
    costs = returns(Replay(plant, "setpoint", actions), episodes)
    np.testing.assert_allclose(earned, (returns(Pid(plant), episodes) - costs) / plant.scale, atol=2e-4)
    assert not running.any()
    assert (lengths < steps).any() == (plant is BATCH)


def test_a_plant_that_trips_is_charged_what_pid_would_have_earned() -> None:
    env, plain = fleet(TANK, 2), PlantVectorEnv(TANK, 2)
    plain.reset(seed=3)
    for plants in (env.plants, plain):
        plants.simulator.S.write("x", np.array([[0.5], [350.0]]), np.array([0]))
    zero = np.zeros((2, 1), dtype=np.float32)
    _, rewards, done, _ = env.step(zero)
    charged = plain.step(zero)[1]
    pid = returns(Pid(TANK), draw(TANK, TANK.scenario(), 3, 2, "training")) / TANK.scale
    assert done.tolist() == [True, False]
    np.testing.assert_allclose(rewards, [charged[0] + pid[0], 0.0], rtol=1e-6)


def test_what_is_left_is_as_much_larger_as_the_plant_declares() -> None:
    env, plain = environment(PAIRED, 3), fleet(replace(TANK, learning=PAIRED.learning), 16, stagger=True)
    env.reset()
    actions = np.full((16, 1), 0.5, dtype=np.float32)
    ours, theirs = env.step(actions)[1], plain.step(actions)[1]
    assert np.count_nonzero(theirs) > 8
    np.testing.assert_allclose(ours, 10.0 * (1.0 - discount(TANK.learning)) * np.asarray(theirs), rtol=1e-5)


def _interrupt(progress: Progress) -> None:
    if progress.step >= BROKEN_OFF:
        raise KeyboardInterrupt


def linear(plant: Plant, seed: int, size: float, bias: float) -> Policy:
    """A linear law by chance, with weights of this size."""
    shape = kernel(plant, "setpoint").layout.actions, len(kernel(plant, "setpoint").observation.features)
    weights = np.random.default_rng(seed).normal(0.0, size, shape)
    return Policy(plant, "setpoint", ((weights.astype(np.float32), np.full(shape[0], bias, np.float32)),))


some_policy = partial(linear, size=0.3, bias=0.0)
highest = partial(linear, seed=0, size=0.0, bias=1.0)


@pytest.mark.parametrize(("plant", "crossing"), [(TANK, 0.0), every(BATCH, 0.0), (TANK, 5.0)])
def test_against_itself_a_policy_earns_nothing_until_it_is_another(plant: Plant, crossing: float) -> None:
    env = PlantVecEnv(PlantVectorEnv(plant, LANES), against="itself", crossing=crossing)
    env.seed(3)
    seen, (own, other) = env.reset(), (some_policy(plant, seed) for seed in (0, 1))
    env.follow(own)
    assert env.follows
    for policy in (own, other):
        total = np.zeros(LANES)
        for _ in range(plant.scenario().steps):
            seen, rewards, _, _ = env.step(policy.act(Reading(np.asarray(seen))))
            total += np.abs(rewards)
        assert (total > 1e-3).all() == (policy is other)
        assert (total < 1e-4).all() == (policy is own)


def test_a_twin_is_charged_for_each_decision_beyond_a_hard_limit() -> None:
    episodes, held = draw(TANK, TANK.scenario("unstable"), 3, 8, "training"), highest(TANK)
    crossed = (earned_by(held, episodes) - earned_by(held, episodes, 5.0)) / 5.0
    run = rollout(held, episodes)
    hard = [kind == "hard" for kind in layout(TANK, "setpoint").kinds]
    np.testing.assert_allclose(crossed.sum(axis=1), (run.sums["time"][:, :, hard] > 0.0).any(axis=2).sum(axis=1))
    assert crossed.any()


@pytest.mark.every
def test_after_a_rollout_all_begin_anew_and_what_was_cut_off_is_named() -> None:
    """A vessel that is full early has begun another batch, which is cut off at the rollout's end."""
    steps = BATCH.scenario().steps
    env = PlantVecEnv(PlantVectorEnv(BATCH, LANES), against="itself", rollout=steps)
    env.seed(3)
    env.reset()
    env.follow(highest(BATCH))
    for at in range(2):
        early = np.zeros(LANES, dtype=bool)
        for k in range(steps):
            _, _, done, infos = env.step(np.ones((LANES, 1), np.float32))
            early |= np.asarray(done) & (k < steps - 1)
        assert np.asarray(done).all()
        assert (env.plants.simulator.k == 0).all()
        assert early.any(), at
        np.testing.assert_array_equal(env.cut, early)
        assert not any(infos[e]["TimeLimit.truncated"] for e in np.flatnonzero(early))


def test_a_plants_last_episode_in_a_rollout_is_found() -> None:
    begins = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    assert last_of(begins).T.tolist() == [[True, True, True], [False, False, True], [False, False, True]]


@pytest.mark.parametrize(("algorithm", "follows"), [("ppo", True), ("trpo", True), ("sac", False), ("reinforce", False)])
def test_what_learns_from_other_rollouts_than_the_plants_is_compared_with_pid(algorithm: Algorithm, follows: bool) -> None:
    assert environment(ITSELF, 0, method=Method(algorithm)).follows is follows
    assert not environment(PAIRED, 0, method=Method(algorithm)).follows
    parts = replace(ITSELF, learning=replace(ITSELF.learning, rollout=ITSELF.learning.rollout - 1))
    assert not environment(parts, 0, method=Method(algorithm)).follows


@pytest.mark.slow
@pytest.mark.parametrize("plant", [PAIRED, ITSELF], ids=["pid", "itself"])
def test_a_training_that_was_broken_off_goes_on_to_the_same_bits(plant: Plant, tmp_path: Path) -> None:
    whole = train(plant, 1, STEPS)
    with pytest.raises(KeyboardInterrupt):
        train(plant, 1, STEPS, report=_interrupt, keep=tmp_path)
    start, _ = latest(tmp_path, plant)
    again = train(plant, 1, STEPS, start=start)
    assert 0 < start.step < BROKEN_OFF
    for (a, b), (c, d) in zip(again.last.layers, whole.last.layers, strict=True):
        assert a.tobytes() + b.tobytes() == c.tobytes() + d.tobytes()
    plain = train(replace(plant, learning=replace(plant.learning, paired=0.0)), 1, STEPS)
    assert not np.array_equal(plain.last.layers[0][0], whole.last.layers[0][0])
