"""A log of a real plant as a scenario: its disturbances and setpoints as they were, from CSV or Parquet.

Columns are headed ``name [unit]``: ``time`` first, in s, min, h or d; then disturbances, targets as ``OUTPUT.target``, and
setpoints sent to master loops by tag. What is not logged stays nominal. Loads and weather run straight between rows,
the rest holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from plant_models.core.errors import BadInput, InvalidFile, unknown
from plant_models.core.plant import SECONDS, Plant
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.env.scenario_file import added

LONGEST_GAP = 2.5
"""A longer distance between rows than so many times the usual one is a gap."""
TARGET = ".target"
"""What follows an output's name in the heading of its target; what was measured is not replayed."""
TWICE = re.compile(r"(?P<head>.+\])\.\d+")
TIMES = SECONDS | {"d": 86_400.0}
HEAD = re.compile(r"\s*(?P<name>.+?)\s*\[(?P<unit>[^\]]*)\]\s*")


@dataclass(frozen=True)
class Log:
    """Times since the first row, in the plant's time unit, and the logged signals by name, each (rows,)."""

    time: Array
    signals: dict[str, Array]


def with_replay(plant: Plant, path: Path) -> Plant:
    """Return the plant with a log's scenario, named after the file, added last.

    Raises:
        BadInput: where Parquet is given and pyarrow is not installed.
        InvalidFile: where the log is missing, a column is unknown or in another unit, a value is missing or out of range, time
            runs backwards or has a gap, or the log is shorter than one decision and its preview.
    """
    log = read(path, plant)
    lookahead = 1 + max(plant.preview, *plant.leads, 1)
    steps = int(np.floor(log.time[-1] / plant.decision + 1e-9)) + 1 - lookahead
    if steps < 1:
        needed = lookahead * plant.decision
        raise InvalidFile(
            path, "rows", f"{log.time[-1]:g} {plant.time_unit} logged, at least {needed:g} {plant.time_unit} needed"
        )
    described = f"{path.name}: {steps} decisions of a real plant, disturbances and setpoints as logged"
    return added(plant, Scenario(path.stem, described, steps, _Replayed(plant, log)), path)


@dataclass(frozen=True)
class _Replayed:
    """The signals of a log, the same in every episode."""

    plant: Plant
    log: Log

    def __call__(self, draw: Draw) -> Signals:
        at: Array = draw.period * np.arange(draw.count, dtype=np.float64)
        sampled = {name: np.repeat(self._sampled(name, values, at)[None], draw.n, 0) for name, values in self.log.signals.items()}
        targets = {name: sampled[name + TARGET] for name in self.plant.targets if name + TARGET in sampled}
        kinds = ([loop.tag for loop in self.plant.masters], self.plant.Disturbance.names())
        references, disturbances = ({name: sampled[name] for name in names if name in sampled} for names in kinds)
        return Signals(targets=targets, references=references, disturbances=disturbances)

    def _sampled(self, name: str, values: Array, at: Array) -> Array:
        quantity = self.plant.Disturbance.quantities().get(name)
        if quantity is not None and quantity.kind in ("load", "weather"):
            return np.asarray(np.interp(at, self.log.time, values))
        rows = np.searchsorted(self.log.time, at + 1e-9 * self.plant.decision, side="right") - 1
        held: Array = values[np.maximum(rows, 0)]
        return held


def read(path: Path, plant: Plant) -> Log:
    """Read a log.

    Raises:
        BadInput: where Parquet is given and pyarrow is not installed.
        InvalidFile: where something is wrong with it; the text names column and row.
    """
    table = _table(path)
    heads = [_head(path, str(column)) for column in table.columns]
    if len(heads) < 2 or heads[0][0] != "time" or len({name for name, _ in heads}) < len(heads):
        raise InvalidFile(path, "columns", f"{list(table.columns)} given; time [unit] first, then each signal once, is allowed")
    if heads[0][1] not in TIMES:
        raise InvalidFile(path, "time", f"unit {heads[0][1]!r} given; {', '.join(TIMES)} allowed")
    for name, unit in heads[1:]:
        _check_unit(path, plant, name, unit)
    values = {name: _numbers(path, name, table.iloc[:, i]) for i, (name, _) in enumerate(heads)}
    _check_time(path, values["time"])
    for name, _ in heads[1:]:
        _check_range(path, plant, name, values[name])
    scale = TIMES[heads[0][1]] / SECONDS[plant.time_unit]
    time = values.pop("time")
    return Log((time - time[0]) * scale, values)


