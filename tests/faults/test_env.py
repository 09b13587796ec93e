"""What a user may do wrong with an environment: one clear line, and nothing has moved."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from plant_models.catalogue import FAMILIES, get, names
from plant_models.core.errors import BadInput, InvalidAction, UnknownName
from plant_models.core.loop import Gains, Loop
from plant_models.core.quantity import quantity
from plant_models.core.vector import Vector
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.scenario import draw
from plant_models.env.single import PlantEnv

CSTR, HOUSE = get("exothermic_cstr"), get("heat_pump_house")
ID = "plants/ExothermicCstr-v0"


def one_line(error: BaseException) -> bool:
    return bool(str(error)) and "\n" not in str(error)


@pytest.mark.parametrize("make", [PlantEnv, PlantVectorEnv])
def test_an_unknown_plant_suggests_the_nearest(make: Any) -> None:
    with pytest.raises(UnknownName, match="'exotermic_cstr'; did you mean 'exothermic_cstr'") as raised:
        make("exotermic_cstr")
    assert one_line(raised.value)


@pytest.mark.parametrize("make", [PlantEnv, PlantVectorEnv])
@pytest.mark.parametrize(("option", "nearest"), [("scenario", "unstable"), ("level", "setpoint"), ("split", "judging")])
def test_an_unknown_option_suggests_the_nearest(make: Any, option: str, nearest: str) -> None:
    with pytest.raises(UnknownName, match=f"did you mean '{nearest}'") as raised:
        make("exothermic_cstr", **{option: nearest[:-1] + "x"}).reset(seed=0)
    assert one_line(raised.value)


@pytest.mark.parametrize(
    "bad",
    [None, [[np.nan]], [[1.0, 2.0]], [], [[None]], "full", [[1j]]],
)
def test_whatever_is_no_action_is_refused_and_nothing_moves(bad: Any) -> None:
    env = PlantEnv("exothermic_cstr")
    env.reset(seed=0)
    before = env.simulator.S.data.copy()
    with pytest.raises(InvalidAction) as raised:
        env.step(bad)
    assert one_line(raised.value)
    np.testing.assert_array_equal(env.simulator.S.data, before)
    assert env.simulator.k[0] == 0


def test_nan_among_many_plants_moves_none() -> None:
    env = PlantVectorEnv("exothermic_cstr", 70)
    env.reset(seed=0)
    actions = np.zeros((70, 1), dtype=np.float32)
    actions[69] = np.nan
    before = env.simulator.S.data.copy()
    with pytest.raises(InvalidAction):
        env.step(actions)
    np.testing.assert_array_equal(env.simulator.S.data, before)
    actions[69] = 0.0
    env.step(actions)


def test_a_step_beyond_the_end_is_refused() -> None:
    """The compiled step has no signals there: it would read whatever stands in memory."""
    env = gymnasium.make(ID)
    env.reset(seed=0)
    zero = np.zeros(1, dtype=np.float32)
    for _ in range(CSTR.scenario().steps):
        env.step(zero)
    with pytest.raises(BadInput, match="reset") as raised:
        env.step(zero)
    assert one_line(raised.value)
    env.reset()
    env.step(zero)


@pytest.mark.parametrize(
    "episodes",
    [draw(HOUSE, HOUSE.scenario(), 0, 1, "judging"), draw(CSTR, CSTR.scenario(), 0, 2, "judging")],
    ids=["another plant's", "two for one plant"],
)
def test_episodes_that_do_not_fit_are_refused(episodes: Any) -> None:
    env = PlantEnv("exothermic_cstr")
    with pytest.raises(BadInput) as raised:
        env.reset(options={"episodes": episodes})
    assert one_line(raised.value)


@pytest.mark.parametrize("count", [0, -1])
def test_an_environment_of_no_plants_is_refused(count: int) -> None:
    with pytest.raises(BadInput) as raised:
        PlantVectorEnv("exothermic_cstr", count)
    assert one_line(raised.value)


def test_swapped_bounds_and_values_outside_them_are_refused_where_they_stand() -> None:
    with pytest.raises(ValueError, match=r"level: nominal 2.0 m lies outside \[3.0, 1.0\] m"):
        quantity(2.0, "m", "level", low=3.0, high=1.0)
    with pytest.raises(ValueError, match="valid range"):
        quantity(2.0, "m", "level", valid=(0.0, 1.0))
    with pytest.raises(ValueError, match="is empty"):
        Loop(tag="LIC-1", pv="h", mv="q", low=2.0, high=1.0, gains=Gains(K_c=1.0, T_i=1.0))


def test_a_forgotten_balance_is_an_error_not_a_nominal_value() -> None:
    class Tank(Vector):
        h: float = quantity(1.0, "m", "level")
        T: float = quantity(300.0, "K", "temperature")

    with pytest.raises(TypeError, match="'T'"):
        Tank(h=0.5)
    with pytest.raises(ValueError, match="zip"):
        Tank.of([0.5])


def test_every_file_in_a_plant_folder_is_a_plant() -> None:
    assert {get(name).name for name in names()} == set(names())
    assert {get(name).folder for name in names()} <= set(FAMILIES)


COUNTED = """
import numpy as np
from plant_models.env.single import PlantEnv
env = PlantEnv("exothermic_cstr", level="direct")
env.reset(seed=0)
print(float(env.step(np.zeros(1, dtype=np.float32))[1]))
"""


def run(home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COUNTED], env=dict(os.environ) | {"XDG_CACHE_HOME": str(home)},
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def test_a_cache_that_cannot_be_written_is_said_in_one_line_and_another_serves(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    done = run(blocked)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "not writable" in done.stderr
    assert np.isfinite(float(done.stdout))


def test_a_damaged_kernel_in_the_cache_is_written_anew(tmp_path: Path) -> None:
    first = run(tmp_path)
    assert first.returncode == 0, first.stderr
    whole = {module: module.read_text() for module in (tmp_path / "setpoint" / "kernels").glob("kernel_*.py")}
    assert whole
    for module, text in whole.items():
        module.write_text(text[: len(text) // 2])
    shutil.rmtree(tmp_path / "setpoint" / "substeps")
    again = run(tmp_path)
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout
    assert {module: module.read_text() for module in whole} == whole
    assert {path.suffix for path in (tmp_path / "setpoint" / "kernels").iterdir() if path.is_file()} == {".py"}
