"""The benchmark of the dashboard's pages: medians beside their limits."""

from __future__ import annotations

from benchmarks.dashboard import LIMITS, within


def test_a_slow_repetition_does_not_decide_but_a_slow_median_does() -> None:
    times = {name: [0.9 * limit, 9.0 * limit, 0.8 * limit] for name, limit in LIMITS.items()}
    assert all(float(one["value"]) <= float(one["limit"]) for one in within(times).values())
    slow = {name: [2.0 * limit, 0.5 * limit, 3.0 * limit] for name, limit in LIMITS.items()}
    assert all(float(one["value"]) > float(one["limit"]) for one in within(slow).values())
