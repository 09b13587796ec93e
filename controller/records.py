"""What the run store holds: runs, their metrics, and episodes packed into one block each."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plant_models.core.errors import BadInput

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Kind = Literal["train", "benchmark", "simulate", "demo", "stress", "sweep"]
Status = Literal["running", "completed", "stopped", "failed"]
Outcome = Literal["completed", "tripped", "integration failed"]
Role = Literal["pv", "sp", "op", "target", "baseline_sp", "disturbance", "limit_low", "limit_high", "offset", "cost", "shield"]


@dataclass(frozen=True)
class Signal:
    """One recorded line of a trend; ``of`` names the process variable that a setpoint or a limit belongs to.

    Of role ``shield`` is the share of each move that a shield let through: 1 all of it, 0 none, -1 where nothing was certified.
    """

    name: str
    unit: str
    role: Role
    tag: str = ""
    meaning: str = ""
    of: str = ""


@dataclass(frozen=True, eq=False)
class EpisodeRecord:
    """One controller on one scenario and seed: its scores and every signal over time.

    ``time`` has shape (n,) in ``time_unit``; ``values`` has shape (signals, n), each row in its signal's unit.
    """

    plant: str
    controller: str
    scenario: str
    seed: int
    kpis: Mapping[str, float]
    outcome: Outcome
    time: NDArray[np.float64]
    time_unit: str
    signals: tuple[Signal, ...]
    values: NDArray[np.float64]
    kpi_units: Mapping[str, str] = field(default_factory=dict)

    def of_role(self, *roles: Role) -> list[int]:
        """Rows of ``values`` whose signal has one of ``roles``."""
        return [row for row, signal in enumerate(self.signals) if signal.role in roles]


@dataclass(frozen=True)
class EpisodeRow:
    """An episode in a list: all but its signals."""

    id: int
    run: str
    plant: str
    controller: str
    scenario: str
    seed: int
    outcome: Outcome
    kpis: Mapping[str, float]
    kpi_units: Mapping[str, str]


@dataclass(frozen=True)
class MetricRow:
    """One logged number; ``id`` grows, so a reader asks for what came after the last it saw."""

    id: int
    step: int
    key: str
    value: float


@dataclass(frozen=True)
class RunRecord:
    """One piece of work; times are seconds since 1970, ``step`` environment steps, scores in the objective's unit."""

    id: str
    kind: Kind
    plant: str
    controller: str
    seed: int
    status: Status
    config: Mapping[str, Any]
    result: Mapping[str, Any]
    versions: Mapping[str, Any]
    started: float
    finished: float | None
    heartbeat: float
    pid: int
    host: str
    step: int
    score: float
    best: float
    archived: bool = False

    @property
    def seconds(self) -> float:
        """How long it ran, or has been running."""
        return max((self.heartbeat if self.finished is None else self.finished) - self.started, 0.0)


def pack(record: EpisodeRecord) -> bytes:
    """Time as float64 and signals as float32, compressed; raises BadInput where shapes do not fit."""
    time, values = np.asarray(record.time), np.asarray(record.values)
    expected = (len(record.signals), time.size)
    if time.ndim != 1 or values.shape != expected:
        raise BadInput(f"episode of {record.plant}: values of shape {values.shape}, expected {expected} (signals, samples)")
    return zlib.compress(time.astype("<f8").tobytes() + values.astype("<f4").tobytes(), 6)


def unpack(block: bytes, signals: int, samples: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Time (samples,) and values (signals, samples) of a packed block; raises BadInput for a damaged one."""
    size = 8 * samples + 4 * signals * samples
    try:
        raw = zlib.decompressobj().decompress(block, size + 1)
    except zlib.error as error:
        raise BadInput(f"a recorded episode is damaged ({error}); record it again") from error
    if len(raw) != size:
        raise BadInput(f"a recorded episode is damaged ({len(raw)} bytes, expected {size}); record it again")
    time = np.frombuffer(raw, "<f8", samples).astype(np.float64)
    values = np.frombuffer(raw, "<f4", offset=8 * samples).reshape(signals, samples).astype(np.float64)
    return time, values


def plain(value: object) -> Json:
    """``value`` as portable JSON: NumPy scalars as Python's, tuples as lists, numbers that are not finite as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
