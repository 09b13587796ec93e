"""Gain scheduling: factors by breakpoints, no bump where they change, nothing where no loop is scheduled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from controller.local_gains import local_gains
from plant_models.catalogue import get, names
from plant_models.core.errors import BadInput
from plant_models.core.loop import Actuator, Coefficients, Memory, align, coefficients, pid, scheduled, shifted
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.core.schedule import Schedule, factors
from plant_models.derive.closed_loop import Trace
from plant_models.derive.identity import plant_hash
from plant_models.derive.layout import COEFFICIENTS, MEMORY
from plant_models.env.start import Settings

BY_SPEED = Schedule(variable="T", at=(310.0, 320.0, 340.0), inverse_gain=(4.0, 1.0, 0.25), K_c=0.5, T_i=-1.0)
WIDE = Actuator(bias=0.0, low=-100.0, high=100.0, step=np.inf)

SCHEDULED = [(name, loop.tag) for name in names() for loop in get(name).loops if loop.schedule]


def cstr(schedule: Schedule | None = BY_SPEED) -> Plant:
    plant = get("exothermic_cstr")
    first, second = (replace(loop, schedule=None) for loop in plant.loops)
    return replace(plant, loops=(replace(first, schedule=schedule), second))


@pytest.mark.parametrize(
    ("value", "K_c", "T_i"), [(300.0, 2.0, 0.25), (315.0, 1.5, 0.625), (330.0, 0.75, 2.5), (400.0, 0.5, 4.0)]
)
def test_factors_are_linear_between_breakpoints_and_held_outside(value: float, K_c: float, T_i: float) -> None:
    assert factors(BY_SPEED.column, value) == pytest.approx((K_c, T_i))
    assert factors(BY_SPEED.without, value) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("at", "gain"), [((1.0,), (1.0,)), ((2.0, 1.0), (1.0, 1.0)), ((1.0, 2.0), (1.0,)), ((1.0, 2.0), (1.0, 0.0))]
)
def test_breakpoints_rise_and_have_a_positive_factor_each(at: tuple[float, ...], gain: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="at least two rising breakpoints"):
        Schedule(variable="T", at=at, inverse_gain=gain)


def test_a_plant_refuses_a_schedule_by_what_is_no_output_and_a_scenario_one_of_another_shape() -> None:
    with pytest.raises(ValueError, match="gain schedule names 'c_f'"):
        cstr(replace(BY_SPEED, variable="c_f"))
    plant = cstr(None)
    odd = replace(plant.scenarios[0], loops=cstr().loops)
    with pytest.raises(ValueError, match="gain schedule of AIC-101 in scenario 'tracking'"):
        replace(plant, scenarios=(odd,))


def test_other_gains_take_over_without_a_bump() -> None:
    before = coefficients(2.0, 1.0, 0.3, 0.4, 0.7, 0.1)
    after, m = scheduled(before, 0.25, 3.0), Memory(0.8, 0.2, 1.1, 2.0, 0.0)
    m = align(before, u=2.0, r=1.7, y=1.1, y_0=0.5, ff=0.0, to=WIDE)
    assert pid(after, m, 1.7, 1.1, 0.5, 0.0, WIDE).u != pytest.approx(2.0, abs=0.1)
    assert pid(after, shifted(m, before, after, 1.7, 1.1, 0.5), 1.7, 1.1, 0.5, 0.0, WIDE).u == pytest.approx(2.0)


def response(gain: float, c: Coefficients) -> Array:
    """The step response of a first-order plant of some gain under a PI loop, over its setpoint step."""
    y, m, path = 0.0, Memory(0.0, 0.0, 0.0, 0.0, 0.0), []
    for _ in range(80):
        m = pid(c, m, 1.0, y, 0.0, 0.0, WIDE)
        y += 0.1 / 2.0 * (gain * m.u - y)
        path.append(y)
    return np.array(path)


def test_the_inverse_gain_makes_every_operating_point_answer_alike() -> None:
    plain = coefficients(2.0, 1.0, 0.0, 1.0, 0.0, 0.1)
    K_c, T_i = factors(replace(BY_SPEED, K_c=1.0, T_i=0.0).column, 340.0)
    np.testing.assert_allclose(response(4.0, scheduled(plain, K_c, T_i)), response(1.0, plain), rtol=1e-12)
    assert np.abs(response(4.0, plain) - response(1.0, plain)).max() > 0.1


def controlled(plant: Plant, known: dict[tuple[str, int], float]) -> dict[tuple[str, int], float]:
    piece = Trace(plant).control()
    values = piece.f([known.get(ref, 0.0) for ref in piece.reads]).full().ravel()
    return dict(zip(piece.writes, (float(v) for v in values), strict=True))


def blocks(plant: Plant, T: float) -> dict[tuple[str, int], float]:
    """Return the blocks of the reactor off its nominal point, at a measured temperature."""
    rows, settings = Trace(plant).layout, Settings.of(plant, plant.loops, plant.advance)
    known = {("P", rows.P.row("coefficients") + i): float(v[0]) for i, v in enumerate(settings.coefficients)}
    known |= {("P", rows.P.row("limits") + i): float(v[0]) for i, v in enumerate(settings.limits)}
    known |= {("S", rows.S.row("y")): 0.9, ("S", rows.S.row("y") + 1): T, ("E", rows.E.row("r")): 0.9}
    return known | {("S", rows.S.row("memory") + 2): 0.9, ("S", rows.S.row("memory") + 3): 322.0}


def test_the_scheduling_variable_moves_the_gains_and_not_the_output() -> None:
    """Off the nominal point, where the P part is large, a jump of the other output leaves the master's output where it was."""
    plant = cstr()
    memory = Trace(plant).layout.S.row("memory")
    factor = memory + MEMORY * len(plant.loops)
    first = controlled(plant, blocks(plant, 320.0))
    carried = {ref: v for ref, v in first.items() if ref[0] == "S" and memory <= ref[1] <= factor}
    same, then = (controlled(plant, {**blocks(plant, T), **carried}) for T in (320.0, 340.0))
    assert (same["S", factor], then["S", factor]) == pytest.approx((1.0, 0.5))
    assert then["S", memory + 3] == pytest.approx(same["S", memory + 3], abs=1e-9)
    forgetful = controlled(plant, {**blocks(plant, 340.0), **carried, ("S", factor): 0.0})
    assert abs(forgetful["S", memory + 3] - same["S", memory + 3]) > 0.3


