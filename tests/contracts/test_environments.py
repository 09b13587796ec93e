"""Promises that every environment keeps, one plant or many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from controller.baselines import Pid
from controller.contract import environments
from controller.contract.numerics import exactly
from controller.rollout import rollout
from plant_models import environment_id
from plant_models.catalogue import get, names
from plant_models.core.duty import Batch
from plant_models.core.errors import InvalidAction
from plant_models.core.plant import Plant
from plant_models.derive.layout import LEVELS, RUNNING, TRIPPED, Level, layout
from plant_models.derive.twin import twin
from plant_models.env.scenario import draw
from plant_models.env.single import PlantEnv
from plant_models.env.substeps import fleet, substeps
from tests.contracts.beside import aiming, between, drifts, error_scale, middles, nominal_inputs, path, restless, shown, vectors
from tests.contracts.every import plants

ROUNDING = 1e-9
DRIFT = 1e-4
"""Largest distance from the exact plant over an episode, as a share of each state's range."""


protected = pytest.mark.parametrize(
    "plant", [p for p in map(get, names()) if "trip" in layout(p, "setpoint").kinds], ids=lambda p: p.name
)


def make(plant: Plant, **kw: Any) -> gymnasium.Env[Any, Any]:
    return gymnasium.make(environment_id(plant.name), **kw)


@plants
def test_both_checkers_pass_without_a_warning(plant: Plant) -> None:
    for check in environments.CHECKS:
        check.run(plant)


@plants
def test_a_seed_repeats_bit_for_bit(plant: Plant) -> None:
    def trace() -> list[Any]:
        env = make(plant)
        rng = np.random.default_rng(1)
        out = [env.reset(seed=5)[0]]
        for _ in range(30):
            observation, reward, *_ = env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))
            out += [observation, np.array(reward)]
        return out

    for a, b in zip(trace(), trace(), strict=True):
        np.testing.assert_array_equal(a, b)


@plants
def test_many_plants_are_the_same_as_one(plant: Plant) -> None:
    episodes = draw(plant, plant.scenario(), 2, 70, "judging")
    many, one = fleet(plant, 70, plant.scenario().steps), fleet(plant, 1, plant.scenario().steps)
    many.load(episodes, np.arange(70))
    one.load(episodes[slice(67, 68)], np.arange(1))
    actions = np.random.default_rng(0).uniform(-1, 1, (20, 70, len(plant.acted))).astype(np.float32)
    for action in actions:
        a, b = many.step(action), one.step(action[67:68])
        np.testing.assert_allclose(a.observation[67], b.observation[0], rtol=1e-5, atol=1e-6)
        assert a.reward[67] == pytest.approx(b.reward[0], rel=1e-6, abs=ROUNDING)


@plants
def test_observations_stay_inside_their_space_and_none_is_constant(plant: Plant) -> None:
    env = gymnasium.make_vec(environment_id(plant.name), num_envs=16)
    rng = np.random.default_rng(0)
    seen = [env.reset(seed=0)[0]]
    shape = env.action_space.shape
    seen += [env.step(rng.uniform(-1, 1, shape).astype(np.float32))[0] for _ in range(plant.scenario().steps)]
    stacked = np.concatenate(seen)
    assert np.isfinite(stacked).all()
    assert (np.abs(stacked) <= 10.0).all()
    assert (np.ptp(stacked, axis=0) > 0.0).all()


@plants
def test_a_time_limit_truncates_after_exactly_its_steps(plant: Plant) -> None:
    """The end of a batch is final: it terminates there, or earlier where the batch is complete."""
    env = make(plant)
    env.reset(seed=0)
    zero = np.zeros(env.action_space.shape, dtype=np.float32)
    ends = [env.step(zero)[2:4] for _ in range(plant.scenario().steps)]
    first = next(k for k, end in enumerate(ends) if any(end))
    batch = isinstance(plant.duty, Batch)
    assert ends[first] == (batch, not batch)
    assert batch or first == plant.scenario().steps - 1


@plants
def test_the_zero_action_is_the_pid_layer(plant: Plant) -> None:
    """Step for step the environment under zero action runs as the PID layer does when nobody supervises it.

    Exactly so but for buildings, which are judged in finer steps.
    """
    episodes = draw(plant, plant.scenario(), 4, 1, "judging")
    close = 0.0 if plant.building is None else 1e-7
    run = rollout(Pid(plant), episodes)
    env = PlantEnv(plant.name, split="judging")
    env.reset(options={"episodes": episodes})
    for k in range(plant.scenario().steps):
        env.step(np.zeros(len(plant.acted), dtype=np.float32))
        np.testing.assert_allclose(env.simulator.S.read("x")[:, 0], run.path["x"][0, k + 1], rtol=close, atol=0.0)
    assert (run.path["v"] == 0.0).all()


