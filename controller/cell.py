"""The smallest piece of a benchmark: one controller on some held-out episodes, which gives the same numbers wherever it runs."""

from __future__ import annotations

import hashlib
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from controller.named import named
from controller.rollout import Run, rollout
from controller.safety.known import calibrated
from controller.scores import kpis
from controller.source import Source
from controller.variants import Variant, judged
from plant_models.core.errors import InvalidFile
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.scenario import Episodes

SEGMENTS = 6
"""Parts of an episode, alike in decisions, of which the worst is told."""
SHIELD = " + shield"
"""After the name of a controller that runs behind the shield."""


@dataclass(frozen=True)
class Cell:
    """One controller on ``count`` held-out episodes of a seed from number ``first``.

    ``policy`` is the folder of a trained one, and ``digest`` the sha256 of its weights.
    """

    source: Source
    variant: Variant
    controller: str
    seed: int
    first: int
    count: int
    policy: str = ""
    digest: str = ""
    shield: bool = False

    @property
    def label(self) -> str:
        """The controller's name in tables."""
        return self.controller + SHIELD * self.shield

    @property
    def command(self) -> str:
        """The command that computes it again."""
        source = self.source
        words = [source.name] if source.file is None else ["--plant", str(source.file)]
        words += ["--controllers", self.controller, *(["--policy", self.policy] if self.policy else [])]
        words += ["--scenario", source.scenario, "--variant", self.variant, "--seed", str(self.seed)]
        words += ["--first", str(self.first), "--episodes", str(self.count), *(["--safety", "shield"] if self.shield else [])]
        return shlex.join(["setpoint", "benchmark", *words, "--again", "--json"])


@dataclass(frozen=True)
class Outcome:
    """What ``n`` episodes of a cell brought.

    ``cost`` (n,) in ``units["cost"]``, ``segments`` (n, SEGMENTS) of it, ``figures`` (n,) by name in ``units``.
    """

    cost: tuple[float, ...]
    segments: tuple[tuple[float, ...], ...]
    figures: Mapping[str, tuple[float, ...]]
    units: Mapping[str, str]
    seconds: float = field(compare=False)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON holds it, to the last bit."""
        return {"cost": self.cost, "segments": self.segments, "figures": dict(self.figures), "units": dict(self.units),
                "seconds": self.seconds}  # fmt: skip

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Outcome:
        """Return what :meth:`as_json` gave; raises KeyError, TypeError or ValueError for anything else."""
        figures = {str(name): _numbers(values) for name, values in kept["figures"].items()}
        segments = tuple(_numbers(values) for values in kept["segments"])
        units = {str(name): str(unit) for name, unit in kept["units"].items()}
        return cls(_numbers(kept["cost"]), segments, figures, units, float(kept["seconds"]))


def run(cell: Cell) -> Outcome:
    """Compute a cell: nothing but the cell decides on the numbers.

    Raises:
        BadInput: where the plant, its scenario, the controller or the policy is not known or does not fit.
    """
    begun = time.perf_counter()
    ran = ran_of(cell)
    figures = kpis(ran)
    return Outcome(
        _numbers(ran.total), tuple(_numbers(parts) for parts in _segments(ran.cost)),
        {name: _numbers(kpi.values) for name, kpi in figures.items()}, {name: kpi.unit for name, kpi in figures.items()},
        time.perf_counter() - begun,
    )  # fmt: skip


def ran_of(cell: Cell) -> Run:
    """Return the run itself, with all that was recorded."""
    plant, name = cell.source.case()
    _check(cell)
    controller = named(plant, cell.controller, Path(cell.policy) if cell.policy else None)
    shield = calibrated(plant, plant.scenario(name)) if cell.shield else None
    return rollout(controller, episodes_of(cell, plant, name), shield=shield)


def episodes_of(cell: Cell, plant: Plant, scenario: str) -> Episodes:
    """Return the held-out episodes of a cell."""
    return judged(plant, plant.scenario(scenario), cell.variant, cell.seed, cell.count, cell.first)


def digest(folder: Path) -> str:
    """Return the sha256 of a policy's weights and manifest.

    Raises:
        InvalidFile: where one of them is missing.
    """
    found = hashlib.sha256()
    for name in ("manifest.json", "weights.safetensors"):
        try:
            found.update((folder / name).read_bytes())
        except OSError as error:
            raise InvalidFile(folder / name, "file", f"{error.strerror}; give the folder that training wrote") from error
    return found.hexdigest()


def _check(cell: Cell) -> None:
    """Refuse a policy that was trained again since."""
    if cell.policy and digest(Path(cell.policy)) != cell.digest:
        raise InvalidFile(cell.policy, "sha256", "the policy has changed since the benchmark began; begin it again")


def _segments(cost: Array) -> Array:
    """Return the cost of each of the segments, (n, SEGMENTS)."""
    return np.stack([part.sum(axis=1) for part in np.array_split(cost, SEGMENTS, axis=1)], axis=1)


def _numbers(values: Any) -> tuple[float, ...]:
    """Return numbers, those that JSON cannot hold as NaN."""
    return tuple(float("nan") if value is None else float(value) for value in values)
