"""Write the results table of README.md from the committed results of the demonstration.

``python -m benchmarks.readme_table`` rewrites the text between the two markers; ``--check`` only says whether it is current.
It reads ``results/demo.json`` and, for other seeds, ``results/demo_seed<N>.json``: what ``setpoint demo --json`` prints, with
``machine`` and ``commit`` beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README, RESULTS = ROOT / "README.md", ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
NONE_YET = "Not measured yet: `benchmarks/results/demo.json` is missing."

ORDER = ("constant", "rule", "pid", "ppo")
MEANING = {
    "constant": "best constant setpoint",
    "rule": "published setpoint rule",
    "pid": "tuned PID layer",
    "ppo": "PPO above the PID layer",
}
TRACKING = ("IAE", "overshoot", "settling", "hard-limit violations")
ECONOMIC = ("electricity cost", "discomfort", "electric energy")

Result = Mapping[str, Any]


def results(folder: Path = RESULTS) -> dict[int, Result]:
    """Return the demonstration's results by seed; empty where there are none.

    Raises:
        ValueError: where two files hold the same seed.
    """
    found: dict[int, Result] = {}
    for path in sorted(folder.glob("demo*.json")):
        named = re.fullmatch(r"demo(?:_seed(\d+))?", path.stem)
        if named is None:
            continue
        result = json.loads(path.read_text(encoding="utf-8"))
        seed = int(named[1] or result.get("seed", 0))
        if seed in found:
            raise ValueError(f"{path}: seed {seed} is there twice; remove one of the files")
        found[seed] = result
    return dict(sorted(found.items()))


def table(found: Mapping[int, Result]) -> str:
    """Return the text between the markers."""
    if not found:
        return NONE_YET
    first = min(found)
    parts = [plant_table(name, result, first) for name, result in found[first]["plants"].items()]
    if len(found) > 1:
        parts.append(seed_table(found))
    return "\n\n".join([*parts, provenance(found)])


def plant_table(name: str, result: Result, seed: int) -> str:
    """Return one plant's controllers side by side."""
    units = result["units"]
    columns = [kpi for kpi in (TRACKING if "IAE" in units else ECONOMIC) if kpi in units]
    head = ["controller", headed("cost", units["cost"]), *(headed(kpi, units[kpi]) for kpi in columns),
            f"saved against pid{bracketed(units['cost'])}"]  # fmt: skip
    rows = [
        [f"`{controller}`: {MEANING[controller]}", number(result[controller]["cost"]),
         *(number(result[controller][kpi]) for kpi in columns), difference(result["differences_to_pid"].get(controller))]
        for controller in ORDER if controller in result
    ]  # fmt: skip
    about = (
        f"**`{name}`**, scenario `{result['scenario']}`, mean of {result['episodes']} held-out episodes "
        f"(violations: episodes of {result['episodes']}); PPO trained on {result['train_steps']:,} decisions in "
        f"{result['train_seconds']:.0f} s, seed {seed}"
    )
    return about + "\n\n" + markdown(head, rows)


def seed_table(found: Mapping[int, Result]) -> str:
    """Return every seed's PPO against PID; a seed draws its own training and its own held-out episodes."""
    head = [
        "plant",
        "seed",
        "PID cost",
        "PPO cost",
        "saved",
        "discomfort PID, PPO",
        "hard-limit violations PID, PPO",
        "training [s]",
    ]
    return "**Every seed** (training and held-out episodes both new)\n\n" + markdown(head, list(seed_rows(found)))


def seed_rows(found: Mapping[int, Result]) -> Iterator[list[str]]:
    """Yield the rows of the table by seed, plant by plant."""
    for name in found[min(found)]["plants"]:
        for seed, whole in found.items():
            result = whole["plants"][name]
            unit = result["units"]["cost"].removesuffix("1")
            yield [
                f"`{name}`", str(seed), *(f"{number(result[c]['cost'])} {unit}".strip() for c in ("pid", "ppo")),
                f"{difference(result['paired_difference'])} {unit}".strip(),
                both(result, "discomfort"), both(result, "hard-limit violations"), f"{result['train_seconds']:.0f}",
            ]  # fmt: skip


def both(result: Result, kpi: str) -> str:
    """Return PID's and PPO's figure, or a dash where the plant has none of that name."""
    if kpi not in result["units"]:
        return "-"
    unit = "" if result["units"][kpi] == "episodes" else f" {result['units'][kpi]}"
    return f"{number(result['pid'][kpi])}, {number(result['ppo'][kpi])}{unit}"


def provenance(found: Mapping[int, Result]) -> str:
    """Return on what machine and from which commit the results come."""
    sources = {f"{machine(result['machine'])}, commit {str(result['commit'])[:12]}" for result in found.values()}
    return "Measured on " + "; ".join(sorted(sources)) + "."


def machine(given: Any) -> str:
    """Return a machine in words."""
    return f"{given['cpu']}, {given['cores']} cores" if isinstance(given, Mapping) else str(given)


def difference(interval: Mapping[str, float] | None) -> str:
    """Return a paired difference with its 95 % interval; a dash for the PID layer itself."""
    return "-" if interval is None else f"{interval['mean']:+.3g} [{interval['low']:+.3g}, {interval['high']:+.3g}]"


def headed(kpi: str, unit: str) -> str:
    """Return a column's head with its unit."""
    return kpi + bracketed(unit)


def bracketed(unit: str) -> str:
    """Return a unit in brackets; nothing for a plain number."""
    return "" if unit == "1" else f" [{unit}]"


def number(value: float | None) -> str:
    """Return a number with four significant digits, an exponent only outside 1e-4 to 1e4."""
    return "-" if value is None else f"{value:.4g}"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table; the first column names things, the others hold numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def inserted(readme: str, text: str) -> str:
    """Return the README with this text between its markers.

    Raises:
        ValueError: where a marker is missing.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md: the markers {BEGIN} and {END} must both be there")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Rewrite README.md, or with ``--check`` return 1 where it is not current."""
    parser = argparse.ArgumentParser(description="Write the results table of README.md.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where the table is not current")
    check = parser.parse_args(arguments).check
    old = README.read_text(encoding="utf-8")
    new = inserted(old, table(results()))
    if check:
        return int(new != old)
    temporary = README.with_suffix(".part")
    temporary.write_text(new, encoding="utf-8")
    os.replace(temporary, README)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
