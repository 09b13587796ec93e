"""A recorded benchmark as a matrix: cases down, controllers across, in each place the gain over PID with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.records import RunRecord

Row = Mapping[str, Any]
"""One controller in one case, as ``Standing.as_json`` says it."""
KEYS = ("plant", "protocol", "variant")
"""What cases are filtered by."""


@dataclass(frozen=True)
class Case:
    """What controllers are compared on."""

    plant: str
    scenario: str
    variant: str
    protocol: str

    @property
    def name(self) -> str:
        """The case as an address names it."""
        return f"{self.plant}/{self.scenario}/{self.variant}"

    @property
    def words(self) -> str:
        """Scenario, protocol and variant as people read them."""
        parts = dict.fromkeys((self.scenario, self.protocol, self.variant))
        return " · ".join(part for part in parts if part and part != "none")


@dataclass(frozen=True)
class Gain:
    """A gain over PID in relative terms, in %, with its 95 % interval and what that says: ahead, level or behind."""

    mean: float
    low: float
    high: float
    verdict: str


def rows(run: RunRecord) -> list[Row]:
    """Every controller in every case of a run; a comparison on one plant is a benchmark of one case."""
    standings = run.result.get("standings")
    return list(standings) if standings else _compared(run)


def _compared(run: RunRecord) -> list[Row]:
    controllers, scenario = run.result.get("controllers", {}), str(run.result.get("scenario", ""))
    differences, units = run.result.get("against_pid", {}), run.result.get("units", {})
    shared = {"plant": run.plant, "scenario": scenario, "variant": "none", "protocol": "", "policies": 1,
              "episodes": run.result.get("episodes", 0), "unit": units.get("cost", ""), "units": units}  # fmt: skip
    pid = abs(controllers.get("pid", {}).get("cost") or 0.0)
    return [
        {**shared, "controller": name, "cost": figures.get("cost"), "kpis": figures, "saved": differences.get(name),
         "saved_share": differences[name]["mean"] / pid if pid and name in differences else None,
         "violations": round(figures.get("hard-limit violations", 0)), "trips": round(figures.get("trips", 0))}
        for name, figures in controllers.items()
    ]  # fmt: skip


def case_of(row: Row) -> Case:
    """The case that a row belongs to."""
    return Case(*(str(row.get(key, "")) for key in ("plant", "scenario", "variant", "protocol")))


def matrix(found: Sequence[Row]) -> dict[Case, dict[str, Row]]:
    """Rows by case and controller, in the order in which they came."""
    by_case: dict[Case, dict[str, Row]] = {}
    for row in found:
        by_case.setdefault(case_of(row), {})[str(row["controller"])] = row
    return by_case


def gain(row: Row) -> Gain | None:
    """The row's gain over PID; None for PID itself, and where PID did not run."""
    saved, share = row.get("saved"), row.get("saved_share")
    if not saved or share is None or not saved["mean"]:
        return None
    scale = 100.0 * share / saved["mean"]
    low, high = saved["low"], saved["high"]
    return Gain(100.0 * share, scale * low, scale * high, "ahead" if low > 0.0 else "behind" if high < 0.0 else "level")


def kept(found: Sequence[Row], query: Mapping[str, str]) -> list[Row]:
    """The rows that fit the filters in an address."""
    return [row for row in found if all(query.get(key, "") in ("", str(row.get(key, ""))) for key in KEYS)]


def episodes_of(row: Row) -> int:
    """How many episodes a row's counts are of: those of all its policies."""
    return int(row["episodes"]) * int(row["policies"])
