"""What it changes to learn on several scenarios: PPO trained on a plant's first one and on all, judged on every one and variant.

``python -m benchmarks.several --policies FOLDER --out benchmarks/results/several.json`` trains what the folder lacks, with the
plant's own decisions, and judges; ``--table`` prints the table of docs/several_scenarios.md from a result that is there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.provenance import parser
from controller.campaign import FLOOR, PROTOCOLS, Asked, planned
from controller.executor import Workers
from controller.findings import found
from controller.historian import Historian
from controller.provenance import provenance
from controller.records import plain
from controller.source import Source
from controller.standing import Standing
from controller.train import train
from controller.variants import VARIANTS, Variant
from plant_models.catalogue import get
from plant_models.core.files import write_whole

PLANTS = (
    "exothermic_cstr",
    "van_de_vusse_cstr",
    "wafer_furnace",
    "multistage_extraction",
    "ph_neutralization",
    "greenhouse_lettuce",
)
FIRST, ALL = "first", "all"
EVERYDAY = "tracking,disturbance,boundary"
LEARNED = {"exothermic_cstr": (FIRST, EVERYDAY, ALL)}
"""On what the policies of a plant learned, where it is more than its first scenario and all."""


@dataclass(frozen=True)
class Sizes:
    """How much is run: training seeds, decisions (none: the plant's own), held-out episodes, variants."""

    seeds: int = 3
    steps: int | None = None
    episodes: int = 50
    variants: tuple[Variant, ...] = VARIANTS


def measured(name: str, sizes: Sizes, policies: Path, historian: Historian) -> list[dict[str, Any]]:
    """Return a row for each scenario, variant and what the policies learned on."""
    rows = []
    for learned in LEARNED.get(name, (FIRST, ALL)):
        folders = tuple(_trained(name, learned, seed, sizes, policies) for seed in range(sizes.seeds))
        asked = Asked((Source(name),), (FLOOR, "pid", "ppo"), PROTOCOLS, sizes.variants, folders, sizes.episodes, seed=0)
        findings = found(planned(asked, historian), historian.store, 0, workers=Workers(1))
        rows += [_row(learned, each) for each in findings.standings if each.label == "ppo"]
    return rows


def _trained(name: str, learned: str, seed: int, sizes: Sizes, policies: Path) -> Path:
    folder = policies / learned.replace(",", "-") / name / f"seed-{seed}"
    if not folder.exists():
        train(get(name), seed, sizes.steps, "" if learned == FIRST else learned).save(folder)
    return folder


def _row(learned: str, found: Standing) -> dict[str, Any]:
    """Return what is saved against PID, in % of what relative gains are told in, and how often limits were crossed."""
    assert found.saved is not None
    share = {end: 100.0 * value / found.share for end, value in found.saved.as_json().items()}
    where = {"plant": found.case.plant.name, "scenario": found.case.scenario, "variant": found.case.variant}
    return where | {"learned": learned, "seeds": found.policies, "saved": share, "verdict": found.verdict,
                    "violations": found.violations, "trips": found.trips}  # fmt: skip


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows without a variant as a table, and the verdicts over all variants beside them."""
    by = {(row["plant"], row["scenario"], row["variant"], row["learned"]): row for row in rows}
    heads = (
        "| plant | scenario | learned on the first | on all | ahead, unclear, behind: first | all |",
        "|---|---|--:|--:|---|---|",
    )
    lines = [*heads]
    for plant, scenario in dict.fromkeys((row["plant"], row["scenario"]) for row in rows):
        for learned in (each for each in LEARNED.get(plant, (FIRST, ALL)) if each != FIRST):
            cells = [_said(by[plant, scenario, "none", each]) for each in (FIRST, learned)]
            counts = [_counted(rows, plant, scenario, each) for each in (FIRST, learned)]
            named = scenario if learned == ALL else f"{scenario} (all but `unstable`)"
            lines.append(f"| `{plant}` | {named} | {' | '.join((*cells, *counts))} |")
    return "\n".join(lines)


def _said(row: dict[str, Any]) -> str:
    saved = row["saved"]
    return f"{saved['mean']:+.1f} % ({saved['low']:+.1f} to {saved['high']:+.1f})".replace("-", "−")


def _counted(rows: Sequence[dict[str, Any]], plant: str, scenario: str, learned: str) -> str:
    verdicts = [row["verdict"] for row in rows if (row["plant"], row["scenario"], row["learned"]) == (plant, scenario, learned)]
    return ", ".join(str(verdicts.count(each)) for each in ("ahead", "unclear", "behind"))


if __name__ == "__main__":
    parsed = parser(__doc__ or "")
    parsed.add_argument("--policies", type=Path, default=Path("several"), help="folder of the policies")
    parsed.add_argument("--store", help="run store for the cells")
    parsed.add_argument("--table", type=Path, help="result to print as a table, and nothing else")
    options = parsed.parse_args()
    if options.table:
        print(table(json.loads(options.table.read_text())["rows"]))
    else:
        chosen = Sizes(1, 9000, 2, ("none",)) if options.quick else Sizes()
        wanted = options.plants or (PLANTS[:1] if options.quick else PLANTS)
        with Historian(options.store) as historian:
            rows = [row for name in wanted for row in measured(name, chosen, options.policies, historian)]
        result = {"rows": [plain(row) for row in rows]} | provenance()
        if options.out:
            write_whole(options.out, json.dumps(result, indent=1) + "\n")
        print(json.dumps(result, indent=1) if options.json else table(rows))
