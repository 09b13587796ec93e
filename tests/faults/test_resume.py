"""A training that is killed at any moment goes on to the last bit; a checkpoint that does not fit is refused with the reason."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.resume import CHILD, NEVER, PLANTS, difference, go_on, leave, small
from controller.checkpoint import MANIFEST, STATE, Damaged, latest, versions
from controller.train import Progress, train
from plant_models.catalogue import get
from plant_models.core.errors import InvalidFile
from plant_models.core.plant import Plant
from plant_models.core.scenario import Draw, Signals

STEPS = 2048
WITHIN = 0.98
"""Share of a training's calls and returns among which it is killed: another process may have a few less."""
ROOT = Path(__file__).parents[2]
PLANT = small(PLANTS[0])


def in_a_process(name: str, folder: Path, event: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CHILD, name, str(folder), str(STEPS), str(event)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def check_killed_anywhere(name: str, folder: Path, moments: int, seed: int) -> None:
    count = int(in_a_process(name, folder / "whole", NEVER).stdout.split()[-1])
    for i, event in enumerate(np.random.default_rng(seed).integers(1, int(WITHIN * count), moments)):
        ended = in_a_process(name, folder / str(i), int(event)).returncode
        assert ended == -signal.SIGKILL, f"nothing was killed at event {event} of {count}"
        leave(go_on(small(name), folder / str(i) / "checkpoints", STEPS), folder / str(i))
        assert difference(folder / "whole", folder / str(i)) == 0.0, f"killed at event {event}"


@pytest.mark.parametrize("name", PLANTS)
def test_a_killed_training_ends_with_the_same_bits(name: str, tmp_path: Path) -> None:
    check_killed_anywhere(name, tmp_path, 1, PLANTS.index(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTS)
def test_a_training_killed_at_any_of_twenty_moments_ends_with_the_same_bits(name: str, tmp_path: Path) -> None:
    check_killed_anywhere(name, tmp_path, 20, 100 + PLANTS.index(name))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of a short training: those of step 256 and 512."""
    folder = tmp_path_factory.mktemp("trained")
    go_on(PLANT, folder, 512)
    return folder


def copied(trained: Path, folder: Path) -> tuple[Path, Path]:
    """A copy of the checkpoints to be spoiled, the older one first."""
    for each in trained.iterdir():
        (folder / each.name).mkdir()
        for file in each.iterdir():
            (folder / each.name / file.name).write_bytes(file.read_bytes())
    older, newer = sorted(folder.iterdir())
    return older, newer


def cut_short(newest: Path) -> None:
    data = (newest / STATE).read_bytes()
    (newest / STATE).write_bytes(data[: len(data) // 2])


def flipped(file: str) -> Callable[[Path], None]:
    def flip(newest: Path) -> None:
        data = bytearray((newest / file).read_bytes())
        data[len(data) // 2] ^= 1
        (newest / file).write_bytes(data)

    return flip


def missing(newest: Path) -> None:
    (newest / STATE).unlink()


def emptied(newest: Path) -> None:
    (newest / MANIFEST).write_text("")


DAMAGE = {"cut short": cut_short, "bit of the state": flipped(STATE), "bit of the manifest": flipped(MANIFEST),
          "state missing": missing, "manifest empty": emptied}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(damage: str, trained: Path, tmp_path: Path) -> None:
    older, newer = copied(trained, tmp_path)
    DAMAGE[damage](newer)
    found, passed = latest(tmp_path, PLANT)
    assert found.step == 256
    assert passed.startswith(str(newer))
    assert passed.endswith("the checkpoint before it, of step 256, is used")
    DAMAGE[damage](older)
    with pytest.raises(Damaged) as refused:
        latest(tmp_path, PLANT)
    assert "\n" not in str(refused.value)


def test_the_last_two_checkpoints_are_kept_and_nothing_else(trained: Path) -> None:
    assert sorted(each.name for each in trained.iterdir()) == ["000000000256", "000000000512"]


def test_what_an_interrupted_save_left_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / ".new-killed").mkdir()
    go_on(PLANT, tmp_path, 256)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["000000000000", "000000000256"]


def test_the_checkpoint_of_another_plant_is_refused(trained: Path) -> None:
    with pytest.raises(InvalidFile, match="trained on 'exothermic_cstr', asked to go on with 'quadruple_tank'"):
        latest(trained, small("quadruple_tank"))


CHANGES: dict[str, tuple[Callable[[Plant], Plant], str]] = {
    "learning": (lambda plant: replace(plant, learning=replace(plant.learning, horizon=11.0)), "has changed since .its Learning"),
    "gains": (
        lambda plant: replace(plant, advance=plant.advance + 1, preview=plant.preview + 1),
        "has changed since .its equations, ranges or loops.",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_checkpoint_of_a_plant_that_has_changed_is_refused(change: str, trained: Path) -> None:
    changed, message = CHANGES[change]
    with pytest.raises(InvalidFile, match=message):
        latest(trained, changed(PLANT))


def test_a_scenario_that_draws_other_episodes_is_refused(trained: Path) -> None:
    first, *rest = PLANT.scenarios

    def warmer(given: Draw) -> Signals:
        signals = first.signals(given)
        return replace(signals, disturbances={name: 1.001 * np.asarray(d) for name, d in signals.disturbances.items()},
                       targets={name: 1.001 * np.asarray(target) for name, target in signals.targets.items()})  # fmt: skip

    changed = replace(PLANT, scenarios=(replace(first, signals=warmer), *rest))
    start, _ = latest(trained, changed)
    with pytest.raises(InvalidFile, match="scenario 'tracking' draws other episodes than before; it has changed since"):
        train(changed, 0, 1024, start=start)


@pytest.mark.parametrize("package", ["setpoint", "torch", "stable_baselines3"])
def test_a_checkpoint_of_another_version_is_refused(package: str, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.checkpoint.versions", lambda: (*versions(), (package, "99.0")))
    then = dict(versions())[package]
    with pytest.raises(InvalidFile, match=re.escape(f"written with {package} {then}, this is 99.0; install that one, or train")):
        latest(trained, PLANT)


def test_a_checkpoint_of_a_newer_format_is_refused(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.checkpoint.SCHEMA", 0)
    with pytest.raises(InvalidFile, match="schema: 1 given, 0 allowed; train anew"):
        latest(trained, PLANT)


def test_a_full_disk_costs_a_checkpoint_and_one_line_and_nothing_else(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full from the second save on: the first checkpoint stays whole, and the weights are those of any other day."""
    notes: list[str] = []
    real, saves = os.fsync, iter(range(100))

    def full(file: int) -> None:
        if next(saves) >= 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file)

    def listen(progress: Progress) -> None:
        if progress.note.endswith("older ones stay"):
            notes.append(progress.note)

    monkeypatch.setattr(os, "fsync", full)
    done = train(PLANT, 0, 512, keep=tmp_path, report=listen)
    assert [each.name for each in tmp_path.iterdir()] == ["000000000000"]
    what = f"no checkpoint in {tmp_path} (No space left on device)"
    assert notes == [f"exothermic_cstr, step 256: {what}; training goes on, older ones stay"]
    monkeypatch.undo()
    assert latest(tmp_path, PLANT)[0].step == 0
    start, _ = latest(trained, PLANT)
    for i, (weight, bias) in enumerate(done.last.layers[:-1]):
        np.testing.assert_array_equal(weight, start.arrays[f"model.policy.mlp_extractor.policy_net.{2 * i}.weight"])
        np.testing.assert_array_equal(bias, start.arrays[f"model.policy.mlp_extractor.policy_net.{2 * i}.bias"])


def test_a_manifest_names_plant_versions_and_checksum(trained: Path) -> None:
    manifest = json.loads((trained / "000000000512" / MANIFEST).read_text())
    assert len(manifest["sha256"]) == 64
    assert manifest["facts"]["plant"] == get(PLANT.name).name
    assert {"setpoint", "torch", "stable_baselines3", "numpy", "numba"} == set(manifest["facts"]["versions"])
