"""What the shield keeps of each plant, held against its goals: tables and sections made from the committed results."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from controller.safety.stress import ADVERSARIES
from controller.safety.trial import hard
from controller.statistics import upper95
from dashboard.report import worded
from dashboard.standings import rounded_percent
from plant_models.catalogue import get, usable

HERE = Path(__file__).resolve().parent
RESULTS, REASONS = HERE.parent / "benchmarks" / "results", HERE / "safety_reasons.toml"
FEW_STATES, FAST = 4, 500.0
"""States up to which a decision has to be taken within so many microseconds; with more, within 1 % of its interval."""
EPISODES, TIMID, DEAR, MEDDLING, HALF = 3000, 0.15, 1.25, 0.10, 0.50

TIMES = ("p50_us", "p99_us", "p99_once_us")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Goal:
    """One goal: what is asked, what was measured, and whether it is met; None where it is only told. ``key`` names its reason."""

    key: str
    asked: str
    figure: str
    met: bool | None


@cache
def committed() -> dict[str, Any]:
    """Return the committed results."""
    found: dict[str, Any] = json.loads((RESULTS / "safety.json").read_text(encoding="utf-8"))
    return found


def measured() -> dict[str, Row]:
    """Return the committed rows by plant."""
    found: dict[str, Row] = committed()["plants"]
    return found


@cache
def controllers() -> dict[str, Any]:
    """Return the committed rows of the controllers' benchmark by plant."""
    found: dict[str, Any] = json.loads((RESULTS / "control.json").read_text(encoding="utf-8"))["plants"]
    return found


@cache
def reasons() -> dict[str, dict[str, str]]:
    """Return why plants miss goals, by plant and goal; what is true of ``any`` plant stands there."""
    found: dict[str, dict[str, str]] = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    return found


def reason(name: str, key: str) -> str:
    """Return why a plant misses a goal; empty where nothing is known."""
    return reasons().get(name, {}).get(key, reasons()["any"].get(key, ""))


def having() -> tuple[str, ...]:
    """Return the plants that have hard limits."""
    return tuple(name for name in usable() if hard(get(name)).any())


def goals(name: str, row: Row) -> Iterator[Goal]:
    """Hold one plant's row against the goals, as far as it was measured."""
    yield from _kept(row)
    if "nominal" in row:
        steps = f"{row['nominal']['steps']:,} decisions of the nominal plant, all adversaries"
        yield _none("nominal", row["nominal"]["violating"], steps)
    if "states" in row:
        certified = row["states"]["certified"]
        bound = rounded_percent(upper95(row["false_safe"], certified))
        yield _none("false_safe", row["false_safe"], f"{certified:,} states certified, by CVODES: at most {bound} (95 %)")
        share, refused, n = row["false_unsafe"], row["states"]["false_unsafe"], row["states"]["states"]
        told = f"{100 * share:.1f} % of {n:,} states: at most {rounded_percent(upper95(refused, n))} (95 %)"
        yield Goal("false_unsafe", f"at most {100 * TIMID:.0f} % refused in vain", told, share <= TIMID)
    if "worst_cases" in row:
        yield _searched(row["worst_cases"])
    if "p99_us" in row:
        yield _fast(name, row)
    yield from _learned(name, row)


def _none(key: str, count: int, of: str) -> Goal:
    asked = {"nominal": "no violation", "false_safe": "no certificate in vain", "training": "no violation while learning"}[key]
    return Goal(key, asked, f"{count:,} in {of}", count == 0)


def _kept(row: Row) -> Iterator[Goal]:
    """Hold the adversaries' rows, and the policy's, against the bound."""
    rows = row.get("adversaries", {})
    if set(ADVERSARIES) <= set(rows):
        share = max(rows[each]["violating_unshielded"] / rows[each]["episodes"] for each in ADVERSARIES)
        worst = f"{100 * share:.0f} % of the worst one's"
        yield Goal("counts", "without the shield an adversary violates in half of its episodes", worst, bool(row["counts"]))
    for each, found in rows.items():
        figure = f"{found['violating']} of {found['episodes']:,}, at most {rounded_percent(found['upper95'])} (95 %)"
        met = found["violating"] == 0 and found["episodes"] >= EPISODES
        yield Goal("violating" if found["violating"] else "few", f"`{each}`: no violation in {EPISODES:,} episodes", figure, met)


