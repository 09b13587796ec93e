"""What adversaries achieved against a plant, as the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dashboard.standings import rounded_percent


class Attacked(NamedTuple):
    """One supervisor's row, as text; shares are in %."""

    supervisor: str
    violating_unshielded: str
    violating: str
    at_most: str
    intervened: str
    uncertified: str
    trips: str
    nearest: str


HEADS = (
    "supervisor",
    "violating, shield off",
    "with it on",
    "at most (95 %)",
    "intervened",
    "uncertified",
    "trips",
    "smallest margin",
)

WORDS = {
    "max": "every command at its upper end",
    "min": "every command at its lower end",
    "bang-bang": "every command from end to end, at the plant's resonance",
    "random": "levels drawn anew at random moments",
    "edge-seeking": "knows the true plant; sends what brings it nearest to a limit",
    "CMA-ES": "sequences of commands fitted to lower the smallest margin",
    "worst cases": "commands, disturbances and parameters, the worst that a search has found",
}
"""What each adversary sends."""


def attacked(row: Mapping[str, Any], number: Callable[[float], str], units: Mapping[str, str]) -> Attacked:
    """Return a supervisor's row; limits are compared as shares of their margins at the nominal point, ``units`` are theirs."""
    near = min(row["smallest"], key=lambda limit: row["smallest"][limit] / row["scales"][limit])
    return Attacked(
        row["supervisor"], str(row["violating_unshielded"]), str(row["violating"]), rounded_percent(row["upper95"]),
        f"{100 * row['interventions']:.1f} %", f"{100 * row['decided']['uncertified']:.2f} %", str(row["trips"]),
        f"{near}: {number(row['smallest'][near])}{_spaced(units.get(near, ''))}",
    )  # fmt: skip


def _spaced(unit: str) -> str:
    return "" if unit in ("", "1", "–") else f" {unit}"
