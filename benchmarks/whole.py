"""The whole benchmark: every plant, protocol and variant, and the page of the documentation that tells it.

``python -m benchmarks.whole --out benchmarks/results/whole.json --page docs/results.md --report whole.html``. Policies are those
of the completed trainings in the user's store, with every plant's own steps, and PPO's those that ``benchmarks.control`` trained,
where it did. NMPC is what ``benchmarks.control`` has kept of it, by the text of its modules now, or at ``--nmpc-of COMMIT`` where
no batch is run, and for ``--nmpc SECONDS`` each what it does on the first episodes of every other scenario, no variant. Cells are
kept in the user's store: a run that was cut off goes on.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.plants import Sizes, policy
from benchmarks.provenance import parser
from benchmarks.whole_nmpc import carry, searched
from benchmarks.whole_page import LATE, page
from controller.campaign import FLOOR, PROTOCOLS, Asked, Plan, planned
from controller.cell import Cell
from controller.executor import Workers
from controller.findings import Findings, found, telling
from controller.historian import Historian
from controller.kept import key, known, outcomes
from controller.methods import Method
from controller.records import RunRecord, plain
from controller.source import Source
from controller.store import Store, runs_folder
from controller.variants import SHIELDED, VARIANTS, Variant
from dashboard import terminal
from dashboard.report import write
from plant_models.catalogue import get, names
from plant_models.core.duty import Batch
from plant_models.core.files import write_whole

LEARNERS = ("ppo", "a2c", "trpo", "sac", "reinforce")
SIZES = Sizes()


def policies(historian: Historian, plants: Sequence[str]) -> dict[tuple[str, str, int], Path]:
    """Return the policy, trained as the plant declares it, of every plant, algorithm and training seed.

    The newest in the store, and PPO's that ``benchmarks.control`` trained in place of the store's.
    """
    newest: dict[tuple[str, str, int], Path] = {}
    for run in historian.runs(kind="train", status="completed"):
        if run.plant in plants and _as_declared(run):
            newest.setdefault((run.plant, run.controller, run.seed), runs_folder() / run.id / "policy")
    of_control = {(name, "ppo", seed): policy(name, seed, SIZES) for name in plants for seed in range(SIZES.of(name))}
    either = newest | {which: folder for which, folder in of_control.items() if folder is not None}
    return {which: folder for which, folder in sorted(either.items()) if folder.is_dir()}


def _as_declared(run: RunRecord) -> bool:
    config, plant, method = run.config, get(run.plant), Method(algorithm=run.controller)  # type: ignore[arg-type]
    method = method.of(plant.learning)
    usual = {"total_steps": method.steps(plant.learning), "scenario": plant.scenario().name} | method.recorded()
    return all(config.get(key) == value for key, value in usual.items()) and "safety" not in config


def within(plan: Plan, store: Store, seconds: float) -> Plan:
    """Compute cells case by case for so many seconds, those first that share the plant's own kernel, and leave out the rest."""
    cases: dict[tuple[Source, Variant], list[Cell]] = {}
    for cell in plan.cells:
        cases.setdefault((cell.source, cell.variant), []).append(cell)
    order = sorted(cases, key=lambda case: case[1] not in SHIELDED)  # sorting keeps the order of plants
    begun, left_out = time.monotonic(), list[str]()
    done: set[Cell] = set()
    for case in order:
        if time.monotonic() - begun > seconds and len(known(store, {cell: key(cell) for cell in cases[case]})) < len(cases[case]):
            left_out.append(f"{case[0].name}, {case[0].scenario}: variant {case[1]!r} left out, {LATE}")
            continue
        done |= {cell for cell, *_ in outcomes(store, cases[case], workers=Workers(1))}
        print(f"{time.monotonic() - begun:.0f} s: {case[0].name}, {case[0].scenario}, {case[1]}", file=sys.stderr)
    return Plan(tuple(cell for cell in plan.cells if cell in done), (*plan.notes, *left_out))


def measure(
    store: str | None, plants: Sequence[str], episodes: int, commit: str, report: Path | None, seconds: float, nmpc: float
) -> Findings:
    """Run what is not kept, and write the report where one is asked for."""
    with Historian(store) as historian:
        for name in plants:
            carry(historian.store, get(name), "" if isinstance(get(name).duty, Batch) else commit)
        searched(historian.store, plants, episodes, nmpc)
        sources = tuple(Source(name) for name in plants)
        kept_policies = policies(historian, plants)
        learners = [name for name in LEARNERS if name in {algorithm for _, algorithm, _ in kept_policies}]
        folders = tuple(kept_policies.values())
        asked = Asked(sources, (FLOOR, "pid", *learners), PROTOCOLS, VARIANTS, folders, episodes, seed=0)
        plan = within(planned(asked, historian), historian.store, seconds)
        with terminal.progress("whole benchmark") as bar:
            findings = found(plan, historian.store, 0, workers=Workers(1), report=bar.update)
    if report:
        write(report, findings, list(telling(findings)))
    return findings


def summary(findings: Findings) -> dict[str, Any]:
    """Return what is committed: every row without its figures and commands, which the store and the command line give."""
    left_out = ("kpis", "units", "commands")
    rows = [{key: v for key, v in each.as_json().items() if key not in left_out} for each in findings.standings]
    by_plant = {name: {o.label: o.as_json() for o in part.overall} for name, part in findings.by_plant().items()}
    trades = {each.title: each.as_json() for each in findings.trades}
    return {"overall": {each.label: each.as_json() for each in findings.overall}, "by_plant": by_plant, "standings": rows,
            "trades": trades, "provenance": findings.provenance()}  # fmt: skip


if __name__ == "__main__":
    parsed = parser(__doc__ or "")
    parsed.add_argument("--store", help="run store with the policies, and for the cells")
    parsed.add_argument("--episodes", type=int, default=50)
    parsed.add_argument("--seconds", type=float, default=float("inf"), help="after which no further case is begun")
    parsed.add_argument("--nmpc", type=float, default=0.0, help="seconds of it on each scenario after which no episode is begun")
    parsed.add_argument("--nmpc-of", default="", help="commit whose pieces of NMPC are taken")
    parsed.add_argument("--page", type=Path, help="page of the documentation to write")
    parsed.add_argument("--report", type=Path, help="report to write, HTML")
    options = parsed.parse_args()
    wanted = options.plants or (("exothermic_cstr",) if options.quick else names())
    done = measure(
        options.store, wanted, 2 if options.quick else options.episodes, options.nmpc_of, options.report, options.seconds,
        options.nmpc,
    )  # fmt: skip
    result = plain(summary(done))
    if options.out:
        write_whole(options.out, json.dumps(result, indent=1) + "\n")
    if options.page:
        write_whole(options.page, page(done))
    print(json.dumps(result, indent=1) if options.json else "\n".join(done.notes))
