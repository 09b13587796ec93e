"""The simulator's own promises: plants are independent of each other, loading starts anew, results are the caller's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from plant_models.catalogue import get
from plant_models.core.errors import InvalidAction
from plant_models.derive.layout import LANES
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator
from plant_models.env.start import Settings
from plant_models.env.substeps import fleet
from tests.compiled import COMPILED, each

CSTR = get("exothermic_cstr")
ROOT = Path(__file__).resolve().parents[2]


def started(name: str, n: int, seed: int = 0) -> Simulator:
    plant = get(name)
    simulator = fleet(plant, n, plant.scenario().steps)
    simulator.load(draw(plant, plant.scenario(), seed, n, "judging"), np.arange(n))
    return simulator


@each
def test_a_plant_runs_alike_wherever_it_stands(name: str) -> None:
    """The same episodes in reverse order, over the borders of chunks, and with a broken neighbour."""
    n = LANES + 2
    plant = get(name)
    episodes = draw(plant, plant.scenario(), 0, n, "judging")
    forward, backward = (fleet(plant, n, plant.scenario().steps) for _ in range(2))
    forward.load(episodes, np.arange(n))
    backward.load(episodes, np.arange(n)[::-1].copy())
    backward.S.write("x", np.nan, np.array([5]))
    actions = np.random.default_rng(0).uniform(-1.0, 1.0, (10, n, len(plant.acted)))
    whole = np.delete(np.arange(n), n - 1 - 5)
    for action in actions:
        a, b = forward.step(action), backward.step(action[::-1])
        np.testing.assert_allclose(a.reward[whole], b.reward[::-1][whole], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(a.observation[whole], b.observation[::-1][whole], rtol=1e-6, atol=1e-6)


def test_loading_one_plant_leaves_the_others_running() -> None:
    simulator, alone = started(CSTR.name, 3), started(CSTR.name, 3)
    zero = np.zeros((3, 1))
    for _ in range(5):
        simulator.step(zero)
        alone.step(zero)
    simulator.load(draw(CSTR, CSTR.scenario(), 9, 1, "judging"), np.array([1]))
    assert simulator.k.tolist() == [5, 0, 5]
    np.testing.assert_array_equal(simulator.step(zero).reward[[0, 2]], alone.step(zero).reward[[0, 2]])


def test_loading_forgets_whatever_happened_before() -> None:
    used, fresh = started(CSTR.name, 2), started(CSTR.name, 2)
    used.S.write("x", np.nan, np.array([0]))
    used.step(np.full((2, 1), 5.0))
    used.load(draw(CSTR, CSTR.scenario(), 0, 2, "judging"), np.arange(2))
    assert used.clipped.tolist() == [0, 0]
    assert used.k.tolist() == [0, 0]
    for _ in range(5):
        a, b = used.step(np.full((2, 1), 0.3)), fresh.step(np.full((2, 1), 0.3))
        np.testing.assert_array_equal(a.observation, b.observation)
        np.testing.assert_array_equal(a.reward, b.reward)


def test_what_a_step_returned_is_not_overwritten_by_the_next() -> None:
    simulator = started(CSTR.name, 2)
    first = simulator.step(np.zeros((2, 1)))
    kept = first.observation.copy(), first.reward.copy(), first.terminated.copy(), first.truncated.copy()
    for _ in range(3):
        simulator.step(np.ones((2, 1)))
    for now, then in zip((first.observation, first.reward, first.terminated, first.truncated), kept, strict=True):
        np.testing.assert_array_equal(now, then)


def test_the_callers_actions_are_left_as_they_were() -> None:
    actions = np.full((2, 1), 4.0, dtype=np.float32)
    simulator = started(CSTR.name, 2)
    simulator.step(actions)
    assert (actions == 4.0).all()
    assert simulator.clipped.tolist() == [1, 1]


def test_one_bad_action_among_many_stops_all() -> None:
    simulator = started(CSTR.name, 3)
    before = simulator.S.data.copy()
    with pytest.raises(InvalidAction, match="not finite"):
        simulator.step(np.array([[9.0], [np.nan], [0.0]]))
    np.testing.assert_array_equal(simulator.S.data, before)
    assert (simulator.k.tolist(), simulator.clipped.tolist()) == ([0, 0, 0], [0, 0, 0])


def test_another_tuning_runs_without_compiling_anew() -> None:
    gentle, tuned = started(CSTR.name, 1), started(CSTR.name, 1)
    settings = Settings.of(CSTR, CSTR.loops, CSTR.advance)
    weak = Settings(0.3 * settings.coefficients, settings.feedforward, settings.limits, settings.advance)
    gentle.load(draw(CSTR, CSTR.scenario(), 0, 1, "judging"), np.arange(1), weak)
    assert gentle.kernel is tuned.kernel
    costs = [sum(-float(s.step(np.zeros((1, 1))).reward[0]) for _ in range(CSTR.scenario().steps)) for s in (gentle, tuned)]
    assert costs[0] > costs[1]


def test_a_kernel_is_interpreted_where_numba_compiles_nothing() -> None:
    """The same decisions, run by CasADi's interpreter in a process of its own, end in the same states to rounding."""
    code = """
import json, sys
import numpy as np
from plant_models.catalogue import get
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator
found = {}
for name in sys.argv[1:]:
    plant = get(name)
    simulator = Simulator(plant, 3, plant.scenario().steps, 4)
    simulator.load(draw(plant, plant.scenario(), 0, 3, "judging"), np.arange(3))
    rng = np.random.default_rng(0)
    rewards = [simulator.step(rng.uniform(-1, 1, (3, len(plant.acted)))).reward.tolist() for _ in range(8)]
    found[name] = [simulator.S.read("x").tolist(), rewards]
print(json.dumps(found))
"""
    compiled, interpreted = (
        json.loads(
            subprocess.run(
                [sys.executable, "-c", code, *COMPILED],
                env=os.environ | extra,
                capture_output=True,
                text=True,
                check=True,
                cwd=ROOT,
            ).stdout
        )
        for extra in ({}, {"NUMBA_DISABLE_JIT": "1"})
    )
    for name in COMPILED:
        for one, other in zip(compiled[name], interpreted[name], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
