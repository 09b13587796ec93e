"""The observer finds what no instrument shows, from readings alone, and bears readings that fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from controller.interface import Panel
from controller.liveliness import liveliness
from controller.nmpc import settings
from controller.panel import panel
from plant_models.catalogue import get
from plant_models.core.duty import Batch
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.observer import Estimate, Observer, observer
from plant_models.env.scenario import draw
from plant_models.env.substeps import fleet
from tests.compiled import COMPILED

N, WRONG = 8, 0.3
CONTINUOUS = tuple(name for name in COMPILED if not isinstance(get(name).duty, Batch))
"""A batch integrates what it began with, and begins as declared."""


@dataclass(frozen=True)
class Watched:
    """Errors of the states after each decision, over half their ranges, (decisions, plants, states), and the last estimate."""

    errors: Array
    estimate: Estimate
    observer: Observer


def untouched(k: int, y: Array) -> Array:
    return y


def watch(plant: Plant, steps: int, shown: Callable[[int, Array], Array] = untouched, wrong: Array | float = 0.0) -> Watched:
    """Run plants under their PID layer beside the observer, which reads what ``shown(k, y)`` returns."""
    episodes = draw(plant, plant.scenario(), 0, N, "judging")
    watching, simulator = watcher(plant), fleet(plant, N, episodes.scenario.steps)
    simulator.load(episodes, np.arange(N))
    s = np.tile(settings(episodes), (N, 1))
    p = s[:, : len(plant.Parameter.names())]
    begun = watching.begin(N, p[0])
    expected, half = Estimate(begun.mean + wrong, begun.covariance), [q.half_range for q in plant.State.quantities().values()]
    errors = []
    for k in range(steps):
        now = panel(simulator, episodes)
        estimate = watching.correct(expected, shown(k, now.y), now.u, now.d, p)
        errors.append((watching.states(estimate) - simulator.S.read("x").T) / half)
        simulator.step(np.zeros((N, len(plant.acted))))
        expected = watching.predict(estimate, *moved(plant, now, panel(simulator, episodes)), s)
    return Watched(np.array(errors), estimate, watching)


def watcher(plant: Plant) -> Observer:
    return observer(plant, "setpoint", 1, liveliness(plant, plant.scenario()))


def moved(plant: Plant, before: Panel, after: Panel) -> tuple[Array, Array, Array]:
    d, d1 = np.nan_to_num(before.d), np.nan_to_num(after.d)
    e = np.hstack([d, before.references[:, plant.advance], before.targets[:, 0], d1])
    return np.hstack([np.zeros((N, len(plant.State.names()))), before.u, before.memory]), after.v, e


def rms(errors: Array) -> float:
    return float(np.sqrt((errors**2).mean()))


@pytest.mark.parametrize("name", CONTINUOUS)
def test_it_converges_from_a_wrong_start(name: str) -> None:
    plant = get(name)
    wrong = np.zeros(watcher(plant).begin(1, np.array(list(plant.Parameter.nominal()))).mean.shape[1])
    wrong[: len(plant.State.names())] = WRONG
    assert rms(watch(plant, 60, wrong=wrong).errors[40:]) < 0.15 * WRONG


@pytest.mark.parametrize("name", CONTINUOUS)
def test_what_it_claims_to_know_it_knows(name: str) -> None:
    """The estimated deviation is neither a third of the true error nor thrice it."""
    watched = watch(get(name), 50)
    claimed = watched.observer.deviations(watched.estimate)
    half = np.array([q.half_range for q in get(name).State.quantities().values()])
    true = np.sqrt((watched.errors[25:] ** 2).mean(axis=(0, 1)))
    ratio = (claimed / half).mean(axis=0) / true
    assert (ratio > 1 / 3).all()
    assert (ratio < 3.0).all()


def test_readings_that_fail_are_borne() -> None:
    plant = get("exothermic_cstr")
    sound = rms(watch(plant, 50).errors[25:])

    def blind(k: int, y: Array) -> Array:
        return np.where(np.arange(y.shape[1]) == (k // 5) % 3, np.nan, y)

    assert rms(watch(plant, 50, blind).errors[25:]) < 2.0 * sound
    assert rms(watch(plant, 50, lambda k, y: y if k < 40 else np.full_like(y, np.nan)).errors[41:45]) < 0.2


def test_a_reading_that_is_held_misleads_only_while_it_is() -> None:
    plant, last = get("exothermic_cstr"), np.empty((N, 2))

    def held(k: int, y: Array) -> Array:
        if not 20 <= k < 30:
            last[:] = y
        return last.copy()

    errors = watch(plant, 60, held).errors
    assert np.isfinite(errors).all()
    assert rms(errors[45:]) < 0.04


def test_one_wild_reading_moves_little() -> None:
    plant = get("exothermic_cstr")
    wild = watch(plant, 26, lambda k, y: y + (20.0 if k == 25 else 0.0)).errors[25]
    assert np.abs(wild).max() < 0.2


@pytest.mark.parametrize("name", ["exothermic_cstr", "quadruple_tank"])
def test_enough_is_estimated_to_hold_every_target(name: str) -> None:
    """Unmeasured disturbances and uncertain parameters move the tracked outputs in as many directions as there are."""
    plant = get(name)
    watched = watch(plant, 3)
    covariance, states = watched.estimate.covariance[0], len(plant.State.names())
    outputs = [plant.Output.names().index(target) for target in plant.targets]
    assert np.linalg.matrix_rank(covariance[states:, :states], tol=1e-9) >= len(outputs)
