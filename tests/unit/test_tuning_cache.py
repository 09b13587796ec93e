"""Tuning asked for again with the same seed and generations answers from the cache, unless something changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from controller.tuning_cache import Answer, tuned
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.schedule import Schedule

CSTR = get("exothermic_cstr")


class Asked:
    """Tunes with few episodes, and remembers how many generations were really computed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.computed = folder, 0

    def __call__(self, plant: Plant = CSTR, seed: int = 0, fresh: bool = False) -> Answer:
        self.computed = 0

        def count(generation: int, cost: float) -> None:
            self.computed = generation

        return tuned(plant, seed, 1, 4, fresh, count, self.folder)


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def test_the_second_time_is_answered_from_the_cache_and_is_the_same(asked: Asked) -> None:
    first = asked()
    assert (first.known, asked.computed) == (False, 1)
    second = asked()
    assert (second.known, asked.computed) == (True, 0)
    assert (second.before, second.found) == (first.before, first.found)
    assert second.found.loops != CSTR.loops


def test_fresh_computes_anew(asked: Asked) -> None:
    first, again = asked(), asked(fresh=True)
    assert (again.known, asked.computed) == (False, 1)
    assert again.found == first.found


def test_another_seed_other_gains_or_other_episodes_are_another_question(asked: Asked) -> None:
    asked()
    loops = (CSTR.loops[0], replace(CSTR.loops[1], gains=replace(CSTR.loops[1].gains, b=0.5)))
    still = replace(CSTR.scenarios[0], signals=CSTR.scenarios[1].signals)
    assert not asked(seed=1).known
    assert not asked(replace(CSTR, loops=loops)).known
    assert not asked(replace(CSTR, scenarios=(still, *CSTR.scenarios[1:]))).known
    assert len(list(asked.folder.glob("*.json"))) == 4


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"before": 1, "found": 2}', '{"before": {}, "found": {}}'])
def test_a_damaged_file_is_ignored_and_written_anew(asked: Asked, damage: str) -> None:
    first = asked()
    (path,) = asked.folder.iterdir()
    path.write_text(damage)
    again = asked()
    assert (again.known, asked.computed) == (False, 1)
    assert again.found == first.found
    assert json.loads(path.read_text())["found"]["cost"] == first.found.cost
    assert asked().known


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert not tuned(CSTR, 0, 1, 4, folder=blocked).known


def test_exponents_of_a_gain_schedule_are_tuned_and_kept(asked: Asked) -> None:
    schedule = Schedule(variable="T", at=(314.0, 330.0), inverse_gain=(1.8, 0.5))
    plant = replace(CSTR, loops=(CSTR.loops[0], replace(CSTR.loops[1], schedule=schedule)))
    first, again = asked(plant), asked(plant)
    assert again.known
    assert again.found == first.found
    found = again.found.loops[1].schedule
    assert found is not None
    assert (found.at, found.inverse_gain) == (schedule.at, schedule.inverse_gain)
    assert (found.K_c, found.T_i) != (schedule.K_c, schedule.T_i)
