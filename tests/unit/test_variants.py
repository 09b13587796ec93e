"""Variants change one thing of the same held-out episodes, and nothing is judged on that anybody learned or tuned on."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from unittest.mock import patch

import numpy as np
import pytest

from controller.baselines import Pid
from controller.rollout import returns
from controller.variants import UNSEEN, VARIANTS, Judged, Variant, _hampered, judged, meaningless
from plant_models.catalogue import get, names
from plant_models.core.errors import UnknownName
from plant_models.core.scenario import Split
from plant_models.derive.layout import HELD, fading
from plant_models.env.scenario import CODES, Episodes, draw
from plant_models.weather import cities

PLANT = get("exothermic_cstr")
SPLITS: tuple[Split, ...] = tuple(CODES)


def of(variant: Variant, count: int = 8, first: int = 0) -> Episodes:
    return judged(PLANT, PLANT.scenario(), variant, 0, count, first)


@pytest.mark.parametrize("scenario", [scenario.name for scenario in PLANT.scenarios])
def test_no_episode_is_drawn_for_two_purposes(scenario: str) -> None:
    drawn = {split: draw(PLANT, PLANT.scenario(scenario), 0, 128, split) for split in SPLITS}
    for one, other in combinations(SPLITS, 2):
        same = (drawn[one].exogenous[:, None] == drawn[other].exogenous[None]).all(axis=(2, 3))
        assert not same.any(), (one, other)
        assert not (drawn[one].noise[:, None, 1] == drawn[other].noise[None, :, 1]).all(axis=2).any()


def test_judging_is_all_that_a_variant_draws() -> None:
    plain = draw(PLANT, PLANT.scenario(), 0, 8, "judging")
    assert np.array_equal(of("none").exogenous, plain.exogenous)
    for name in ("noise", "delay", "faults"):
        columns = plain.exogenous.shape[2]
        assert np.array_equal(of(name).exogenous[:, :, :columns], plain.exogenous)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(UNSEEN))
def test_the_held_out_year_is_nobody_elses(name: str) -> None:
    plant, loaded = get(name), list[str]()
    real = cities.load

    def load(city: str) -> object:
        loaded.append(city)
        return real(city)

    with patch.object(cities, "load", load):
        for split in SPLITS:
            draw(plant, plant.scenario(), 0, 64, split)
    assert loaded
    assert UNSEEN[name] not in loaded


def test_noise_is_louder_and_nothing_else() -> None:
    plain, loud = of("none"), of("noise")
    assert np.allclose(loud.noise, 3.0 * plain.noise)
    assert np.array_equal(loud.parameters, plain.parameters)


def test_parameters_drift_within_what_is_declared() -> None:
    episodes = of("drift", 64)
    names_, steps = PLANT.Parameter.names(), PLANT.scenario().steps
    for i, name in enumerate(fading(episodes.plant)):
        q, path = PLANT.Parameter.quantities()[name], episodes.exogenous[:, :, episodes.targets().stop + i]
        assert np.allclose(path[:, 0], episodes.parameters[:, names_.index(name)])
        assert np.abs(path / q.nominal - 1.0).max() <= q.uncertain + 1e-12
        assert np.abs(path[:, steps] - path[:, 0]).mean() > 0.2 * q.uncertain * q.nominal


@pytest.mark.parametrize("name", ["none", "noise", "delay", "faults", "drift"])
def test_an_episode_is_the_same_in_whatever_block_it_is_asked_for(name: Variant) -> None:
    whole, part = of(name, 70), of(name, 3, 66)
    for array in ("exogenous", "parameters", "initial", "delays"):
        assert np.array_equal(getattr(whole, array)[66:69], getattr(part, array))
    assert np.array_equal(whole.noise[66:69], part.noise)


def test_readings_are_late_and_instruments_fail() -> None:
    assert (of("delay").delays >= 1).all()
    faulty, plain = of("faults", 64), of("none", 64)
    outputs = len(PLANT.Output.names())
    assert (faulty.noise >= HELD).any()
    assert (np.abs(faulty.noise[:, -1, :outputs] - plain.noise[:, -1]) > 0.0).any()
    assert (faulty.noise[:, 0, outputs:] > 0.0).any()  # bands of the valves


def test_room_for_faults_changes_nothing_by_itself() -> None:
    asked = Judged(PLANT, PLANT.scenario(), 0, 0, 8)
    with_room = replace(asked, plant=_hampered(PLANT)).drawn()
    assert np.array_equal(returns(Pid(PLANT), with_room), returns(Pid(PLANT), asked.drawn()))


def test_a_variant_that_means_nothing_says_why() -> None:
    assert "year" in meaningless(PLANT, "weather")
    assert not any(meaningless(PLANT, name) for name in VARIANTS if name != "weather")
    weathered = {name for name in names() if any(q.kind == "weather" for q in get(name).Disturbance.quantities().values())}
    assert weathered == set(UNSEEN)
    from controller.variants import variant

    with pytest.raises(UnknownName, match="did you mean 'noise'"):
        variant("niose")
