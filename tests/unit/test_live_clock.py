"""A clock that keeps its pace or says where it cannot, and what it publishes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from controller.live.clock import Clock
from controller.live.ring import Ring
from plant_models.core.errors import BadInput
from tests.live import run, short  # noqa: F401 - short is for every test


def test_a_ring_gives_only_what_was_not_seen_and_forgets_the_oldest() -> None:
    ring = Ring(4, 1)
    for k in range(6):
        ring.append(np.array([float(k)]))
    assert ring.after(-1).first == 2
    assert ring.after(4)[1].tolist() == [[5.0]]
    assert ring.after(5).rows.shape == (0, 1)
    assert ring.after(999).first == 2


def test_a_clock_keeps_its_pace_catches_up_and_says_where_it_cannot() -> None:
    clock = Clock(10.0, 100.0, 0.0)
    assert clock.left(0.0) == math.inf
    clock.run(0.0)
    assert clock.left(0.04) == pytest.approx(0.06)
    now = 0.0
    for k in range(1, 30):
        now = 0.1 * k + (0.5 if k == 10 else 0.0)
        clock.made(now)
    assert clock.slowed == 0
    clock.made(now + 5.0)
    assert clock.slowed > 40
    clock.pause()
    clock.step(), clock.step()
    assert clock.left(9.0) == 0.0
    clock.made(9.0), clock.made(9.1)
    assert clock.left(9.2) == math.inf
    with pytest.raises(BadInput, match="10000"):
        clock.set_speed(3.0, 0.0)
