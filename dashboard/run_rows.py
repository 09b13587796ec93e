"""Runs as rows of a table: each by itself, or the seeds of one configuration together with their 95 % intervals."""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from controller.records import RunRecord
from dashboard.digest import Digest
from dashboard.figures import shown_name
from dashboard.subject import subject
from dashboard.verdict import judged

Row = dict[str, Any]
OF = {"mean": "mean", "lowest": "lowest", "highest": "highest", "last": "last"}
"""What of the episodes' figures may be shown."""
_POINTS = 24  # of a score's course in a cell
_SHOWN = 3  # figures, unless the address names others
_T95 = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110,
        2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045)  # fmt: skip
"""Student's t at 97.5 % for 1 to 29 degrees of freedom."""


def row(run: RunRecord, tags: Sequence[str], digest: Digest, of: str) -> Row:
    """One run; figures are those of the controller that it is about, their mean the one that its result tells."""
    scores = digest.scores(run.id)
    recorded, found = digest.figures(run.id), judged(run)
    figures = {name: getattr(figure, of) for name, figure in recorded.items()} | dict(found.figures if of == "mean" else {})
    saved = {"saved": None} if found.saved is None else dict(zip(("saved", "± saved"), map(_rounded, found.saved), strict=True))
    names = sorted(run.controller.split(","), key=subject(run).__ne__)  # whose figures these are stands first
    return {
        "id": run.id, "status": run.status, "plant": run.plant, "kind": run.kind, "controller": ", ".join(map(shown_name, names)),
        "seed": run.seed, "tags": ", ".join(tags), "best": _finite(run.best), "last": _finite(run.score),
        "worst": min(scores) if scores else None, "course": course(scores), "seconds": round(run.seconds, 1),
        "started": round(run.started), **saved,
        "episodes": found.episodes or max((figure.n for figure in recorded.values()), default=0),
        **{f"kpi {name}": _rounded(value) for name, value in figures.items()},
    }  # fmt: skip


def course(scores: Sequence[float]) -> list[float]:
    """A course of scores thinned to what a cell can show, its last kept."""
    step = max(1, math.ceil(len(scores) / _POINTS))
    return [_rounded(value) for value in [*scores[:-1:step], *scores[-1:]]]


def group_of(run: RunRecord) -> str:
    """What runs share that differ in their seed alone."""
    config = {key: value for key, value in run.config.items() if key != "seed"}
    text = json.dumps([run.kind, run.plant, run.controller, config], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def grouped(runs: Sequence[RunRecord], rows: Sequence[Row]) -> list[Row]:
    """One row a configuration: means over its runs, and under ``± name`` half the 95 % interval."""
    members: dict[str, list[int]] = {}
    for k, run in enumerate(runs):
        members.setdefault(group_of(run), []).append(k)
    return [_together(group, [rows[k] for k in places]) for group, places in members.items()]


def figure_names(rows: Sequence[Row]) -> list[str]:
    """The figures that rows have, those that most of them have first."""
    counts = Counter(key.removeprefix("kpi ") for one in rows for key in one if key.startswith("kpi "))
    return [name for name, _ in counts.most_common()]


def shown_figures(names: Sequence[str], wanted: str) -> list[str]:
    """The figures that an address names, else the commonest."""
    chosen = [name for name in map(unquote, wanted.split(",")) if name in names]
    return chosen or list(names[:_SHOWN])


def in_address(name: str) -> str:
    """A figure's name as one of several with commas between."""
    return name.replace("%", "%25").replace(",", "%2C")


def units(digest: Digest, plants: Sequence[str]) -> dict[str, dict[str, str]]:
    """The units of the plants' figures."""
    return {plant: dict(digest.units(plant)) for plant in plants}


def _together(group: str, rows: Sequence[Row]) -> Row:
    first = rows[0]
    same = {key: first[key] if all(one[key] == first[key] for one in rows) else "several" for key in ("status", "tags")}
    numbers = dict.fromkeys(
        key for one in rows for key in one if key in ("best", "last", "worst", "saved") or key.startswith("kpi ")
    )
    row: Row = {key: first[key] for key in ("plant", "kind", "controller", "course")} | same
    row |= {
        "id": group,
        "runs": len(rows),
        "seed": len({one["seed"] for one in rows}),
        "started": max(r["started"] for r in rows),
    }
    row |= {
        "seconds": sum(one["seconds"] for one in rows),
        "episodes": sum(one["episodes"] for one in rows),
        "first": first["id"],
    }
    for key in numbers:
        row[key], row[f"± {key}"] = mean_and_half([one[key] for one in rows if one.get(key) is not None])
    return row if len(rows) > 1 else row | {key: value for key, value in first.items() if key.startswith("± ")}


def mean_and_half(values: Sequence[float]) -> tuple[float | None, float | None]:
    """The mean and half of Student's 95 % interval; None where there are too few values."""
    n = len(values)
    if not n:
        return None, None
    mean = statistics.fmean(values)
    if n == 1:
        return _rounded(mean), None
    factor = _T95[n - 2] if n - 2 < len(_T95) else 1.96 + 2.4 / (n - 1)
    return _rounded(mean), _rounded(factor * statistics.stdev(values) / math.sqrt(n))


def _finite(value: float) -> float | None:
    return _rounded(value) if math.isfinite(value) else None


def _rounded(value: float) -> float:
    """Six figures, which is more than a cell shows and half of what a float takes to send."""
    return float(f"{value:.6g}")
