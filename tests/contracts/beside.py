"""What environments are held beside: episodes that jump at every sample, and a decision by SciPy from the equations alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from plant_models.core.plant import Plant, Tracking
from plant_models.core.scenario import Array
from plant_models.core.vector import Vector
from plant_models.env.scenario import Episodes, draw
from plant_models.env.single import PlantEnv


def drifts(plant: Plant) -> NDArray[np.bool_]:
    """Which disturbances vary between samples, (disturbances,); the others hold."""
    return np.array([q.kind in ("load", "weather") for q in plant.Disturbance.quantities().values()], dtype=bool)


def restless(plant: Plant, n: int, seed: int = 0) -> Episodes:
    """Episodes whose disturbances all jump at every sample, half-way to the ends of their ranges at most."""
    episodes = draw(plant, plant.scenario(), seed, n, "judging")
    exogenous, rng = episodes.exogenous.copy(), np.random.default_rng(seed)
    for i, q in enumerate(plant.Disturbance.quantities().values()):
        low, high = 0.5 * (q.low + q.nominal), 0.5 * (q.high + q.nominal)
        exogenous[:, :, i] = rng.uniform(low, high, exogenous.shape[:2])
    return replace(episodes, exogenous=exogenous)


def aiming(plant: Plant) -> Episodes:
    """An episode whose judged target jumps at every sample, while other setpoints are sent to the loops."""
    assert isinstance(plant.duty, Tracking)
    episodes, q = draw(plant, plant.scenario(), 0, 1, "judging"), plant.Output.quantities()[plant.duty.output]
    exogenous = episodes.exogenous.copy()
    jumps = np.random.default_rng(0).uniform(-4.0, 4.0, exogenous[:, :, episodes.targets()].shape)
    exogenous[:, :, episodes.targets()] = q.nominal + plant.duty.scale * jumps
    return replace(episodes, exogenous=exogenous)


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
    """The states at the ends of sub-steps, each row of ``d`` held for a loop period, (sub-steps, states)."""
    states = [x]
    for held in d:
        states += list(_period(plant, states[-1], held, p))
    return np.stack(states[1:])


def _period(plant: Plant, x: Array, d: Array, p: Array) -> Array:
    def slope(_: float, z: Array) -> list[float]:
        return list(plant.derivative(*vectors(plant, z, d, p)))

    ends = np.linspace(0.0, plant.loop_period, plant.substeps + 1)[1:]
    run = solve_ivp(slope, (0.0, plant.loop_period), x, method="LSODA", t_eval=ends, rtol=1e-9, atol=1e-9)
    return np.asarray(run.y.T)


def vectors(plant: Plant, x: Array, d: Array, p: Array) -> tuple[Vector, ...]:
    """The arguments of a plant's functions at nominal inputs."""
    return plant.State.of(list(x)), plant.Input.nominal(), plant.Disturbance.of(list(d)), plant.Parameter.of(list(p))
