"""Figures: what an engineer must find in each, and how much of a long episode goes to the browser."""

from __future__ import annotations

import math
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

from controller.records import EpisodeRecord, Signal
from controller.stability import LARGE_STEP, SIGNS
from dashboard.figures import CONTROLLERS, POINTS, axis_text, controller_colour, decimated, label_colours, shown_name, unit_text
from dashboard.fronts import Figure, front, undominated
from dashboard.learning import VITALS, learning_curve, vital
from dashboard.trends import cumulated, differences, overlay, rows_of, time_unit, trends
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
    limit = '  <span style="color:#d0504a">▬</span> limit ≤ 333 K'
    assert [note.text for note in figure.layout.annotations] == [
        "<b>AIC-101 concentration of A</b>", f"<b>TIC-101 reactor temperature</b>{limit}", "<b>TIC-101 jacket temperature</b>",
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
    figure = trends(replace(near, values=values))
    assert list(figure.select_yaxes())[1].range[1] < 340.0
    assert figure.layout.annotations[1].text.endswith("limit ≤ 9000↑ K")


def test_only_limits_that_stay_where_they_are_are_told() -> None:
    whole = house_episode("ppo", 0)  # its lower limit is another by night
    assert trends(whole).layout.annotations[0].text == "<b>TIC-201 zone temperature</b>"
    values = whole.values.copy()
    values[3] = 16.0
    assert trends(replace(whole, values=values)).layout.annotations[0].text.endswith("limits 16 to 24 °C")


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
    assert isinstance(
        vital(VITALS["train/kl"], ([1.0], [0.01]), 10.0, "train/kl").to_plotly_json()["data"][0]["y"], (list, tuple)
    )


@pytest.mark.parametrize("key", VITALS)
def test_each_vital_sign_has_its_unit_and_the_limits_by_which_updates_are_judged(key: str) -> None:
    figure = vital(VITALS[key], ([1.0, 2.0], [0.1, 0.2]), 10.0, key)
    assert _y_titles(figure) == [axis_text(VITALS[key].unit, VITALS[key].title.lower())]
    sign = SIGNS.get(key.removeprefix("train/"))
    scale = 0.15 if sign is not None and sign.relative else 1.0
    limits = [] if sign is None else [scale * limit for limit in (sign.warns, sign.harms) if math.isfinite(limit)]
    assert [trace.y[0] for trace in _traces(figure)[1:]] == pytest.approx(limits)


def test_a_vital_sign_beyond_its_limit_is_marked_and_says_what_to_do() -> None:
    kl, explained, norm = (VITALS[f"train/{name}"] for name in ("kl", "explained_variance", "gradient_norm"))
    assert (kl.crossed([0.01, 0.031]), kl.crossed([0.04, 0.01]), kl.crossed([])) == (True, False, False)
    assert (explained.crossed([0.1]), explained.crossed([0.3])) == (True, False)
    assert (norm.crossed([1.0] * 9 + [6.0]), norm.crossed([1.0] * 10)) == (True, False)
    assert (kl.rule, kl.remedy) == ("unusual above 0.03 nat; taken back above 0.05 nat", LARGE_STEP)


def test_a_window_is_drawn_with_every_sample_that_a_long_episode_has_there() -> None:
    record = house_episode("ppo", 0, 100_001)
    (whole,) = _named(trends(record), "PV")
    (part,) = _named(trends(record, (3.0, 3.01)), "PV")
    assert (whole.x[0], whole.x[-1]) == (0.0, pytest.approx(7.0))
    assert len(whole.x) <= POINTS
    assert len(part.x) == pytest.approx(100_000 * 0.01 / 7.0, abs=3)
    assert part.x[0] <= 3.0
    assert part.x[-1] >= 3.01
    assert len(trends(record).data) == len(trends(record, (3.0, 3.01)).data)


def test_what_the_shield_held_back_is_drawn_as_bars_and_marked_where_nothing_was_certified() -> None:
    record = reactor_episode("ppo", 0)
    share = np.ones(601)
    share[100:200], share[300:310] = 0.25, -1.0
    signal = Signal("share", "1", "shield", "", "share of the move let through")
    shielded = replace(record, signals=(*record.signals, signal), values=np.vstack([record.values, share]))
    (held,) = _named(trends(shielded), "held back by the shield")
    (uncertified,) = _named(trends(shielded), "nothing certified: safe action")
    assert (held.y[150], held.y[50], held.fill) == (75.0, 0.0, "tozeroy")
    assert (uncertified.y[305], uncertified.y[150]) == (100.0, 0.0)
    assert "%" in _y_titles(trends(shielded))


def test_differences_are_to_the_baseline_at_the_same_times() -> None:
    pid, ppo = reactor_episode("pid", 0), reactor_episode("ppo", 0, 301)
    figure = differences({"pid": pid, "ppo": ppo}, "pid")
    assert _y_titles(figure) == ["mol/L", "K", "K"]
    base, other = _named(figure, "PID")[0], _named(figure, "PPO")[0]
    assert not np.any(base.y)
    assert other.y[200] == pytest.approx(ppo.values[0, 100] - pid.values[0, 200])


def test_costs_add_up_and_where_none_was_recorded_errors_do() -> None:
    records = {name: reactor_episode(name, 0) for name in ("pid", "ppo")}
    figure = cumulated(records)
    assert figure is not None
    assert _y_titles(figure) == ["mol/L min"]
    (pid,) = _named(figure, "PID")
    assert pid.y[-1] == pytest.approx(records["pid"].kpis["IAE"], rel=0.01)
    spent = Signal("cost", "EUR", "cost")
    costly = {name: replace(r, signals=(spent,), values=np.ones((1, 601))) for name, r in records.items()}
    figure = cumulated(costly)
    assert figure is not None
    assert (_y_titles(figure), _named(figure, "PPO")[0].y[-1]) == (["EUR"], 600.0)


def test_before_the_first_decision_nothing_was_spent() -> None:
    spent = replace(reactor_episode("pid", 0), signals=(Signal("cost", "EUR", "cost"),), values=np.array([[0.0, *[3.0] * 600]]))
    (line,) = _named(trends(spent), "cost")
    assert set(line.y) == {3.0}


def test_labels_that_share_a_controller_have_colours_of_their_own() -> None:
    colours = label_colours(["pid", "ppo 1", "ppo 2", "ppo 3", "nmpc"])
    assert (colours["pid"], colours["ppo 1"], colours["nmpc"]) == tuple(CONTROLLERS[name] for name in ("pid", "ppo", "nmpc"))
    assert len(set(colours.values())) == 5


def test_a_shielded_controller_has_one_colour_of_its_own_in_tables_and_figures() -> None:
    colours = label_colours(["ppo", "ppo + shield", "pid + shield run-1"])
    assert colours["ppo + shield"] == controller_colour("ppo + shield", 3) != colours["ppo"]
    assert colours["pid + shield run-1"] == controller_colour("pid + shield")


def test_a_front_holds_those_that_none_beats_in_both() -> None:
    points = {"a": (1.0, 5.0), "b": (2.0, 2.0), "c": (3.0, 3.0), "d": (5.0, 1.0), "e": (math.nan, 0.0)}
    travel, cost = Figure("travel", "strokes"), Figure("cost", "EUR")
    assert undominated(points, travel, cost) == ["a", "b", "d"]
    assert undominated(points, travel, Figure("return", "1", higher_is_better=True)) == ["a"]
    drawn = front({"pid": (1.0, 2.0)}, travel, cost, {"pid": "#000000"})
    assert (drawn.layout.xaxis.title.text, _y_titles(drawn)) == ("travel (strokes)", ["cost (EUR)"])


def test_a_front_does_not_blow_up_what_hardly_differs() -> None:
    near = front(
        {"pid": (1.0, 37.37), "ppo": (2.0, 37.34)},
        Figure("travel", "strokes"),
        Figure("cost", "EUR"),
        dict.fromkeys(("pid", "ppo"), "#000000"),
    )
    low, high = near.layout.yaxis.range
    assert high - low == pytest.approx(0.02 * 37.37)
    assert low < 37.34
    assert high > 37.37
    assert near.layout.xaxis.range is None


@pytest.mark.parametrize(
    ("unit", "text"),
    [("degC", "°C"), ("W/m2", "W/m²"), ("m3/h", "m³/h"), ("1", "–"), ("mol/L", "mol/L"), ("s**-1", "s⁻¹"), ("um3", "µm³")],
)
def test_units_are_printed_as_people_write_them(unit: str, text: str) -> None:
    assert unit_text(unit) == text


def test_a_dimensionless_axis_says_so() -> None:
    assert (axis_text("1"), axis_text("1", "gradient norm"), axis_text("degC", "heat")) == ("(–)", "gradient norm", "°C")


def test_controllers_go_by_their_initials() -> None:
    assert [shown_name(name) for name in ("ppo", "pid 7f3a9c", "schedule")] == ["PPO", "PID 7f3a9c", "schedule"]


def test_figures_never_import_dash() -> None:
    modules = "dashboard.trends, dashboard.learning, dashboard.fronts, dashboard.policy_figures"
    code = f"import sys, {modules}; assert not {{'dash', 'flask'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
