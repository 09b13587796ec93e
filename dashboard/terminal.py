"""What the terminal shows: tables and numbers on standard output, progress on standard error, plain lines without a terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

EVERY = 5.0
"""Seconds between progress lines where there is no terminal."""
FRAMED = 200
"""Rows of a table up to which it has a frame."""


def show_json(value: Any) -> None:
    """Print a value as JSON and nothing else; what is not a number becomes null."""
    from controller.records import plain

    sys.stdout.write(json.dumps(plain(value), indent=1, allow_nan=False) + "\n")


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column names things, the others hold numbers. A long one has no frame: that takes a second."""
    if len(rows) > FRAMED:
        _show_plain(title, [columns, *rows])
        return
    table = Table(title=title, title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _show_plain(title: str, rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))) for row in rows)
    sys.stdout.write("\n".join((title, *lines)) + "\n")


def say(text: str) -> None:
    """Print one line of text."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Print one line beside the result."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def number(value: float) -> str:
    """Return a number with four significant digits."""
    return f"{value:.4g}"


class Bar:
    """A progress bar with the time left and the current score; a line now and then where there is no terminal."""

    def __init__(self, label: str, bar: Progress | None) -> None:
        self._label, self._bar = label, bar
        self._task = bar.add_task(label, total=None, score="") if bar else None
        self._last, self._begun = 0.0, time.monotonic()

    def update(self, done: int, total: int, score: str) -> None:
        """Show how far the work is."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=min(done, total), total=total, score=score)
            return
        now = time.monotonic()
        if now - self._last >= EVERY or done >= total:
            self._last = now
            left = (now - self._begun) * (total - done) / done if done else float("nan")
            ahead = f", {left:.0f} s left" if 0 < done < total else ""
            note(f"{self._label}: {min(done, total)}/{total}{ahead}  {score}")


@contextmanager
def progress(label: str) -> Iterator[Bar]:
    """Show progress on standard error while the block runs."""
    if not sys.stderr.isatty():
        yield Bar(label, None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[score]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Bar(label, bar)
