"""PC-Gym's cases on our plants: the same trajectories as PC-Gym 0.1.8 itself, and what each controller is shown of the setpoint.

Numbers said to be PC-Gym's are states of its own environments after inputs held for a sample each, without noise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest
from scipy.integrate import solve_ivp

from benchmarks.peers import pcgym_crystals, pcgym_extraction, pcgym_tanks
from benchmarks.peers.__main__ import QUICK, measure
from benchmarks.peers.pcgym_process import PCGYM
from benchmarks.peers.pcgym_transfer import CASES, Case, episode
from plant_models.core.quantity import ZERO_C
from plant_models.core.scenario import Array

READY = (Path(platformdirs.user_cache_dir("setpoint")) / "peers" / PCGYM.replace("==", "-") / "ready").exists()

BY_PCGYM = {
    "extraction": (
        ((170.0, 100.0), (130.0, 60.0)),
        (0.5622887705655776, 0.5158372671320891, 0.4615573056286917, 0.402225152755185, 0.3424217901736709,
         0.6053286768335661, 0.5241430186116426, 0.42412188760237973, 0.3071519066816394, 0.17915683135251392),
    ),
    "four_tank": (
        ((5.0, 6.0), (9.0, 2.0)),
        (0.09647953357848253, 0.18727771164647208, 0.08422965679573334, 0.353135487121455),
    ),
    "crystallization": (
        ((ZERO_C + 38.0,), (ZERO_C + 37.5,)),
        (3293.889182115106, 47880.900923884765, 2569495.652137851, 328217266.9031125, 158.35004108249004),
    ),
}  # fmt: skip
STARTS = {
    "extraction": pcgym_extraction.START, "four_tank": tuple(pcgym_tanks.START.values()),
    "crystallization": (1478.00986666666, 22995.8230590611, 1800863.24079725, 248516167.940593, 0.15861523304),
}  # fmt: skip


def after(case: Case, start: Array, inputs: tuple[tuple[float, ...], ...]) -> Array:
    """Return our states after inputs held for a decision each, by SciPy."""
    plant, x = case.plant, start
    d, p = plant.Disturbance.nominal(), plant.Parameter.nominal()
    for u in inputs:
        right = lambda _, now, u=u: list(plant.derivative(plant.State.of(list(now)), plant.Input.of(list(u)), d, p))  # noqa: E731
        x = solve_ivp(right, (0.0, plant.decision), x, method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]
    return x


@pytest.mark.parametrize("name", BY_PCGYM)
def test_our_plants_go_where_pcgym_goes(name: str) -> None:
    inputs, expected = BY_PCGYM[name]
    found = after(CASES[name], CASES[name].state(np.array(STARTS[name])), inputs)
    np.testing.assert_allclose(found, expected, rtol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_what_is_shown_is_what_is_judged_or_what_pcgym_shows(name: str) -> None:
    """Decision k is judged by sample k + 1; PC-Gym shows sample k - 1 when it is taken."""
    case = CASES[name]
    samples, columns = case.setpoints, episode(case, False).targets()
    for k in range(len(samples) - 1):
        np.testing.assert_array_equal(episode(case, False).exogenous[0, k, columns], samples[k + 1])
        np.testing.assert_array_equal(episode(case, True).exogenous[0, k, columns], samples[max(k - 1, 0)])


def test_loops_on_a_target_are_sent_what_is_shown_and_a_recipe_stays() -> None:
    tanks, crystals = episode(CASES["four_tank"], True), episode(CASES["crystallization"], True)
    np.testing.assert_array_equal(tanks.exogenous[:, :, tanks.references()], tanks.exogenous[:, :, tanks.targets()])
    sent = crystals.exogenous[0, :, crystals.references()][:, 0] - ZERO_C
    np.testing.assert_allclose(sent[: len(pcgym_crystals.RECIPE)], pcgym_crystals.RECIPE)


def test_instruments_show_pcgyms_noisy_states_in_our_units() -> None:
    crystals = CASES["crystallization"]
    x = np.array([2.0, 30.0, 900.0, 5e4, 0.158])
    shown = dict(zip(crystals.plant.Output.names(), crystals.shown(x, np.array([310.0])), strict=True))
    assert shown == {"CV": 1.0, "L_n": 15.0, "c": 158.0, "mu_0": 2.0, "mu_1": 30.0, "mu_2": 900.0, "mu_3": 5e4, "T": 310.0}
    column = CASES["extraction"]
    np.testing.assert_array_equal(column.state(np.arange(10.0)), [0, 2, 4, 6, 8, 1, 3, 5, 7, 9])
    assert column.shown(np.arange(10.0), np.array([130.0, 57.0]))[-2:].tolist() == [8.0, 130.0]


@pytest.mark.slow
@pytest.mark.skipif(not READY, reason="PC-Gym's environment is not built: python -m benchmarks.peers.pcgym_process")
def test_pcgym_itself_beside_us() -> None:
    """Its oracle's published return by its own bookkeeping, and what the oracle's inputs bring in its own environment."""
    told: list[dict[str, Any]] = []
    found = measure(("cstr",), QUICK, {"four_tank": {"kept": True}}, told.append)["pcgym"]
    assert told == [{"pcgym": found}]
    assert found["four_tank"] == {"kept": True}
    case = found["cstr"]
    assert case["their_oracle_by_its_own_bookkeeping"] == pytest.approx(-71.9, abs=0.1)
    assert case["their_oracle"] == pytest.approx(-118.0, abs=0.1)
    assert case["our_pid"] > case["their_oracle"]
    assert case["as_published"]["our_pid"]["true_state"] < case["our_pid"]
    assert found["env_steps_ratio"] > 100.0
