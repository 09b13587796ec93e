"""Write the results table of README.md from the committed results of the controllers' benchmark and of the demonstration.

``python -m benchmarks.readme_table`` rewrites the text between the two markers; ``--check`` only says whether it is current.
It reads ``results/control.json`` (every plant) and ``results/demo.json``: what ``setpoint demo --json`` prints, with ``machine``
and ``commit`` beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README, RESULTS = ROOT / "README.md", ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
PARTS = ("control", "demo")

ORDER = ("constant", "rule", "pid", "ppo")
MEANING = {
    "constant": "best constant setpoint",
    "rule": "published setpoint rule",
    "pid": "tuned PID layer",
    "ppo": "PPO above the PID layer",
}
TRACKING = ("IAE", "overshoot", "settling", "hard-limit violations")
ECONOMIC = ("electricity cost", "discomfort", "electric energy")
GOOD = 0.8
"""The score that counts as good where there is a gap."""

Result = Mapping[str, Any]


def results(folder: Path = RESULTS) -> dict[str, Result]:
    """Return what was measured, by the file's name; empty where there is nothing."""
    paths = {name: folder / f"{name}.json" for name in PARTS}
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items() if path.exists()}


def table(found: Mapping[str, Result]) -> str:
    """Return the text between the markers."""
    parts = []
    if measured := found.get("control", {}).get("plants"):
        parts += [plants_table(measured), shortfalls(measured)]
    if "demo" in found:
        parts += [plant_table(name, result, found["demo"].get("seed", 0)) for name, result in found["demo"]["plants"].items()]
    return "\n\n".join([*parts, provenance(found)])


def plants_table(plants: Mapping[str, Result]) -> str:
    """Return every plant in a row: what PID gains over its floor, and what NMPC and PPO gain over PID."""
    head = ["plant", "PID over floor", "NMPC over PID [%]", "PPO over PID [%]", "score of PPO", "PPO's seeds", "NMPC's episodes",
            "violating episodes PID, PPO [%]", "seconds to a lead", "training [s]", "PPO decides in [us]",
            "NMPC decides in [ms]"]  # fmt: skip
    rows = [[f"`{name}`", *plant_row(result)] for name, result in plants.items()]
    return markdown(head, rows)


def plant_row(result: Result) -> list[str]:
    """Return one plant's numbers."""
    nmpc, ppo, train = result["controllers"].get("nmpc"), result["controllers"]["ppo"], result["train"]
    lead, gap = train["seconds_to_beat_pid"], None if nmpc_behind(result) else result["gap"]
    return [
        f"{difference(result['pid_over_floor'])}{'' if result['unit'] == '1' else ' ' + result['unit']}",
        percent(nmpc["against_pid"]) if nmpc else "-", percent(ppo["against_pid"]), scored(ppo["score"], gap),
        str(train["seeds"]), str(result["episodes"]["nmpc"]),
        ", ".join(f"{violating(result['controllers'][name]):.3g}" for name in ("pid", "ppo")),
        "never" if lead is None else f"{lead:.0f}", f"{train['seconds']:.0f}", f"{ppo['decision_us']['p99']:.0f}",
        f"{1e-3 * nmpc['decision_us']['p99']:.0f}" if nmpc else "-",
    ]  # fmt: skip


def violating(controller: Result) -> float:
    """Return the share of episodes in which a hard limit was crossed, in %."""
    return 100.0 * float(controller["kpis"]["hard-limit violations"])


def scored(score: Mapping[str, float] | None, gap: bool | None) -> str:
    """Return a score with its 95 % interval, or that there is no gap to be scored on, or too little of NMPC to know."""
    if gap is None:
        return "open"
    return "no gap" if score is None else f"{score['iqm']:.2f} [{score['low']:.2f}, {score['high']:.2f}]"


def percent(interval: Mapping[str, float]) -> str:
    """Return shares of what PID gains over its floor in per cent, with their 95 % interval."""
    mean, low, high = (100.0 * interval[key] for key in ("mean", "low", "high"))
    return f"{mean:+.3g} [{low:+.3g}, {high:+.3g}]"


def shortfalls(plants: Mapping[str, Result]) -> str:
    """Say plainly where PPO loses, and where it leaves much of what is possible."""
    ppo = {name: result["controllers"]["ppo"] for name, result in plants.items()}
    loses = [name for name, row in ppo.items() if row["against_pid"]["mean"] < 0.0]
    short = [name for name, row in ppo.items() if name not in loses and row["score"] and row["score"]["iqm"] < GOOD]
    unsure = [name for name, row in ppo.items() if name not in loses and row["against_pid"]["low"] <= 0.0]
    worse = [name for name, result in plants.items() if violating(ppo[name]) > violating(result["controllers"]["pid"])]
    behind = [name for name, result in plants.items() if nmpc_behind(result)]
    gaps = {name: result["gap"] for name, result in plants.items() if name not in behind}
    none, unknown = ([name for name, gap in gaps.items() if gap is value] for value in (False, None))
    lost = f"**NMPC, which the score is measured by, is behind PID** on {listed(behind)}: nothing is known of a gap there. "
    return (
        f"**PPO loses to PID** on {listed(loses)}. **No lead is shown**, the interval holding zero, on {listed(unsure)}. "
        f"**It stays below {GOOD:g} of the way to NMPC** on {listed(short)}. "
        f"**It crosses hard limits more often than PID** on {listed(worse)}. {lost if behind else ''}"
        f"**There is no gap** on {listed(none)}: NMPC does not gain 5 % there. "
        f"**It is open whether there is one** on {listed(unknown)}: NMPC ran on too few episodes."
    )


def nmpc_behind(result: Result) -> bool:
    """Whether NMPC costs more than PID by its whole interval."""
    return "nmpc" in result["controllers"] and bool(result["controllers"]["nmpc"]["against_pid"]["high"] < 0.0)


def listed(names: list[str]) -> str:
    """Return names in words."""
    return ", ".join(f"`{name}`" for name in names) if names else "none of them"


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


def provenance(found: Mapping[str, Result]) -> str:
    """Return on what machines and from which commits the results come."""
    told: dict[str, dict[str, None]] = {}
    for result in found.values():
        for on, commit in _sources(result):
            told.setdefault(machine(on), {})[commit] = None
    return "Measured on " + "; ".join(f"{on}, commit {' and '.join(commits)}" for on, commits in told.items()) + "."


def _sources(result: Result) -> Iterator[tuple[Any, str]]:
    """Yield machine and commit of a result, and those from which rows, or their policies alone, were kept, with their number."""
    yield result["machine"], _short(result["commit"])
    rows, policies = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for name, commit in result.get("kept", {}).items():
        rows[machine(result.get("kept_on", {}).get(name, result["machine"])), _short(commit)] += 1
    rows.pop((machine(result["machine"]), _short(result["commit"])), None)
    for table in result["plants"].values():
        if "policies_of" in table:
            policies[machine(table["policies_on"]), _short(table["policies_of"])] += 1
    yield from ((on, f"{commit} ({_counted(count)})") for (on, commit), count in rows.items())
    yield from ((on, f"{commit} (policies of {_counted(count)})") for (on, commit), count in policies.items())


def _short(commit: Any) -> str:
    return str(commit)[:12]


def _counted(rows: int) -> str:
    return f"{rows} row{'s' if rows > 1 else ''}"


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
