"""What the tests of the shield share: what it knows of a plant, found once a process, and plants in the field."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from controller.safety.corners import Spread, enforced
from controller.safety.estimator import Gain, Unknowns
from controller.safety.field import Field, Reading
from controller.safety.governor import Calibration
from controller.safety.known import calibrated, found
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command, Standing
from plant_models.env.scenario import Episodes, draw

SHIELDED = ("exothermic_cstr", "quadruple_tank")
PERIOD = 14
SWING = np.where((np.arange(1000) * 2 // PERIOD) % 2 == 0, 1.0, -1.0)
WORST = {"exothermic_cstr": SWING[:, None] * [1.0, -1.0], "quadruple_tank": np.ones((1000, 4))}
"""The moves of the channels that bring a plant over its limits: the reactor at resonance, the tanks by filling them."""
SHARED = "SETPOINT_TESTS_SHARED"
"""Names the folder that all processes of a test session share, in the environment."""
PATIENCE = 300.0
"""Seconds for which a process waits for what another one finds."""


@cache
def known(name: str) -> Calibration:
    """Return what the shell knows of a plant in its first scenario: found by one of the test session's processes, for all."""
    plant, folder = get(name), Path(os.environ[SHARED]) / "safety"
    folder.mkdir(exist_ok=True)
    try:
        (folder / f"{name}.begun").touch(exist_ok=False)
    except FileExistsError:
        _await(plant, folder)
    return calibrated(plant, plant.scenario(), folder)


def certain(plant: Plant, decisions: int) -> Calibration:
    """Return what a shield knows that takes the nominal plant for the true one and looks so many decisions ahead."""
    states, outputs = len(plant.State.names()), len(plant.Output.names())
    gain = Gain(np.zeros((1, len(Unknowns.of(plant).nominal), outputs)), np.ones((1, outputs)))
    spread = Spread(np.zeros((1, states)), np.zeros((1, len(plant.Disturbance.names()))), np.zeros(len(plant.Parameter.names())))
    nothing = np.zeros(len(enforced(plant)))
    return Calibration(gain, spread, np.zeros((1, spread.entries)), decisions, nothing, nothing)


def _await(plant: Plant, folder: Path) -> None:
    """Wait until another process has found it; where that takes too long it is found here."""
    until = time.monotonic() + PATIENCE
    while found(plant, plant.scenario(), folder) is None and time.monotonic() < until:
        time.sleep(0.2)


def episodes(plant: Plant, n: int, seed: int = 0) -> Episodes:
    """Return judged episodes of the first scenario."""
    return draw(plant, plant.scenario(), seed, n, "judging")


def quiet(plant: Plant, n: int, seed: int = 0) -> Episodes:
    """Return the same without noise, and with everything exogenous as it is at the start."""
    drawn = episodes(plant, n, seed)
    still = np.broadcast_to(drawn.exogenous[:, :1], drawn.exogenous.shape)
    return replace(drawn, noise=np.zeros_like(drawn.noise), exogenous=still.copy())


def true(field: Field, reading: Reading) -> Standing:
    """Return how plants really stand, in one variant."""
    simulator, d = field.simulator, len(field.plant.Disturbance.names())
    x, p = simulator.S.read("x").T, simulator.P.read("p").T
    now = field.episodes.exogenous[np.arange(field.n), simulator.k, :d]
    return Standing(x[:, None], p[:, None], now[:, None, None], reading.u, reading.y, reading.memory, reading.v, reading.was)


def anywhere(plant: Plant, n: int, seed: int = 0, safe: bool = False) -> Command:
    """Return commands over the whole range of what may be sent, offsets as the simulator takes them, in single precision."""
    rng = np.random.default_rng(seed)
    low, high = (np.array([getattr(loop, side) for loop in plant.masters]) for side in ("low", "high"))
    r: Array = rng.uniform(low, high, (n, len(low)))
    a = rng.uniform(-1.0, 1.0, (n, len(plant.acted))).astype(np.float32).astype(float)
    return Command(r, a, np.full(n, safe))
