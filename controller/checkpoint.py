"""Checkpoints of a training: written whole or not at all, the last two kept, and refused where they do not fit.

A checkpoint is a folder named by its step, with ``state.safetensors`` (every array) and ``manifest.json`` (what was trained, with
which versions, and the sha256 of both). Nothing in it is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from controller.store import runs_folder
from plant_models.core.errors import InvalidFile
from plant_models.core.files import json_object, read_plain
from plant_models.core.plant import Plant
from plant_models.derive.identity import plant_hash

SCHEMA, KEPT, LARGEST = 1, 2, 500_000_000
STATE, MANIFEST = "state.safetensors", "manifest.json"
PACKAGES = ("setpoint", "numpy", "numba", "torch", "stable_baselines3")
UNFINISHED = ".new-"

Arrays = Mapping[str, NDArray[Any]]


class Damaged(InvalidFile):
    """A checkpoint that was cut short or altered; the one before it may be good."""


@dataclass(frozen=True)
class Course:
    """Which training a checkpoint belongs to: ``total`` decisions in all, of which the schedules depend."""

    plant: str
    scenario: str
    seed: int
    total: int


@dataclass(frozen=True)
class Checkpoint:
    """A training as it stood between two rollouts: after ``step`` decisions, with everything its next ones depend on."""

    course: Course
    step: int
    arrays: Arrays


def checkpoints(run: str) -> Path:
    """Return the folder of a run's checkpoints, beside its policy."""
    return runs_folder() / run / "checkpoints"


def save(folder: Path, checkpoint: Checkpoint, plant: Plant) -> None:
    """Write a checkpoint and drop all but the last two; raises OSError, and then the old ones are untouched."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(UNFINISHED + "*"):
        shutil.rmtree(left, ignore_errors=True)
    data = save_tensors({name: np.ascontiguousarray(part) for name, part in checkpoint.arrays.items()})
    facts = _facts(plant) | {"schema": SCHEMA, "course": asdict(checkpoint.course), "step": checkpoint.step}
    temporary = Path(tempfile.mkdtemp(dir=folder, prefix=UNFINISHED))
    try:
        _write(temporary / STATE, data)
        _write(temporary / MANIFEST, json.dumps({"facts": facts, "sha256": _sum(facts, data)}, indent=1).encode())
        os.replace(temporary, folder / f"{checkpoint.step:012d}")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for old in written(folder)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def latest(folder: Path, plant: Plant) -> tuple[Checkpoint, str]:
    """Return the newest undamaged checkpoint that fits the plant, and a line on those that had to be passed over.

    Raises:
        InvalidFile: where there is none, all are damaged, or they are of another plant or version; the text says which.
    """
    passed: list[Damaged] = []
    for each in written(folder):
        try:
            found = read(each, plant)
        except Damaged as damage:
            passed.append(damage)
        else:
            return found, f"{passed[0]}; the checkpoint before it, of step {found.step}, is used" if passed else ""
    if passed:
        raise passed[0]
    raise InvalidFile(folder, "checkpoint", "there is none; train anew")


def read(folder: Path, plant: Plant) -> Checkpoint:
    """Read one checkpoint.

    Raises:
        Damaged: where a file is missing, cut short or altered.
        InvalidFile: where it is of another plant, or of other versions than these.
    """
    told, data = (read_plain(folder / name, LARGEST, Damaged) for name in (MANIFEST, STATE))
    manifest = json_object(folder / MANIFEST, told, Damaged)
    facts = manifest.get("facts")
    if not isinstance(facts, dict) or manifest.get("sha256") != _sum(facts, data):
        raise Damaged(folder, "sha256", "cut short or altered since it was written")
    _check(folder / MANIFEST, facts, plant)
    try:
        arrays = load_tensors(data)
    except SafetensorError as error:
        raise Damaged(folder / STATE, "format", f"not a safetensors file ({error})") from error
    return Checkpoint(Course(**facts["course"]), int(facts["step"]), arrays)


def _facts(plant: Plant) -> dict[str, Any]:
    """What has to be as it was for a training to go on bit for bit."""
    learning = {name: value for name, value in asdict(plant.learning).items() if name != "steps"}
    facts = {"plant": plant.name, "plant_hash": plant_hash(plant), "learning": learning, "versions": dict(versions())}
    same: dict[str, Any] = json.loads(json.dumps(facts))
    return same


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions on which bits depend, by package."""
    return tuple((name, version(name)) for name in PACKAGES)


def _check(path: Path, facts: dict[str, Any], plant: Plant) -> None:
    ours = _facts(plant)
    if facts.get("schema") != SCHEMA:
        raise InvalidFile(path, "schema", f"{facts.get('schema')} given, {SCHEMA} allowed; train anew")
    if facts["plant"] != plant.name:
        raise InvalidFile(path, "plant", f"trained on {facts['plant']!r}, asked to go on with {plant.name!r}")
    for name, now in ours["versions"].items():
        if facts["versions"].get(name) != now:
            then = facts["versions"].get(name)
            raise InvalidFile(path, "versions", f"written with {name} {then}, this is {now}; install that one, or train anew")
    for key, what in (("plant_hash", "its equations, ranges or loops"), ("learning", "its Learning")):
        if facts[key] != ours[key]:
            raise InvalidFile(path, key, f"{plant.name} has changed since ({what}); put it back as it was, or train anew")


def written(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, the newest first."""
    return sorted((each for each in folder.glob("*") if each.name.isdigit() and each.is_dir()), reverse=True)


def _sum(facts: dict[str, Any], data: bytes) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode() + b"\n" + data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