def _searched(found: Row) -> Goal:
    worst = f"{found['violating']} of the worst {found['episodes']} end beyond a limit, {found['tried']:,} tried"
    return Goal("worst", "worst cases that a search finds: told", worst, None)


def _fast(name: str, row: Row) -> Goal:
    times = {key: f"{1e-3 * row[key]:.2f} ms" for key in TIMES if key in row}
    whole = f", the least of five passes, {times['p99_once_us']} over all of them" if "p99_once_us" in times else " in one pass"
    p99 = f"{times['p99_us']}{whole} (p50 {times['p50_us']})"
    if len(get(name).State.names()) <= FEW_STATES:
        return Goal("p99", f"a decision in {1e-3 * FAST:g} ms, p99", p99, row["p99_us"] <= FAST)
    share = row["p99_of_interval"]
    return Goal("p99", "a decision in 1 % of its interval, p99", f"{p99}, {100 * share:.2g} %", share <= 0.01)


def _learned(name: str, row: Row) -> Iterator[Goal]:
    if "learning" not in row:
        return
    learning, share = row["learning"], row["training_share"]
    yield _none("training", row["training_violations"], f"{learning['steps']:,} decisions of learning")
    asked = f"at most {100 * HALF:.0f} % of learning" if name == "exothermic_cstr" else "told"
    met = share <= HALF if name == "exothermic_cstr" else None
    yield Goal("share", f"the shield's share of the processor time: {asked}", f"{100 * share:.0f} %", met)
    price, learned = row["price"], row["sizes"].get("learn", 1.0)
    after = f", learned in {100 * learned:.0f} % of the usual decisions" if learned < 1.0 else ""
    yield Goal("price", f"price of the shield for PPO at most {DEAR:g}", f"{price:.3f}{after}", price <= DEAR)
    done = row["interventions"]["ppo"]
    changed = f"at most {100 * MEDDLING:.0f} % of the policy's moves changed"
    yield Goal("interventions", changed, rounded_percent(done), done <= MEDDLING)
    ahead, gap = learning["against_pid"], controllers().get(name, {}).get("gap")
    unit = "" if learning["unit"] == "1" else f" {learning['unit']}"
    figure = f"{ahead['mean']:+.3g} [{ahead['low']:+.3g}, {ahead['high']:+.3g}]{unit} in {learning['episodes']} episodes"
    asked = "ahead of PID behind the same shield" if gap else "no worse than PID behind the same shield"
    yield Goal("against_pid", asked, figure, ahead["low"] > 0.0 if gap else ahead["high"] >= 0.0)


def section(name: str) -> str:
    """Return the section of a plant's page; empty for a plant without hard limits."""
    if name not in having():
        return ""
    row = measured().get(name)
    if row is None:
        told = " ".join(filter(None, ["Not measured behind the shield yet.", _bare(name), _safe_action(name)]))
        return f"## Safety\n\n{told}\n\n{_command(name, {})}"
    found = list(goals(name, row))
    lines = [[goal.asked, goal.figure, {True: "met", False: "missed", None: ""}[goal.met]] for goal in found]
    missed = {goal.key: goal.asked for goal in reversed(found) if goal.met is False}
    why = "\n".join(f"- *{asked}*: {reason(name, key)}" for key, asked in reversed(missed.items()))
    about = "Behind the shield, on held-out episodes; see [Safety](../../safety.md)."
    parts = ["## Safety", about, worded(("goal", "measured", ""), lines), f"Missed, and why:\n\n{why}" if why else "",
             _crossed(row), _safe_action(name), _open(row), _command(name, row)]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def _bare(name: str) -> str:
    """Return how often controllers cross a hard limit where there is no shield; empty for a plant of a user."""
    row = controllers().get(name)
    if row is None:
        return ""
    crossed = [100.0 * row["controllers"][each]["kpis"]["hard-limit violations"] for each in ("pid", "ppo")]
    shares = "the PID layer crosses a hard limit in {:.3g} %, PPO in {:.3g} %".format(*crossed)
    return f"Without it {shares} of {row['episodes']['all']} held-out episodes ([](../../controllers.md))."


