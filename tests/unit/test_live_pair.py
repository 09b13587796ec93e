"""Twin plants under an operator: what commands do to them, and that the same log does the same."""

from __future__ import annotations

import math

import numpy as np
import pytest

from controller.baselines import Pid
from controller.live import commands as ask
from controller.live.case import Case, drawn
from controller.live.pair import Pair, history, replayed
from controller.live.workshop import Kept
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.core.fault import Bias, Dropout, Jammed, Spike
from tests.live import BOTH, CASE, Shop, face, pair, run, short  # noqa: F401 - short is for every test


def test_twins_under_the_same_controller_are_the_same_and_under_another_are_not() -> None:
    same, other = pair("pid", "pid"), pair()
    run(same, 20), run(other, 20)
    a, b = history(same).values()
    assert np.array_equal(a, b)
    assert not np.array_equal(*history(other).values())
    assert same.twins["A"].total > 0.0


@pytest.mark.slow
def test_a_twin_left_alone_is_the_plant_of_the_benchmark() -> None:
    """The drawn episode under PID costs what a roll-out says it costs."""
    from controller.rollout import rollout

    case = Case("heat_pump_house", "", 0)
    twins = Pair(case, ("pid", "pid"), Kept(case, {}))
    run(twins, 40)
    plant = get(case.plant)
    from plant_models.env.scenario import draw

    judged = rollout(Pid(plant), draw(plant, plant.scenario(), 0, 1, "judging"))
    assert twins.twins["A"].total == pytest.approx(judged.cost[0, :40].sum(), rel=2e-3)


def test_the_same_log_does_the_same_to_the_last_digit() -> None:
    twins = pair()
    orders: dict[int, list[ask.Command]] = {
        5: [ask.SetSetpoint(BOTH, "AIC-101", 0.9)],
        8: [ask.Disturb(BOTH, "T_f", 2.0), ask.Swap(("A",), "leaning")],
        12: [ask.Inject(BOTH, Dropout("T", 0.5, 0.2)), ask.Inject(("A",), Spike("c_A", 0.01, 0.2))],
        18: [ask.Mend(BOTH, "T"), ask.SetMode(("A",), "TIC-101", "MAN")],
        19: [ask.SetOutput(("A",), "TIC-101", 301.0)],
        24: [ask.SetMode(("A",), "TIC-101", "CAS"), ask.Release(BOTH, "AIC-101"), ask.Acknowledge(BOTH)],
    }
    for k in range(30):
        for command in orders.get(k, []):
            twins.apply(command)
        run(twins)
    again = replayed(CASE, ("pid", "leaning"), Shop(), twins.log, 30)
    for name, rows in history(twins).items():
        assert np.array_equal(rows, history(again)[name], equal_nan=True)
    assert twins.alarms == again.alarms
    assert not np.array_equal(rows, history(replayed(CASE, ("pid", "leaning"), Shop(), twins.log[1:], 30))[name], equal_nan=True)


def test_a_setpoint_in_cascade_is_what_is_sent_and_what_is_judged_and_a_release_gives_it_back() -> None:
    twins = pair()
    run(twins, 3)
    programme = face(twins, "AIC-101").asked
    twins.apply(ask.SetSetpoint(BOTH, "AIC-101", 0.91))
    assert face(twins, "AIC-101").asked == 0.91
    assert face(twins, "AIC-101").by_hand
    assert face(twins, "AIC-101").mode == "CAS"
    run(twins, 30)
    assert face(twins, "AIC-101").pv == pytest.approx(0.91, abs=0.01)
    assert twins.twins["A"].episodes.exogenous[0, 20:40, twins.twins["A"].episodes.targets()] == pytest.approx(0.91)
    twins.apply(ask.Release(BOTH, "AIC-101"))
    assert not face(twins, "AIC-101").by_hand
    base = drawn(CASE)
    assert face(twins, "AIC-101").asked == base.exogenous[0, 33 + base.plant.advance, base.references()]
    assert programme != 0.91


def test_modes_are_taken_without_a_bump_and_the_output_is_the_operators_in_manual() -> None:
    twins = pair()
    run(twins, 10)
    before = face(twins, "TIC-101").output
    twins.apply(ask.SetMode(("A",), "TIC-101", "MAN"))
    run(twins)
    assert face(twins, "TIC-101").output == pytest.approx(before, abs=1e-9)
    assert face(twins, "TIC-101", "B").mode == "CAS"
    twins.apply(ask.SetOutput(("A",), "TIC-101", before + 1.0))
    run(twins, 5)
    assert face(twins, "TIC-101").output == before + 1.0
    assert not face(twins, "AIC-101").heard


REFUSED: list[tuple[ask.Command, str]] = [
    (ask.SetSetpoint(BOTH, "AIC-101", 2.0), "0.8 to 0.95 allowed"),
    (ask.SetSetpoint(BOTH, "AIC-101", math.nan), "0.8 to 0.95 allowed"),
    (ask.SetSetpoint(BOTH, "TIC-101", 320.0), "its master sends it"),
    (ask.SetOutput(BOTH, "TIC-101", 300.0), "put the loop in MAN"),
    (ask.SetMode(BOTH, "TIC-999", "MAN"), "did you mean 'TIC-101'"),
    (ask.Disturb(BOTH, "T_f", math.inf), "allowed"),
    (ask.Disturb(BOTH, "nothing", 1.0), "unknown disturbance"),
    (ask.Inject(BOTH, Bias("T_c", 1.0)), "unknown instrument"),
    (ask.Inject(BOTH, Bias("T", math.nan)), "finite"),
    (ask.Inject(BOTH, Jammed("T", 0.0)), "unknown valve"),
    (ask.Swap(BOTH, "nobody"), "unknown controller"),
    (ask.Acknowledge(BOTH, "nothing"), "unknown alarm"),
    (ask.SetMode((), "TIC-101", "MAN"), "A, B or both"),
]


def test_what_cannot_be_done_is_refused_and_changes_nothing() -> None:
    twins = pair()
    run(twins, 2)
    faces = [twin.faces() for twin in twins.twins.values()]
    for command, words in REFUSED:
        with pytest.raises(BadInput, match=words):
            twins.apply(command)
    assert [twin.faces() for twin in twins.twins.values()] == faces
    assert twins.log == ()


def test_a_controller_that_takes_over_moves_no_setpoint_at_once() -> None:
    twins = pair("pid", "pid")
    run(twins, 20)
    before = twins.twins["A"].operated.simulator.S.read("v")[0, 0]
    twins.apply(ask.Swap(("A",), "leaning"))
    run(twins)
    after = twins.twins["A"].operated.simulator.S.read("v")[0, 0]
    assert 0.0 < after - before < 0.2
    run(twins, 20)
    assert twins.twins["A"].operated.simulator.S.read("v")[0, 0] == pytest.approx(1.5)


def test_a_controller_that_fails_leaves_the_plant_to_pid_and_says_so() -> None:
    twins = pair("pid", "broken")
    run(twins, 10)
    assert twins.twins["B"].problem == "no answer"
    assert np.array_equal(*history(twins).values())
