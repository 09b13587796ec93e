"""What an operator changes in an episode: disturbances stepped, instruments and valves that fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from controller.live import commands as ask
from controller.live.case import drawn, lengthened
from controller.live.pair import history
from controller.live.prescription import Change, Held, Stepped, fitted, prescribed
from plant_models.catalogue import get
from plant_models.core.fault import Bias, Drift, Jammed, Noise, Stiction, Stuck
from plant_models.derive.layout import HELD
from tests.live import CASE, face, pair, run, short  # noqa: F401 - short is for every test


def test_a_disturbance_is_stepped_for_both_and_taken_back() -> None:
    twins, still = pair("pid", "pid"), pair("pid", "pid")
    run(twins, 5), run(still, 5)
    twins.apply(ask.Disturb(("A",), "T_f", 4.0))
    assert twins.twins["A"].disturbances()[0] - still.twins["A"].disturbances()[0] == pytest.approx(4.0)
    run(twins, 3), run(still, 3)
    assert face(twins, "TIC-101").output < face(still, "TIC-101").output - 0.5
    assert np.array_equal(history(twins)["B"], history(still)["B"])
    twins.apply(ask.Disturb(("A",), "T_f", 0.0))
    assert twins.twins["A"].disturbances()[0] == still.twins["A"].disturbances()[0]


def test_a_jammed_valve_stands_still_until_it_is_mended() -> None:
    twins = pair()
    run(twins, 5)
    twins.apply(ask.Inject(("A",), Jammed("T_c", 0.0)))
    stood = float(twins.twins["A"].operated.simulator.S.read("u")[0, 0])
    run(twins, 4)
    assert float(twins.twins["A"].operated.simulator.S.read("u")[0, 0]) == stood
    assert face(twins, "TIC-101").output != pytest.approx(stood, abs=1e-3)
    twins.apply(ask.Mend(("A",), "T_c"))
    run(twins)
    assert float(twins.twins["A"].operated.simulator.S.read("u")[0, 0]) != stood


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Bias("T", 2.0), lambda rows: np.full_like(rows, 2.0)),
        (Drift("T", 3.0), lambda rows: 3.0 * (26.0 / 300.0) * np.arange(1, len(rows) + 1)),
        (Stuck("T", 0.0), lambda rows: np.full_like(rows, HELD)),
    ],
)
def test_an_instrument_errs_by_what_the_operator_says_from_then_on(fault: Any, expected: Callable[[Any], Any]) -> None:
    base = replace(drawn(CASE), noise=np.zeros_like(drawn(CASE).noise))
    loops = base.plant.loops_per_decision
    noise = prescribed(base, [Change(10, fault, 20)]).noise[0, :, base.plant.Output.names().index("T")]
    failing = noise[10 * loops + 1 : 20 * loops + 1]
    assert failing == pytest.approx(expected(failing), rel=1e-5)
    assert not noise[: 10 * loops + 1].any()
    assert not noise[20 * loops + 1 :].any()


def test_noise_grows_by_a_factor_and_a_valve_sticks_within_its_band() -> None:
    base = drawn(CASE)
    changed = prescribed(base, [Change(10, Noise("T", 5.0)), Change(10, Stiction("T_c", 0.7))])
    assert changed.noise[0, 60:, 1] == pytest.approx(5.0 * base.noise[0, 60:, 1], rel=1e-5)
    assert changed.noise[0, 60:, 2] == pytest.approx(0.7)


def test_changes_end_where_they_say_and_later_ones_hold() -> None:
    base = drawn(CASE)
    changes = [Change(4, Stepped("T_f", 2.0), 9), Change(6, Held("AIC-101", 0.9))]
    changed = prescribed(base, changes).exogenous[0] - base.exogenous[0]
    assert changed[4:9, 0] == pytest.approx(2.0)
    assert not changed[9:, 0].any()
    assert prescribed(base, changes).exogenous[0, 6:, base.references()] == pytest.approx(0.9)


def test_any_valve_may_fail_and_the_plant_is_the_same_plant() -> None:
    from plant_models.derive.identity import plant_hash

    plant = get("quadruple_tank")
    assert {fault.input for fault in fitted(plant).faults if isinstance(fault, Stiction)} >= {loop.mv for loop in plant.loops}
    assert fitted(plant).scenario().name == plant.scenario().name
    assert plant_hash(fitted(plant)) is not None
    assert lengthened(plant, plant.scenario()).steps > plant.scenario().steps
    assert lengthened(get("heat_pump_house"), get("heat_pump_house").scenario()).steps == get("heat_pump_house").scenario().steps
