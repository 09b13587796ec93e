"""Training by a Gymnasium id: a plant's id means the plant, any other environment is trained for itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from controller.fingerprint import WEIGHTS
from controller.historian import Historian
from controller.outside import plant_of
from dashboard.cli import run
from dashboard.data import open_data
from dashboard.pages import run as page
from plant_models.core.errors import UnknownName


def test_an_id_of_a_plant_means_the_plant() -> None:
    assert plant_of("plants/ExothermicCstr-v0") == plant_of("exothermic_cstr") == "exothermic_cstr"
    assert plant_of("CartPole-v1") == ""


def test_what_is_neither_gets_the_nearest_plant_and_the_other_way() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'quadruple_tank'\?.* such as CartPole-v1, is allowed too"):
        plant_of("quadruple_tanks")


def test_cartpole_is_learned_recorded_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, out = str(tmp_path / "s.db"), tmp_path / "weights"
    arguments = ["train", "CartPole-v1", "--steps", "12000", "--seed", "1", "--out", str(out)]
    assert run(["--store", store, *arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["after"] > 100.0 > result["before"]
    assert result["episodes"] == 20
    assert load_file(out / WEIGHTS)["action_net.weight"].shape == (2, 64)
    with Historian(store) as historian:
        recorded = historian.find(result["run"])
        keys = {row.key for row in historian.metrics_after(recorded.id)}
    assert (recorded.plant, recorded.kind, recorded.status) == ("CartPole-v1", "train", "completed")
    assert {"score/ppo", "train/kl", "train/clip_fraction"} <= keys
    assert "CartPole-v1" in str(page.layout(open_data(store), {"id": recorded.id}))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["FrozenLake-v1"], "allowed are a Box of one dimension, and Discrete or Box actions"),
        (["CartPole-v1", "--seeds", "2"], "--seeds: CartPole-v1 is no plant, and only plants have it"),
        (["CartPole-v1", "--scenario", "tracking"], "--scenario: CartPole-v1 is no plant"),
        (["CartPole-v1", "--algorithm", "sac"], "--algorithm: CartPole-v1 is no plant"),
        (["CartPole-v1", "--level", "direct"], "--level: CartPole-v1 is no plant"),
        (["CartPole-v1", "--penalty", "kl"], "--penalty: CartPole-v1 is no plant"),
        (["CartPole-v1", "--clone", "none"], "--clone: CartPole-v1 is no plant"),
        (["CartPoll-v1"], "such as CartPole-v1, is allowed too"),
    ],
)
def test_what_cannot_be_trained_on_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--store", str(tmp_path / "s.db"), "train", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