@plants
def test_the_zero_action_is_the_pid_layer_on_the_exact_plant(plant: Plant) -> None:
    """A whole episode, never brought back together: the kernel beside the same PID layer on the plant by CVODES."""
    env = PlantEnv(plant.name, split="judging")
    env.reset(seed=4)
    simulator, exact = env.simulator, twin(plant, "setpoint", substeps(plant))
    rows, column = simulator.kernel.layout.S, simulator.S.column(0)
    spans = np.array([q.high - q.low for q in plant.State.quantities().values()])
    for k in range(plant.scenario().steps):
        env.step(np.zeros(len(plant.acted), dtype=np.float32))
        column = exactly(exact, simulator, 0, k, column)
        assert (np.abs(column[rows["x"]] - simulator.S.column(0)[rows["x"]]) <= DRIFT * spans).all()


@plants
def test_a_vector_environment_runs_the_episodes_of_the_single_one(plant: Plant) -> None:
    """Over the end of an episode: same observations, rewards and ends; the last observation is kept, the next one is new."""
    one, many = make(plant), gymnasium.make_vec(environment_id(plant.name), num_envs=1)
    rng, steps, resets = np.random.default_rng(2), plant.scenario().steps, 0
    a, b = one.reset(seed=11)[0], many.reset(seed=11)[0]
    for k in range(steps + 5):
        np.testing.assert_array_equal(a, b[0])
        action = rng.uniform(-1.0, 1.0, len(plant.acted)).astype(np.float32)
        (a, reward, terminated, truncated, _), (b, *rest, infos) = one.step(action), many.step(action[None])
        assert [part[0] for part in rest] == [reward, terminated, truncated]
        ended = truncated or terminated
        assert isinstance(plant.duty, Batch) or (terminated, truncated) == (False, k == steps - 1)
        assert k != steps - 1 or ended or resets
        if ended:
            resets += 1
            np.testing.assert_array_equal(infos["final_obs"][0], a)
            a = one.reset()[0]
            assert not np.array_equal(infos["final_obs"][0], b[0])


@plants
def test_sensor_noise_never_enters_the_reward(plant: Plant) -> None:
    """With the manipulated variables given, other noise changes what is seen and nothing that is judged."""
    episodes = draw(plant, plant.scenario(), 0, 1, "judging")
    seen = []
    for e in (episodes, replace(episodes, noise=-episodes.noise)):
        env = PlantEnv(plant.name, level="direct")
        env.reset(options={"episodes": e})
        actions = np.random.default_rng(0).uniform(-0.3, 0.0, (20, len(plant.Input.names()))).astype(np.float32)
        seen.append([env.step(action)[:2] for action in actions])
    assert [reward for _, reward in seen[0]] == [reward for _, reward in seen[1]]
    assert not any(np.array_equal(x, y) for (x, _), (y, _) in zip(*seen, strict=True))


@plants
def test_no_running_plant_costs_more_than_the_worst_declared_stage_cost(plant: Plant) -> None:
    """So nothing that keeps running, however badly, ranks below what tripped or failed at the same moment."""
    for level in ("setpoint", "direct"):
        n, steps = 96, plant.scenario().steps
        simulator = fleet(plant, n, steps, level)
        simulator.load(draw(plant, plant.scenario(), 7, n, "training"), np.arange(n))
        rng, shape = np.random.default_rng(0), (n, simulator.kernel.layout.actions)
        for _ in range(steps):
            action = rng.choice([-1.0, 1.0], shape)
            action[:32], action[32:64] = 1.0, -1.0
            result = simulator.step(action)
            running = simulator.S.read("status")[0] == RUNNING
            assert (-result.reward[running] * plant.scale < plant.worst).all()


@plants
def test_info_says_in_numbers_what_happened(plant: Plant) -> None:
    env = PlantEnv(plant.name)
    first = env.reset(seed=0)[1]
    *_, info = env.step(np.zeros(len(plant.acted), dtype=np.float32))
    margins = plant.margins(*(v.nominal() for v in plant.arguments))
    expected = {f"{kind}/{name}" for kind in ("margin", "cost") for name in margins} | {"cost", "clipped", "tripped"}
    assert expected | {"integration_failed"} <= set(info)
    assert set(first) == set(info)
    assert all(np.isfinite(value) for value in info.values())


