"""How fast learning is on every plant: a table made from the committed results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dashboard.report import pipes

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "training.json"
SHARE, RATIO = 0.85, 25.0
"""What is aimed at: the share of the rate on a free environment, and the ratio to SB3's defaults."""
HEADS = ("plant", "against", "decisions/s", "share of a free environment", "quartiles", "ratio to SB3's defaults", "goals met")


def measured() -> dict[str, dict[str, Any]]:
    """Return the committed rows by plant."""
    found: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))["plants"]
    return found


def table() -> str:
    """Return every plant's row, the largest share first."""
    rows = sorted(measured().items(), key=lambda row: -row[1]["share_of_free_env"])
    return pipes(HEADS, [_line(name, row) for name, row in rows]) + "\n"


def _line(name: str, row: dict[str, Any]) -> tuple[str, ...]:
    share, ratio, (low, high) = row["share_of_free_env"], row["ratio_to_defaults"], row["share_quartiles"]
    met = [goal for goal, holds in (("share", share >= SHARE), ("ratio", ratio >= RATIO)) if holds]
    figures = f"{row['steps_per_s']:,.0f}", f"{share:.2f}", f"{low:.2f} to {high:.2f}", f"{ratio:.1f}"
    return f"`{name}`", row["against"] or "–", *figures, ", ".join(met) or "–"


def tables() -> dict[str, str]:
    """Return the file that docs/benchmarks.md includes."""
    return {"training.txt": table()}