def test_plain_loops_take_no_rows_and_a_schedule_changes_the_fingerprint() -> None:
    plain, plant = cstr(None), cstr()
    assert Trace(plain).layout.S["memory"].stop - Trace(plain).layout.S["memory"].start == MEMORY * 2
    assert len(Settings.of(plain, plain.loops, 0).coefficients) == COEFFICIENTS * 2
    assert len(Settings.of(plant, plant.loops, 0).coefficients) == COEFFICIENTS * 2 + 9
    assert len({plant_hash(p) for p in (plain, plant, cstr(replace(BY_SPEED, K_c=1.0)))}) == 3


def test_a_scenario_with_plain_gains_runs_them_as_they_are() -> None:
    plant, plain = cstr(), cstr(None)
    neutral = Settings.of(plant, plain.loops, 0).coefficients[-9:, 0]
    assert tuple(neutral) == BY_SPEED.without


def test_local_gains_are_those_of_a_small_step() -> None:
    """On the reactor the steady temperature answers more to the jacket the hotter it is; the last two steps are at the fold."""
    found = local_gains(get("exothermic_cstr"), "TIC-101")
    T = found.y[:, 1]
    between = (T[1:] + T[:-1]) / 2.0
    u = np.concatenate([np.linspace(290.0, 300.0, 60), np.linspace(300.0, 310.0, 60)[1:]])[: len(T)]
    np.testing.assert_allclose(np.interp(between, T, found.gain)[:-2], (np.diff(T) / np.diff(u))[:-2], rtol=0.02)
    assert found.ratio == pytest.approx(3.8, abs=0.1)
    schedule = found.schedule("setpoint", (314.0, 330.0))
    assert schedule.inverse_gain[0] > 1.0 > schedule.inverse_gain[1]


@pytest.mark.parametrize(("name", "tag"), SCHEDULED)
def test_the_schedules_of_plant_files_hold_the_local_gains(name: str, tag: str) -> None:
    plant = get(name)
    schedule = next(loop.schedule for loop in plant.loops if loop.tag == tag)
    assert schedule is not None
    expected = local_gains(plant, tag).schedule(schedule.variable, schedule.at)
    assert schedule.inverse_gain == pytest.approx(expected.inverse_gain, rel=5e-3)


def test_an_unknown_tag_is_named() -> None:
    with pytest.raises(BadInput, match="no loop 'TIC-9'; known are AIC-101, TIC-101"):
        local_gains(get("exothermic_cstr"), "TIC-9")
