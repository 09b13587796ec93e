"""What optimising controllers predict with is what the simulator does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from plant_models.catalogue import get
from plant_models.core.scenario import Array
from plant_models.derive.layout import Level
from plant_models.derive.prediction import prediction
from plant_models.env.scenario import Episodes, draw
from plant_models.env.simulator import Simulator
from plant_models.env.start import Settings

N, STEPS, SUBSTEPS = 3, 6, 2
CASES = [
    ("exothermic_cstr", "setpoint"),
    ("exothermic_cstr", "direct"),
    ("quadruple_tank", "setpoint"),
    ("heat_pump_house", "setpoint"),
]


def given(episodes: Episodes, e: int, k: int) -> Array:
    plant, row, d = episodes.plant, episodes.exogenous[e], slice(0, len(episodes.plant.Disturbance.names()))
    sent = row[k + plant.advance, episodes.references()]
    return np.concatenate([row[k, d], sent, row[k, episodes.targets()], row[k + 1, d]])


@pytest.mark.parametrize(("name", "level"), CASES)
def test_a_decision_ends_where_the_simulator_ends_and_costs_the_same(name: str, level: Level) -> None:
    plant = get(name)
    model, drawn = prediction(plant, level, SUBSTEPS), draw(plant, plant.scenario(), 0, N, "judging")
    quiet = replace(drawn, noise=np.zeros_like(drawn.noise))
    simulator = Simulator(plant, N, quiet.scenario.steps, SUBSTEPS, level)
    simulator.load(quiet, np.arange(N))
    layer, rng = Settings.of(plant, quiet.loops, plant.advance), np.random.default_rng(0)
    parts = ("x", "u") if level == "direct" else ("x", "u", "memory")
    for k in range(STEPS):
        z = np.concatenate([simulator.S.read(part) for part in parts])
        simulator.step(rng.uniform(-0.5, 0.5, (N, simulator.kernel.layout.actions)))
        after, v = np.concatenate([simulator.S.read(part) for part in parts]), simulator.S.read("v")
        for e in range(N):
            s = np.concatenate([quiet.parameters[e], *(p[:, 0] for p in (layer.coefficients, layer.feedforward, layer.limits))])
            predicted, cost, _ = model.step(z[:, e], v[:, e], given(quiet, e, k), s, 0.0)
            np.testing.assert_allclose((predicted.full().ravel() - after[:, e]) / model.scale, 0.0, atol=1e-9)
            assert float(cost) == pytest.approx(simulator.S.read("stage")[0, e], abs=1e-9 * plant.scale)


def test_a_margin_is_looked_at_on_both_sides_of_an_estimate_where_money_is_at_stake() -> None:
    plant = get("heat_pump_house")
    model = prediction(plant, "setpoint", SUBSTEPS)
    s = np.concatenate([list(plant.Parameter.nominal()), *(p[:, 0] for p in rows(Settings.of(plant, plant.loops, 0)))])
    z, d = model.centre.copy(), np.array(list(plant.Disturbance.nominal()))
    e = np.concatenate([d, [plant.Output.nominal().T_z], d])
    sure, unsure = (model.step(z, 0.0, e, s, np.array([w, 0.0, 0.0, 0.0]))[2].full().ravel() for w in (0.0, 0.5))
    np.testing.assert_allclose(unsure - sure, [0.5, -0.5, -0.5, 0.5], atol=1e-9)


def rows(settings: Settings) -> tuple[Array, Array, Array]:
    return settings.coefficients, settings.feedforward, settings.limits


def test_a_batch_that_is_complete_stands_still_and_the_cost_says_when_to_be_done() -> None:
    """The last sub-step ends where the vessel is full: 10 L, where the simulator takes it whole, and nothing grows after that."""
    plant, steps = get("penicillin_fermentation"), 2
    model, drawn = prediction(plant, "setpoint", SUBSTEPS), draw(plant, plant.scenario(), 0, 1, "judging")
    episodes = replace(drawn, noise=np.zeros_like(drawn.noise), initial=np.array([[33.0, 7.0, 0.003, 9.985]]))
    simulator = Simulator(plant, 1, episodes.scenario.steps, SUBSTEPS, "setpoint")
    simulator.load(episodes, np.arange(1))
    s = np.concatenate([episodes.parameters[0], *(part[:, 0] for part in rows(Settings.of(plant, plant.loops, plant.advance)))])
    costs, z = [], np.concatenate([simulator.S.read(part)[:, 0] for part in ("x", "u", "memory")])
    for k in range(steps):
        simulator.step(np.ones((1, 1)))
        z, cost, _ = (part.full().ravel() for part in model.step(z, simulator.S.read("v")[:, 0], given(episodes, 0, k), s, 0.0))
        costs.append((float(cost[0]), simulator.S.read("stage")[0, 0]))
    np.testing.assert_allclose(z[3], 10.0, atol=1e-6)
    (first, judged), (second, nothing) = costs
    assert first == pytest.approx(judged, abs=3e-3)
    assert first < -0.05
    assert (second, nothing) == pytest.approx((0.0, 0.0), abs=1e-9)
