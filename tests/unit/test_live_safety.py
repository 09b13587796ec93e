"""Twins behind the shield and under the shell, and what an operator acknowledges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from controller.live import commands as ask
from controller.live import twin
from controller.live.case import Case
from controller.live.commands import TWINS
from controller.live.pair import Pair, history, replayed
from controller.safety.given import given
from controller.safety.state import State
from controller.safety.supervisor import DWELL
from tests.live import BOTH, CASE, Shop, pair, run, short  # noqa: F401 - short is for every test


@pytest.mark.slow
def test_the_shield_keeps_the_limit_that_setpoints_beyond_it_cross_and_is_repeated() -> None:
    case = Case("quadruple_tank", "", 0)
    twins = Pair(case, ("filling", "filling"), Shop(case))
    twins.apply(ask.Shield(("B",), True))
    for loop in twins.plant.masters:
        twins.apply(ask.SetSetpoint(BOTH, loop.tag, loop.high))
    run(twins, 60)
    raised = {name: max(alarm.raised for alarm in twins.alarms[name] if alarm.name.startswith("margin")) for name in TWINS}
    assert raised["A"] > 0
    assert raised["B"] == 0
    assert history(twins)["B"][:, twins.columns.share].min() < 1.0
    again = replayed(case, ("filling", "filling"), Shop(case), twins.log, 60)
    assert np.array_equal(history(twins)["B"], history(again)["B"], equal_nan=True)
    twins.apply(ask.SetMode(("B",), twins.plant.loops[0].tag, "MAN"))
    assert twins.twins["B"].suspended == f"{twins.plant.loops[0].tag} not in CAS"


@pytest.mark.slow
def test_under_the_shell_a_twin_says_who_has_it_and_is_repeated() -> None:
    twins = pair("pid", "leaning")
    assert twins.twins["B"].supervised == ("", "")
    twins.apply(ask.Supervise(("B",), True))
    run(twins)
    assert twins.twins["B"].supervised == ("BACKUP", State().reason)
    modes = set()
    for _ in range(DWELL + 60):
        run(twins)
        modes.add(twins.twins["B"].supervised[0])
    assert modes >= {"BACKUP", "AUTO"}
    again = replayed(CASE, ("pid", "leaning"), Shop(), twins.log, twins.decision)
    assert np.array_equal(history(twins)["B"], history(again)["B"], equal_nan=True)
    twins.apply(ask.Swap(("B",), "broken"))
    run(twins)
    assert twins.twins["B"].supervised[0] == "BACKUP"
    assert "broken off" in twins.twins["B"].supervised[1]
    twins.apply(ask.SetMode(("B",), "TIC-101", "MAN"))
    assert twins.twins["B"].supervised == ("MANUAL", "TIC-101 not in CAS: in the operator's hands")
    twins.apply(ask.Supervise(("B",), False))
    assert twins.twins["B"].supervised == ("", "")


def test_what_was_acknowledged_before_the_shell_is_not_acknowledged_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []

    def listened(*told: Any, request: str) -> Any:
        heard.append(request)
        return given(*told, request=request)

    monkeypatch.setattr(twin, "given", listened)
    twins = pair()
    twins.apply(ask.Acknowledge(("B",)))
    twins.apply(ask.Supervise(("B",), True))
    run(twins)
    twins.apply(ask.Acknowledge(("B",)))
    run(twins, 2)
    assert heard == ["none", "acknowledge", "none"]
