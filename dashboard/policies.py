"""What a training left on this machine: its files, and its policy, loaded when first asked for."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller import fingerprint as weights
from controller.records import RunRecord
from controller.store import runs_folder
from plant_models.core.errors import UnknownName

if TYPE_CHECKING:
    from controller.policy import Policy
    from controller.policy_map import Axis, Section, Visited

FOLDERS = ("policy", "policy/last")
"""Folders of a run whose files are handed out; checkpoints are only of use to the command that goes on from them."""


def policy_folder(run: RunRecord) -> Path:
    """Where a training keeps its policy unless it was told another place."""
    return runs_folder() / run.id / "policy"


def files(run: RunRecord) -> dict[str, Path]:
    """The files that a run left, by the name under which they are handed out; links are none of them."""
    found: dict[str, Path] = {}
    for folder in FOLDERS:
        home = runs_folder() / run.id / folder
        if home.is_dir() and not home.is_symlink():
            plain = sorted(path for path in home.iterdir() if path.is_file() and not path.is_symlink())
            found |= {f"{folder}/{path.name}": path for path in plain}
    return found


def fingerprint(run: RunRecord) -> str:
    """Which policy a training kept here; nothing where it kept none."""
    return weights.fingerprint(policy_folder(run)) if f"policy/{weights.WEIGHTS}" in files(run) else ""


def judged_in(run: RunRecord, runs: Sequence[RunRecord]) -> list[RunRecord]:
    """Those of the runs that judged the very policy that a training kept here."""
    own = fingerprint(run)
    return [each for each in runs if own and each.config.get("policy_sha256") == own]


@dataclass(frozen=True)
class Decisions:
    """A kept policy, the episodes it was run on, and how observations and actions read; ``decision`` is in ``time_unit``."""

    policy: Policy
    visited: Visited
    axes: tuple[Axis, ...]
    reach: tuple[Axis, ...]
    decision: float
    time_unit: str

    def section(self, place: str, x: int, y: int) -> Section:
        """What the policy decides over two entries at an operating point."""
        found: Section = _maps().section(self.policy, self.visited.at(place), x, y)
        return found


def decisions(run: RunRecord) -> Decisions:
    """The decisions of the policy that a run kept; the first time takes seconds.

    Raises:
        UnknownName: where the run kept none here.
        InvalidFile: where it is damaged, or the plant has changed since.
    """
    manifest = files(run).get("policy/manifest.json")
    if manifest is None:
        raise UnknownName(f"run {run.id}: no policy is kept in {policy_folder(run)}")
    return _decisions(run.id, run.plant, str(run.config.get("scenario", "")), manifest.stat().st_mtime)


@lru_cache(maxsize=4)
def _decisions(run: str, plant_name: str, scenario: str, _written: float) -> Decisions:
    maps, plant = _maps(), importlib.import_module("plant_models.catalogue").get(plant_name)
    policy = importlib.import_module("controller.policy").load(runs_folder() / run / "policy", plant)
    seen, level = maps.visited(policy, scenario), policy.level
    return Decisions(policy, seen, maps.axes(plant, level), maps.reach(plant, level), plant.decision, plant.time_unit)


def _maps() -> Any:
    """The module that runs policies, imported late: it compiles plants."""
    return importlib.import_module("controller.policy_map")
