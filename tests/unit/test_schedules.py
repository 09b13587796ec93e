"""Schedules of setpoints: setbacks, resets, their sums, what is known of them ahead, and their tuning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from controller.baselines import Pid, Scheduled
from controller.panel import panel
from controller.pid_tuning import Tuner, current, schedule_knobs, tune
from plant_models.catalogue import get
from plant_models.core.duty import Economic, Held, Part, Reset, Setback, commanded
from plant_models.core.errors import BadInput
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator

LIMIT = np.array([[15.0, 15.0, 15.0, 21.0, 21.0, 15.0, 15.0]])


def test_a_setback_begins_ahead_and_ends_with_its_signal() -> None:
    ahead = Setback(tag="TIC-1", by="limit", within=(20.0, 22.0), occupied=21.5, empty=18.0, lead=2)
    np.testing.assert_array_equal(ahead.references({"limit": LIMIT}), [[18.0, 21.5, 21.5, 21.5, 21.5, 18.0, 18.0]])


def test_a_setback_cools_as_it_heats_and_knows_a_day_on_which_nobody_comes() -> None:
    cooling = Setback(tag="TIC-1", by="limit", within=(23.0, 25.0), occupied=24.0, empty=28.0)
    np.testing.assert_array_equal(cooling.references({"limit": np.array([[24.0, 30.0]])}), [[24.0, 28.0]])
    np.testing.assert_array_equal(cooling.references({"limit": np.full((1, 3), 30.0)}), np.full((1, 3), 28.0))


def test_a_reset_is_straight_between_its_values_and_held_beyond() -> None:
    """Guideline 36: supply air of 18.3 degC at 15.6 degC outdoors, 12.8 degC at 21.1 degC."""
    supply = Reset(tag="TIC-1", by="T_o", at=(15.6, 21.1), values=(18.3, 12.8))
    np.testing.assert_allclose(
        supply.references({"T_o": np.array([[0.0, 15.6, 18.35, 21.1, 35.0]])}), [[18.3, 18.3, 15.55, 12.8, 12.8]]
    )


def test_parts_for_the_same_loop_add_up() -> None:
    parts: tuple[Part, ...] = (
        Reset(tag="TIC-1", by="T_wb", at=(0.0, 30.0), values=(4.0, 34.0)), Held(tag="TIC-2", value=7.0),
        Reset(tag="TIC-1", by="load", at=(0.0, 1.0), values=(0.0, 2.0)),
    )  # fmt: skip
    sent = commanded(parts, {"T_wb": np.array([[10.0, 20.0]]), "load": np.array([[0.5, 1.0]])})
    np.testing.assert_allclose(sent["TIC-1"], [[15.0, 26.0]])
    assert sent["TIC-2"] == 7.0


@pytest.mark.parametrize(("at", "values"), [((1.0, 1.0), (2.0, 3.0)), ((2.0, 1.0), (2.0, 3.0)), ((1.0,), (2.0, 3.0)), ((), ())])
def test_a_reset_that_is_no_function_is_refused(at: tuple[float, ...], values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="one value for each of at"):
        Reset(tag="TIC-1", by="T_o", at=at, values=values)


def test_a_loop_that_no_part_names_keeps_its_setpoint() -> None:
    plant = get("evaporator")
    assert isinstance(plant.duty, Economic)
    episodes = draw(plant, plant.scenario(), 0, 2, "tuning")
    planned = Scheduled(plant, plant.duty.rule).plan(episodes)
    tags = [loop.tag for loop in plant.masters]
    now, before = (each.exogenous[:, :, each.references()] for each in (planned, episodes))
    steam = tags.index("PIC-105")
    np.testing.assert_array_equal(now[:, :, steam], before[:, :, steam])
    assert (now[:, :, tags.index("AIC-101")] == 35.5).all()


def test_what_follows_a_calendar_is_known_ahead_and_what_follows_the_weather_is_not() -> None:
    plant = get("chiller_plant")
    episodes = draw(plant, plant.scenario(), 0, 2, "tuning")
    simulator = Simulator(plant, 2, plant.scenario().steps, 1, "setpoint")
    simulator.load(episodes, np.arange(2))
    known = panel(simulator, episodes).references
    drawn = episodes.exogenous[:, : known.shape[1], episodes.references()]
    np.testing.assert_array_equal(known[:, :, 0], drawn[:, :, 0])
    assert np.ptp(known[:, :, 0], axis=1).max() > 1.0
    assert np.ptp(known[:, :, 1:], axis=1).max() == 0.0


def test_only_the_schedule_is_turned_within_authority_and_limits() -> None:
    plant = get("battery_microgrid")
    worse = replace(plant, duty=replace(plant.duty, schedule=plant.duty.rule))
    found = tune(worse, generations=4, episodes=8, layer=False)
    assert (found.loops, found.advance) == (worse.loops, worse.advance)
    assert found.cost < current(worse, episodes=8).cost
    loop = plant.masters[0]
    for knob in schedule_knobs(worse)[:2]:
        assert loop.low <= knob.low < knob.high <= loop.high
        assert knob.high - knob.low <= 2.0 * loop.authority
    part = found.schedule[0]
    assert isinstance(part, Setback)
    assert part.occupied != plant.duty.rule[0].occupied


def test_a_plant_without_a_schedule_has_none_to_tune() -> None:
    with pytest.raises(BadInput, match="declares no schedule"):
        tune(get("exothermic_cstr"), layer=False)


@pytest.mark.every
def test_the_tuner_judges_the_schedule_that_the_scenario_sends() -> None:
    plant = get("greenhouse_lettuce")
    tuner = Tuner(plant, episodes=4, layer=False)
    sent = tuner._scheduled(current(plant, episodes=4).schedule)
    np.testing.assert_array_equal(Pid(plant).plan(sent).exogenous, draw(plant, plant.scenario(), 0, 4, "tuning").exogenous)
