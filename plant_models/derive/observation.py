"""What a controller sees: instruments, its own setpoints, the target and its preview, what is measured and forecast.

Everything is scaled by the ranges declared in the plant file, so that no running statistics have to be kept, and clipped
at ten ranges. The true state is never in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plant_models.core.duty import Batch, Tracking
from plant_models.core.plant import Plant
from plant_models.core.quantity import Quantity
from plant_models.derive.layout import LIMITS, MEMORY, STRIDE, Layout, Level

CLIP = 10.0


@dataclass(frozen=True)
class Feature:
    """One entry of the observation: ``(value - centre) / half_range``, with ``value`` as code over the kernel's blocks."""

    name: str
    unit: str
    value: str
    centre: float
    half_range: float


@dataclass(frozen=True)
class Observation:
    """The entries in order, and the source of ``observe(s, p, M, F, k, OBS, first, m)``, which writes them for a chunk."""

    features: tuple[Feature, ...]
    source: str


def observation(plant: Plant, layout: Layout, level: Level) -> Observation:
    """Derive the observation of a plant at an action level."""
    features = tuple(_features(plant, layout, level))
    lines = ["e = first + lane", "now = k[e]"]
    for i, f in enumerate(features):
        lines.append(f"value = ({f.value} - {f.centre!r}) * {1.0 / f.half_range!r}")
        lines.append(f"OBS[e, {i}] = min({CLIP}, max(-{CLIP}, value))")
    body = "\n        ".join(lines)
    return Observation(features, f"def observe(s, p, M, F, k, OBS, first, m):\n    for lane in range(m):\n        {body}\n")


def _features(plant: Plant, rows: Layout, level: Level) -> Iterator[Feature]:
    yield from _quantities(plant.Output.quantities(), rows.S.row("y"))
    yield from _quantities(plant.Input.quantities(), rows.S.row("u"))
    if level != "direct":
        yield from _setpoints(plant, rows, level)
    if level != "setpoint":
        yield from _integrals(plant, rows)
    yield from _targets(plant, rows)
    yield from _batch_time(plant)
    yield from _disturbances(plant)
    yield from _forecasts(plant)


def _state(row: int) -> str:
    return f"s[{row * STRIDE} + lane]"


def _quantities(quantities: dict[str, Quantity], first: int) -> Iterator[Feature]:
    for i, (name, q) in enumerate(quantities.items()):
        yield Feature(name, q.unit, _state(first + i), q.centre, q.half_range)


def _setpoints(plant: Plant, rows: Layout, level: Level) -> Iterator[Feature]:
    for i, loop in enumerate(plant.acted):
        unit = plant.Output.quantities()[loop.pv].unit
        half = 0.5 * (loop.high - loop.low)
        centre = 0.5 * (loop.high + loop.low)
        yield Feature(f"{loop.tag} setpoint before offset", unit, _base(plant, rows, i), centre, half)
        at = _state(rows.S.row("v") + i)
        if level == "setpoint":
            yield Feature(f"{loop.tag} offset", unit, at, 0.0, loop.authority)
        else:
            yield Feature(f"{loop.tag} setpoint", unit, at, centre, half)


def _base(plant: Plant, rows: Layout, i: int) -> str:
    """What is sent to the loop now: by operator, schedule or recipe for this decision, or by its master a moment ago."""
    loop = plant.acted[i]
    if loop not in plant.masters:
        return _state(rows.S.row("base") + i)
    low = rows.P.row("limits") + LIMITS * plant.loops.index(loop)
    sample = f"now + int(p[{rows.P.row('advance') * STRIDE} + lane])"
    sent = f"M[e, {sample}, {rows.E.row('r') + plant.masters.index(loop)}]"
    return f"min(p[{(low + 1) * STRIDE} + lane], max(p[{low * STRIDE} + lane], {sent}))"


def _integrals(plant: Plant, rows: Layout) -> Iterator[Feature]:
    for i, loop in enumerate(plant.loops):
        unit, half = _moved(plant, i)
        yield Feature(f"{loop.tag} integral", unit, _state(rows.S.row("memory") + MEMORY * i), 0.0, half)


def _moved(plant: Plant, i: int) -> tuple[str, float]:
    loop = plant.loops[i]
    if loop.mv:
        q = plant.Input.quantities()[loop.mv]
        return q.unit, q.half_range
    slave = plant.slave(loop)
    return plant.Output.quantities()[slave.pv].unit, 0.5 * (slave.high - slave.low)


def _targets(plant: Plant, rows: Layout) -> Iterator[Feature]:
    if not isinstance(plant.duty, Tracking):
        return
    for column, (output, scale) in enumerate(plant.duty.scales.items(), start=rows.E.row("target")):
        q = plant.Output.quantities()[output]
        y = rows.S.row("y") + plant.Output.names().index(output)
        yield Feature(f"{output} target", q.unit, f"M[e, now, {column}]", q.centre, q.half_range)
        yield Feature(f"{output} error", q.unit, f"M[e, now, {column}] - {_state(y)}", 0.0, scale)
        for lead in range(1, plant.preview + 1):
            change = f"M[e, now + {lead}, {column}] - M[e, now, {column}]"
            yield Feature(f"{output} target change in {lead} steps", q.unit, change, 0.0, scale)


def _batch_time(plant: Plant) -> Iterator[Feature]:
    if isinstance(plant.duty, Batch):
        half = 0.5 * plant.scenario().steps * plant.decision
        yield Feature("batch time", plant.time_unit, f"{plant.decision!r} * now", half, half)


def _disturbances(plant: Plant) -> Iterator[Feature]:
    for i, (name, q) in enumerate(plant.Disturbance.quantities().items()):
        if q.measured:
            yield Feature(name, q.unit, f"M[e, now, {i}]", q.centre, q.half_range)


def _forecasts(plant: Plant) -> Iterator[Feature]:
    at = 0
    for name, q in plant.Disturbance.quantities().items():
        for lead in plant.leads if q.forecast else ():
            yield Feature(f"{name} forecast {lead} steps ahead", q.unit, f"F[e, now, {at}]", q.centre, q.half_range)
            at += 1
