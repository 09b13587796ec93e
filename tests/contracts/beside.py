"""What environments are held beside: episodes that jump at every sample, and a decision by SciPy from the equations alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.core.vector import Vector
from plant_models.env.scenario import Episodes, draw
from plant_models.env.single import PlantEnv

POINTS = 11
"""Points at which a loop period is looked at, both ends among them."""


def drifts(plant: Plant) -> NDArray[np.bool_]:
    """Which disturbances vary between samples, (disturbances,); the others hold."""
    return np.array([q.kind in ("load", "weather") for q in plant.Disturbance.quantities().values()], dtype=bool)


def restless(plant: Plant, seed: int) -> Episodes:
    """An episode whose disturbances all jump at every sample, half-way to the ends of their ranges at most."""
    episodes = draw(plant, plant.scenario(), seed, 1, "judging")
    exogenous, rng = episodes.exogenous.copy(), np.random.default_rng(seed)
    for i, q in enumerate(plant.Disturbance.quantities().values()):
        low, high = 0.5 * (q.low + q.nominal), 0.5 * (q.high + q.nominal)
        exogenous[:, :, i] = rng.uniform(low, high, exogenous.shape[:2])
    return replace(episodes, exogenous=exogenous)


def aiming(env: PlantEnv) -> Episodes:
    """An episode whose judged targets jump at every sample, by less than what an observation clips; setpoints sent stay."""
    plant, rng = env.plant, np.random.default_rng(0)
    episodes = draw(plant, plant.scenario(), 0, 1, "judging")
    exogenous = episodes.exogenous.copy()
    for column, output in enumerate(plant.targets, start=episodes.targets().start):
        nominal = plant.Output.quantities()[output].nominal
        exogenous[:, :, column] = nominal + error_scale(env, output) * rng.uniform(-4.0, 4.0, exogenous.shape[:2])
    return replace(episodes, exogenous=exogenous)


def error_scale(env: PlantEnv, output: str) -> float:
    """By what the error shown of an output is divided, in its unit."""
    return {f.name: f.half_range for f in env.simulator.kernel.observation.features}[f"{output} error"]


def shown(env: PlantEnv, observation: NDArray[np.float32]) -> dict[str, float]:
    """What an observation says by name, in units."""
    features = env.simulator.kernel.observation.features
    return {f.name: f.centre + f.half_range * float(value) for f, value in zip(features, observation, strict=True)}


def nominal_inputs(plant: Plant) -> NDArray[np.float32]:
    """The direct action that holds the nominal inputs, where every episode begins, (inputs,)."""
    return np.array([q.scaled(q.nominal) for q in plant.Input.quantities().values()], dtype=np.float32)


def middles(plant: Plant) -> Array:
    """The shares of a decision at which its loop periods are half over, (loop periods,)."""
    return (np.arange(plant.loops_per_decision) + 0.5) / plant.loops_per_decision


def between(plant: Plant, samples: Array, shares: Array) -> Array:
    """Disturbances at shares of the way between two exogenous samples, (shares, disturbances); what holds is at the first."""
    now, then = samples[:, : len(plant.Disturbance.names())]
    return np.asarray(now + np.outer(shares, drifts(plant) * (then - now)))


def path(plant: Plant, x: Array, d: Array, p: Array) -> Array:
    """The states along a decision, each row of ``d`` held for a loop period, (loop periods * POINTS, states)."""
    states = [x]
    for held in d:
        states += list(_period(plant, states[-1], held, p))
    return np.stack(states[1:])


def _period(plant: Plant, x: Array, d: Array, p: Array) -> Array:
    def slope(_: float, z: Array) -> list[float]:
        return list(plant.derivative(*vectors(plant, z, d, p)))

    at = np.linspace(0.0, plant.loop_period, POINTS)
    run = solve_ivp(slope, (0.0, plant.loop_period), x, method="LSODA", t_eval=at, rtol=1e-9, atol=1e-9)
    return np.asarray(run.y.T)


def vectors(plant: Plant, x: Array, d: Array, p: Array) -> tuple[Vector, ...]:
    """The arguments of a plant's functions at nominal inputs."""
    return plant.State.of(list(x)), plant.Input.nominal(), plant.Disturbance.of(list(d)), plant.Parameter.of(list(p))