def _table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InvalidFile(path, "file", "no such file given; the path of a CSV or Parquet file is allowed")
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, skipinitialspace=True)
    except ImportError as error:
        raise BadInput(f"{path}: Parquet needs pyarrow; run `pip install pyarrow`, or give the log as CSV") from error
    except (ValueError, OSError) as error:
        raise InvalidFile(path, "file", f"not readable as a table ({error}); CSV or Parquet is allowed") from error
    if len(table) < 2:
        raise InvalidFile(path, "rows", f"{len(table)} given, at least 2 allowed")
    return table


def _head(path: Path, column: str) -> tuple[str, str]:
    match = HEAD.fullmatch(column)
    if match is None and (twice := TWICE.fullmatch(column)):
        raise InvalidFile(path, twice["head"], "given twice; each signal once is allowed")
    if match is None:
        raise InvalidFile(path, column, "no unit given; a heading such as 'T_f [K]' is allowed")
    return match["name"], match["unit"]


def _units(plant: Plant) -> dict[str, str]:
    """Return the unit of everything that a log may hold."""
    outputs = plant.Output.quantities()
    sent = {loop.tag: outputs[loop.pv].unit for loop in plant.masters}
    targets = {name + TARGET: outputs[name].unit for name in plant.targets}
    return sent | targets | {name: q.unit for name, q in plant.Disturbance.quantities().items()}


def _check_unit(path: Path, plant: Plant, name: str, unit: str) -> None:
    known = _units(plant)
    if name in plant.Output.names() and name not in known:
        remedy = f"head its target {name}{TARGET} [{unit}]" if name in plant.targets else "leave it out"
        raise InvalidFile(path, name, f"a measured output given, which is not replayed; {remedy}")
    if name not in known:
        raise InvalidFile(path, name, unknown("signal", name, known))
    if unit != known[name]:
        raise InvalidFile(path, name, f"unit {unit!r} given, {known[name]!r} allowed; convert the column")


def _numbers(path: Path, name: str, column: pd.Series) -> Array:
    numbers: Array = np.asarray(pd.to_numeric(column, errors="coerce"), dtype=float)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        given = column.iloc[wrong[0]]
        text = repr(given) if isinstance(given, str) else str(given)
        raise InvalidFile(path, f"row {wrong[0] + 2}, {name}", f"{text} given, a number is allowed")
    return numbers


def _check_time(path: Path, time: Array) -> None:
    steps = np.diff(time)
    back = np.flatnonzero(steps <= 0.0)
    if len(back):
        given = f"{time[back[0] + 1]:g} given after {time[back[0]]:g}"
        raise InvalidFile(path, f"row {back[0] + 3}, time", f"{given}, a later time is allowed")
    gaps = np.flatnonzero(steps > LONGEST_GAP * np.median(steps))
    if len(gaps):
        given = f"a gap of {steps[gaps[0]]:g} given, at most {LONGEST_GAP * np.median(steps):g} allowed"
        raise InvalidFile(path, f"row {gaps[0] + 3}, time", f"{given}; fill it or cut the log")


def _check_range(path: Path, plant: Plant, name: str, values: Array) -> None:
    q = plant.Disturbance.quantities().get(name)
    if q is None:
        loop = next((loop for loop in plant.masters if name in (loop.tag, loop.pv + TARGET)), None)
        low, high = (loop.low, loop.high) if loop else (-np.inf, np.inf)
    else:
        spread = 0.25 * (q.high - q.low)
        low, high = q.low - spread, q.high + spread
    wrong = np.flatnonzero((values < low) | (values > high))
    if len(wrong):
        raise InvalidFile(path, f"row {wrong[0] + 2}, {name}", f"{values[wrong[0]]:g} given, {low:g} to {high:g} allowed")
