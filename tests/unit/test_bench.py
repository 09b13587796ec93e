"""A plant on the bench: step tests, fits, rules of the books, what they are worth in closed loop, and its equations for print."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from controller.loop_test import LoopTest
from controller.simc import FirstOrder, Integrating
from controller.tuning_rules import RULES, gains, identified, simulated
from dashboard import bench
from dashboard.data import open_data
from dashboard.limit_figures import Bound
from dashboard.pages.plant import layout
from dashboard.pages.plant.page import TABS
from dashboard.pages.plant.steady import panels
from dashboard.pages.plant.step import _result
from dashboard.plant_figures import PRESENT, Line, grid, step, tunings
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.loop import Gains
from plant_models.derive.responses import step as stepped
from plant_models.derive.responses import steps
from tests.browser.plants import Cards
from tests.unit.test_dashboard import _texts

TIME = np.linspace(0.0, 20.0, 2001)


@pytest.mark.parametrize("model", [FirstOrder(-2.0, 3.0, 1.0), FirstOrder(0.5, 1.0, 4.0), Integrating(0.2, 2.0)])
def test_a_fit_finds_the_model_that_made_the_response(model: FirstOrder | Integrating) -> None:
    fit = identified(simulated(model, TIME), TIME[1])
    assert type(fit.model) is type(model)
    assert vars(fit.model) == pytest.approx(vars(model), rel=0.02, abs=0.03)
    assert fit.explained > 0.999


def test_a_response_that_washes_out_has_no_fit() -> None:
    with pytest.raises(BadInput, match="comes back to where it was"):
        identified(TIME * np.exp(-TIME), TIME[1])
    with pytest.raises(BadInput, match="does not answer"):
        identified(np.ones(50), 0.1)


def test_rules_are_those_of_the_books() -> None:
    """k = 1, tau = 10, theta = 2: by hand from the sources that the module names."""
    found = {rule: gains(rule, FirstOrder(1.0, 10.0, 2.0), 0.0) for rule in RULES}
    assert {rule: (round(g.K_c, 4), round(g.T_i, 4)) for rule, g in found.items()} == {
        "SIMC": (2.5, 10.0), "lambda": (0.3125, 10.0), "Ziegler-Nichols": (4.5, 6.66), "AMIGO": (1.2056, 7.7652),
    }  # fmt: skip
    ramp = {rule: gains(rule, Integrating(0.1, 2.0), 0.0) for rule in RULES}
    assert {rule: (round(g.K_c, 4), round(g.T_i, 4)) for rule, g in ramp.items()} == {
        "SIMC": (2.5, 16.0), "lambda": (2.1875, 14.0), "Ziegler-Nichols": (4.5, 6.66), "AMIGO": (1.75, 26.8),
    }  # fmt: skip
    assert gains("SIMC", FirstOrder(1.0, 10.0, 1.0), 1.0) == found["SIMC"]


def test_one_step_is_that_of_all_steps() -> None:
    (whole,) = steps(get("exothermic_cstr"), 0.1)
    np.testing.assert_array_equal(stepped(get("exothermic_cstr"), whole.moved, whole.step).outputs, whole.outputs)


@pytest.fixture(scope="module")
def test_bench() -> LoopTest:
    return LoopTest(get("exothermic_cstr"), "TIC-101", 6.0)


def test_a_loop_rests_until_its_setpoint_is_stepped_and_then_follows(test_bench: LoopTest) -> None:
    trial = test_bench.run(1.0)
    temperature, before = trial.outputs[1], trial.time < 0.0
    assert np.ptp(temperature[before]) < 1e-6
    assert (trial.setpoint[before][0], trial.setpoint[-1]) == pytest.approx((temperature[0], temperature[0] + 1.0))
    assert temperature[-1] == pytest.approx(trial.setpoint[-1], abs=0.05)
    assert not trial.failed


def test_other_gains_change_the_loop_under_test_and_nothing_else(test_bench: LoopTest) -> None:
    plant = test_bench.plant
    own, slow = plant.loops[-1].gains, Gains(K_c=0.1, T_i=2.0)
    assert test_bench.loops(None) is plant.loops
    assert (test_bench.loops(slow)[-1].gains.K_c, test_bench.loops(slow)[-1].gains.b) == (0.1, own.b)
    assert test_bench.loops(slow)[:-1] == plant.loops[:-1]
    present, other = (test_bench.judged(test_bench.run(1.0, each)) for each in (None, slow))
    assert other.iae > 1.5 * present.iae
    assert test_bench.sensitivity(Gains(K_c=500.0, T_i=0.01)) == float("inf")


def test_a_step_test_is_fitted_and_its_rules_are_tried_against_the_present_tuning() -> None:
    moved, of = bench.usual("exothermic_cstr")
    assert (moved, of) == ("TIC-101", "c_A")
    found = bench.answer("exothermic_cstr", "T_c", None, "T")
    assert found.fit is not None
    assert (found.loop, found.size_unit, found.fit.explained > 0.9) == ("TIC-101", "K", True)
    tried = bench.preview("exothermic_cstr", "T_c", None, "T")
    assert tried is not None
    assert list(tried.tried) == [PRESENT, *RULES]
    assert tried.tried[PRESENT].gains is get("exothermic_cstr").loops[-1].gains
    figure = tunings({words: each.trial for words, each in tried.tried.items()}, tried.pv, tried.op, "min")
    assert figure.layout.legend.y > 1.0  # above the line in which the limits are told
    assert [axis.title.text for axis in figure.select_yaxes()] == ["TI-101 (K)", "TV-101 (K)"]
    drawn = step(found.time, "min", found.outputs[1], found.outputs[:1], found.model)
    assert [axis.title.text for axis in drawn.select_yaxes()] == ["TI-101 (K)", "AI-101 (mol/L)"]
    for each in (figure, drawn):
        assert ["hard ≤ 333↑ K · trip ≤ 340↑ K" in note.text for note in each.layout.annotations] == [True]


@pytest.mark.slow
def test_a_slow_plant_is_told_in_hours_and_a_share_has_no_dash_for_a_unit() -> None:
    told = " ".join(_texts(_result("heat_pump_house", "y", None, "T_z", None)))
    assert "HP-201 stepped by 0.05 " in told
    assert re.search(r"time constant τ 6\d\.\d+ h", told)
    assert [head in told for head in ("T_i (h)", "IAE (K\u00a0h)", "settling 5 % (h)", "(s)")] == [True, True, True, False]
    assert " K per 1" in told
    assert "K_c (1\u00a0per\u00a0K)" in told
    assert "per –" not in told


def test_a_step_out_of_range_or_of_nothing_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(BadInput, match=r"step of 50 K: leaves the range; -10 to 10 allowed"):
        bench.answer("exothermic_cstr", "T_c", 50.0, "T")
    with pytest.raises(BadInput, match="give a size other than 0"):
        bench.answer("exothermic_cstr", "T_c", 0.0, "T")


def test_a_short_test_sees_a_slow_plant_as_a_ramp_which_the_rules_then_hold() -> None:
    """Days pass until the house has settled; what matters to its loop are the first hours."""
    found = bench.answer("heat_pump_house", "y", None, "T_z", 7200.0)
    assert found.fit is not None
    assert isinstance(found.fit.model, Integrating)
    assert (found.time[-1], found.fit.explained > 0.95) == (7200.0, True)
    with pytest.raises(BadInput, match="test of 1 s: 3e"):
        bench.answer("heat_pump_house", "y", None, "T_z", 1.0)
    with pytest.raises(BadInput, match=r"test of 1e\+12 s: 3e"):
        bench.answer("heat_pump_house", "y", None, "T_z", 1e12)


def test_a_bench_that_others_have_is_refused_in_a_line_and_few_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who asks for very much must not take all threads of the server."""

    def ask() -> bench.Answer:
        return bench.answer("exothermic_cstr", "T_c", 1.234, "T")

    with ThreadPoolExecutor(bench.PLACES - 1) as others:
        with bench._turn():
            monkeypatch.setattr(bench, "PATIENCE", 0.05)
            with pytest.raises(bench.Busy, match="working on other readers' questions; ask again"):
                ask()
            monkeypatch.setattr(bench, "PATIENCE", 30.0)
            waiting = [others.submit(ask) for _ in range(bench.PLACES - 1)]
            while bench._PLACES._value:
                time.sleep(0.001)
            begun = time.monotonic()
            with pytest.raises(bench.Busy):
                ask()
            assert time.monotonic() - begun < 5.0
        assert [each.result().size for each in waiting] == [1.234] * (bench.PLACES - 1)
    assert ask().size == 1.234  # a refusal is not kept


