"""Draws what goes wrong in episodes: what instruments add or hold, where valves stick, how parameters fade."""

from __future__ import annotations

from functools import singledispatch
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from plant_models.core.fault import (
    Bias,
    DeadBand,
    Delay,
    Drift,
    Dropout,
    Fading,
    Fault,
    Jammed,
    Noise,
    Sensor,
    Spike,
    Stiction,
    Stuck,
    Valve,
)
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.derive.layout import HELD, delayed, fading, faulty_valves

Rows: TypeAlias = NDArray[np.float32]
LATEST = 2.0 / 3.0
"""Share of an episode by which a fault with an onset has begun."""


def instruments(plant: Plant, scenario: Scenario, standard: Rows, rng: np.random.Generator) -> Rows:
    """Return what instruments add to each reading, and the bands of valves, from standard normal noise.

    ``standard`` is (n, loop periods + 1, outputs); the result (n, loop periods + 1, outputs + 2 * faulty valves), in units.
    """
    outputs, valves = plant.Output.names(), faulty_valves(plant)
    sd = np.array([q.noise for q in plant.Output.quantities().values()], dtype=np.float32)
    rows = np.concatenate([standard * sd, np.zeros((*standard.shape[:2], 2 * len(valves)), dtype=np.float32)], axis=2)
    for fault in scenario.faults:
        if isinstance(fault, Sensor):
            reading = rows[:, :, outputs.index(fault.output)]
            _misread(fault, reading, plant.loop_period, rng)
        elif isinstance(fault, Valve):
            play = isinstance(fault, DeadBand)
            bands = rows[:, :, len(outputs) + len(valves) * play + valves.index(fault.input)]
            _hamper(fault, bands, plant.loop_period, rng)
    return rows


def delays(plant: Plant, scenario: Scenario, n: int, rng: np.random.Generator) -> Array:
    """Return by how many loop periods each delayed instrument is late, (n, delayed)."""
    late = np.zeros((n, len(delayed(plant))))
    for i, (output, _) in enumerate(delayed(plant)):
        for fault in scenario.faults:
            if isinstance(fault, Delay) and fault.output == output:
                late[:, i] = rng.integers(1, round(np.ceil(fault.time / plant.loop_period)) + 1, n)
    return late


def faded(plant: Plant, scenario: Scenario, parameters: Array, samples: int, rng: np.random.Generator) -> Array:
    """Return the parameters that fade, at each sample, (n, samples, fading)."""
    names = fading(plant)
    columns = [plant.Parameter.names().index(name) for name in names]
    values = np.repeat(parameters[:, None, columns], samples, axis=1)
    age = np.minimum(np.arange(samples) / scenario.steps, 1.0)
    for fault in scenario.faults:
        if isinstance(fault, Fading):
            lost = fault.share * rng.uniform(0.0, 1.0, len(parameters))
            values[:, :, names.index(fault.parameter)] *= 1.0 - lost[:, None] * age
    return values


@singledispatch
def _misread(fault: Fault, rows: Rows, h: float, rng: np.random.Generator) -> None:
    """Write what an instrument's fault does into its readings, (n, loop periods + 1); a delay does nothing here."""


@_misread.register
def _(fault: Noise, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows[rows < HELD] *= np.float32(fault.factor)


@_misread.register
def _(fault: Bias, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows += rng.uniform(-fault.size, fault.size, (len(rows), 1)) * (_since(rows, rng) >= 0)


@_misread.register
def _(fault: Drift, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows += rng.uniform(-fault.rate, fault.rate, (len(rows), 1)) * h * np.maximum(_since(rows, rng), 0)


@_misread.register
def _(fault: Spike, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows += fault.size * rng.choice([-1.0, 1.0], rows.shape) * (rng.random(rows.shape) < fault.chance)


@_misread.register
def _(fault: Stuck, rows: Rows, h: float, rng: np.random.Generator) -> None:
    rows[_within(fault.time, rows, h, rng)] = HELD


@_misread.register
def _(fault: Dropout, rows: Rows, h: float, rng: np.random.Generator) -> None:
    begun = rng.random(rows.shape) < fault.chance
    at, periods = np.arange(rows.shape[1]), min(rows.shape[1], max(1, round(fault.time / h)))
    last = np.maximum.accumulate(np.where(begun, at, -periods), axis=1)
    rows[at - last < periods] = HELD


@singledispatch
def _hamper(fault: Fault, bands: Rows, h: float, rng: np.random.Generator) -> None:
    """Write a valve's fault into its bands, (n, loop periods + 1)."""


@_hamper.register
def _(fault: Stiction | DeadBand, bands: Rows, h: float, rng: np.random.Generator) -> None:
    bands[:] = np.maximum(bands, fault.band * rng.uniform(0.5, 1.0, (len(bands), 1)))


@_hamper.register
def _(fault: Jammed, bands: Rows, h: float, rng: np.random.Generator) -> None:
    bands[_within(fault.time, bands, h, rng)] = HELD


def _since(rows: Rows, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the loop periods since the onset of each episode, negative before it."""
    onset = rng.integers(0, max(1, int(LATEST * rows.shape[1])), (len(rows), 1))
    since: NDArray[np.intp] = np.arange(rows.shape[1])[None, :] - onset
    return since


def _within(time: float, rows: Rows, h: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    since = _since(rows, rng)
    within: NDArray[np.bool_] = (since >= 0) & (since * h < time)
    return within
