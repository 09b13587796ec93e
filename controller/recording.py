"""Turn an episode of a run into the record that store and browser show: every signal in its display unit, with its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from controller.records import EpisodeRecord, Outcome, Role, Signal
from controller.rollout import Run
from plant_models.core.plant import Plant
from plant_models.core.quantity import ZERO_C, Quantity
from plant_models.core.scenario import Array

Line = tuple[Signal, Array]


def episode_record(
    run: Run, controller: str, e: int, seed: int, figures: Mapping[str, float], units: Mapping[str, str]
) -> EpisodeRecord:
    """Return episode ``e`` of a run; its scenario's number within the seed is part of the scenario's name."""
    plant = run.episodes.plant
    lines = list(_lines(run, plant, e))
    samples = run.cost.shape[1] + 1
    return EpisodeRecord(
        plant=plant.name, controller=controller, scenario=f"{run.episodes.scenario.name} {e + 1}", seed=seed,
        kpis=dict(figures), outcome=_outcome(run, e), time=np.arange(samples) * plant.decision, time_unit=plant.time_unit,
        signals=tuple(signal for signal, _ in lines), values=np.stack([values for _, values in lines]),
        kpi_units=dict(units),
    )  # fmt: skip


def _outcome(run: Run, e: int) -> Outcome:
    if run.tripped[e]:
        return "tripped"
    return "integration failed" if run.failed[e] else "completed"


def _lines(run: Run, plant: Plant, e: int) -> Iterator[Line]:
    yield from _vector(plant.Output.quantities(), run.path["y"][e], "pv")
    yield from _targets(run, plant, e)
    yield from _setpoints(run, plant, e)
    yield from _vector(plant.Input.quantities(), run.path["u"][e], "op")
    yield from _disturbances(run, plant, e)
    yield from _shield(run, e)
    yield _cost(run, plant, e)
    yield from _limits(run, plant, e)


def _vector(quantities: dict[str, Quantity], path: Array, role: Role) -> Iterator[Line]:
    for i, (name, q) in enumerate(quantities.items()):
        yield Signal(name, q.shown, role, q.tag, q.meaning), shown(q, path[:, i])


def shown(q: Quantity, values: Array) -> Array:
    """Return values in the unit that displays use."""
    return values - ZERO_C if q.unit == "K" and q.shown == "degC" else values


def _targets(run: Run, plant: Plant, e: int) -> Iterator[Line]:
    samples = run.cost.shape[1] + 1
    for i, name in enumerate(plant.targets):
        q = plant.Output.quantities()[name]
        values = run.episodes.exogenous[e, :samples, run.episodes.targets()][:, i]
        yield Signal(f"{name} target", q.shown, "target", "", f"target of {q.meaning}", name), shown(q, values)


def _setpoints(run: Run, plant: Plant, e: int) -> Iterator[Line]:
    if run.level == "direct":  # no loop runs
        return
    for i, loop in enumerate(plant.loops):
        q = plant.Output.quantities()[loop.pv]
        values = run.path["sp"][e, :, i].copy()
        values[0] = values[1]
        if loop.pv not in plant.targets:
            yield Signal(f"{loop.tag} SP", q.shown, "sp", loop.tag, f"setpoint of {q.meaning}", loop.pv), shown(q, values)
    for i, loop in enumerate(plant.acted if run.level == "setpoint" else ()):
        unit = plant.Output.quantities()[loop.pv].unit
        offset = Signal(f"{loop.tag} offset", unit, "offset", loop.tag, "what the supervisor adds to the setpoint", loop.pv)
        yield offset, run.path["v"][e, :, i]


def _disturbances(run: Run, plant: Plant, e: int) -> Iterator[Line]:
    samples = run.cost.shape[1] + 1
    for name, q in plant.Disturbance.quantities().items():
        if q.kind != "limit":
            meaning = q.meaning if q.measured else f"{q.meaning} (not measured)"
            yield Signal(name, q.shown, "disturbance", q.tag, meaning), shown(q, run.episodes.disturbance(name)[e, :samples])


def _shield(run: Run, e: int) -> Iterator[Line]:
    """Draw what the shield let through of each move, where there was one."""
    if run.share is not None:
        share = np.concatenate([run.share[e, :1], run.share[e]])
        yield Signal("shield", "1", "shield", "", "share of the move let through, -1 where nothing was certified"), share


def _cost(run: Run, plant: Plant, e: int) -> Line:
    """What each decision cost, at the sample where it ended."""
    return Signal("cost", plant.worth, "cost", "", "cost of each decision"), np.concatenate([[0.0], run.cost[e]])


def _limits(run: Run, plant: Plant, e: int) -> Iterator[Line]:
    """Draw each limit that is one output against one bound, where the plant names them alike."""
    samples = run.cost.shape[1] + 1
    for limit in plant.limits:
        q = plant.Output.quantities()[limit.output]
        if limit.bound in plant.Disturbance.names():
            values = run.episodes.disturbance(limit.bound)[e, :samples]
        else:
            values = np.full(samples, run.episodes.parameters[e, plant.Parameter.names().index(limit.bound)])
        role: Role = "limit_high" if limit.side == "high" else "limit_low"
        yield Signal(f"{limit.bound}", q.shown, role, "", f"{limit.side} limit of {q.meaning}", limit.output), shown(q, values)
