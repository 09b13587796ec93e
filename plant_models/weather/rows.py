"""Hourly rows of a text file, checked value by value, with the line named in every refusal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plant_models.core.errors import InvalidFile
from plant_models.weather.sun import Array
from plant_models.weather.year import HOURS

LARGEST_FILE = 20_000_000
"""Bytes; a year of hourly weather takes about 2 million."""

LEAP_DAY_HOURS = 24
DAYS_OF_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

Stamp = tuple[int, int, int]
"""Month, day, and the hour 1 to 24 that ends at the stamp."""


@dataclass(frozen=True)
class Field:
    """One column of a file: the series it fills, what the file calls it, its place, range, missing code and offset."""

    name: str
    key: str
    index: int
    low: float
    high: float
    missing: float
    offset: float = 0.0


@dataclass(frozen=True)
class Row:
    """One row: its line in the file, counted from 1, its stamp and its cells."""

    line: int
    stamp: Stamp
    cells: Sequence[str]


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file.

    Raises:
        InvalidFile: where it is missing, not a plain file, not readable, too large, empty or not text.
    """
    if not path.is_file():
        raise InvalidFile(path, "file", "no such file given, the path of a weather file is allowed")
    size = path.stat().st_size
    if not 0 < size <= LARGEST_FILE:
        raise InvalidFile(path, "size", f"{size} bytes given, 1 to {LARGEST_FILE} allowed")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidFile(path, "file", f"not readable ({error.strerror}), a readable file is allowed") from error
    if b"\0" in content:
        raise InvalidFile(path, "file", "binary content given, text is allowed")
    return [_decoded(line) for line in content.removeprefix(b"\xef\xbb\xbf").splitlines()]


def _decoded(line: bytes) -> str:
    """Return the text of a line in UTF-8 or, as in older files, in Latin-1."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def hourly(path: Path, rows: Sequence[Row], fields: Sequence[Field]) -> dict[str, Array]:
    """Return the series of 8760 values by name; the 24 hours of a 29 February are dropped.

    Raises:
        InvalidFile: where rows are missing, out of order, too short, or hold a value that is missing or out of range.
    """
    kept = [row for row in rows if row.stamp[:2] != (2, 29)]
    if len(rows) - len(kept) not in (0, LEAP_DAY_HOURS):
        raise InvalidFile(path, "29 February", f"{len(rows) - len(kept)} hours given, 0 or 24 allowed")
    for row, expected in zip(kept, stamps(), strict=False):
        if row.stamp != expected:
            problem = f"{_stamp(row.stamp)} given, {_stamp(expected)} expected: hours must follow one another from 1 January"
            raise InvalidFile(path, f"line {row.line}, time stamp", problem)
    if len(kept) != HOURS:
        raise InvalidFile(path, "rows", f"{len(rows)} hourly rows given, {HOURS} allowed, or {HOURS + 24} in a leap year")
    return {field.name: np.array([_value(path, row, field) for row in kept]) for field in fields}


def stamps() -> Iterator[Stamp]:
    """Yield the stamps of a year of 365 days in order."""
    for month, days in enumerate(DAYS_OF_MONTH, start=1):
        for day in range(1, days + 1):
            for hour in range(1, 25):
                yield month, day, hour


def number(path: Path, key: str, text: str) -> float:
    """Return a cell as a finite or infinite number, or raise InvalidFile."""
    try:
        return float(text)
    except ValueError:
        raise InvalidFile(path, key, f"{_quoted(text)} given, a number is allowed") from None


def _value(path: Path, row: Row, field: Field) -> float:
    key = f"line {row.line}, {field.key}"
    if len(row.cells) <= field.index:
        raise InvalidFile(path, key, f"{len(row.cells)} columns given, at least {field.index + 1} allowed")
    value = number(path, key, row.cells[field.index])
    if not field.low <= value <= field.high:
        given = f"{value:g}, the code for missing," if value == field.missing else f"{value:g}"
        raise InvalidFile(path, key, f"{given} given, {field.low:g} to {field.high:g} allowed")
    return value + field.offset


def _stamp(stamp: Stamp) -> str:
    month, day, hour = stamp
    return f"month {month} day {day} hour {hour}"


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 20 else text[:20] + "...")