def test_a_batch_has_no_map_and_no_setpoint_test() -> None:
    with pytest.raises(BadInput, match="is a batch"):
        bench.maps("batch_crystallizer")
    with pytest.raises(BadInput, match="is a batch"):
        LoopTest(get("batch_crystallizer"), get("batch_crystallizer").loops[0].tag, 1.0)


def test_a_steady_map_has_the_nominal_point_on_it() -> None:
    (found,) = bench.maps("exothermic_cstr")
    middle = int(np.argmin(np.abs(found.moved.values - found.nominal)))
    assert found.outputs[1].values[middle] == pytest.approx(324.5, abs=0.5)
    figure = grid(found.moved, found.outputs, found.nominal)
    assert {axis.title.text for axis in figure.select_xaxes()} == {"TV-101 (K)"}


def test_a_steady_map_tells_the_limits_of_its_outputs_with_their_units_and_shades_what_lies_beyond() -> None:
    (found,) = bench.maps("exothermic_cstr")
    figure = grid(found.moved, found.outputs, found.nominal)
    (told,) = (note for note in figure.layout.annotations if "limit" in note.text)
    assert told.text.endswith("limits hard ≤ 333 K · trip ≤ 340 K")
    assert (told.xref, told.yref) == ("x2 domain", "y2 domain")  # above the temperature
    shaded = sorted(shape.y0 for shape in figure.layout.shapes if shape.type == "rect" and shape.yref == "y2")
    assert shaded == [333.0, 340.0]
    low, high = figure.layout.yaxis2.range
    assert low < 312.0
    assert high > 340.0
    ends = {shape.x0 for shape in figure.layout.shapes if shape.type == "rect" and shape.xref == "x2"}
    assert {290.0, 310.0} <= ends


