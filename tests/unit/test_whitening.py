"""What a network sees of a batch: uncorrelated, of one size, in the weights of the policy that is kept, and to the bit again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from controller.algorithms import learner, policy_of
from controller.checkpoint import latest
from controller.ground import environment
from controller.interface import Reading
from controller.methods import PPO_METHOD
from controller.ppo import GuardedPPO
from controller.train import Progress, train
from controller.whitening import LEAST, Whitened, found, seen
from plant_models.catalogue import get
from plant_models.core.plant import Plant

BATCH = get("batch_crystallizer")
STEPS, BROKEN_OFF = 3_000, 1_500


def shown(whitened: bool) -> Plant:
    return replace(BATCH, learning=replace(BATCH.learning, parallel=16, rollout=32, whitened=whitened, demonstrated=0.0))


def model_of(plant: Plant, seed: int = 0) -> GuardedPPO:
    model = learner(PPO_METHOD, plant.learning, environment(plant, seed), seed)
    assert isinstance(model, GuardedPPO)
    return model


def test_what_varies_is_uncorrelated_and_of_one_size_and_what_hardly_does_stays_small() -> None:
    rng = np.random.default_rng(1)
    common = rng.normal(size=5000)
    middle, white = found(np.stack([common, common + 0.05 * rng.normal(size=5000), np.full(5000, 3.0)], axis=1))
    seen = np.stack([common, common + 0.05, np.full(5000, 3.0)], axis=1)
    assert middle == pytest.approx([0.0, 0.0, 3.0], abs=0.05)
    variances = np.linalg.norm(white, axis=1)
    assert variances.max() == pytest.approx(1.0 / LEAST)
    apart = (seen - middle) @ white.T - (seen - [0.0, 0.05, 0.0] - middle) @ white.T
    assert np.linalg.norm(apart, axis=1) == pytest.approx(1.0, abs=0.1)  # one deviation of what the two differ in


def test_readings_of_batches_come_to_one_size() -> None:
    plants = environment(shown(True), 0).plants
    observations = seen(plants, BATCH.learning.spread)
    middle, white = found(observations)
    covariance = np.cov(((observations - middle) @ white.T).T)
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0.0, atol=1e-6)
    assert np.diag(covariance).max() <= 1.0 + 1e-6
    assert np.sort(np.diag(covariance))[2:].min() > 0.8


def test_the_map_is_the_plants_whatever_the_trainings_seed() -> None:
    one, other = (model_of(shown(True), seed).policy.features_extractor for seed in (0, 1))
    assert isinstance(one, Whitened)
    assert isinstance(other, Whitened)
    assert torch.equal(one.white, other.white)
    assert torch.equal(one.middle, other.middle)
    assert not isinstance(model_of(shown(False)).policy.features_extractor, Whitened)


def test_the_policy_kept_has_the_map_in_its_first_layer() -> None:
    plant = shown(True)
    model = model_of(plant)
    observations = seen(environment(plant, 0).plants, 0.2)[::100].astype(np.float32)
    assert (policy_of(model, plant, PPO_METHOD).act(Reading(observations)) == 0.0).all()
    with torch.no_grad():
        for part in model.policy.action_net.parameters():
            part.normal_(0.0, 0.3, generator=torch.Generator().manual_seed(0))
    ours = policy_of(model, plant, PPO_METHOD).act(Reading(observations))
    theirs = model.predict(observations, deterministic=True)[0]
    assert np.ptp(theirs) > 0.3
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=2e-5)  # float32 after enlarging a hundredfold


def _interrupt(progress: Progress) -> None:
    if progress.step >= BROKEN_OFF:
        raise KeyboardInterrupt


@pytest.mark.slow
def test_a_training_that_was_broken_off_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    plant = shown(True)
    whole = train(plant, 1, STEPS)
    with pytest.raises(KeyboardInterrupt):
        train(plant, 1, STEPS, report=_interrupt, keep=tmp_path)
    start, _ = latest(tmp_path, plant)
    again = train(plant, 1, STEPS, start=start)
    assert 0 < start.step < BROKEN_OFF
    for (a, b), (c, d) in zip(again.last.layers, whole.last.layers, strict=True):
        assert a.tobytes() + b.tobytes() == c.tobytes() + d.tobytes()
