"""PC-Gym's stirred-tank case: the published constants and reward, PC-Gym's own returns for given inputs, what PID and PPO reach.

What is said to be PC-Gym's was computed by PC-Gym 0.1.8 itself, without noise. Tests that compile a kernel run on demand.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from benchmarks.curve import followed
from benchmarks.peers import pcgym_cstr as case
from benchmarks.peers.pcgym_case import DIRECT, Sizes, pcgym_cstr
from benchmarks.peers.pcgym_judge import best_constant, replay, run
from benchmarks.peers.pcgym_optimum import optimal_inputs
from benchmarks.peers.pcgym_tuning import carried, tune
from controller.baselines import Pid
from controller.pid_tuning import MOST_SENSITIVE
from controller.rollout import rollout
from controller.statistics import paired_difference
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import layout
from plant_models.derive.observation import observation
from plant_models.env.scenario import Episodes, draw

ROOT = Path(__file__).resolve().parents[2]
every, slow = pytest.mark.every, pytest.mark.slow
previews = pytest.mark.parametrize("plant", [case.BLIND, case.PREVIEWING], ids=["no preview", "preview of 3"])
WAVE = 298.5 + 3.0 * np.sin(np.arange(case.STEPS))
"""Inputs in K that cross most of the range."""
BY_PCGYM = {"held at 300 K": (np.full(case.STEPS, 300.0), -256.444), "a wave": (WAVE, -478.548)}
by_pcgym = pytest.mark.parametrize(("T_c", "expected"), BY_PCGYM.values(), ids=BY_PCGYM)


def published(plant: Plant, n: int = 1) -> Episodes:
    return draw(plant, plant.scenario(case.CASE), 0, n, "judging")


def trajectory(T_c: Array) -> Array:
    """The states after each step by SciPy, (steps, 2)."""
    d, p, x, path = case.Disturbance.nominal(), case.Parameter.nominal(), np.array(list(case.START.values())), []
    for u in T_c:
        held = case.Input(T_c=u)
        right = lambda _, now, held=held: list(case.derivative(case.State.of(list(now)), held, d, p))  # noqa: E731
        x = solve_ivp(right, (0.0, case.PREVIEWING.decision), x, rtol=1e-10, atol=1e-12).y[:, -1]
        path.append(x)
    return np.array(path)


def test_the_constants_are_the_published_ones() -> None:
    values = dict(zip(case.Parameter.names(), case.Parameter.nominal(), strict=True))
    assert values == {"q": 100, "V": 100, "rho": 1000, "c_p": 0.239, "dH": -5e4, "E_R": 8750, "k_0": 7.2e10, "UA": 5e4}
    assert (case.Disturbance.nominal().T_f, case.Disturbance.nominal().c_f) == (350, 1)
    assert (case.Input.quantities()["T_c"].low, case.Input.quantities()["T_c"].high) == (295, 302)
    assert case.START == {"c_A": 0.8, "T": 330}
    assert pytest.approx(26 / 60) == case.PREVIEWING.decision == case.PREVIEWING.loop_period
    assert [q.noise for q in case.Output.quantities().values()] == pytest.approx([0.000877, 0.3245])


def test_each_step_is_judged_by_the_setpoint_of_the_next_sample() -> None:
    """Sixty samples in three equal parts; the first is never judged by, and the sixtieth step never taken."""
    assert published(case.BLIND).scenario.steps == 59
    target = published(case.BLIND).exogenous[0, :59, published(case.BLIND).targets()][:, 0]
    assert target.tolist() == [0.85] * 19 + [0.9] * 20 + [0.87] * 20


def test_the_reward_by_hand() -> None:
    """1000 (0.03 / 0.3)^2 = 10 for the error, 0.1 (3.5 / 7)^2 = 0.025 for the move, and nothing for the first input."""
    costs = case.stage_costs(np.array([[0.88, 0.85, 0.82]]), np.array([[0.85, 0.85, 0.85]]), np.array([[295.0, 298.5, 298.5]]))
    assert costs[0] == pytest.approx([10.0, 0.025, 10.0])


@by_pcgym
def test_equations_and_reward_are_pcgyms(T_c: Array, expected: float) -> None:
    """Its CVODES keeps 1e-6, hence the tolerance."""
    costs = case.stage_costs(trajectory(T_c)[None, :, 0], case.published_targets(case.STEPS)[None], T_c[None])
    assert -costs.sum() == pytest.approx(expected, rel=2e-4)


def test_a_wave_ends_where_pcgym_ends() -> None:
    assert trajectory(WAVE)[-1] == pytest.approx([0.897027, 324.1316], rel=2e-5)


def test_controllers_see_the_declared_preview_and_nothing_else_ahead() -> None:
    def ahead(plant: Plant) -> list[str]:
        features = observation(plant, layout(plant, "direct"), "direct").features
        return [f.name for f in features if "change in" in f.name]

    assert ahead(case.BLIND) == []
    assert case.BLIND.advance == 0
    assert ahead(case.PREVIEWING) == [f"c_A target change in {k} steps" for k in (1, 2, 3)]


def test_every_variant_is_judged_on_the_same_episodes() -> None:
    first, *others = (draw(p, p.scenario(case.RANDOM), 0, 3, "judging") for p in case.PLANTS.values())
    target = first.exogenous[:, : case.STEPS, first.targets()]
    assert np.ptp(target) > 0.01
    for other in others:
        assert np.array_equal(other.exogenous[:, : case.STEPS, other.targets()], target)
        assert np.array_equal(other.noise, first.noise)


@every
@by_pcgym
def test_the_simulator_brings_pcgyms_returns(T_c: Array, expected: float) -> None:
    assert replay(T_c[None], published(case.PREVIEWING)).returns == pytest.approx(expected, rel=2e-4)


@every
def test_the_floor_and_the_ceiling_are_pcgyms() -> None:
    """There the best constant input is 300.06 K with -255.93, and the optimum's inputs bring -17.369; no neighbour is better."""
    episodes = published(case.PREVIEWING)
    constant = best_constant(episodes)
    assert constant == pytest.approx(300.06, abs=0.01)
    assert replay(np.full((1, case.STEPS), constant), episodes).returns == pytest.approx(-255.93, rel=2e-4)
    inputs = optimal_inputs(episodes)
    best = float(replay(inputs, episodes).returns[0])
    assert best == pytest.approx(-17.369, rel=5e-4)
    rng = np.random.default_rng(0)
    for _ in range(20):
        near = np.clip(inputs + rng.normal(0.0, 0.05, inputs.shape), case.LOWEST, case.HIGHEST)
        assert replay(near, episodes).returns[0] < best


