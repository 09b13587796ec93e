"""What the shell knows of a plant is found once and kept, and never taken from a file that is not sound."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controller.safety import known as keeping
from controller.safety.corners import Spread
from controller.safety.estimator import Gain
from controller.safety.governor import Calibration
from controller.safety.known import calibrated, check
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.plant import Margin, Plant, soft
from plant_models.core.scenario import Scenario

CSTR = get("exothermic_cstr")


def made(seed: int = 0) -> Calibration:
    """Return something that might be known of a plant, with the numbers that are hard to keep."""
    rng = np.random.default_rng(seed)
    spread = Spread(rng.random((10, 2)), np.array([[0.0, 0.0], [1e-300, 0.1 + 0.2]]), rng.random(11) / 3.0)
    gain = Gain(rng.normal(size=(10, 5, 2)) * 1e11, rng.random((10, 2)))
    return Calibration(gain, spread, np.eye(3, 15), 6, np.array([0.0, -1.5]), np.array([0.1 + 0.7, 5e-324]))


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Plant, Scenario]]:
    """The plants and scenarios that were calibrated, at no cost."""
    calls = list[tuple[Plant, Scenario]]()

    def calibrate(plant: Plant, scenario: Scenario) -> Calibration:
        calls.append((plant, scenario))
        return made(len(calls))

    monkeypatch.setattr(keeping, "calibrate", calibrate)
    return calls


def flat(known: Calibration) -> list[Any]:
    return [np.asarray(part).tolist() for whole in astuple(known) for part in (whole if isinstance(whole, tuple) else (whole,))]


def test_it_is_found_once_and_read_bit_for_bit(tmp_path: Path, found: list[Any]) -> None:
    first = calibrated(CSTR, CSTR.scenario(), tmp_path / "new")
    second = calibrated(CSTR, CSTR.scenario(), tmp_path / "new")
    assert len(found) == 1
    assert flat(first) == flat(second) == flat(made(1))
    assert isinstance(second.horizon, int)


def test_the_users_cache_is_its_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: list[Any]) -> None:
    monkeypatch.setattr(keeping.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    calibrated(CSTR, CSTR.scenario())
    assert [path.parent for path in tmp_path.rglob("*.json")] == [tmp_path / "setpoint" / "safety"]


def changed(**parts: Any) -> Callable[[dict[str, Any]], str]:
    return lambda kept: json.dumps(kept | parts)


DAMAGE: dict[str, Callable[[dict[str, Any]], str]] = {
    "empty": lambda kept: "",
    "cut": lambda kept: json.dumps(kept)[:200],
    "no object": lambda kept: "[1, 2]",
    "text": changed(K="text"),
    "a part missing": lambda kept: json.dumps({name: part for name, part in kept.items() if name != "signs"}),
    "ragged": changed(states=[[1.0], [1.0, 2.0]]),
    "null": changed(margins=None),
    "not a number": changed(margins=[0.0, float("nan")]),
    "infinite": changed(surprise=[[float("inf"), 1.0]] * 10),
    "no horizon": changed(horizon="x"),
    "a horizon of nothing": changed(horizon=0),
    "too few margins": changed(margins=[0.0]),
    "too few signs": changed(signs=[[0.0]]),
    "no variant": changed(signs=[]),
    "gain of another plant": changed(K=[[[0.0, 0.0]] * 4] * 10),
    "phases that differ": changed(surprise=[[1.0, 1.0]] * 9),
    "fewer states": changed(states=[[0.1]] * 10),
    "fewer disturbances": changed(disturbances=[[0.0], [0.1]]),
    "no ramp": changed(disturbances=[1e-300, 0.1 + 0.2]),
    "fewer parameters": changed(parameters=[0.1]),
    "spread below nothing": changed(disturbances=[[0.0, 0.0], [-0.1, 0.1]]),
    "no slack": lambda kept: json.dumps({name: part for name, part in kept.items() if name != "slack"}),
    "slack that is no number": changed(slack=[float("nan"), 0.0]),
    "less slack": changed(slack=[0.0, 0.0]),
    "its last digit": changed(slack=[float(np.nextafter(0.1 + 0.7, 1.0)), 5e-324]),
    "no digest": lambda kept: json.dumps({name: part for name, part in kept.items() if name != "sha256"}),
    "another digest": changed(sha256="0" * 64),
    "a part that nobody asked for": changed(more=1),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_found_anew_and_replaced(damage: str, tmp_path: Path, found: list[Any]) -> None:
    calibrated(CSTR, CSTR.scenario(), tmp_path)
    [path] = tmp_path.iterdir()
    path.write_text(DAMAGE[damage](json.loads(path.read_text())))
    anew = calibrated(CSTR, CSTR.scenario(), tmp_path)
    assert len(found) == 2
    assert flat(anew) == flat(calibrated(CSTR, CSTR.scenario(), tmp_path)) == flat(made(2))


def test_a_file_of_bytes_that_are_no_text_is_found_anew(tmp_path: Path, found: list[Any]) -> None:
    calibrated(CSTR, CSTR.scenario(), tmp_path)
    [path] = tmp_path.iterdir()
    path.write_bytes(b"\xff\xfe{")
    calibrated(CSTR, CSTR.scenario(), tmp_path)
    assert len(found) == 2


def test_where_nothing_can_be_written_it_is_found_each_time(tmp_path: Path, found: list[Any]) -> None:
    (tmp_path / "file").write_text("in the way")
    for _ in range(2):
        calibrated(CSTR, CSTR.scenario(), tmp_path / "file" / "folder")
    assert len(found) == 2


def hotter(plant: Plant) -> Plant:
    """Return the plant with another safe action."""
    return replace(plant, safe_action={"T_c": 291.0})


def retuned(plant: Plant) -> Plant:
    """Return the plant with another gain in its last loop."""
    *rest, last = plant.loops
    return replace(plant, loops=(*rest, replace(last, gains=replace(last.gains, K_c=0.8))))


def lenient(plant: Plant) -> Plant:
    """Return the plant with a hard limit that may be crossed at a price."""

    def margins(*at: Any) -> dict[str, Margin]:
        return {name: soft(margin.value) if margin.kind == "hard" else margin for name, margin in plant.margins(*at).items()}

    return replace(plant, margins=margins)


@pytest.mark.parametrize("other", [hotter, retuned, lenient])
def test_another_plant_is_another_matter(other: Callable[[Plant], Plant], tmp_path: Path, found: list[Any]) -> None:
    calibrated(CSTR, CSTR.scenario(), tmp_path)
    calibrated(other(CSTR), CSTR.scenario(), tmp_path)
    assert len(found) == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_so_is_another_scenario_and_one_that_draws_otherwise(tmp_path: Path, found: list[Any]) -> None:
    first = CSTR.scenario()
    other = CSTR.scenario("boundary")
    for scenario in (first, other, replace(first, steps=59), replace(other, name=first.name)):
        calibrated(CSTR, scenario, tmp_path)
    assert len(found) == 4


def test_so_is_another_version_of_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: list[Any]) -> None:
    calibrated(CSTR, CSTR.scenario(), tmp_path)
    monkeypatch.setattr(keeping, "TEXT", "# another shell")
    calibrated(CSTR, CSTR.scenario(), tmp_path)
    assert len(found) == 2


def test_a_scenario_with_loops_of_its_own_has_no_shield() -> None:
    tank = get("quadruple_tank")
    with pytest.raises(BadInput, match=r"scenario 'non-minimum phase' of quadruple_tank: .*; allowed with a shield: tracking"):
        check(tank, tank.scenario("non-minimum phase"))
    check(tank, tank.scenario())