def _crossed(row: Row) -> str:
    """Return what stood behind the limits that were crossed with the shield."""
    stood = [_stood(name, found) for name, found in row.get("crossings", {}).items() if found["each"]]
    held = row.get("held", {"violating": 0})
    if held["violating"]:
        crossed = f"crosses a hard limit in {held['violating']} of {held['episodes']:,} episodes"
        stood.append(f"What the hierarchy sends first, held to the end with neither adversary nor shield, {crossed}.")
    return "\n\n".join(stood)


def _stood(name: str, found: Row) -> str:
    limits = ", ".join(dict.fromkeys(f"*{each['limit']}*" for each in found["each"]))
    alone = sorted(each["uncertified"] for each in found["each"] if each["uncertified"])
    kinds = [f"{found['certified']} of them first in a decision that was certified"]
    if alone:
        kinds += [f"{len(alone)} in one that was not, the last of {alone[0]} to {alone[-1]} such in a row"]
    return f"`{name}` crossed {limits} in {len(found['each'])} of {found['episodes']:,} episodes: {', '.join(kinds)}."


OPEN = {
    "adversaries": "adversaries", "nominal": "the nominal plant", "states": "certificates and refusals in vain",
    "p99_us": "the time of a decision", "pid": "how much of what the PID layer does is changed", "worst_cases": "worst cases",
    "learning": "learning behind the shield",
}  # fmt: skip
"""What makes up a row, in words."""


def _open(row: Row) -> str:
    """Return what of a row has not been measured."""
    there = {*row, *row.get("interventions", {})}
    missing = [words for key, words in OPEN.items() if key not in there]
    return f"Not measured on this plant: {', '.join(missing)}." if missing else ""


def _safe_action(name: str) -> str:
    return reasons().get(name, {}).get("safe_action", "")


def _command(name: str, row: Row) -> str:
    smaller = "".join(f" --{option} {value:g}" for option, value in row.get("sizes", {}).items())
    command = f"python -m benchmarks.safety --json --plants {name}{smaller}"
    return f"To repeat these figures: `{command}`" + (f", measured at commit {', '.join(row['commits'])}." if row else ".")


def kept_table() -> str:
    """Return every plant's violating episodes without the shield and with it."""
    heads = ("plant", "episodes", *ADVERSARIES, "PPO", "worst cases", "nominal plant", "uncertified, at most", "tells")
    return worded(heads, [_kept_line(name, row) for name, row in measured().items() if "counts" in row])


def _kept_line(name: str, row: Row) -> list[str]:
    rows = row["adversaries"]
    worst = max(rows[each]["decided"]["uncertified"] for each in ADVERSARIES)
    pairs = [_pair(rows[each]) if each in rows else "" for each in (*ADVERSARIES, "ppo")]
    nominal = f"{row['nominal']['violating']} in {row['nominal']['steps']:,}" if "nominal" in row else ""
    found, tells = row.get("worst_cases"), "yes" if row["counts"] else "no"
    searched = f"{_pair(found)} of {found['episodes']} ({found['tried']:,} tried)" if found else ""
    return [_linked(name), f"{rows['max']['episodes']:,}", *pairs, searched, nominal, rounded_percent(worst), tells]


def _pair(found: Row) -> str:
    on = str(found["violating"])
    return f"{found['violating_unshielded']}, {on if on == '0' else f'**{on}**'}"


