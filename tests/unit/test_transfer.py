"""A policy that takes over reaches its own command in fifteen even steps."""

from __future__ import annotations

import numpy as np

from controller.safety.limiter import limited
from controller.safety.transfer import blended

HELD, WANTED = np.array([2.0, -1.0]), np.array([17.0, -1.0])


def test_a_command_that_stays_is_reached_on_a_straight_line_in_fifteen_decisions() -> None:
    path, applied = [], HELD
    for dwell in range(1, 18):
        applied = blended(WANTED, applied, dwell)
        path.append(applied[0])
    np.testing.assert_allclose(path, [*np.arange(3.0, 18.0), 17.0, 17.0], rtol=1e-14)
    assert (applied == WANTED).all()


def test_from_the_fifteenth_decision_on_the_command_is_the_policys() -> None:
    assert (blended(WANTED, HELD, 14) != WANTED).any()
    for dwell in (15, 16, 10_000):
        np.testing.assert_array_equal(blended(WANTED, HELD, dwell), WANTED)


def test_a_dwell_below_one_is_the_first_decision() -> None:
    np.testing.assert_allclose(blended(WANTED, HELD, 0), [3.0, -1.0], rtol=1e-14)


def test_numbers_at_the_end_of_the_range_do_not_overflow_and_what_is_none_stays_none() -> None:
    assert np.isfinite(blended(np.array([1.7e308]), np.array([-1.7e308]), 1)).all()
    assert np.isnan(blended(np.array([np.nan]), np.array([1.0]), 1)).all()


def test_with_the_limiter_after_it_no_step_exceeds_the_rate() -> None:
    low, high, rate, applied = np.full(2, -20.0), np.full(2, 20.0), np.array([0.4, 0.4]), HELD
    for dwell in range(1, 60):
        before, applied = applied, limited(blended(WANTED, applied, dwell), applied, low, high, rate)
        assert (np.abs(applied - before) <= rate).all()
    np.testing.assert_allclose(applied, WANTED)
