"""What an operator did, in words with units."""

from __future__ import annotations

import math
from typing import Any

import pytest

from controller.live.commands import Acknowledge, Mend, Shelve
from dashboard.live.words import change_words, journal
from plant_models.catalogue import get
from plant_models.core.fault import Bias, Drift, Jammed, Noise, Stiction, Stuck


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Bias("T", -12.0), "bias at TI-101 −12 K"),
        (Drift("T", 0.1), "drift at TI-101 0.1 K/min"),
        (Noise("T", 5.0), "noise at TI-101 5 times"),
        (Stuck("T", math.inf), "stuck at TI-101"),
        (Stiction("T_c", 0.5), "stiction at TV-101 0.5 K"),
        (Jammed("T_c", 2.0), "jammed at TV-101 2 min"),
    ],
)
def test_a_fault_is_told_by_tag_with_its_unit(fault: Any, words: str) -> None:
    assert change_words(get("exothermic_cstr"), fault) == words


@pytest.mark.parametrize(("place", "words"), [("T", "B: fault at TI-101 taken back"), ("T_c", "B: fault at TV-101 taken back")])
def test_what_is_taken_back_is_told_by_tag(place: str, words: str) -> None:
    assert journal(get("exothermic_cstr"), Mend(("B",), place)) == words


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Acknowledge(("A",), "range:c_A"), "A: acknowledged AI-101 out of range"),
        (Acknowledge(("A", "B"), "margin:hot"), "A + B: acknowledged hot"),
        (Acknowledge(("A", "B")), "A + B: acknowledged all alarms"),
        (Shelve(("B",), "range:T", 20), "B: TI-101 out of range shelved"),
        (Shelve(("B",), "stopped", 0), "B: stopped off the shelf"),
    ],
)
def test_an_alarm_is_told_by_what_it_watches(command: Any, words: str) -> None:
    assert journal(get("exothermic_cstr"), command) == words
