"""Several seeds side by side: each as if it were alone, none brought down by another, and told together."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from controller.historian import Historian
from controller.policy import load
from controller.seeds import Group, Seed, train_seeds
from controller.source import Source
from controller.train import train
from controller.yardstick import Yardstick
from dashboard.cli import run
from plant_models.catalogue import get

PLANT = get("exothermic_cstr")
STEPS = 8192
MARK = Yardstick(-1.25, 0.5, 64, 64, 10, 3.0)
UNLUCKY = """
import os
from pathlib import Path
from plant_models.reactors.exothermic_cstr import PLANT
LOADS = Path(__file__).with_suffix(".loads")
COUNT = len(LOADS.read_text()) if LOADS.exists() else 0
LOADS.write_text("x" * (COUNT + 1))
if COUNT == 1:
    os._exit(7)
if COUNT == 2:
    raise ValueError("not today")
"""
"""A plant file that the first process trained dies of, and that the second cannot load."""


@pytest.fixture
def unlucky(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "unlucky.py"
    file.write_text(UNLUCKY)
    yield file
    del sys.modules["own.unlucky"]  # what is loaded stays in the catalogue of this process


def test_a_seed_is_trained_as_if_alone_though_others_die_or_fail(unlucky: Path, tmp_path: Path) -> None:
    told: list[int] = []
    store = str(tmp_path / "runs.db")
    group = train_seeds(
        Source(file=unlucky), (0, 1, 2), store, STEPS, tmp_path, lambda seed, progress: told.append(seed), workers=1, against=MARK
    )
    assert group.failed[0] == "its process ended with code 7"
    assert "not today" in group.failed[1]
    assert set(told) == {2}
    (kept,) = group.trained
    alone = train(PLANT, 2, STEPS)
    assert kept.score == pytest.approx(alone.score)
    assert group.pid.mean() == pytest.approx(alone.baseline)
    loaded = load(kept.policy, PLANT)
    assert all(np.array_equal(a, b) for one, other in zip(loaded.layers, alone.policy.layers, strict=True)
               for a, b in zip(one, other, strict=True))  # fmt: skip
    with Historian(store) as historian:
        (recorded,) = historian.runs()
        assert (recorded.id, recorded.seed, recorded.status) == (kept.run, 2, "completed")
        assert recorded.config["group"] == group.name
        assert recorded.config["baseline"]["nmpc"] == MARK.score


def outcome(failed: dict[int, str]) -> Group:
    scores = {0: -3.0, 1: -1.0, 2: -2.0, 3: -90.0}
    trained = (Seed(seed, f"run-{seed}", Path(f"seed-{seed}"), STEPS, 1.0, np.full(4, scores[seed])) for seed in scores)
    return Group("a-group", tuple(each for each in trained if each.seed not in failed), failed, np.full(4, -2.5))


@pytest.mark.parametrize(("failed", "code"), [({}, 0), ({3: "out of\nmemory"}, 1)])
def test_the_terminal_tells_the_interquartile_mean_and_who_failed(
    failed: dict[int, str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    monkeypatch.setattr("controller.yardstick.known", lambda episodes: None)
    monkeypatch.setattr(
        "controller.seeds.train_seeds", lambda source, seeds, *rest, **more: asked.append(list(seeds)) or outcome(failed)
    )
    assert run(["train", "exothermic_cstr", "--seeds", "4", "--seed", "5"]) == code
    captured = capsys.readouterr()
    assert asked == [[5, 6, 7, 8]]
    assert ("seed 3 failed: out of memory\n" in captured.err) == bool(failed)
    middle = "-2 " if failed else "-2.5 "  # of three nothing is left out, of four the best and the worst
    assert f"validation episodes: {middle}(95 % interval" in captured.out
    assert "PID -2.5; group a-group" in captured.out


def test_the_terminal_speaks_json_of_a_group(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[object] = []
    monkeypatch.setattr("controller.yardstick.known", lambda episodes: MARK)
    monkeypatch.setattr("controller.seeds.train_seeds", lambda *given, **more: asked.append(more["against"]) or outcome({}))
    assert run(["train", "exothermic_cstr", "--seeds", "4", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["plant"], shown["pid"], shown["score"]["iqm"]) == ("exothermic_cstr", -2.5, -2.5)
    assert shown["score"]["low"] < shown["score"]["iqm"] < shown["score"]["high"]
    assert [each["score"] for each in shown["seeds"]] == [-3.0, -1.0, -2.0, -90.0]
    assert asked == [MARK]
    assert shown["nmpc"] == vars(MARK)


def test_seeds_of_an_unknown_plant_or_scenario_are_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["exotermic_cstr"], ["exothermic_cstr", "--scenario", "tracing"]):
        assert run(["train", *arguments, "--seeds", "2"]) == 2
        assert capsys.readouterr().err.count("\n") == 1
