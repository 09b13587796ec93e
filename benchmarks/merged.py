"""Join results of one benchmark that were measured plant by plant, or part by part, to one file.

``python -m benchmarks.merged a.json b.json --out benchmarks/results/safety.json``. What a later file says of a plant stands
beside what an earlier one does, or in its place; each plant keeps the commits and the date of what was joined. Nothing stays of
what was measured behind a shield that kept something else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from plant_models.core.errors import InvalidFile, SetpointError
from plant_models.core.files import json_object, read_plain

LARGEST = 20_000_000
SHARED = ("machine", "python", "versions")
WHOLE = ("fuzz", "mutants")
"""What is of no plant: the newest result that has it stands, with its commit and date."""
SHIELD = ("reserve", "margins")
"""What tells one shield from another."""
MEASURED = {
    "episodes": ("counts", "crossings", "held", "interventions"), "nominal": ("nominal",),
    "generations": ("counts", "nominal", "states"), "states": ("states",), "search": ("worst_cases",), "learn": ("learning",),
}  # fmt: skip
"""The entries of a row that each size is of: the size goes where all of these that there were are measured anew in one result."""


def merged(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the plants of all results, and of the last one on what machine and with which versions it was measured."""
    plants: dict[str, Any] = {}
    for result in results:
        for name, row in result["plants"].items():
            before = plants.get(name, {})
            before = {} if any(before.get(key) != row.get(key) for key in SHIELD) else before
            came, date = (row["commits"], row["date"]) if "commits" in row else ([result["commit"]], result["date"])
            commits = [*dict.fromkeys([*before.get("commits", []), *came])]
            plants[name] = _joined(before, row) | {"commits": commits, "date": date}
    whole = {key: {"commit": result.get("commit"), "date": result.get("date")} | result[key]
             for result in results for key in WHOLE if key in result}  # fmt: skip
    return {"plants": dict(sorted(plants.items()))} | whole | {key: results[-1][key] for key in SHARED}


def _joined(before: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """Return one row with the other's entries; what both hold by name is joined likewise, one level down."""
    row = row | _sizes(row, lambda size: any(entry in row for entry in MEASURED[size]))
    before = before | _sizes(before, lambda size: any(entry in before and entry not in row for entry in MEASURED[size]))
    both = {key: before[key] | value for key, value in row.items() if isinstance(value, dict) and key in before}
    return before | row | both


def _sizes(row: dict[str, Any], kept: Callable[[str], bool]) -> dict[str, Any]:
    """Return those of a row's sizes that are kept, as an entry; nothing for a row that has none."""
    return {"sizes": {size: value for size, value in row["sizes"].items() if kept(size)}} if "sizes" in row else {}


def read(path: Path) -> dict[str, Any]:
    """Read a result.

    Raises:
        InvalidFile: for a file that is none.
    """
    found = json_object(path, read_plain(path, LARGEST, InvalidFile, "; give what a benchmark wrote"), InvalidFile)
    for key in ("plants", *SHARED):
        if key not in found:
            raise InvalidFile(path, key, "missing; give what a benchmark wrote with --out")
    return found


def main(arguments: list[str]) -> int:
    """Join the files named; return 2 where one cannot be used."""
    parser = argparse.ArgumentParser(description="Join results of one benchmark.")
    parser.add_argument("results", nargs="+", type=Path, help="JSON files, the newest last")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    given = parser.parse_args(arguments)
    try:
        given.out.write_text(json.dumps(merged([read(path) for path in given.results]), indent=1) + "\n", encoding="utf-8")
    except SetpointError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
