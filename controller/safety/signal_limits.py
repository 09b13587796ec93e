"""Work out a plant's instruments: from what its outputs declare, and, where they declare nothing, from what its plant can do.

Measuring range and largest rate are taken from closed-loop episodes in which an adversary moves the setpoints as far as it may:
always up, always down, in square waves of many periods, and at random, beside the PID layer left alone.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from controller.baselines import Replay
from controller.rollout import rollout
from controller.safety.instrument import NOISE, Instruments
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.env.scenario import Single, draw

LANES = 60
"""Episodes of each scenario, a fifth for each way to act."""
FASTER = 1.5
"""The rate that counts as possible, over the largest seen."""
RESERVE = 0.1
"""Share of what was reached by which a range is wider than that, where the declared range does not hold it."""
SLOWEST = 1e-3
"""Share of the span that a reading may move in a decision at least: an output at rest throughout tells nothing of its rate."""


@cache
def instruments(plant: Plant) -> Instruments:
    """Return the plant's instruments; the first call in a process runs the plant, about a second.

    An output's declared ``rate`` and finite ``valid`` range stand as they are.
    """
    quantities = plant.Output.quantities()
    nominal, noise, rate, low, high, valid_low, valid_high = np.array(
        [(q.nominal, q.noise, q.rate * plant.decision, q.low, q.high, *q.valid) for q in quantities.values()]
    ).T
    seen = [_seen(plant, scenario) for scenario in plant.scenarios]
    reached_low, reached_high = np.min([each[0] for each in seen], axis=0), np.max([each[1] for each in seen], axis=0)
    reserve = RESERVE * (reached_high - reached_low)
    shown_low, shown_high = reached_low - NOISE * noise, reached_high + NOISE * noise
    low, high = np.where(shown_low < low, shown_low - reserve, low), np.where(shown_high > high, shown_high + reserve, high)
    fastest = np.maximum(FASTER * np.max([each[2] for each in seen], axis=0), SLOWEST * (high - low))
    tags = tuple(q.tag or name for name, q in quantities.items())
    rate = np.where(np.isfinite(rate), rate, fastest)
    return Instruments(tags, nominal.copy(), low, high, valid_low.copy(), valid_high.copy(), noise.copy(), rate)


def _seen(plant: Plant, scenario: Scenario) -> tuple[Array, Array, Array]:
    """Return the lowest and highest true output and the largest change in a decision, each (outputs,), without faults."""
    episodes = draw(plant, replace(scenario, faults=()), 0, LANES, "tuning")
    run = rollout(Replay(plant, "setpoint", _adversaries(LANES, scenario.steps, len(plant.acted))), episodes)
    y = run.path["y"]
    true = y - episodes.noise[:, :: plant.loops_per_decision, : y.shape[2]]
    changes = np.abs(np.diff(true, axis=1))
    return true.min(axis=(0, 1)), true.max(axis=(0, 1)), changes.max(axis=(0, 1))


def _adversaries(n: int, steps: int, actions: int) -> Single:
    """Return actions, (n, steps, actions): none, up, down, square waves with half periods of 1, 2, 4, ..., and random signs."""
    rng, fifth, k = np.random.default_rng(0), n // 5, np.arange(steps)
    square = 1.0 - 2.0 * ((k >> (np.arange(fifth) % 7)[:, None]) % 2)
    signs = rng.choice([-1.0, 1.0], (fifth, 1, actions))
    held = np.repeat([0.0, 1.0, -1.0], fifth)[:, None, None] * np.ones((1, steps, actions))
    return np.concatenate([held, square[:, :, None] * signs, rng.choice([-1.0, 1.0], (fifth, steps, actions))]).astype(np.float32)
