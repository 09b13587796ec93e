"""NMPC beside PID on the episodes that a training is watched on: what it says, that it is kept, and that it never stops one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import controller.yardstick as module
from controller.baselines import Pid
from controller.demo import recorded_training
from controller.ground import validation
from controller.historian import Historian
from controller.nmpc import Nmpc
from controller.rollout import returns
from controller.yardstick import TooSlow, Yardstick, known, yardstick
from dashboard.cli import run
from plant_models.catalogue import get
from plant_models.env.scenario import Episodes, draw

PLANT = get("exothermic_cstr")
MARK = Yardstick(-1.25, 0.5, 64, 64, 10, 3.0)


def short(n: int = 6, seed: int = 0) -> Episodes:
    return draw(PLANT, replace(PLANT.scenario(), steps=5), seed, n, "validation")


def test_it_is_nmpcs_own_mean_where_all_episodes_are_run(tmp_path: Path) -> None:
    found = yardstick(short(), folder=tmp_path)
    np.testing.assert_allclose(found.score, -returns(Nmpc(PLANT), short()).mean() / PLANT.scale, rtol=1e-9)
    assert (found.ran, found.episodes) == (6, 6)


def test_of_a_few_episodes_the_lead_over_pid_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On few episodes the mean itself would say more of the episodes than of NMPC."""
    monkeypatch.setattr(module, "BUDGET", 20)
    found = yardstick(short(), folder=tmp_path)
    pid, nmpc = returns(Pid(PLANT), short()), returns(Nmpc(PLANT), short()[:4])
    assert (found.ran, found.episodes) == (4, 6)
    np.testing.assert_allclose(found.score, -(pid.mean() - (pid[:4] - nmpc).mean()) / PLANT.scale, rtol=1e-9)


def test_what_was_found_is_kept_for_these_episodes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert known(short(), tmp_path) is None
    found = yardstick(short(), folder=tmp_path)
    monkeypatch.setattr(module, "Nmpc", None)
    assert yardstick(short(), folder=tmp_path) == found == known(short(), tmp_path)
    assert known(short(seed=1), tmp_path) is None
    assert known(draw(PLANT, replace(PLANT.scenario(), steps=6), 0, 6, "validation"), tmp_path) is None
    dearer = replace(PLANT, scale=2.0 * PLANT.scale)
    assert known(draw(dearer, replace(dearer.scenario(), steps=5), 0, 6, "validation"), tmp_path) is None
    (path,) = tmp_path.iterdir()
    for damaged in ("", "[]", "{", '{"score": "high"}'):
        path.write_text(damaged)
        assert known(short(), tmp_path) is None


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert yardstick(short(1), folder=tmp_path / "file").ran == 1


def test_one_that_takes_too_long_is_given_up_at_once(tmp_path: Path) -> None:
    seen: list[int] = []
    with pytest.raises(TooSlow, match=r"exothermic_cstr: NMPC is too slow .*for 6 episodes, 0 s allowed\); left out$"):
        yardstick(short(), lambda done, total: seen.append(done), tmp_path, longest=0.0)
    assert seen == []
    assert list(tmp_path.iterdir()) == []


def test_a_training_records_it_beside_pid(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as historian:
        name, result = recorded_training(PLANT, historian, 0, 9000, lambda progress: None, against=MARK)
        found = historian.find(name)
        assert found.config["baseline"] == {"pid": result.baseline, "nmpc": -1.25}
        assert found.config["nmpc"]["ran"] == 64
        assert found.result["nmpc"] == -1.25
        assert [(row.step, row.value) for row in historian.metrics_after(name) if row.key == "score/nmpc"] == [(0, -1.25)]


Captured = pytest.CaptureFixture[str]


def trained(folder: Path, *more: str) -> list[str]:
    command = ["--store", str(folder / "runs.db"), "train", PLANT.name, "--steps", "9000", "--out", str(folder / "p"), *more]
    assert run(command) == 0
    return command


def test_it_is_shown_where_it_is_known_and_run_only_where_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    asked: list[object] = []

    def ask(episodes: Episodes, report: object) -> Yardstick:
        asked.append(report)
        return replace(MARK, ran=4)

    monkeypatch.setattr(module, "yardstick", ask)
    monkeypatch.setattr(module, "known", lambda episodes: None)
    trained(tmp_path)
    assert "NMPC" not in "".join(capsys.readouterr())
    trained(tmp_path, "--against", "nmpc")
    told = capsys.readouterr()
    assert "NMPC -1.25 (by its lead on 4 of 64)" in told.out
    assert "NMPC -1.25 (by its lead on 4 of 64)" in told.err
    assert len(asked) == 1
    monkeypatch.setattr(module, "known", lambda episodes: MARK)
    trained(tmp_path, "--json")
    assert json.loads(capsys.readouterr().out)["nmpc"] == vars(MARK)
    assert len(asked) == 1


def test_a_slow_one_is_told_in_one_line_and_the_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def slow(episodes: Episodes, report: object) -> Yardstick:
        raise TooSlow("exothermic_cstr: NMPC is too slow")

    monkeypatch.setattr(module, "yardstick", slow)
    trained(tmp_path, "--against", "nmpc")
    told = capsys.readouterr()
    assert told.err.splitlines().count("exothermic_cstr: NMPC is too slow") == 1
    assert "NMPC" not in told.out
    assert "policy:" in told.out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("exothermic_cstr", "--against", "nmcp"), "unknown yardstick 'nmcp'; did you mean 'nmpc'? Known: nmpc"),
        (
            ("CartPole-v1", "--against", "nmpc"),
            "--against: CartPole-v1 is no plant, and only plants have it; leave --against out, or name a plant",
        ),
    ],
)
def test_what_cannot_be_compared_with_is_refused(arguments: tuple[str, ...], line: str, capsys: Captured) -> None:
    assert run(["train", *arguments]) == 2
    assert capsys.readouterr().err == f"setpoint: {line}\n"


@pytest.mark.slow
def test_on_the_reactor_nmpc_is_ahead_of_pid(tmp_path: Path) -> None:
    found = yardstick(validation(PLANT), folder=tmp_path)
    assert (found.ran, found.episodes) == (64, 64)
    assert found.ahead > 0.0