@plants
def test_nan_is_refused_and_nothing_moves(plant: Plant) -> None:
    env = PlantEnv(plant.name)
    env.reset(seed=0)
    env.step(np.zeros(len(plant.acted), dtype=np.float32))
    before, k = env.simulator.S.data.copy(), env.simulator.k.copy()
    for bad in (np.nan, np.inf):
        with pytest.raises(InvalidAction, match="not finite"):
            env.step(np.full(len(plant.acted), bad, dtype=np.float32))
    with pytest.raises(InvalidAction, match="shape"):
        env.step(np.zeros(len(plant.acted) + 1, dtype=np.float32))
    np.testing.assert_array_equal(env.simulator.S.data, before)
    np.testing.assert_array_equal(env.simulator.k, k)


@plants
def test_an_action_out_of_range_is_clipped_and_counted(plant: Plant) -> None:
    one, two = PlantEnv(plant.name), PlantEnv(plant.name)
    one.reset(seed=0)
    two.reset(seed=0)
    *a, info = one.step(np.full(len(plant.acted), 7.0, dtype=np.float32))
    *b, _ = two.step(np.ones(len(plant.acted), dtype=np.float32))
    np.testing.assert_array_equal(a[0], b[0])
    assert info["clipped"] == len(plant.acted)


@plants
@pytest.mark.parametrize("level", LEVELS)
def test_every_action_level_runs(plant: Plant, level: Level) -> None:
    env = make(plant, level=level)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(10):
        observation, reward, terminated, *_ = env.step(rng.uniform(-0.2, 0.2, env.action_space.shape).astype(np.float32))
        assert env.observation_space.contains(observation)
        assert np.isfinite(reward)
        assert isinstance(plant.duty, Batch) or not terminated


@plants
def test_direct_actions_are_the_inputs_within_their_rates(plant: Plant) -> None:
    env = PlantEnv(plant.name, level="direct")
    env.reset(seed=0)
    for action in (0.4, -0.2):
        before = env.simulator.S.read("u")[:, 0]
        env.step(np.full(len(plant.Input.names()), action, dtype=np.float32))
        for old, u, q in zip(before, env.simulator.S.read("u")[:, 0], plant.Input.quantities().values(), strict=True):
            asked = q.centre + action * q.half_range
            reach = q.rate * plant.decision
            assert u == pytest.approx(np.clip(asked, old - reach, old + reach), rel=1e-6)


@plants
def test_absolute_actions_are_the_setpoints(plant: Plant) -> None:
    env = PlantEnv(plant.name, level="absolute")
    env.reset(seed=0)
    env.step(np.full(len(plant.acted), 0.5, dtype=np.float32))
    for i, loop in enumerate(plant.loops):
        if loop in plant.acted:
            asked = 0.5 * (loop.low + loop.high) + 0.25 * (loop.high - loop.low)
            assert env.simulator.S.read("sp")[i, 0] == pytest.approx(asked, rel=1e-6)


@protected
def test_a_policy_that_trips_ranks_last(plant: Plant) -> None:
    """Below the PID layer and random offsets wherever these run on: inputs thrown to either end until the plant trips."""
    calm = [
        returned(plant, "setpoint", lambda rng, shape: np.zeros(shape)),
        returned(plant, "setpoint", lambda rng, shape: rng.uniform(-1.0, 1.0, shape)),
    ]
    thrown = [
        returned(plant, "direct", lambda rng, shape: np.ones(shape)),
        returned(plant, "direct", lambda rng, shape: -np.ones(shape)),
        returned(plant, "direct", lambda rng, shape: rng.choice([-1.0, 1.0], shape)),
    ]
    assert not calm[0].tripped.any()
    assert any(other.tripped.any() for other in thrown)
    for other in thrown:
        for kept in calm:
            compared = other.tripped & ~kept.tripped
            assert (other.total[compared] < kept.total[compared]).all()


@dataclass(frozen=True)
class Returned:
    total: NDArray[np.float64]
    tripped: NDArray[np.bool_]


def returned(
    plant: Plant, level: Level, policy: Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]]
) -> Returned:
    n, rng = 32, np.random.default_rng(0)
    simulator = fleet(plant, n, plant.scenario().steps, level)
    simulator.load(draw(plant, plant.scenario(), 0, n, "judging"), np.arange(n))
    total, running = np.zeros(n), np.ones(n, dtype=bool)
    for _ in range(plant.scenario().steps):
        result = simulator.step(policy(rng, (n, simulator.kernel.layout.actions)))
        total += np.where(running, result.reward, 0.0)
        running &= simulator.S.read("status")[0] == RUNNING
    return Returned(total, simulator.S.read("status")[0] == TRIPPED)


def those(which: Callable[[Plant], bool]) -> pytest.MarkDecorator:
    """The plants of the catalogue that are so."""
    return pytest.mark.parametrize("plant", [p for p in map(get, names()) if which(p)], ids=lambda p: p.name)