def cost_table() -> str:
    """Return every plant's false verdicts, times, and what learning behind the shield brings and costs."""
    heads = ("plant", "certified in vain", "refused in vain", "p50, p99, p99 over all passes [ms]", "violations in learning",
             "share of learning", "price", "moves changed", "ahead of PID, both shielded", "goals missed")  # fmt: skip
    return worded(heads, [_cost_line(name, row) for name, row in measured().items()])


def _cost_line(name: str, row: Row) -> list[str]:
    states, learning, brought = row.get("states"), row.get("learning"), [""] * 3
    seen = ["", ""]
    if states:
        refused = f"{100 * row['false_unsafe']:.0f} % of {states['states']:,}"
        seen = [f"{row['false_safe']} of {states['certified']:,}", refused]
    times = [f"{1e-3 * row[key]:.2f}" for key in TIMES if key in row]
    if learning:
        violations = f"{row['training_violations']:,} in {learning['steps']:,}"
        brought = [violations, f"{100 * row['training_share']:.0f} %", f"{row['price']:.3f}"]
    done = row.get("interventions", {})
    both = {"PPO": done.get("ppo"), "PID": done.get("pid", {}).get("share")}
    shares = ", ".join(f"{who} {rounded_percent(share)}" for who, share in both.items() if share is not None)
    ahead = "{mean:+.3g} [{low:+.3g}, {high:+.3g}]".format(**learning["against_pid"]) if learning else ""
    missed = sum(goal.met is False for goal in goals(name, row))
    return [_linked(name), *seen, ", ".join(times), *brought, shares, ahead, str(missed)]


def _linked(name: str) -> str:
    return f"[`{name}`](plants/_generated/{name}.md)"


def tables() -> dict[str, str]:
    """Return the files that docs/safety.md includes."""
    missing = ", ".join(f"`{name}`" for name in having() if "counts" not in measured().get(name, {}))
    open_ = f"\n\nNot measured yet: {missing}." if missing else ""
    tables = {"kept": kept_table() + open_, "cost": cost_table(), "tried": tried_table()}
    return {f"safety_{name}.txt": table + "\n" for name, table in tables.items()}


def tried_table() -> str:
    """Return what came of fuzzed decisions and calls, and of the mutants of each module."""
    fuzz, mutants = committed()["fuzz"], committed()["mutants"]
    rows = [_fuzzed_line(fuzz), _limited_line(fuzz["limiter"]), _mutants_line(mutants)]
    again = "To repeat this: `python -m benchmarks.safety --json --parts fuzz,mutants`"
    return f"{worded(('what', 'tried', 'measured'), rows)}\n\n{again}, measured at commit {_commits('fuzz', 'mutants')}."


def _fuzzed_line(fuzz: Row) -> list[str]:
    modes = ", ".join(f"{mode} {count:,}" for mode, count in sorted(fuzz["modes"].items()))
    wrong = {"not_finite": "commands not finite", "out_of_bounds": "out of bounds", "too_fast": "inputs moved too fast"}
    measured = ", ".join(f"{fuzz[key]} {what}" for key, what in (*wrong.items(), ("raised", "errors")))
    return ["decisions of the shell", f"{fuzz['decisions']:,}, {fuzz['fuzzed']:,} of them fuzzed ({modes})", measured]


def _limited_line(limiter: Row) -> list[str]:
    tried = f"{limiter['calls']:,}, {limiter['refused']:,} of them refused as no command"
    return ["calls of the limiter", tried, f"{limiter['broken']} not finite, out of bounds or beyond the rate"]


def _mutants_line(mutants: Row) -> list[str]:
    of = ", ".join(f"{count} of `{Path(module).name}`" for module, count in mutants["modules"].items())
    measured = f"{mutants['killed']} killed, {len(mutants['equivalent'])} equivalent, {len(mutants['survivors'])} survived"
    return ["mutants", f"{mutants['made']}: {of}", f"{measured}, {mutants['not_run']} not run"]


def _commits(*parts: str) -> str:
    return ", ".join(dict.fromkeys(committed()[part]["commit"] for part in parts))
