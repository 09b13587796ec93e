"""Our controllers on PC-Gym's own environment: our plant is what they believe, PC-Gym's is what they move.

A controller of ours reads a simulator of ours. At each decision its state and its instruments are set to what PC-Gym shows, the
controller decides, the simulator works out the inputs, and PC-Gym's environment takes its step with these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from benchmarks.peers import pcgym_crystals, pcgym_cstr, pcgym_extraction, pcgym_tanks
from benchmarks.peers.pcgym_process import PcGym
from controller.interface import Controller, Reading
from controller.panel import panel
from plant_models.core.plant import Plant
from plant_models.core.quantity import ZERO_C
from plant_models.core.scenario import Array
from plant_models.env.scenario import Episodes, draw
from plant_models.env.simulator import Simulator
from plant_models.env.substeps import substeps

LATE = 2
"""Samples by which the setpoint shown is behind the one judged by: decision k sees sample k - 1 and is judged by k + 1."""


@dataclass(frozen=True)
class Case:
    """A published case: its name at PC-Gym, our plant, and its setpoints by sample (samples, targets).

    ``state`` gives our states from PC-Gym's, ``shown`` our instruments' readings from its noisy states and our inputs.
    """

    name: str
    plant: Plant
    setpoints: Array
    state: Callable[[Array], Array]
    shown: Callable[[Array, Array], Array]


def _held(levels: tuple[tuple[float, int], ...]) -> Array:
    return np.repeat([value for value, _ in levels], [count for _, count in levels])[:, None]


def _column(x: Array) -> Array:
    """Sort PC-Gym's stages, liquid and gas in turn, as ours: liquids first."""
    return np.concatenate([x[0:10:2], x[1:10:2]])


def _moments(x: Array) -> Array:
    """Take the salt in g/L."""
    return np.concatenate([x[:4], [1e3 * x[4]]])


CASES = {
    "cstr": Case(
        "cstr", pcgym_cstr.BLIND, np.repeat(pcgym_cstr.PUBLISHED, 20)[:, None], lambda x: x[:2], lambda x, u: x[:2]
    ),
    "extraction": Case(
        "extraction", pcgym_extraction.PLANT, _held(pcgym_extraction.LEVELS), _column, pcgym_extraction.shown
    ),
    "crystallization": Case(
        "crystallization", pcgym_crystals.PLANT, np.tile([pcgym_crystals.CV, pcgym_crystals.L_n], (30, 1)), _moments,
        pcgym_crystals.shown,
    ),
    "four_tank": Case("four_tank", pcgym_tanks.PLANT, pcgym_tanks.PUBLISHED, lambda x: x[:4], pcgym_tanks.shown),
}  # fmt: skip


def episode(case: Case, late: bool) -> Episodes:
    """Return our episode of a case: at decision k its target is sample k + 1, or, shown ``late`` as at PC-Gym, sample k - 1."""
    drawn = draw(case.plant, case.plant.scenarios[0], 0, 1, "judging")
    exogenous, at = drawn.exogenous.copy(), np.arange(drawn.exogenous.shape[1])
    samples = np.clip(at + 1 - (LATE if late else 0), 0, len(case.setpoints) - 1)
    targets = case.setpoints[samples]
    exogenous[0, :, drawn.targets()] = targets
    tags = [loop.tag for loop in case.plant.masters]
    for i, name in enumerate(case.plant.targets):
        for loop in case.plant.masters:
            if loop.pv == name:
                exogenous[0, :, drawn.references().start + tags.index(loop.tag)] = targets[:, i]
    return replace(drawn, exogenous=exogenous, noise=np.zeros_like(drawn.noise))


def transfer(pcgym: PcGym, case: Case, controller: Controller, seed: int, late: bool = False) -> tuple[float, float]:
    """Run an episode on PC-Gym's environment; return its return as PC-Gym counts it, noise included, and by the true state."""
    planned = controller.plan(episode(case, late))
    simulator = Simulator(case.plant, 1, planned.scenario.steps, substeps(case.plant), controller.level)
    simulator.load(planned, np.arange(1))
    known = partial(panel, simulator, planned)
    told = pcgym.ask("begin", case=case.name, seed=seed)
    for _ in range(planned.scenario.steps):
        u = simulator.S.read("u")[:, 0]
        simulator.S.write("x", case.state(np.array(told["state"]))[:, None])
        simulator.S.write("y", case.shown(np.array(told["seen"]), u)[:, None])
        simulator.step(controller.act(Reading(simulator.observe(), known)))
        told = pcgym.ask("step", u=_inputs(case, simulator).tolist())
    return float(told["counted"]), float(told["true"])


def _inputs(case: Case, simulator: Simulator) -> Array:
    """Return our inputs in PC-Gym's units."""
    u: Array = simulator.S.read("u")[:, 0]
    return u - ZERO_C if case.name == "crystallization" else u


def replayed(pcgym: PcGym, case: str, u: Array) -> tuple[float, float]:
    """Apply given inputs (inputs, steps) to PC-Gym's environment; return what :func:`transfer` does."""
    told = pcgym.ask("begin", case=case, seed=0)
    for column in u.T:
        if told["over"]:
            break
        told = pcgym.ask("step", u=column.tolist())
    return float(told["counted"]), float(told["true"])