tracking = those(lambda plant: bool(plant.targets))
drifting, holding = those(lambda plant: bool(drifts(plant).any())), those(lambda plant: not drifts(plant).all())


@drifting
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_loads_and_weather_run_straight_from_sample_to_sample(plant: Plant, seed: int) -> None:
    """Read in the middle of each loop period; a decision ends where the equations end, far from where either sample leads."""
    episodes, env, straight = restless(plant, seed), PlantEnv(plant.name, "direct"), middles(plant)
    env.reset(options={"episodes": episodes})
    spans = np.array([q.high - q.low for q in plant.State.quantities().values()])
    for k in range(4):
        before = env.simulator.S.read("x")[:, 0]
        env.step(nominal_inputs(plant))
        ends = [
            path(plant, before, between(plant, episodes.exogenous[0, k : k + 2], shares), episodes.parameters[0])[-1]
            for shares in (straight, np.zeros_like(straight), np.ones_like(straight))
        ]
        missed, *held = (np.abs((end - env.simulator.S.read("x")[:, 0]) / spans).max() for end in ends)
        assert missed <= 0.01 * min(held)


@holding
def test_prices_schedules_and_limits_hold_until_the_next_sample(plant: Plant) -> None:
    """A decision runs and costs the same whatever the next sample says, and ends with the values it began with."""
    episodes, other, hold = restless(plant, 0), restless(plant, 1), np.flatnonzero(~drifts(plant))
    for k in range(4):
        changed = episodes.exogenous.copy()
        changed[:, k + 1 :, hold] = other.exogenous[:, k + 1 :, hold]
        rewards, ends = [], []
        for given in (episodes, replace(episodes, exogenous=changed)):
            env = PlantEnv(plant.name)
            env.reset(options={"episodes": given})
            rewards.append([env.step(np.zeros(len(plant.acted), dtype=np.float32))[1] for _ in range(k + 1)])
            ends.append(env.simulator.S)
        assert rewards[0] == rewards[1]
        np.testing.assert_array_equal(ends[0].read("x"), ends[1].read("x"))
        np.testing.assert_array_equal(ends[0].read("d")[hold, 0], episodes.exogenous[0, k, hold])


@tracking
@pytest.mark.parametrize("level", LEVELS)
def test_the_target_shown_and_its_preview_are_the_targets_to_come(plant: Plant, level: Level) -> None:
    env = PlantEnv(plant.name, level)
    episodes, none = aiming(env), np.zeros(env.simulator.kernel.layout.actions, dtype=np.float32)
    targets = episodes.exogenous[0, :, episodes.targets()]
    observation = env.reset(options={"episodes": episodes})[0]
    for k in range(20):
        seen = shown(env, observation)
        for i, output in enumerate(plant.targets):
            target = seen[f"{output} target"]
            ahead = [target + seen[f"{output} target change in {lead} steps"] for lead in range(1, plant.preview + 1)]
            near = 1e-6 * plant.Output.quantities()[output].half_range
            np.testing.assert_allclose([target, *ahead], targets[k : k + 1 + plant.preview, i], rtol=1e-5, atol=near)
            assert target - seen[f"{output} error"] == pytest.approx(seen[output], rel=1e-5, abs=near)
        observation = env.step(none)[0]


@tracking
def test_a_decision_is_judged_on_the_target_shown_before_it(plant: Plant) -> None:
    """The mean square of the distance from it along the path of the equations, scaled as the error is; the reward holds it."""
    env = PlantEnv(plant.name, "direct")
    episodes = aiming(env)
    p = episodes.parameters[0]
    observation = env.reset(options={"episodes": episodes})[0]
    for k in range(10):
        seen, x = shown(env, observation), env.simulator.S.read("x")[:, 0]
        observation, reward, *_, info = env.step(nominal_inputs(plant))
        d = between(plant, episodes.exogenous[0, k : k + 2], middles(plant))
        run = path(plant, x, d, p)
        y = plant.outputs(*vectors(plant, run.T, np.repeat(d, len(run) // len(d), axis=0).T, p))
        for output in plant.targets:
            squares = ((getattr(y, output) - seen[f"{output} target"]) / error_scale(env, output)) ** 2
            assert 0.999 * np.min(squares) <= info[f"term/{output}"] <= 1.001 * np.max(squares)
        stocks = [plant.stock(plant.State.of(list(at)), plant.Parameter.of(list(p))) for at in (x, run[-1])]
        terms = sum(value for name, value in info.items() if name.startswith("term/"))
        assert -reward * plant.scale == pytest.approx(terms - (stocks[1] - stocks[0]), rel=1e-3)