def test_a_limit_far_off_does_not_squeeze_the_curve_and_is_told() -> None:
    near, far = Bound(30.0, "high", "hard"), Bound(-900.0, "low", "soft")
    line = Line("TI-1", "temperature", "degC", np.linspace(10.0, 20.0, 5), (near, far))
    figure = grid(Line("V-1", "valve", "1", np.linspace(0.0, 1.0, 5)), (line,), 0.5)
    low, high = figure.layout.yaxis.range
    assert (low, high) == pytest.approx((8.4, 31.6))
    assert figure.layout.annotations[0].text.endswith("limits soft ≥ −900↓ °C · hard ≤ 30 °C")


def test_an_input_over_which_a_plant_integrates_has_a_reason_in_place_of_empty_plots() -> None:
    shown = " ".join(_texts(panels("boiler_drum")))
    assert "something in it integrates" in shown
    assert "gap: no rest" not in shown


@pytest.mark.parametrize("tab", [*TABS, "nonsense"])
def test_every_tab_of_a_plant_shows(tab: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    data = open_data(str(tmp_path_factory.mktemp("empty") / "runs.db"), Cards())
    assert "exothermic_cstr" in list(
        _texts(layout(data, {"name": "exothermic_cstr", "tab": tab, "size": "x", "of": "?", "step": "!"}))
    )


def test_a_loops_gains_have_their_units_and_periods_read_well(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = open_data(str(tmp_path_factory.mktemp("empty") / "runs.db"))
    texts = list(_texts(layout(data, {"name": "exothermic_cstr"})))
    assert {"T_i", "26 s", "5.2 s"} <= set(texts)
    slow = list(_texts(layout(data, {"name": "chiller_plant"})))
    assert [slow[slow.index(time) + 1] for time in ("25", "250")] == [" min", " s"]  # declared 1500 s and 250 s
    assert " K/(mol/L)" in texts
    assert any(text.startswith("[1]") for text in texts)


def test_a_loops_range_is_in_the_unit_of_its_display(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = open_data(str(tmp_path_factory.mktemp("empty") / "runs.db"))
    assert "18 to 26 °C" in list(_texts(layout(data, {"name": "office_vav"})))
    assert "0.97 to 0.998" in list(_texts(layout(data, {"name": "distillation_column"})))
