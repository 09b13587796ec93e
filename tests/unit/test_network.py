"""A policy within the compiled loop: it decides as in NumPy, and what is recorded is what stepping one by one records."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
import pytest

from controller.interface import Reading
from controller.policy import Policy
from controller.rollout import Run, returns, rollout
from plant_models.catalogue import get
from plant_models.core.errors import BadInput, InvalidAction
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.kernel import kernel
from plant_models.derive.layout import LANES, Level
from plant_models.derive.network import compiled_loop
from plant_models.env.scenario import Episodes, Single, draw
from plant_models.env.simulator import Simulator
from tests.compiled import COMPILED

CSTR = get("exothermic_cstr")
TOLERANCE = {"heat_pump_house": 1e-5}
"""Its loop multiplies the last bit of a setpoint by its gain."""


@dataclass(frozen=True)
class Outside:
    """The same policy as a controller that is none, so that each decision goes back to Python."""

    policy: Policy
    name: str = "ppo"
    level: Level = "setpoint"

    def plan(self, episodes: Episodes) -> Episodes:
        return episodes

    def act(self, reading: Reading) -> Single:
        return self.policy.act(reading)


def policy(plant: Plant, hidden: tuple[int, ...] = (32, 32), gain: float = 0.1, squash: str = "clip", seed: int = 0) -> Policy:
    rng, made = np.random.default_rng(seed), kernel(plant, "setpoint")
    sizes = (len(made.observation.features), *hidden, made.layout.actions)
    layers = [
        ((rng.normal(size=(outs, ins)) / np.sqrt(ins)).astype(np.float32), (0.1 * rng.normal(size=outs)).astype(np.float32))
        for ins, outs in pairwise(sizes)
    ]
    layers[-1] = (np.float32(gain) * layers[-1][0], layers[-1][1])
    return Policy(plant, "setpoint", tuple(layers), squash=squash)  # type: ignore[arg-type]


def episodes(plant: Plant, n: int) -> Episodes:
    return draw(plant, plant.scenario(), 0, n, "judging")


@pytest.mark.parametrize("squash", ["clip", "tanh"])
@pytest.mark.parametrize("hidden", [(), (5,), (32, 32), (64, 64), (7, 17, 3)])
@pytest.mark.parametrize("n", [1, LANES, 2 * LANES + 9])
def test_a_network_decides_as_in_numpy(n: int, hidden: tuple[int, ...], squash: str) -> None:
    ours = policy(CSTR, hidden, 2.0, squash)
    seen = np.random.default_rng(1).uniform(-10.0, 10.0, (n, ours.layers[0][0].shape[1])).astype(np.float32)
    actions = np.full((n, 1), 9.0, dtype=np.float32)
    compiled_loop().act(seen, actions, *ours.network.arguments())
    np.testing.assert_allclose(actions, ours.act(Reading(seen)), rtol=0.0, atol=1e-6)


def test_tanh_is_right_everywhere() -> None:
    x = np.concatenate([np.linspace(-20.0, 20.0, 64000), [0.0, 1e-30, -1e-8, 3e38, -3e38, np.inf, -np.inf]])
    found = np.resize(x, (len(x) // LANES + 1) * LANES).astype(np.float32)
    expected = np.tanh(found.astype(float))
    compiled_loop().bend(found, len(found) // LANES)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=3e-7)
    lost = np.full(LANES, np.nan, dtype=np.float32)
    compiled_loop().bend(lost, 1)
    assert np.isnan(lost).all()


@pytest.mark.parametrize("name", COMPILED)
def test_the_same_is_recorded_as_step_by_step(name: str) -> None:
    plant = get(name)
    ours, judged = policy(plant), episodes(plant, LANES + 6)
    one, other = rollout(ours, judged), rollout(Outside(ours), judged)
    np.testing.assert_array_equal(one.path["d"], other.path["d"])
    assert np.abs(one.path["v"]).max() > 0.0
    for field in fields(Run):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if field.name in ("path", "sums"):
            for part in b:
                alike(a[part], b[part], TOLERANCE.get(name, 1e-6))
        elif field.name == "share":
            assert (a, b) == (None, None)
        elif field.name not in ("controller", "episodes", "level"):
            alike(a, b, TOLERANCE.get(name, 1e-6))
    alike(returns(ours, judged), returns(Outside(ours), judged))


def alike(a: Array, b: Array, tolerance: float = 1e-6) -> None:
    """Within a share of the largest value; the two round an action differently in its last bits."""
    assert a.shape == b.shape
    if b.size:
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * float(np.abs(b, dtype=float).max()))


def test_no_decision_goes_back_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(self: Policy, reading: Reading) -> Single:
        raise AssertionError

    ours = policy(CSTR)
    monkeypatch.setattr(Policy, "act", called)
    assert len(returns(ours, episodes(CSTR, 3))) == 3
    monkeypatch.setattr(started(1).kernel, "compiled", False)
    with pytest.raises(AssertionError):
        returns(ours, episodes(CSTR, 3))


def started(n: int, substeps: int = 4) -> Simulator:
    simulator = Simulator(CSTR, n, CSTR.scenario().steps, substeps)
    simulator.load(episodes(CSTR, n), np.arange(n))
    return simulator


def test_a_plant_that_fails_is_mended_outside_and_the_others_go_on() -> None:
    """The decision at which it fails is taken back whole; a plant that stays failed stops nobody again."""
    ours, n = policy(CSTR), LANES + 3
    fast, slow = started(n), started(n)
    row = fast.kernel.layout.S.row("status")
    kept = np.empty((CSTR.scenario().steps, 1, n))
    rows = np.array([row])
    assert fast.decide(ours.network, rows, kept[:4]) == 4
    fast.S.write("x", np.nan, np.array([LANES + 1]))
    before = fast.S.data.copy()
    assert fast.decide(ours.network, rows, kept[4:]) == 0
    np.testing.assert_array_equal(fast.S.data, before)
    assert fast.k.tolist() == [4] * n
    fast.step(ours.act(Reading(fast.observe())))
    assert fast.failures.sum() == 1
    assert fast.decide(ours.network, rows, kept[5:]) == CSTR.scenario().steps - 5
    for k in range(CSTR.scenario().steps):
        if k == 4:
            slow.S.write("x", np.nan, np.array([LANES + 1]))
        slow.step(ours.act(Reading(slow.observe())))
    whole = np.delete(np.arange(n), LANES + 1)
    alike(fast.S.read("x")[:, whole], slow.S.read("x")[:, whole])
    np.testing.assert_array_equal(kept[-1, 0], slow.S.read("status")[0])
    assert fast.failures.tolist() == slow.failures.tolist()


def test_what_the_kernel_cannot_integrate_is_mended_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one sub-step about the unstable state CVODES repeats decisions, the same ones on both ways."""
    found: list[Simulator] = []

    def coarse(plant: Plant, n: int, steps: int, level: Level = "setpoint", operated: bool = False) -> Simulator:
        found.append(Simulator(plant, n, steps, 1, level))
        return found[-1]

    monkeypatch.setattr("controller.rollout.fleet", coarse)
    ours, judged = policy(CSTR, gain=0.3), draw(CSTR, CSTR.scenario("unstable"), 0, 20, "judging")
    alike(returns(ours, judged), returns(Outside(ours), judged))
    assert found[0].rescued.sum() == found[1].rescued.sum() > 0


def test_weights_that_are_not_finite_are_refused() -> None:
    ours = policy(CSTR)
    ours.layers[0][0][0, 0] = np.nan
    with pytest.raises(InvalidAction, match="not finite"):
        rollout(ours, episodes(CSTR, 2))


def test_a_network_of_another_shape_is_refused() -> None:
    narrow = Policy(CSTR, "setpoint", ((np.zeros((2, 3), np.float32), np.zeros(2, np.float32)),))
    with pytest.raises(BadInput, match="network of 3 entries and 2 actions; allowed are at most 60 by one of 11 and 1"):
        returns(narrow, episodes(CSTR, 2))
    simulator = started(2)
    with pytest.raises(BadInput, match="61 decisions"):
        simulator.decide(policy(CSTR).network, np.array([0]), np.empty((61, 1, 2)))
