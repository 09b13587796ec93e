"""What a benchmark consists of is known before it begins: its cells, and what is left out of it and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controller.campaign import PROTOCOLS, Asked, Plan, planned
from controller.historian import Historian
from controller.source import Source
from plant_models.core.errors import BadInput

Planner = Callable[..., Plan]
ASKED = Asked((Source("exothermic_cstr"),), ("floor", "pid"), (), ("none",), (), 100, seed=0)


@pytest.fixture
def plan(tmp_path: Path) -> Planner:
    def make(**changes: object) -> Plan:
        with Historian(str(tmp_path / "s.db")) as historian:
            return planned(replace(ASKED, **changes), historian)  # type: ignore[arg-type]

    return make


def test_cells_are_cut_where_they_were_cut_before(plan: Planner) -> None:
    cut = [(cell.first, cell.count) for cell in plan(controllers=("pid",)).cells]
    assert cut == [(0, 64), (64, 36)]
    assert [(c.first, c.count) for c in plan(controllers=("pid",), first=60, episodes=10).cells] == [(60, 4), (64, 6)]
    assert [(c.first, c.count) for c in plan(controllers=("nmpc",), episodes=5).cells] == [(0, 2), (2, 2), (4, 1)]


def test_every_scenario_of_a_protocol_is_run_and_the_floor_is_the_plants_own(plan: Planner) -> None:
    whole = plan(sources=(Source("exothermic_cstr"), Source("batch_crystallizer")), protocols=PROTOCOLS, episodes=5).cells
    cells = {(cell.source.name, cell.source.scenario, cell.controller) for cell in whole}
    assert ("exothermic_cstr", "unstable", "constant") in cells
    assert ("batch_crystallizer", "impurities", "published recipe") in cells
    assert len(whole) == len(cells) == 2 * (4 + 3)


def test_a_building_is_compared_at_equal_comfort(plan: Planner) -> None:
    house = plan(sources=(Source("heat_pump_house"),), episodes=5, variants=("none", "noise")).cells
    shifted = [cell for cell in house if cell.controller.startswith("pid, shifted")]
    assert len(shifted) == 7
    assert {cell.variant for cell in shifted} == {"none"}


def test_rows_behind_the_shield_stand_where_it_looks_ahead_by_the_right_plant(plan: Planner) -> None:
    made = plan(protocols=("boundary",), variants=("none", "drift"), episodes=5, shield=True)
    behind = {(cell.source.scenario, cell.variant) for cell in made.cells if cell.shield}
    assert behind == {("boundary", "none")}
    assert any("variant 'drift'" in note for note in made.notes)
    assert any("unstable: no row + shield" in note for note in made.notes)
    with pytest.raises(BadInput, match="no hard limit"):
        plan(sources=(Source("heat_pump_house"),), shield=True)
