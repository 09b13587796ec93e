"""What a controller may assume of its future.

Forecasts where there are any, and beyond them what was measured a day before; all else is held as it is measured or estimated.
"""

from __future__ import annotations

import numpy as np

from controller.interface import Panel
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.scenario import Episodes

DRIFTING = ("load", "weather")
"""Kinds that vary between samples; the others hold until they change."""


def expected(plant: Plant, panel: Panel, d: Array, past: Array, horizon: int) -> Array:
    """Return disturbances, references, targets and next disturbances of each decision to come, (n, rows, horizon).

    ``d`` (n, disturbances) holds the present ones, measured or estimated, ``past`` (n, decisions, disturbances) those measured
    before, the latest last. Beyond what is known the last value is held.
    """
    path = _disturbances(plant, panel, d, past, horizon)
    return _rows(path, _sent(plant, panel.references, horizon), _held(panel.targets, horizon))


def day(plant: Plant) -> int:
    """Return the decisions in a day."""
    return round(24.0 / (plant.decision * plant.hours))


def known(episodes: Episodes, panel: Panel, d: Array, horizon: int) -> Array:
    """Return the same from a scenario whose future is known, but for disturbances that nobody measures."""
    plant, last = episodes.plant, episodes.exogenous.shape[1] - 1
    samples = np.minimum(panel.k[:, None] + np.arange(horizon + 1 + plant.advance), last)
    future = episodes.exogenous[np.arange(len(d))[:, None], samples]
    measured = np.array([q.measured for q in plant.Disturbance.quantities().values()], dtype=bool)
    disturbances = np.where(measured, future[:, : horizon + 1, : len(measured)], d[:, None, :])
    sent, targets = future[:, :, episodes.references()], future[:, :horizon, episodes.targets()]
    return _rows(disturbances, _sent(plant, sent, horizon), targets)


def _rows(disturbances: Array, sent: Array, targets: Array) -> Array:
    rows = np.concatenate([disturbances[:, :-1], sent, targets, disturbances[:, 1:]], axis=2)
    return np.ascontiguousarray(rows.transpose(0, 2, 1))


def _held(values: Array, horizon: int) -> Array:
    """Return the first ``horizon`` samples; the last one is held where there are no more."""
    held: Array = values[:, np.minimum(np.arange(horizon), values.shape[1] - 1)]
    return held


def _sent(plant: Plant, references: Array, horizon: int) -> Array:
    """Return the setpoints that the hierarchy will send, which runs ahead of the present by the plant's advance."""
    return _held(references[:, min(plant.advance, references.shape[1] - 1) :], horizon)


def _disturbances(plant: Plant, panel: Panel, d: Array, past: Array, horizon: int) -> Array:
    path = np.repeat(d[:, None, :], horizon + 1, axis=1)
    shown = [i for i, q in enumerate(plant.Disturbance.quantities().values()) if q.forecast and plant.leads]
    for at, i in enumerate(shown):
        values = np.concatenate([d[:, i : i + 1], panel.forecasts[:, at]], axis=1)
        drifts = list(plant.Disturbance.quantities().values())[i].kind in DRIFTING
        path[:, :, i] = _beyond(_between(values, plant.leads, drifts, horizon), past[:, :, i], max(plant.leads), day(plant))
    return path


def _between(values: Array, leads: tuple[int, ...], drifts: bool, horizon: int) -> Array:
    """Fill in what lies between the leads: in a straight line, or as it was until it changes."""
    known_at, steps = np.array([0, *leads]), np.arange(horizon + 1)
    if drifts:
        return np.stack([np.interp(steps, known_at, row) for row in values])
    held: Array = values[:, np.searchsorted(known_at, steps, side="right") - 1]
    return held


def _beyond(path: Array, past: Array, last: int, period: int) -> Array:
    """Beyond the last lead, expect what was a day before, where that is known."""
    whole, now = np.concatenate([past, path], axis=1), past.shape[1]
    for step in range(now + last + 1, whole.shape[1]):
        if step >= period:
            whole[:, step] = whole[:, step - period]
    return whole[:, now:]
