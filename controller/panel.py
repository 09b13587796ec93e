"""Read the panel of running plants: what their control room shows, cut to what is known at that moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from controller.interface import Panel
from plant_models.core.duty import Batch, Economic, Part, Setback
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.scenario import Episodes
from plant_models.env.simulator import Simulator

CALENDAR = ("schedule", "limit", "price")
"""Kinds of disturbances that are known ahead."""


def panel(simulator: Simulator, episodes: Episodes) -> Panel:
    """Return what the control room of every plant shows now; ``episodes`` are those that the simulator runs."""
    plant, S, k = episodes.plant, simulator.S, simulator.k.copy()
    lanes = np.arange(len(episodes))
    now = episodes.exogenous[lanes, k]
    measured = [q.measured for q in plant.Disturbance.quantities().values()]
    forecast = sum(q.forecast for q in plant.Disturbance.quantities().values()) if plant.leads else 0
    return Panel(
        k=k, y=S.read("y").T, u=S.read("u").T, memory=S.read("memory").T, v=S.read("v").T,
        d=np.where(measured, now[:, : len(measured)], np.nan),
        targets=_ahead(episodes, k, plant.preview)[:, :, episodes.targets()],
        references=_references(episodes, k),
        forecasts=episodes.forecasts[lanes, k].astype(float).reshape(len(lanes), forecast, len(plant.leads)),
    )  # fmt: skip


def _ahead(episodes: Episodes, k: NDArray[np.intp], count: int) -> Array:
    """Return the samples from now on, ``count`` of them after this one; the last is repeated where no more are drawn."""
    samples = np.minimum(k[:, None] + np.arange(count + 1), episodes.exogenous.shape[1] - 1)
    chosen: Array = episodes.exogenous[np.arange(len(k))[:, None], samples]
    return chosen


def _references(episodes: Episodes, k: NDArray[np.intp]) -> Array:
    """Hold each master's setpoint from the last sample that is known of it."""
    plant = episodes.plant
    known = [_known(plant, loop, episodes.scenario.steps) for loop in plant.masters]
    drawn = _ahead(episodes, k, max(known, default=0))[:, :, episodes.references()]
    held = [drawn[:, np.minimum(np.arange(drawn.shape[1]), last), i] for i, last in enumerate(known)]
    return np.stack(held, axis=2) if held else drawn


def _known(plant: Plant, loop: Loop, steps: int) -> int:
    """A target is known over the preview, a calendar's setpoint as far as forecasts go, a recipe to its end; else the present."""
    duty = plant.duty
    if loop.pv in plant.targets:
        return plant.preview
    if isinstance(duty, Batch) and loop.tag in {recipe.tag for recipe in duty.recipe}:
        return steps
    if isinstance(duty, Economic) and calendar(plant, [part for part in duty.schedule if part.tag == loop.tag]):
        return max(plant.leads, default=0)
    return plant.advance


def calendar(plant: Plant, parts: Sequence[Part]) -> bool:
    """Whether a schedule is known ahead: all its parts follow a calendar's signal, not the weather or a load."""
    kinds = plant.Disturbance.quantities()
    return bool(parts) and all(isinstance(part, Setback) and kinds[part.by].kind in CALENDAR for part in parts)
