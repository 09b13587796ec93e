"""The PID law: bumpless start, anti-windup, cascade reset, derivative on the measurement, limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from plant_models.catalogue import get
from plant_models.core.loop import Actuator, Coefficients, Gains, Loop, Memory, align, coefficients, held_back, pid
from plant_models.derive.closed_loop import Trace
from plant_models.env.scenario import draw
from plant_models.env.substeps import fleet
from tests.compiled import each

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


def cascade(target: list[float], step: float, reset: bool) -> list[float]:
    """A slow vessel (time constant 5) heated by a jacket (0.5) whose valve saturates at 1; returns the vessel's temperature."""
    master_law, slave_law = law(K_c=3.0, T_i=5.0), law(K_c=4.0, T_i=0.5)
    master_to, slave_to = Actuator(0.0, -5.0, 5.0, np.inf), Actuator(0.0, -1.0, 1.0, step)
    vessel, jacket, master, slave, path = 0.0, 0.0, rest(), rest(), []
    for r in target:
        achieved = held_back(slave, min(max(master.u, -5.0), 5.0), jacket) if reset else None
        master = pid(master_law, master, r, vessel, 0.0, 0.0, master_to, achieved)
        slave = pid(slave_law, slave, master.u, jacket, 0.0, 0.0, slave_to)
        jacket += H / 0.5 * (slave.u - jacket)
        vessel += H / 5.0 * (jacket - vessel)
        path.append(vessel)
    return path


def test_external_reset_keeps_a_cascade_from_winding_up() -> None:
    """While the slave's valve stands at its limit the master's integral rests: little overshoot, where it would be large."""
    target = [0.9] * 400
    held, wound = cascade(target, np.inf, reset=True), cascade(target, np.inf, reset=False)
    assert held[-1] == pytest.approx(0.9, abs=0.01)
    assert max(held) - 0.9 < 0.02
    assert max(wound) - 0.9 > 3.0 * max(max(held) - 0.9, 0.005)


def test_a_loop_follows_its_setpoint_after_a_bumpless_transfer() -> None:
    """From manual at any output: the first automatic output is the manual one, then the offset is integrated away."""
    c, y = law(), 0.7
    m = align(c, u=0.7, r=1.0, y=y, y_0=0.0, ff=0.0, to=WIDE)
    us, ys = [], []
    for _ in range(200):
        m = pid(c, m, 1.0, y, 0.0, 0.0, WIDE)
        y += H / 2.0 * (m.u - y)
        us.append(m.u)
        ys.append(y)
    assert us[0] == pytest.approx(0.7, abs=1e-12)
    assert np.abs(np.diff(us)).max() < 0.2
    assert ys[-1] == pytest.approx(1.0, abs=1e-3)


def test_feed_forward_moves_the_output_at_once() -> None:
    assert pid(law(), rest(), 0.0, 0.0, 0.0, 1.5, WIDE).u == pytest.approx(1.5)
    assert pid(law(K_c=1e-9, setpoint=2.0), rest(), 3.0, 0.0, 0.0, 0.0, WIDE).u == pytest.approx(6.0, abs=1e-6)


def test_the_derivative_is_filtered() -> None:
    """A step of the measurement kicks the output by at most N = 8 times the proportional kick, and the kick decays."""
    c = law(K_c=1.0, T_i=1e9, T_d=10.0)
    m = pid(c, rest(), 0.0, 1.0, 0.0, 0.0, WIDE)
    assert -9.0 <= m.u <= -8.0
    for _ in range(200):
        m = pid(c, m, 0.0, 1.0, 0.0, 0.0, WIDE)
    assert m.u == pytest.approx(-1.0, abs=1e-3)


@each
def test_the_compiled_layer_keeps_limits_and_rates_of_every_input(name: str) -> None:
    plant = get(name)
    simulator = fleet(plant, 16, plant.scenario().steps)
    simulator.load(draw(plant, plant.scenario(), 0, 16, "judging"), np.arange(16))
    rng, path = np.random.default_rng(0), [simulator.S.read("u")]
    for _ in range(40):
        simulator.step(rng.choice([-1.0, 1.0], (16, len(plant.acted))))
        path.append(simulator.S.read("u"))
    for u, q in zip(np.stack(path, axis=1), plant.Input.quantities().values(), strict=True):
        assert (u >= q.low).all()
        assert (u <= q.high).all()
        assert np.ptp(u) > 0.01 * (q.high - q.low)
        assert np.abs(np.diff(u, axis=0)).max() <= q.rate * plant.decision + 1e-9


def test_an_offset_keeps_its_rate_and_its_authority() -> None:
    """The offset that a supervisor asks for is reached in steps, and the setpoint stays within the loop's range."""
    plant = get("exothermic_cstr")
    slow = replace(plant, loops=(plant.loops[0], replace(plant.loops[1], offset_rate=0.5)))
    trace = Trace(slow)
    begin, rows, offset = trace.begin(), trace.layout, 0.0
    for expected in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.0):
        known = {("E", rows.E.row("a")): 1.0, ("S", rows.S.row("v")): offset}
        results = begin.f([known.get(ref, 0.0) for ref in begin.reads]).full().ravel()
        offset = dict(zip(begin.writes, results, strict=True))["S", rows.S.row("v")]
        assert offset == pytest.approx(expected)
