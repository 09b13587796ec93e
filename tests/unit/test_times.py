"""Lengths of time: the unit in which they read best, and as people write them."""

from __future__ import annotations

import pytest

from dashboard import times


@pytest.mark.parametrize(
    ("length", "unit", "best", "longer"),
    [(90.0, "s", "s", "s"), (600.0, "s", "min", "min"), (2e5, "s", "h", "h"), (7e5, "s", "d", "d"), (1.3, "min", "s", "min"),
     (100.0, "h", "d", "d"), (3.0, "weeks", "weeks", "weeks")],
)  # fmt: skip
def test_a_length_is_told_in_the_unit_in_which_it_reads_best(length: float, unit: str, best: str, longer: str) -> None:
    assert (times.best(length, unit), times.longer(length, unit)) == (best, longer)


def test_a_length_is_the_same_in_every_unit() -> None:
    for unit in times.SECONDS:
        assert 36.0 * times.factor("h", unit) * times.factor(unit, "h") == pytest.approx(36.0)
    assert times.factor("d", "min") == 1440.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("8 h", 28800.0), ("2d", 172800.0), (" 1,5 min ", 90.0), ("40", 40.0), ("−3 s", -3.0), ("1e3", 1000.0), ("1e3 S", 1000.0)],
)
def test_a_length_is_read_with_its_unit_or_without(text: str, seconds: float) -> None:
    assert times.read(text, "s") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "h", "8 parsec", "8 h 3", "inf", "nan", "1e999 h", "8 ħ"])
def test_what_is_no_length_is_none(text: str) -> None:
    assert times.read(text, "s") is None


def test_what_was_typed_stays_with_its_unit() -> None:
    assert (times.written(" 8 h ", "s"), times.written("40", "s")) == ("8 h", "40 s")
