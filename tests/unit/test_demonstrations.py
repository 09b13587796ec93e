"""NMPC's demonstrations: what they say of each state, that they are kept, and how a training begins and goes on with them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from controller import cloning, demonstrations
from controller.cloning import GENTLE, cautious
from controller.demo import recorded_training
from controller.historian import Historian
from controller.interface import Reading
from controller.methods import PPO_METHOD, Method
from controller.nmpc import Nmpc
from controller.policy import load
from controller.rollout import rollout
from controller.train import Progress
from dashboard.cli import run
from plant_models.catalogue import get
from plant_models.derive.kernel import kernel
from plant_models.derive.layout import Level
from plant_models.env.scenario import Episodes, Single, draw

PLANT = get("exothermic_cstr")
ENTRIES = len(kernel(PLANT, "setpoint").observation.features)
STEPS, BROKEN_OFF = 32_768, 8_192


@dataclass
class Shadowed:
    """A perturbed NMPC, and beside it one that reads the same and is never asked to act."""

    perturbed: demonstrations._Perturbed
    shadow: Nmpc
    applied: list[Single] = field(default_factory=list)
    meant: list[Single] = field(default_factory=list)
    name: str = "shadowed"
    level: Level = "setpoint"

    def plan(self, episodes: Episodes) -> Episodes:
        self.shadow.plan(episodes)
        return self.perturbed.plan(episodes)

    def act(self, reading: Reading) -> Single:
        self.meant.append(self.shadow.act(reading))
        self.applied.append(self.perturbed.act(reading))
        return self.applied[-1]


def perturbed(reach: float) -> demonstrations._Perturbed:
    return demonstrations._Perturbed(Nmpc(PLANT), reach, np.random.default_rng(0))


@pytest.fixture(name="few")
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"BUDGET": 0, "FEWEST": 2, "PIECE": 1}.items():
        monkeypatch.setattr(demonstrations, name, value)


def test_what_is_noted_is_what_nmpc_wants_at_the_states_that_perturbations_lead_to() -> None:
    some = draw(PLANT, PLANT.scenario(), 0, 2, "training")
    teacher = perturbed(0.3)
    both = Shadowed(teacher, Nmpc(PLANT))
    rollout(both, some)
    wanted, applied = np.stack(teacher.wanted), np.stack(both.applied)
    np.testing.assert_array_equal(wanted, np.stack(both.meant))
    inside = np.abs(applied) < 1.0
    assert 0.2 < (applied - wanted)[inside].std() < 0.4
    assert np.abs(applied).max() <= 1.0


def test_without_perturbations_it_is_nmpc() -> None:
    some = draw(PLANT, PLANT.scenario(), 0, 1, "training")
    np.testing.assert_array_equal(rollout(perturbed(0.0), some).total, rollout(Nmpc(PLANT), some).total)


def test_the_reach_is_the_plants_own_or_its_first_spread() -> None:
    assert demonstrations.reach(get("penicillin_fermentation")) == 0.3
    assert demonstrations.reach(PLANT) == PLANT.learning.spread


@pytest.mark.usefixtures("few")
def test_demonstrations_are_computed_once_and_anew_where_a_file_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def made(some: Episodes, level: Level, k: int) -> tuple[Single, Single]:
        asked.append(k)
        return np.full((3, ENTRIES), k, dtype=np.float32), np.full((3, 1), 0.1 * k, dtype=np.float32)

    monkeypatch.setattr(demonstrations, "_demonstrated", made)
    told: list[str] = []
    first = demonstrations.demonstrations(PLANT, "setpoint", tell=told.append, folder=tmp_path)
    assert asked == [0, 1]
    assert "2 episodes of exothermic_cstr" in told[0]
    again = demonstrations.demonstrations(PLANT, "setpoint", folder=tmp_path)
    assert asked == [0, 1]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    files = sorted(tmp_path.iterdir())
    assert [file.suffix for file in files] == [".npz"] * 2
    files[0].write_bytes(files[0].read_bytes()[:-40])
    np.savez(files[1], seen=np.zeros((3, ENTRIES + 1), dtype=np.float32), wanted=np.zeros((3, 1), dtype=np.float32))
    repaired = demonstrations.demonstrations(PLANT, "setpoint", folder=tmp_path)
    assert asked == [0, 1, 0, 1]
    np.testing.assert_array_equal(repaired[0], first[0])


@pytest.mark.parametrize("broken", [
    lambda: np.full((3, ENTRIES), np.nan, dtype=np.float32), lambda: np.zeros((3, ENTRIES)),
    lambda: np.array([[None] * ENTRIES] * 3), lambda: np.zeros((2, ENTRIES), dtype=np.float32),
])  # fmt: skip
def test_a_file_of_something_else_counts_as_none(tmp_path: Path, broken: Callable[[], np.ndarray]) -> None:
    path = tmp_path / "d.npz"
    np.savez(path, seen=broken(), wanted=np.zeros((3, 1), dtype=np.float32))
    assert demonstrations._read(path, ENTRIES) is None


def test_a_file_is_put_in_place_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen, wanted = tmp_path / "d.npz", np.zeros((3, ENTRIES), dtype=np.float32), np.zeros((3, 1), dtype=np.float32)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        demonstrations._keep(path, seen, wanted)
    assert list(tmp_path.iterdir()) == []
    demonstrations._keep(path, seen, wanted)
    assert [file.name for file in tmp_path.iterdir()] == ["d.npz"]


def test_a_plants_own_teacher_stands_in_where_the_user_names_none() -> None:
    taught = get("penicillin_fermentation").learning
    assert PPO_METHOD.of(taught) == Method(clone="nmpc")
    assert PPO_METHOD.of(taught).recorded()["clone"] == "nmpc"
    assert PPO_METHOD.of(PLANT.learning) == PPO_METHOD
    for chosen in (Method(clone="none"), Method(level="direct"), Method("sac"), Method(safety="lagrangian")):
        assert chosen.of(taught) == chosen
    assert not Method("sac", clone="none").cloned


def test_ppo_goes_on_from_nmpc_by_small_steps_and_from_others_as_ever() -> None:
    learning = PLANT.learning
    gentle = cautious(learning, Method(clone="nmpc"))
    assert (gentle.spread, gentle.rate) == (GENTLE * learning.spread, GENTLE * learning.rate)
    assert cautious(learning, Method(clone="pid", level="direct")) == cautious(learning, PPO_METHOD) == learning


def test_a_mean_beyond_the_end_of_the_range_where_the_action_stands_is_no_miss() -> None:
    mean, action = torch.tensor([1.5, -1.5, 0.5, 1.5, -1.5]), torch.tensor([1.0, -1.0, 1.0, -1.0, 0.0])
    assert cloning._missed(mean, action).tolist() == [0.0, 0.0, -0.5, 2.5, -1.5]


def _interrupt(progress: Progress) -> None:
    if progress.step > BROKEN_OFF:
        raise KeyboardInterrupt


def test_a_training_from_nmpcs_clone_says_so_and_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    seen, wanted = (rng.uniform(-1.0, 1.0, (500, n)).astype(np.float32) for n in (ENTRIES, len(PLANT.acted)))
    monkeypatch.setattr(cloning, "demonstrations", lambda plant, level, scenario, tell: (seen, 0.1 * wanted))
    store, method, notes = str(tmp_path / "s.db"), Method(clone="nmpc"), list[str]()
    with Historian(store) as historian:
        _, whole = recorded_training(PLANT, historian, 1, STEPS, lambda progress: notes.append(progress.note), method=method)
        with pytest.raises(KeyboardInterrupt):
            recorded_training(PLANT, historian, 1, STEPS, _interrupt, method=method)
        (stopped,) = [each for each in historian.runs() if each.status == "stopped"]
    assert stopped.config["clone"] == "nmpc"
    assert any(note.startswith("cloned nmpc at level setpoint: ") for note in notes)
    assert run(["--store", store, "train", PLANT.name, "--resume", stopped.id, "--out", str(tmp_path / "p"), "--json"]) == 0
    resumed = load(tmp_path / "p" / "last", PLANT)
    for ours, theirs in zip(resumed.layers, whole.last.layers, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