@every
@pytest.mark.parametrize(
    ("plant", "expected"),
    [(case.BLIND, -43.2), (case.PREVIEWING, -21.7), (case.PLAIN_BLIND, -55.2), (case.PLAIN_PREVIEWING, -35.6)],
    ids=["no preview", "preview of 3", "plain, no preview", "plain, preview of 3"],
)
def test_what_pid_reaches(plant: Plant, expected: float) -> None:
    """Over 100 episodes of noise; the standard error of the mean is below 0.3."""
    assert run(Pid(plant), published(plant, 100), "setpoint").returns.mean() == pytest.approx(expected, abs=0.6)


@every
def test_what_is_learned_from_is_what_is_judged_but_for_the_first_move() -> None:
    """PC-Gym lets the first input be anything; the plant's own duty charges its distance from the nominal one."""
    plant = case.PREVIEWING
    episodes = draw(plant, plant.scenario(), 0, 20, "judging")
    done = rollout(Pid(plant), episodes)
    first = 0.1 * ((done.path["u"][:, 1, 0] - done.path["u"][:, 0, 0]) / 7.0) ** 2
    assert done.total - first == pytest.approx(-run(Pid(plant), episodes, "setpoint").returns, rel=1e-9)
    assert first.max() > 0.01


@every
@previews
def test_the_layers_are_robust(plant: Plant) -> None:
    assert carried(plant).sensitivity <= MOST_SENSITIVE


@slow
@previews
def test_tuning_finds_the_layers_again(plant: Plant) -> None:
    assert carried(plant).returns - tune(plant, generations=120).returns >= -0.01 * abs(carried(plant).returns)


@slow
def test_learning_with_preview_takes_the_lead() -> None:
    plant = case.PREVIEWING
    judged = draw(plant, plant.scenario(), 0, 100, "judging")
    learned = followed(plant, 0, 200_000, DIRECT)
    assert learned.lead is not None
    gain = paired_difference(run(learned.trained.policy, judged, "direct").returns, run(Pid(plant), judged, "setpoint").returns)
    assert gain.low > 0.0
    assert run(learned.trained.policy, published(plant, 20), "direct").returns.mean() > -21.0


@every
def test_the_benchmark_compares_every_controller() -> None:
    found = json.loads(json.dumps(pcgym_cstr(Sizes(seeds=1, episodes=4, share=0.01)), allow_nan=False))
    for name, preview in (("no_preview", case.BLIND), ("preview_of_3", case.PREVIEWING)):
        means = found[name]["controllers"]
        assert set(means) == {"constant", "plain_pid", "pid", "nmpc", "ppo"}
        for scenario in (case.CASE, case.RANDOM):
            assert (
                means["constant"][scenario] < means["plain_pid"][scenario] < means["pid"][scenario] < found["optimum"][scenario]
            )
            gain = found[name]["gain_over_pid"]["plain_pid"][scenario]
            assert gain["low"] <= gain["mean"] <= gain["high"]
            assert gain["mean"] == pytest.approx(means["plain_pid"][scenario] - means["pid"][scenario])
        assert means["pid"][case.CASE] == pytest.approx(run(Pid(preview), published(preview, 4), "setpoint").returns.mean())


def test_an_unknown_case_is_refused_in_one_line() -> None:
    command = [sys.executable, "-m", "benchmarks.control", "--plants", "pcgym_cst"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("unknown plant 'pcgym_cst'; did you mean 'pcgym_cstr'? Known: ")
    assert done.stderr.count("\n") == 1
