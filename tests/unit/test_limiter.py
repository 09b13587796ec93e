"""What leaves the limiter is finite, in bounds and within the rate, whatever came in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from controller.safety.limiter import limited
from plant_models.core.errors import BadInput, InvalidAction

LOW, HIGH, RATE, LAST = np.array([-1.0, 0.0]), np.array([1.0, 100.0]), np.array([0.5, 10.0]), np.array([0.25, 50.0])
LARGEST, LEAST = np.finfo(float).max, 5e-324


def of(command: Any, previous: Any = LAST, low: Any = LOW, high: Any = HIGH, rate: Any = RATE) -> Any:
    return limited(command, previous, low, high, rate)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ([0.5, 55.0], [0.5, 55.0]), ([0.75, 60.0], [0.75, 60.0]), ([-0.25, 40.0], [-0.25, 40.0]),
        ([0.76, 61.0], [0.75, 60.0]), ([-0.26, 39.0], [-0.25, 40.0]), ([LARGEST, -LARGEST], [0.75, 40.0]),
        ([LEAST, 50.0], [LEAST, 50.0]), ([0, 45], [0.0, 45.0]), (np.array([1, 60], dtype=np.uint8), [0.75, 60.0]),
        (np.array([0.1, 52.5], dtype=np.float32), [float(np.float32(0.1)), 52.5]),
    ],
)  # fmt: skip
def test_a_command_is_clipped_to_the_rate(command: Any, expected: list[float]) -> None:
    left = of(command)
    assert left.dtype == np.float64
    np.testing.assert_array_equal(left, expected)


def test_a_command_is_clipped_to_the_bounds() -> None:
    np.testing.assert_array_equal(of([9.0, 101.0], rate=[np.inf, 200.0]), HIGH)
    np.testing.assert_array_equal(of([-9.0, -1.0], rate=[np.inf, 200.0]), LOW)
    np.testing.assert_array_equal(of([9.0, -9.0], previous=[1.0, 0.0]), [1.0, 0.0])


def test_a_rate_of_zero_and_bounds_that_meet_hold_the_command() -> None:
    np.testing.assert_array_equal(of([9.0, 9.0], rate=[0.0, 0.0]), LAST)
    np.testing.assert_array_equal(of([9.0, 9.0], low=LAST, high=LAST), LAST)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_command_of_which_one_number_is_not_finite_is_none(bad: float) -> None:
    for command in ([bad, 55.0], [0.5, bad], [bad, bad]):
        np.testing.assert_array_equal(of(command), LAST)


def test_a_number_too_large_for_float64_is_not_finite() -> None:
    if np.finfo(np.longdouble).max > LARGEST:
        np.testing.assert_array_equal(of(np.array([0.5, np.finfo(np.longdouble).max])), LAST)


def test_rounding_never_exceeds_the_rate_and_nothing_is_lost_where_it_does_not() -> None:
    last, rate = np.array([0.3]), np.array([0.1])
    rng = np.random.default_rng(0)
    for last, rate in zip(rng.uniform(0.0, 1.0, (500, 1)), rng.uniform(0.0, 0.5, (500, 1)), strict=True):
        for far in (-9.0, 9.0):
            moved = limited([far], last, [-2.0], [2.0], rate)
            assert (np.abs(moved - last) <= rate).all()
            assert (np.abs(moved - last) > rate - 1e-15).all()
    exact = limited([9.0], [0.0], [-2.0], [2.0], [0.5])
    np.testing.assert_array_equal(exact, [0.5])


def test_what_was_given_stays_and_what_is_returned_is_new() -> None:
    last = LAST.copy()
    for command in (LAST, np.array([np.nan, 0.0])):
        left = of(command, previous=last)
        left[:] = 0.0
        np.testing.assert_array_equal(last, LAST)


@pytest.mark.parametrize(
    "bad",
    [None, "open", 0.5, [], [0.5], [0.5, 1.0, 2.0], [[0.5, 1.0]], [1j, 0.0], [True, False], ["1", "2"], [None, 0.5], [[1.0], 2.0],
     [10**400, 0.0], {}],
)  # fmt: skip
def test_whatever_is_no_command_is_refused_in_one_line(bad: Any) -> None:
    with pytest.raises(InvalidAction, match="command") as raised:
        of(bad)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("previous", [np.nan, 50.0]), ("previous", [0.0, np.inf]), ("previous", [1.1, 50.0]), ("previous", [0.0, -0.1]),
        ("previous", "x"), ("previous", [[1.0], 2.0]), ("previous", [True, False]),
        ("low", [np.nan, 0.0]), ("low", [-np.inf, 0.0]), ("low", [0.0]), ("low", [-1.0, 100.1]), ("low", [None, 0.0]),
        ("high", [np.nan, 1.0]), ("high", [np.inf, 100.0]), ("high", [1.0, 100.0, 1.0]), ("high", [1j, 100.0]),
        ("rate", [np.nan, 1.0]), ("rate", [-1e-9, 1.0]), ("rate", [0.5]), ("rate", [[1.0], 2.0]),
    ],
)  # fmt: skip
def test_what_the_promise_cannot_be_kept_with_is_refused_in_one_line(name: str, bad: Any) -> None:
    with pytest.raises(BadInput, match=name) as raised:
        of([0.5, 55.0], **{name: bad})
    assert not isinstance(raised.value, InvalidAction)
    assert "\n" not in str(raised.value)


def test_many_plants_are_limited_at_once() -> None:
    n = 3
    left = limited(np.full((n, 2), 9.0), *(np.tile(part, (n, 1)) for part in (LAST, LOW, HIGH, RATE)))
    np.testing.assert_array_equal(left, np.tile(of([9.0, 9.0]), (n, 1)))


ANY = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)


@settings(max_examples=300, deadline=None)
@given(arrays(np.float64, 3, elements=ANY), arrays(np.float64, (3, 3), elements=FINITE), arrays(np.float64, 3, elements=ANY))
def test_whatever_comes_in_what_leaves_keeps_the_promise(command: Any, points: Any, rate: Any) -> None:
    low, last, high = np.sort(points, axis=0)
    step = np.abs(np.where(np.isnan(rate), 0.0, rate))
    left = limited(command, last, low, high, step)
    assert np.isfinite(left).all()
    assert ((low <= left) & (left <= high)).all()
    with np.errstate(over="ignore"):
        assert (np.abs(left - last) <= step).all()
    if not np.isfinite(command).all():
        np.testing.assert_array_equal(left, last)
