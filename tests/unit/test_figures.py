"""Figures: what an engineer must find in each, and how much of a long episode goes to the browser."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.records import EpisodeRecord
from dashboard.figures import POINTS, VITALS, axis_text, decimated, learning_curve, shown_name, unit_text, vital
from dashboard.trends import overlay, rows_of, time_unit, trends
from tests.browser.store import house_episode, reactor_episode

ROOT = Path(__file__).parents[2]


def _y_titles(figure: go.Figure) -> list[str]:
    return [axis.title.text for axis in figure.select_yaxes()]


def _traces(figure: go.Figure) -> tuple[go.Scatter, ...]:
    return cast("tuple[go.Scatter, ...]", figure.data)


def _named(figure: go.Figure, name: str) -> list[go.Scatter]:
    return [trace for trace in _traces(figure) if trace.name == name]


def test_an_episode_has_a_row_for_each_variable_with_its_unit() -> None:
    figure = trends(reactor_episode("ppo", 0))
    assert _y_titles(figure) == ["mol/L", "K", "K", "K", "K", "mol/L"]
    assert [note.text for note in figure.layout.annotations] == [
        "<b>AIC-101 concentration of A</b>", "<b>TIC-101 reactor temperature</b>", "<b>TIC-101 jacket temperature</b>",
        "<b>TIC-101 offset on the setpoint</b>", "<b>TI-102 feed temperature</b>", "<b>feed concentration of A</b>",
    ]  # fmt: skip
    assert list(figure.select_xaxes())[-1].title.text == "time (min)"


def test_setpoint_and_target_share_the_axis_of_their_variable_and_are_dashed() -> None:
    figure = trends(reactor_episode("ppo", 0))
    (target,) = _named(figure, "target")
    (sp,) = _named(figure, "SP")
    assert (target.yaxis, sp.yaxis) == ("y", "y2")
    assert (target.line.dash, sp.line.dash) == ("dashdot", "dash")
    assert {trace.line.dash for trace in _named(figure, "PV")} == {"solid"}


def test_a_limit_is_a_line_and_its_far_side_is_shaded() -> None:
    line, shade = _named(trends(reactor_episode("ppo", 0)), "limit")
    assert line.y[0] == 333.0
    assert shade.fill == "tonexty"
    assert min(shade.y) > 333.0
    low, high = (trace for trace in _named(trends(house_episode("ppo", 0)), "limit") if trace.fill == "tonexty")
    assert max(low.y) < 16.0
    assert min(high.y) > 24.0


def test_a_limit_far_away_does_not_squeeze_the_lines_flat() -> None:
    near = reactor_episode("ppo", 0)
    values = near.values.copy()
    values[4] = 9000.0
    axis = list(trends(replace(near, values=values)).select_yaxes())[1]
    assert axis.range[1] < 340.0


def test_all_rows_zoom_together() -> None:
    figure = overlay({"pid": reactor_episode("pid", 0), "ppo": reactor_episode("ppo", 0)})
    axes = list(figure.select_xaxes())
    assert [axis.matches for axis in axes[:-1]] == ["x6"] * 5
    assert axes[-1].anchor == "y6"


def test_controllers_keep_their_colours_and_share_what_does_not_depend_on_them() -> None:
    figure = overlay({"pid": reactor_episode("pid", 0), "ppo": reactor_episode("ppo", 0)})
    colours = {name: {trace.line.color for trace in _named(figure, name)} for name in ("PID", "PPO")}
    assert all(len(found) == 1 for found in colours.values())
    assert colours["PID"] != colours["PPO"]
    assert len(_named(figure, "disturbance")) == 2
    assert len(_named(figure, "target")) == 1


def test_each_name_stands_once_in_the_legend() -> None:
    figure = overlay({"pid": house_episode("pid", 0), "ppo": house_episode("ppo", 0)})
    shown = [str(trace.name) for trace in _traces(figure) if trace.showlegend]
    assert sorted(shown) == ["PID", "PPO", "SP of the baseline", "disturbance", "limit"]


def test_a_controller_without_an_offset_can_be_laid_over_one_with_it() -> None:
    pid = reactor_episode("pid", 0)
    keep = [k for k, signal in enumerate(pid.signals) if signal.role != "offset"]
    bare = replace(pid, signals=tuple(pid.signals[k] for k in keep), values=pid.values[keep])
    figure = overlay({"pid": bare, "ppo": reactor_episode("ppo", 0)})
    assert len(_y_titles(figure)) == 6


def test_every_signal_is_shown_exactly_once() -> None:
    for record in (reactor_episode("ppo", 0), house_episode("ppo", 0)):
        members = [k for row in rows_of(record.signals) for k in row.members]
        assert sorted(members) == list(range(len(record.signals)))


def test_a_long_episode_is_thinned_and_keeps_its_peak() -> None:
    record = house_episode("ppo", 0, 60_001)
    values = record.values.copy()
    values[0, 31_234] = 99.0
    (pv,) = _named(trends(replace(record, values=values)), "PV")
    assert len(pv.x) <= POINTS
    assert max(pv.y) == 99.0


@given(st.integers(1, 5000), st.integers(20, 200), st.integers(0, 2**31))
def test_thinning_keeps_ends_extremes_and_order(size: int, points: int, seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal(size)
    keep = decimated(np.arange(size, dtype=float), values, points)
    assert keep.size <= max(points, 1)
    assert (np.diff(keep) > 0).all()
    assert (keep[0], keep[-1]) == (0, size - 1)
    assert values[keep].max() == values.max()
    assert values[keep].min() == values.min()


def test_thinning_survives_gaps() -> None:
    values = np.full(50_000, np.nan)
    values[20_000:30_000] = np.sin(np.arange(10_000))
    kept = values[decimated(np.arange(50_000.0), values)]
    assert np.nanmax(kept) == np.nanmax(values)


@pytest.mark.parametrize(
    ("end", "unit", "shown"), [(30.0, "min", "min"), (168.0, "h", "d"), (36_000.0, "s", "h"), (9.0, "batch", "batch")]
)
def test_time_is_shown_in_the_unit_that_reads_best(end: float, unit: str, shown: str) -> None:
    record = replace(reactor_episode("ppo", 0), time=np.linspace(0.0, end, 601), time_unit=unit)
    assert time_unit(record) == shown


def test_a_week_in_hours_is_seven_days_long() -> None:
    (pv,) = _named(trends(house_episode("ppo", 0)), "PV")
    assert pv.x[-1] == pytest.approx(7.0)


def test_an_episode_that_failed_at_once_can_still_be_drawn() -> None:
    record = reactor_episode("ppo", 0)
    figure = trends(replace(record, time=record.time[:1], values=np.full((len(record.signals), 1), np.nan)))
    assert len(_y_titles(figure)) == 6


def test_an_episode_without_signals_can_be_drawn() -> None:
    empty = EpisodeRecord("p", "ppo", "s", 0, {}, "completed", np.zeros(0), "min", (), np.zeros((0, 0)))
    assert len(trends(empty).data) == 0


def test_the_learning_curve_holds_the_pid_line_over_its_whole_length() -> None:
    figure = learning_curve({"PPO": ([1.0, 2.0], [-3.0, -2.0]), "best so far": ([1.0], [-3.0])}, {"pid": -2.1}, 1000.0, "return")
    (pid,) = _named(figure, "PID")
    assert (list(pid.x), list(pid.y), pid.line.dash) == ([0, 1000.0], [-2.1, -2.1], "dash")
    assert _y_titles(figure) == ["score on validation scenarios (return)"]


def test_a_live_curve_is_made_of_lists_which_a_browser_can_extend() -> None:
    figure = learning_curve({"PPO": ([], []), "best so far": ([], [])}, {}, 1000.0, "return")
    assert figure.to_plotly_json()["data"][0]["x"] == []
    assert isinstance(vital("train/kl", [1.0], [0.01], 10.0).to_plotly_json()["data"][0]["y"], (list, tuple))


@pytest.mark.parametrize("key", VITALS)
def test_each_vital_sign_has_its_unit_and_its_usual_range(key: str) -> None:
    figure = vital(key, [1.0, 2.0], [0.1, 0.2], 10.0)
    assert _y_titles(figure) == [VITALS[key].unit]
    assert len(figure.layout.shapes) == (VITALS[key].low is not None)


@pytest.mark.parametrize(
    ("unit", "text"), [("degC", "°C"), ("W/m2", "W/m²"), ("m3/h", "m³/h"), ("1", "–"), ("mol/L", "mol/L"), ("s**-1", "s⁻¹")]
)
def test_units_are_printed_as_people_write_them(unit: str, text: str) -> None:
    assert unit_text(unit) == text


def test_a_dimensionless_axis_says_so() -> None:
    assert axis_text("1") == "(–)"


def test_controllers_go_by_their_initials() -> None:
    assert [shown_name(name) for name in ("ppo", "pid 7f3a9c", "schedule")] == ["PPO", "PID 7f3a9c", "schedule"]


def test_figures_never_import_dash() -> None:
    code = "import sys, dashboard.trends; assert not {'dash', 'flask'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
