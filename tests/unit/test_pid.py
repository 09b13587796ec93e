"""The PID law: bumpless start, anti-windup, cascade reset, derivative on the measurement, limits."""

from __future__ import annotations

import numpy as np
import pytest

from plant_models.core.loop import Actuator, Coefficients, Gains, Loop, Memory, align, coefficients, held_back, pid

H = 0.1
WIDE = Actuator(bias=0.0, low=-100.0, high=100.0, step=np.inf)


def law(K_c: float = 2.0, T_i: float = 1.0, T_d: float = 0.0, b: float = 1.0, setpoint: float = 0.0) -> Coefficients:
    return coefficients(K_c, T_i, T_d, b, setpoint, H)


def rest(u: float = 0.0, y: float = 0.0) -> Memory:
    return Memory(0.0, 0.0, y, u, 0.0)


def first_order(c: Coefficients, to: Actuator, setpoints: list[float], tau: float = 2.0) -> tuple[list[float], list[float]]:
    y, m, ys, us = 0.0, rest(), [], []
    for r in setpoints:
        m = pid(c, m, r, y, 0.0, 0.0, to)
        y += H / tau * (m.u - y)
        ys.append(y)
        us.append(m.u)
    return ys, us


def test_integral_action_removes_the_offset() -> None:
    ys, _ = first_order(law(), WIDE, [1.0] * 200)
    assert ys[-1] == pytest.approx(1.0, abs=1e-3)


def test_a_transfer_to_automatic_is_bumpless() -> None:
    c = law(T_d=0.3, b=0.4)
    m = align(c, u=3.7, r=1.0, y=0.6, y_0=0.5, ff=0.2, to=WIDE)
    assert pid(c, m, 1.0, 0.6, 0.5, 0.2, WIDE).u == pytest.approx(3.7)


def test_saturation_does_not_wind_up() -> None:
    """After a long unreachable setpoint the output leaves its limit as soon as the setpoint can be reached again."""
    limited = Actuator(bias=0.0, low=-1.0, high=1.0, step=np.inf)
    ys, us = first_order(law(), limited, [5.0] * 300 + [0.5] * 60)
    assert us[299] == 1.0
    assert us[303] < 1.0
    assert min(ys[300:]) > 0.4


def test_the_output_keeps_its_rate() -> None:
    slow = Actuator(bias=0.0, low=-100.0, high=100.0, step=0.05)
    _, us = first_order(law(), slow, [10.0] * 50)
    assert np.abs(np.diff([0.0, *us])).max() <= 0.05 + 1e-12


def test_the_derivative_sees_the_measurement_only() -> None:
    c = law(T_i=1e9, T_d=1.0, b=0.0)
    assert pid(c, rest(), 5.0, 0.0, 0.0, 0.0, WIDE).u == pytest.approx(0.0, abs=1e-6)
    assert pid(c, rest(), 0.0, 0.1, 0.0, 0.0, WIDE).u < 0.0


def test_setpoint_weight_softens_the_step_only() -> None:
    hard, soft = (pid(law(T_i=1e9, b=b), rest(), 1.0, 0.0, 0.0, 0.0, WIDE).u for b in (1.0, 0.3))
    assert hard == pytest.approx(2.0)
    assert soft == pytest.approx(0.6)


def test_a_master_follows_a_slave_whose_valve_is_at_its_limit() -> None:
    at_limit, free = Memory(0.0, 0.0, 0.0, 1.0, 0.4), Memory(0.0, 0.0, 0.0, 0.5, 0.0)
    assert held_back(at_limit, 8.0, 6.5) == 6.5
    assert held_back(free, 8.0, 6.5) == 8.0


def test_nan_in_the_measurement_reaches_the_output() -> None:
    assert np.isnan(pid(law(), rest(), 1.0, float("nan"), 0.0, 0.0, WIDE).u)


def test_a_loop_moves_exactly_one_thing() -> None:
    with pytest.raises(ValueError, match="either mv or sp_of"):
        Loop(tag="TIC-1", pv="T", low=0.0, high=1.0, gains=Gains(K_c=1.0, T_i=1.0))
    with pytest.raises(ValueError, match="empty"):
        Loop(tag="TIC-1", pv="T", mv="u", low=1.0, high=1.0, gains=Gains(K_c=1.0, T_i=1.0))
