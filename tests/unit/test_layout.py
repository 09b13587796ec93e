"""The memory map: every row has one meaning, and blocks give back what was written, across the borders of chunks."""

from __future__ import annotations

import numpy as np
import pytest

from plant_models.catalogue import get, names
from plant_models.derive.blocks import Block
from plant_models.derive.layout import LANES, LEVELS, Level, Rows, layout, size

N = 2 * LANES + 3


def test_rows_stand_one_after_the_other() -> None:
    rows = Rows(a=2, none=0, b=3)
    assert (rows["a"], rows["none"], rows["b"], rows.size) == (slice(0, 2), slice(2, 2), slice(2, 5), 5)
    assert rows.row("b") == 2


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", names())
def test_a_plant_has_a_row_for_everything_it_declares(name: str, level: Level) -> None:
    plant = get(name)
    found = layout(plant, level)
    width = {part: found.S[part].stop - found.S[part].start for part in ("x", "u", "d", "y", "sp", "lowest", "time", "terms")}
    assert (width["x"], width["u"], width["d"], width["y"]) == tuple(
        size(vector) for vector in (plant.State, plant.Input, plant.Disturbance, plant.Output)
    )
    assert (width["sp"], width["lowest"], width["time"]) == (len(plant.loops), len(found.margins), len(found.margins))
    assert width["terms"] == len(found.terms) == len(set(found.terms))
    assert found.actions == (size(plant.Input) if level == "direct" else len(plant.acted))
    assert found.exogenous == size(plant.Disturbance) + len(plant.masters) + len(plant.targets)


def test_what_is_written_is_read_again() -> None:
    block = Block(Rows(a=2, b=3), N)
    values = np.random.default_rng(0).normal(size=(3, N))
    block.write("b", values)
    np.testing.assert_array_equal(block.read("b"), values)
    assert (block.read("a") == 0.0).all()


def test_some_plants_are_written_and_the_others_left() -> None:
    block, some = Block(Rows(a=2, b=3), N), np.array([0, LANES - 1, LANES, N - 1])
    block.write("b", np.arange(12.0).reshape(3, 4), some)
    np.testing.assert_array_equal(block.read("b")[:, some], np.arange(12.0).reshape(3, 4))
    others = np.setdiff1d(np.arange(N), some)
    assert (block.read("b")[:, others] == 0.0).all()


def test_a_plant_is_kept_and_restored_whole() -> None:
    block = Block(Rows(a=2, b=3), N)
    block.write("a", np.arange(2.0 * N).reshape(2, N))
    kept = block.column(LANES)
    block.write("a", -1.0)
    assert kept[0] == LANES  # a copy, not a view
    block.restore(LANES, kept)
    assert block.read("a")[:, LANES].tolist() == [LANES, N + LANES]
    assert block.view(LANES)[0] == LANES
