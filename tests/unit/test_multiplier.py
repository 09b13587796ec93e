"""The multiplier against sequences worked by hand, in thousandths of time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.multiplier import GAINS, Gains, Multiplier, unpacked

PROPORTIONAL = Gains(K_P=2.0, K_I=0.0, K_D=0.0, memory=0.5, delay=3)
INTEGRAL = replace(PROPORTIONAL, K_P=0.0, K_I=0.5)
RISING = replace(PROPORTIONAL, K_P=0.0, K_D=1.0)


def values(spent: list[float], budget: float, gains: Gains) -> list[float]:
    at, found = Multiplier(), []
    for each in spent:
        at = at.after(each, budget, gains)
        found.append(at.value)
    return found


def test_the_proportional_part_follows_the_smoothed_excess_and_is_never_negative() -> None:
    # excess 4, 4, -10, 2; smoothed 2, 3, -3.5, -0.75
    assert values([0.014, 0.014, 0.0, 0.012], 0.010, PROPORTIONAL) == pytest.approx([4.0, 6.0, 0.0, 0.0])


def test_the_integral_adds_the_excess_itself_and_stops_at_zero() -> None:
    # excess 4, 4, -10, -10, 2; half of each added up
    assert values([0.014, 0.014, 0.0, 0.0, 0.012], 0.010, INTEGRAL) == pytest.approx([2.0, 4.0, 0.0, 0.0, 1.0])


def test_the_derivative_counts_a_rise_of_the_smoothed_spending_over_the_delay_and_no_fall() -> None:
    # smoothed 4, 6, 7, 7.5, 3.75; against what was remembered first: 0, 0, 0, 4, 6
    assert values([0.008, 0.008, 0.008, 0.008, 0.0], 0.010, RISING) == pytest.approx([4.0, 6.0, 7.0, 3.5, 0.0])


def test_the_three_parts_add_up() -> None:
    spent, together = [0.013, 0.002, 0.020], replace(PROPORTIONAL, K_I=0.1, K_D=0.3)
    at = Multiplier()
    for each in spent:
        at = at.after(each, 0.010, together)
    # excess 3, -8, 10: smoothed 1.5, -3.25, 3.375; integral 0.3, 0, 1
    # spending 13, 2, 20: smoothed 6.5, 4.25, 12.125, which is how much it rose in three updates
    assert at.value == pytest.approx(2.0 * 3.375 + 1.0 + 0.3 * 12.125)
    assert (at.error, at.integral, at.spent) == pytest.approx((3.375, 1.0, 12.125))


def test_the_integral_does_not_wind_up_beyond_the_most() -> None:
    bounded = replace(INTEGRAL, most=5.0)
    assert values([1.0, 1.0, 0.006], 0.010, bounded) == pytest.approx([5.0, 5.0, 3.0])


def test_the_gains_are_the_published_ones() -> None:
    assert Gains(K_P=0.1, K_I=0.01, K_D=0.01, memory=0.95, delay=10, most=100.0) == GAINS
    assert Multiplier().after(0.025, 0.0).value == pytest.approx(0.1 * 1.25 + 0.25 + 0.01 * 1.25)


def test_what_keeps_the_budget_weighs_nothing() -> None:
    assert values([0.0, 0.01, 0.0099], 0.01, replace(GAINS, K_D=0.0)) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("updates", [0, 1, 4, 12])
def test_packed_and_unpacked_it_is_the_same(updates: int) -> None:
    at = Multiplier()
    for k in range(updates):
        at = at.after(0.003 * k, 0.01)
    again = unpacked(at.packed())
    assert again == at
    assert again.after(0.02, 0.01) == at.after(0.02, 0.01)
