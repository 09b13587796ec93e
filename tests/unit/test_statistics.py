"""What a few seeds are worth together: the interquartile mean and its interval from resampled seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import trim_mean

from controller.statistics import crossed_difference, interquartile_mean, paired_difference, stratified_bootstrap


def test_a_quarter_is_left_out_at_each_end() -> None:
    assert interquartile_mean(np.array([100.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -100.0])) == 3.5
    assert interquartile_mean(np.array([3.0, 1.0, 8.0])) == 4.0  # three seeds: nothing is left out
    scores = np.random.default_rng(0).normal(size=(7, 5))
    assert interquartile_mean(scores) == pytest.approx(trim_mean(scores.ravel(), 0.25))


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    low, high = stratified_bootstrap([values], lambda v: float(v.mean()))
    error = values.std() / np.sqrt(len(values))
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.02)


def test_a_seed_keeps_its_episodes_and_a_stratum_its_seeds() -> None:
    seeds = np.repeat([[0.0], [1.0]], 100, axis=1)
    assert stratified_bootstrap([seeds]) == (0.0, 1.0)  # two trainings stay two, however many episodes each ran
    far_apart = [np.array([0.0, 0.0]), np.array([100.0, 100.0])]
    assert stratified_bootstrap(far_apart) == (50.0, 50.0)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(2).normal(size=9)
    assert stratified_bootstrap([values]) == stratified_bootstrap([values])
    assert stratified_bootstrap([values]) != stratified_bootstrap([values], seed=1)


@pytest.mark.parametrize("spread", [(1.0, 0.0), (0.0, 1.0), (1.0, 3.0)], ids=["of seeds", "of episodes", "of both"])
@pytest.mark.parametrize("seeds", [2, 10])
def test_the_interval_over_seeds_and_episodes_covers_what_it_says(seeds: int, spread: tuple[float, float]) -> None:
    rng, times = np.random.default_rng(5), 400
    covered = 0
    for _ in range(times):
        costs = spread[0] * rng.normal(size=(seeds, 1)) + spread[1] * rng.normal(size=30) + rng.normal(size=(seeds, 30))
        found = crossed_difference(np.zeros(30), costs)
        covered += found.low < 0.0 < found.high
    assert covered / times > 0.92


def test_seeds_that_agree_add_nothing_and_one_is_judged_by_its_episodes() -> None:
    worse = np.random.default_rng(5).normal(size=20)
    assert crossed_difference(worse, np.zeros((1, 20))) == paired_difference(worse, np.zeros(20))
    both, alone = crossed_difference(worse, np.zeros((4, 20))), paired_difference(worse, np.zeros(20))
    assert (both.mean, both.low, both.high) == pytest.approx((alone.mean, alone.low, alone.high))
