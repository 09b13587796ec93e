"""A policy on disk: whole or not at all, refused where anything does not fit, never unpickled."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from controller.fingerprint import WEIGHTS
from controller.interface import Reading
from controller.policy import MANIFEST, Policy, load
from plant_models.catalogue import get
from plant_models.core.errors import InvalidFile
from plant_models.env.substeps import fleet

PLANT = get("exothermic_cstr")


def policy(seed: int = 0) -> Policy:
    rng = np.random.default_rng(seed)
    width = fleet(PLANT, 1, 1).width
    sizes = [(8, width), (1, 8)]
    layers = tuple((rng.normal(size=s).astype(np.float32), rng.normal(size=s[0]).astype(np.float32)) for s in sizes)
    return Policy(PLANT, "setpoint", layers)


def test_what_is_saved_acts_as_before(tmp_path: Path) -> None:
    ours = policy()
    ours.save(tmp_path / "p")
    observation = np.random.default_rng(1).normal(size=(20, ours.layers[0][0].shape[1])).astype(np.float32)
    np.testing.assert_array_equal(load(tmp_path / "p", PLANT).act(Reading(observation)), ours.act(Reading(observation)))
    assert np.abs(ours.act(Reading(observation))).max() <= 1.0


def test_saving_again_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    policy(0).save(tmp_path / "p")
    policy(1).save(tmp_path / "p")
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
    np.testing.assert_array_equal(load(tmp_path / "p", PLANT).layers[0][0], policy(1).layers[0][0])


def test_one_flipped_bit_is_refused(tmp_path: Path) -> None:
    policy().save(tmp_path / "p")
    data = bytearray((tmp_path / "p" / WEIGHTS).read_bytes())
    data[-3] ^= 1
    (tmp_path / "p" / WEIGHTS).write_bytes(data)
    with pytest.raises(InvalidFile, match="sha256"):
        load(tmp_path / "p", PLANT)


def test_another_plant_is_refused(tmp_path: Path) -> None:
    policy().save(tmp_path / "p")
    with pytest.raises(InvalidFile, match="trained on 'exothermic_cstr', asked to run 'heat_pump_house'"):
        load(tmp_path / "p", get("heat_pump_house"))


@pytest.mark.parametrize(
    ("key", "value"), [("schema", 99), ("plant_hash", "0" * 64), ("shapes", [[8, 3], [1, 8]]), ("sha256", None), ("level", 3)]
)
def test_a_manifest_that_does_not_fit_is_refused(tmp_path: Path, key: str, value: object) -> None:
    policy().save(tmp_path / "p")
    file = tmp_path / "p" / MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    with pytest.raises(InvalidFile):
        load(tmp_path / "p", PLANT)


@pytest.mark.parametrize(("change", "at"), [("renamed", 2), ("scaled", 2), ("swapped", 1), ("shortened", -1), ("longer", -1)])
def test_a_policy_that_learned_from_another_observation_is_refused(tmp_path: Path, change: str, at: int) -> None:
    policy().save(tmp_path / "p")
    file = tmp_path / "p" / MANIFEST
    manifest = json.loads(file.read_text())
    seen = manifest["observation"]
    entry = at % len(seen) + 1 + (change == "longer")
    manifest["observation"] = {
        "renamed": [*seen[:2], seen[2] | {"name": "pressure"}, *seen[3:]],
        "scaled": [*seen[:2], seen[2] | {"half_range": 2.0 * seen[2]["half_range"]}, *seen[3:]],
        "swapped": [seen[0], seen[2], seen[1], *seen[3:]], "shortened": seen[:-1], "longer": [*seen, seen[0]],
    }[change]  # fmt: skip
    file.write_text(json.dumps(manifest))
    with pytest.raises(InvalidFile, match=f"observation: entry {entry} is not what this version observes of exothermic_cstr"):
        load(tmp_path / "p", PLANT)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("activation", "relu", "'relu' given, tanh allowed"), ("squash", "none", "'none' given, clip or tanh allowed"),
     ("algorithm", "dqn", "'dqn' given, ppo or a2c"), ("level", "valve", "'valve' given, setpoint or absolute or direct")],
)  # fmt: skip
def test_a_network_that_would_run_otherwise_than_it_was_trained_is_refused(
    tmp_path: Path, key: str, value: str, said: str
) -> None:
    policy().save(tmp_path / "p")
    file = tmp_path / "p" / MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    with pytest.raises(InvalidFile, match=said):
        load(tmp_path / "p", PLANT)


def test_a_policy_of_the_schema_before_is_ppos_and_clipped(tmp_path: Path) -> None:
    policy().save(tmp_path / "p")
    file = tmp_path / "p" / MANIFEST
    kept = json.loads(file.read_text()) | {"schema": 1}
    file.write_text(json.dumps({key: value for key, value in kept.items() if key not in ("algorithm", "squash")}))
    loaded = load(tmp_path / "p", PLANT)
    assert (loaded.name, loaded.squash) == ("ppo", "clip")


def test_a_squashed_policy_stays_squashed(tmp_path: Path) -> None:
    squashed = replace(policy(), squash="tanh", name="sac")
    squashed.save(tmp_path / "p")
    observation = np.random.default_rng(1).normal(size=(20, squashed.layers[0][0].shape[1])).astype(np.float32)
    loaded = load(tmp_path / "p", PLANT)
    np.testing.assert_array_equal(loaded.act(Reading(observation)), squashed.act(Reading(observation)))
    assert not np.array_equal(loaded.act(Reading(observation)), policy().act(Reading(observation)))
    assert loaded.name == "sac"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 1}'])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    policy().save(tmp_path / "p")
    (tmp_path / "p" / MANIFEST).write_text(text)
    with pytest.raises(InvalidFile, match=MANIFEST):
        load(tmp_path / "p", PLANT)
