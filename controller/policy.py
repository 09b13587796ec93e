"""A trained policy as NumPy arrays: how it decides, and how it is kept on disk without pickle.

A policy is a folder with ``weights.safetensors`` and ``manifest.json`` (plant and its hash, entries of the observation with
units and ranges, shapes, versions, checksum). It is written whole or not at all, and refused where anything does not fit.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from controller.fingerprint import WEIGHTS
from controller.interface import Reading
from controller.methods import ALGORITHMS
from plant_models.core.errors import InvalidFile
from plant_models.core.files import json_object, read_plain
from plant_models.core.plant import Plant
from plant_models.derive.identity import plant_hash
from plant_models.derive.kernel import kernel
from plant_models.derive.layout import LEVELS, Level
from plant_models.derive.network import Network
from plant_models.derive.observation import Feature
from plant_models.env.scenario import Episodes, Single

SCHEMA = 2
BEFORE = {"algorithm": "ppo", "squash": "clip"}
"""What the schema before this one did not say, since there was nothing else."""
ACTIVATION = "tanh"
Squash = Literal["clip", "tanh"]
"""How mean actions come within [-1, 1]."""
LARGEST = 20_000_000
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Policy:
    """``action = squash(W_n tanh(... tanh(W_1 o + b_1)) + b_n)``: the mean action of the trained network.

    ``name`` is the algorithm that trained it.
    """

    plant: Plant
    level: Level
    layers: tuple[tuple[Single, Single], ...]
    name: str = "ppo"
    squash: Squash = "clip"

    def plan(self, episodes: Episodes) -> Episodes:
        """Leave the setpoints as the plant's hierarchy sends them."""
        return episodes

    def act(self, reading: Reading) -> Single:
        """Return actions in [-1, 1], (n, actions), for observations (n, entries)."""
        hidden = reading.observation
        for weight, bias in self.layers[:-1]:
            hidden = np.tanh(hidden @ weight.T + bias)
        weight, bias = self.layers[-1]
        mean = hidden @ weight.T + bias
        return np.asarray(np.tanh(mean) if self.squash == "tanh" else np.clip(mean, -1.0, 1.0), dtype=np.float32)

    @property
    def network(self) -> Network:
        """The layers as a compiled loop takes them."""
        return Network.of(self.layers, bounded=self.squash == "tanh")

    def save(self, folder: Path) -> None:
        """Write the policy to a new or an existing folder, whole or not at all."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".policy-"))
        try:
            weights = save_tensors(self._tensors())
            (temporary / WEIGHTS).write_bytes(weights)
            (temporary / MANIFEST).write_text(json.dumps(self._manifest(weights), indent=1))
            _replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _tensors(self) -> dict[str, Single]:
        weights = {f"layer{i}.weight": weight for i, (weight, _) in enumerate(self.layers)}
        biases = {f"layer{i}.bias": bias for i, (_, bias) in enumerate(self.layers)}
        return {name: np.ascontiguousarray(part) for name, part in (weights | biases).items()}

    def _manifest(self, weights: bytes) -> dict[str, Any]:
        return {
            "schema": SCHEMA, "plant": self.plant.name, "plant_hash": plant_hash(self.plant), "level": self.level,
            "algorithm": self.name, "activation": ACTIVATION, "squash": self.squash,
            "shapes": [list(weight.shape) for weight, _ in self.layers],
            "observation": [_entry(f) for f in _features(self.plant, self.level)],
            "sha256": hashlib.sha256(weights).hexdigest(),
            "versions": {name: version(name) for name in ("setpoint", "numpy", "torch", "stable_baselines3")},
        }  # fmt: skip


def load(folder: Path, plant: Plant) -> Policy:
    """Read a policy for a plant.

    Raises:
        InvalidFile: where a file is missing, damaged, too large, or made for another plant; the text says which.
    """
    manifest = _read_manifest(folder / MANIFEST)
    data = _read(folder / WEIGHTS)
    if hashlib.sha256(data).hexdigest() != manifest["sha256"]:
        raise InvalidFile(folder / WEIGHTS, "sha256", "the file does not match its manifest; use an undamaged copy")
    _check_plant(folder / MANIFEST, manifest, plant)
    try:
        tensors = load_tensors(data)
    except SafetensorError as error:
        raise InvalidFile(folder / WEIGHTS, "format", f"not a safetensors file ({error})") from error
    layers = _layers(folder / WEIGHTS, tensors, manifest["shapes"])
    return Policy(plant, manifest["level"], layers, manifest["algorithm"], manifest["squash"])


def _features(plant: Plant, level: Level) -> tuple[Feature, ...]:
    return kernel(plant, level).observation.features


def _entry(feature: Feature) -> dict[str, Any]:
    return {"name": feature.name, "unit": feature.unit, "centre": feature.centre, "half_range": feature.half_range}


def _read(path: Path) -> bytes:
    return read_plain(path, LARGEST, InvalidFile, "; give the folder that training wrote")


def _read_manifest(path: Path) -> dict[str, Any]:
    manifest = json_object(path, _read(path), InvalidFile)
    wanted = {
        "schema": int, "plant": str, "plant_hash": str, "level": str, "shapes": list, "observation": list, "sha256": str,
    }  # fmt: skip
    for key, kind in wanted.items():
        if not isinstance(manifest.get(key), kind):
            raise InvalidFile(path, key, f"missing or not of type {kind.__name__}")
    if manifest["schema"] not in (SCHEMA, SCHEMA - 1):
        raise InvalidFile(
            path, "schema", f"{manifest['schema']} given, {SCHEMA - 1} and {SCHEMA} allowed; train again with this version"
        )
    manifest = BEFORE | manifest if manifest["schema"] < SCHEMA else manifest
    _check_words(path, manifest)
    return manifest


def _check_words(path: Path, manifest: dict[str, Any]) -> None:
    """Refuse a network that this version cannot run as it was trained."""
    allowed = {"activation": (ACTIVATION,), "squash": get_args(Squash), "algorithm": ALGORITHMS, "level": LEVELS}
    for key, words in allowed.items():
        if manifest.get(key) not in words:
            raise InvalidFile(
                path, key, f"{manifest.get(key)!r} given, {' or '.join(words)} allowed; use the version that wrote it"
            )


def _check_plant(path: Path, manifest: dict[str, Any], plant: Plant) -> None:
    if manifest["plant"] != plant.name:
        raise InvalidFile(path, "plant", f"trained on {manifest['plant']!r}, asked to run {plant.name!r}")
    if manifest["plant_hash"] != plant_hash(plant):
        raise InvalidFile(path, "plant_hash", f"{plant.name} has changed since this policy was trained; train again")
    given, wanted = manifest["observation"], [_entry(f) for f in _features(plant, manifest["level"])]
    if given != wanted:
        pairs = enumerate(zip_longest(given, wanted, fillvalue=...), start=1)
        first = next(i for i, (was, now) in pairs if was != now)
        raise InvalidFile(path, "observation", f"entry {first} is not what this version observes of {plant.name}; train again")


def _layers(path: Path, tensors: dict[str, Any], shapes: list[Any]) -> tuple[tuple[Single, Single], ...]:
    layers = []
    for i, shape in enumerate(shapes):
        weight, bias = tensors.get(f"layer{i}.weight"), tensors.get(f"layer{i}.bias")
        if weight is None or bias is None or list(weight.shape) != shape or bias.shape != (shape[0],):
            raise InvalidFile(path, f"layer{i}", f"shape differs from the manifest's {shape}")
        if weight.dtype != np.float32 or not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise InvalidFile(path, f"layer{i}", "not float32 or not finite")
        layers.append((weight, bias))
    return tuple(layers)


def _replace(temporary: Path, folder: Path) -> None:
    if folder.exists():
        old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".old-"))
        os.replace(folder, old / "policy")
        os.replace(temporary, folder)
        shutil.rmtree(old)
    else:
        os.replace(temporary, folder)
