"""A sweep: what is proposed, what is given back when somebody is cut off, and what a user gets to see."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.ground import environment
from controller.ppo import learner
from controller.store import Store, open_store
from controller.study import Proposals
from controller.sweep import declaration
from dashboard.cli import run
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.plant import Learning

ROOT = Path(__file__).parents[2]
DECLARED = Learning(horizon=12.0, steps=1_000_000, rollout=80, gae=0.99)
KILLED = """
import os, sys
from controller.store import open_store
from controller.study import Proposals
from tests.unit.test_sweep import DECLARED
with Proposals(open_store(sys.argv[1]), "s", DECLARED, 0).some(1):
    os._exit(9)
"""


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


@pytest.fixture
def study(store: Store) -> Iterator[Proposals]:
    with Proposals(store, "s", DECLARED, 0) as opened:
        yield opened


def _judge(study: Proposals, count: int, scores: list[float]) -> list[Learning]:
    with study.some(count) as proposals:
        for (number, _), score in zip(proposals.items(), scores, strict=False):
            study.judge(number, score)
        return [proposal.learning for proposal in proposals.values()]


def test_the_first_proposal_is_what_the_plant_declares_and_later_ones_stay_near_it(study: Proposals) -> None:
    first, *others = _judge(study, 4, [1.0, 2.0, 3.0, math.nan])
    assert first == DECLARED
    for other in others:
        assert other != DECLARED
        assert (other.steps, other.parallel, other.net) == (DECLARED.steps, DECLARED.parallel, DECLARED.net)
        assert 3.0 <= other.horizon <= 48.0
        assert 2e-4 <= other.rate <= 1e-2


def test_whoever_comes_later_goes_on_with_the_best_first_and_what_diverged_last(study: Proposals, store: Store) -> None:
    _judge(study, 3, [1.0, math.nan, 3.0])
    with Proposals(store, "s", DECLARED, 0) as later:
        _judge(later, 1, [2.0])
        found = later.tried()
    assert [each.score for each in found][:3] == [3.0, 2.0, 1.0]
    assert math.isnan(found[3].score)
    assert found[2].learning == DECLARED
    assert len({each.learning for each in found}) == 4


def test_what_was_not_judged_is_proposed_again(study: Proposals, store: Store) -> None:
    left = _judge(study, 2, [1.0])[1]
    with Proposals(store, "s", DECLARED, 0) as later:
        assert _judge(later, 1, [2.0]) == [left]


@pytest.mark.slow
def test_what_a_killed_process_had_asked_for_is_proposed_again(store: Store, database: str) -> None:
    command = [sys.executable, "-c", KILLED, database]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 9
    with Proposals(store, "s", DECLARED, 0) as later:
        assert _judge(later, 1, [1.0]) == [DECLARED]


def test_without_optuna_the_remedy_is_a_line(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(BadInput, match=r"needs Optuna; run: pip install 'setpoint\[sweep\]'"):
        Proposals(store, "s", DECLARED, 0)


def test_the_line_for_the_plant_file_says_what_differs_from_the_usual() -> None:
    line = declaration(replace(DECLARED, rate=0.00123456, entropy=0.0))
    assert line == "learning=Learning(horizon=12.0, steps=1_000_000, rollout=80, gae=0.99, rate=0.001235),"


def test_results_kept_before_there_was_a_rate_are_found_again_and_another_rate_is_another_key() -> None:
    assert repr(Learning(horizon=10.0, steps=5)) == (
        "Learning(horizon=10.0, steps=5, parallel=256, rollout=32, net=(32, 32), spread=0.2, entropy=0.0, gae=0.95)"
    )
    assert repr(Learning(horizon=10.0, steps=5, rate=1e-3)).endswith("gae=0.95, rate=0.001)")


def test_the_first_learning_rate_is_the_plants_own() -> None:
    env = environment(get("exothermic_cstr"), 0)
    model = learner(replace(DECLARED, rate=5e-4), env, 0)
    assert model.lr_schedule(1.0) == 5e-4
    assert model.lr_schedule(0.5) == 2.5e-4


@pytest.mark.slow
def test_a_sweep_ends_with_a_line_for_the_plant_file_and_goes_on_where_it_stood(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--store", str(tmp_path / "s.db"), "sweep", "exothermic_cstr", "--seeds", "2", "--steps", "8192"]
    assert run([*arguments, "--trials", "2", "--workers", "2"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"for the plant file: learning=Learning\(horizon=.*\),", shown)
    assert run([*arguments, "--trials", "3", "--workers", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert sorted(trial["number"] for trial in result["trials"]) == [0, 1, 2]
    assert result["declared"] == next(trial["score"] for trial in result["trials"] if trial["number"] == 0)
    assert result["trials"][0]["score"] == max(trial["score"] for trial in result["trials"])
    assert result["declared"] > result["pid"] - 0.01 * abs(result["pid"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no_plant"], "unknown plant 'no_plant'"),
        (["exothermic_cstr", "--scenario", "nowhere"], "unknown scenario 'nowhere'"),
        (["exothermic_cstr", "--trials", "0"], "'--trials'"),
        (["exothermic_cstr", "--cluster", "somewhere"], "expected tcp://HOST:PORT"),
    ],
)
def test_what_cannot_be_swept_is_a_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--store", str(tmp_path / "s.db"), "sweep", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
