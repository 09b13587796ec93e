"""Plants that go back to a snapshot do again what they did, on episodes drawn anew from their numbers."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from plant_models.core.errors import BadInput
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.scenario import ARRAYS
from plant_models.env.source import EpisodeSource
from plant_models.env.start import Starts
from tests.compiled import COMPILED

N = 70  # more than one chunk of lanes


def running(name: str, seed: int) -> PlantVectorEnv:
    env = PlantVectorEnv(name, N)
    env.reset(seed=seed)
    env.stagger()
    return env


@pytest.mark.parametrize("name", COMPILED)
def test_what_follows_a_snapshot_is_the_same_to_the_last_bit(name: str) -> None:
    env = running(name, 3)
    rng, steps = np.random.default_rng(0), env.scenario.steps
    actions = rng.uniform(-1.0, 1.0, (2 * steps, N, *(env.single_action_space.shape or ()))).astype(np.float32)
    for action in actions[:steps]:
        env.step(action)
    kept, other = env.snapshot(), PlantVectorEnv(name, N)
    ours = [env.step(action) for action in actions[steps:]]
    other.restore(kept)
    for action, (observation, reward, terminated, truncated, _) in zip(actions[steps:], ours, strict=True):
        again = other.step(action)
        assert again[0].tobytes() == observation.tobytes()
        assert again[1].tobytes() == reward.tobytes()
        np.testing.assert_array_equal(again[2] | again[3], terminated | truncated)
    np.testing.assert_array_equal(other.numbers, env.numbers)
    assert env.numbers.max() >= 3 * N - 1
    for name_of_part, part in env.snapshot().items():
        np.testing.assert_array_equal(other.snapshot()[name_of_part], part, err_msg=name_of_part)


def test_a_number_draws_the_episode_that_was_handed_out() -> None:
    env = PlantVectorEnv("exothermic_cstr", 5)
    source = EpisodeSource(env.plant, env.simulator.kernel.layout, env.scenario, 4, "training", ahead=7)
    handed = [source.take(count) for count in (5, 3, 90)]
    numbers = np.array([97, 0, 64, 6, 63])
    again = source.numbered(numbers)
    for name in ARRAYS:
        first = np.concatenate([getattr(starts.episodes, name) for starts in handed])
        np.testing.assert_array_equal(getattr(again, name), first[numbers], err_msg=name)


@pytest.mark.parametrize(("number", "count", "given"), [(5, 7, 7), (10, 7, 2), (11, 1, 1), (3, 7, 7), (40, 2, 2)])
def test_onward_from_a_number_are_the_episodes_that_are_handed_out(number: int, count: int, given: int) -> None:
    env = PlantVectorEnv("exothermic_cstr", 5)
    source = EpisodeSource(env.plant, env.simulator.kernel.layout, env.scenario, 4, "training", ahead=7)
    for taken in (5, 3):  # those from number 5 to 11 are drawn with the last
        source.take(taken)
    found = source.onward(number, count)
    assert len(found) == given
    for name in ARRAYS:
        again = getattr(source.numbered(np.arange(number, number + given)), name)
        np.testing.assert_array_equal(getattr(found, name), again, err_msg=name)


def test_a_source_that_goes_back_hands_out_the_same() -> None:
    env = PlantVectorEnv("exothermic_cstr", 5)
    one, other = (EpisodeSource(env.plant, env.simulator.kernel.layout, env.scenario, 4, "training") for _ in range(2))
    one.take(21)
    other.seek(*one.place)
    assert other.place == one.place
    for count in (3, 40, 1):
        ours, theirs = one.take(count), other.take(count)
        for part in (f.name for f in fields(Starts) if f.name != "episodes"):
            np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))


def test_a_snapshot_of_other_plants_is_refused() -> None:
    kept = running("exothermic_cstr", 0).snapshot()
    with pytest.raises(BadInput, match="S of a snapshot is missing or not of shape"):
        PlantVectorEnv("exothermic_cstr", N).restore({name: part for name, part in kept.items() if name != "S"})
    with pytest.raises(BadInput, match="scenario 'tracking' draws other episodes than before; it has changed since"):
        PlantVectorEnv("exothermic_cstr", N).restore(kept | {"episodes": kept["episodes"] + 1})
