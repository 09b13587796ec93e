"""The controllers' benchmark keeps every policy that it trains, for whatever else judges it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import plants
from benchmarks.plants import Sizes, judging
from controller.policy import load
from controller.rollout import rollout
from plant_models.catalogue import get

TINY = Sizes(episodes=2, share=0.01)
CSTR = get("exothermic_cstr")


def test_a_training_that_is_measured_leaves_the_very_policy_that_was_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert plants.policy(CSTR.name, 0, TINY) is None
    measured = plants.trained(CSTR.name, 0, TINY)
    folder = plants.policy(CSTR.name, 0, TINY)
    assert folder is not None
    np.testing.assert_array_equal(rollout(load(folder, CSTR), judging(CSTR, TINY.episodes)).total, measured["cost"])
    assert plants.policy(CSTR.name, 1, TINY) is None
