"""How well controllers do: on every plant, and on a case that others publish.

``python -m benchmarks.control --json --out benchmarks/results/control.json``. What takes long is kept piece by piece, so that a
run that was cut off goes on where it stopped. ``--plants`` names plants, or ``pcgym_cstr`` for PC-Gym's stirred tank; ``--keep``
takes what is not among them from an earlier report, and with ``--kept-policies`` PPO's rows too, of plants where it has no score.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks import plants
from benchmarks.peers import pcgym_case
from benchmarks.provenance import parser, report
from plant_models.catalogue import names
from plant_models.core.errors import UnknownName, unknown

CASE = "pcgym_cstr"
COMMIT, MACHINE = ("kept", "commit"), ("kept_on", "machine")
"""Where a report says of which commit its parts are, and on what machine: those that were kept, and all others."""


def measure(
    wanted: tuple[str, ...], budget: float, quick: bool = False, earlier: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Measure plants, NMPC for ``budget`` seconds on each, and PC-Gym's case where it is among the names.

    ``earlier`` are plants' tables of which PPO's rows are taken over where no score is asked of them.

    Raises:
        UnknownName: where there is none of that name; the text suggests the nearest.
    """
    known = (*names(), CASE)
    for name in wanted:
        if name not in known:
            raise UnknownName(unknown("plant", name, known))
    ours = plants.Sizes(1, 1, 2, 0.02) if quick else plants.Sizes(budget=budget)
    theirs = pcgym_case.Sizes(1, 4, 0.02) if quick else pcgym_case.Sizes()
    table = plants.measure([name for name in wanted if name != CASE], ours, earlier)
    return {"plants": table} | ({CASE: pcgym_case.pcgym_cstr(theirs)} if CASE in wanted else {})


def together(new: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was measured now and, of an earlier report, the rest; ``kept`` and ``kept_on`` tell its commit and machine."""
    now, before = _parts(new), _parts(earlier)
    every = {name: (before | now)[name] for name in (*names(), CASE) if name in before or name in now}
    kept, kept_on = ({name: _of(earlier, name, *keys) for name in every if name not in now} for keys in (COMMIT, MACHINE))
    case = {CASE: every.pop(CASE)} if CASE in every else {}
    return {"plants": every, **case, "kept": kept, "kept_on": kept_on}


def _of(report: Mapping[str, Any], name: str, kept: str, own: str) -> Any:
    """Return the commit or machine of a part of a report: its own where it was kept from an earlier one."""
    return report.get(kept, {}).get(name, report[own])


def _policies(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report's tables, each with the commit that trained its policies, and the machine."""
    return {
        name: {"policies_of": _of(report, name, *COMMIT), "policies_on": _of(report, name, *MACHINE)} | table
        for name, table in report["plants"].items()
    }


def _parts(report: Mapping[str, Any]) -> dict[str, Any]:
    return {**report["plants"], **({CASE: report[CASE]} if CASE in report else {})}


if __name__ == "__main__":
    parsed = parser(__doc__ or "")
    parsed.add_argument("--keep", type=Path, help="earlier report; what is not measured now is taken from it")
    parsed.add_argument("--kept-policies", action="store_true", help="take PPO's rows from there too, where it has no score")
    parsed.add_argument("--budget", type=float, default=1800.0, help="seconds of NMPC on one plant")
    options = parsed.parse_args()
    try:
        earlier = json.loads(options.keep.read_text()) if options.keep else None
        tables = _policies(earlier) if earlier and options.kept_policies else {}
        found = measure(options.plants or (*names(), CASE), options.budget, options.quick, tables)
        report(together(found, earlier) if earlier else found, options)
    except UnknownName as error:
        print(error, file=sys.stderr)
        sys.exit(2)
