"""Cells give the same bits wherever they run, are computed once, and a benchmark that was cut off goes on."""

from __future__ import annotations

import json
import pickle
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controller import kept
from controller.baselines import Pid
from controller.campaign import Asked, planned
from controller.cell import Cell, Outcome, digest, run
from controller.cell_store import KeptCell, keep
from controller.historian import Historian
from controller.policy import Policy
from controller.rollout import rollout
from controller.source import Source
from dashboard.cli import run as command
from plant_models.catalogue import get
from plant_models.core.errors import InvalidFile
from plant_models.env.scenario import draw
from plant_models.env.substeps import fleet

PLANT = get("exothermic_cstr")
CELL = Cell(Source(PLANT.name, scenario="tracking"), "none", "pid", 0, 0, 4)


def saved(folder: Path, seed: int = 0) -> Path:
    rng, width = np.random.default_rng(seed), fleet(PLANT, 1, 1).width
    layers = tuple((rng.normal(0.0, 0.1, s).astype(np.float32), np.zeros(s[0], np.float32)) for s in ((8, width), (1, 8)))
    Policy(PLANT, "setpoint", layers).save(folder)
    return folder


def test_a_cell_is_its_episodes_run_by_its_controller() -> None:
    ran = rollout(Pid(PLANT), draw(PLANT, PLANT.scenario(), 0, 4, "judging"))
    found = run(CELL)
    assert found.cost == tuple(ran.total)
    assert np.allclose(np.sum(found.segments, axis=1), ran.total)
    assert found.units["IAE"] == "mol/L min"


def test_a_cell_travels_and_comes_back_to_the_last_bit() -> None:
    there = pickle.loads(pickle.dumps(CELL))
    assert there == CELL
    first, again = run(CELL), run(there)
    assert first == again
    assert Outcome.of_json(json.loads(json.dumps(first.as_json()))) == first


def test_a_policy_that_lies_in_two_folders_is_one_policy(tmp_path: Path) -> None:
    folders = (saved(tmp_path / "p"), saved(tmp_path / "copy"))
    asked = Asked((Source(PLANT.name),), ("ppo",), (), ("none",), folders, 4, seed=0)
    with Historian(str(tmp_path / "s.db")) as historian:
        assert [cell.policy for cell in planned(asked, historian).cells] == [str(folders[0])]


def test_a_policy_that_has_changed_is_not_run_under_its_old_name(tmp_path: Path) -> None:
    folder = saved(tmp_path / "p")
    cell = replace(CELL, controller="ppo", policy=str(folder), digest=digest(folder))
    assert run(cell).cost != run(CELL).cost
    saved(folder, 1)
    with pytest.raises(InvalidFile, match="has changed"):
        run(cell)


def test_the_key_says_all_that_numbers_depend_on(tmp_path: Path) -> None:
    folder = saved(tmp_path / "p")
    others = [replace(CELL, seed=1), replace(CELL, first=1), replace(CELL, count=3), replace(CELL, variant="noise"),
              replace(CELL, shield=True), replace(CELL, controller="constant"),
              replace(CELL, controller="ppo", policy=str(folder), digest=digest(folder))]  # fmt: skip
    keys = {kept.key(cell) for cell in (CELL, *others)}
    assert len(keys) == 1 + len(others)
    moved = saved(tmp_path / "q")
    assert kept.key(replace(others[-1], policy=str(moved), digest=digest(moved))) in keys  # the same policy elsewhere


def test_a_benchmark_that_was_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    words = ["--store", str(tmp_path / "s.db"), "benchmark", PLANT.name, "--controllers", "floor,pid", "--protocol", "all",
             "--episodes", "4", "--json"]  # fmt: skip
    computed: list[Cell] = []

    def broken(cell: Cell) -> Outcome:
        if len(computed) == 3:
            raise KeyboardInterrupt
        computed.append(cell)
        return run(cell)

    monkeypatch.setattr(kept, "run", broken)
    assert command(words) == 130
    with Historian(str(tmp_path / "s.db")) as historian:
        assert [each.status for each in historian.runs()] == ["stopped"]
    monkeypatch.setattr(kept, "run", run)
    capsys.readouterr()
    assert command(words) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["provenance"]["computed_now"] == first["provenance"]["cells"] - 3
    assert command([*words, "--again"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["provenance"]["computed_now"] == whole["provenance"]["cells"]
    assert whole["costs"] == first["costs"]


def test_the_printed_command_computes_the_cell_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = saved(tmp_path / "p")
    cell = replace(CELL, controller="ppo", policy=str(folder), digest=digest(folder), variant="noise", first=3, seed=2)
    program, *words = shlex.split(cell.command)
    assert program == "setpoint"
    assert command(["--store", str(tmp_path / "s.db"), *words]) == 0
    (cost,) = json.loads(capsys.readouterr().out)["costs"]
    assert tuple(cost["cost"][0]) == run(cell).cost


@pytest.mark.slow
def test_processes_and_one_process_find_the_same_bits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["benchmark", PLANT.name, "--controllers", "floor,pid", "--protocol", "all", "--variant", "none,faults", "--episodes",
             "3", "--json"]  # fmt: skip
    costs = []
    for workers in ("1", "2"):
        assert command(["--store", str(tmp_path / f"{workers}.db"), *words, "--workers", workers]) == 0
        costs.append(json.loads(capsys.readouterr().out)["costs"])
    assert costs[0] == costs[1]


def test_what_is_kept_of_nmpc_stands_beside_those_that_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Historian(str(tmp_path / "s.db")) as historian:
        for first in (0, 2, 6):  # the episodes from 4 on are missing, and with them those after
            cell = replace(CELL, controller="nmpc", first=first, count=2)
            outcome = run(replace(cell, controller="pid"))
            keep(historian.store, KeptCell(kept.key(cell), PLANT.name, outcome.as_json()))
    words = ["benchmark", PLANT.name, "--protocol", "tracking", "--episodes", "8", "--json"]
    assert command(["--store", str(tmp_path / "s.db"), *words]) == 0
    rows = {row["controller"]: row for row in json.loads(capsys.readouterr().out)["standings"]}
    assert rows["nmpc"]["episodes"] == 4
    assert rows["nmpc"]["saved"]["mean"] == pytest.approx(0.0, abs=1e-12)
    assert rows["pid"]["gap"] == "no gap"
