"""Tuning starts from SIMC, respects robustness, and finds the plant files' gains again."""

from __future__ import annotations

import numpy as np
import pytest

from controller.pid_tuning import MOST_SENSITIVE, Tuner, current, tune
from controller.simc import FirstOrder, fit, simc, simc_layer
from plant_models.catalogue import get
from plant_models.core.errors import BadInput
from plant_models.derive.linear import Robustness
from plant_models.derive.steady import nominal_equilibrium
from plant_models.env.start import Settings
from tests.compiled import COMPILED, continuous


def test_a_first_order_response_is_fitted() -> None:
    t = np.arange(0.0, 20.0, 0.01)
    found = fit(np.where(t > 0.5, 3.0 * (1.0 - np.exp(-(t - 0.5) / 2.0)), 0.0), 0.01)
    assert (found.k, found.tau, found.theta) == pytest.approx((3.0, 2.0, 0.5), rel=0.03)


def test_simc_gains_are_skogestads() -> None:
    """Skogestad 2003, equations 23 and 24 with tau_c = theta: K_c = tau / (2 k theta), T_i = min(tau, 8 theta)."""
    gains = simc(FirstOrder(k=2.0, tau=5.0, theta=0.5), delay=0.0)
    assert (gains.K_c, gains.T_i) == pytest.approx((2.5, 4.0))


@continuous
def test_simc_gains_have_the_sign_of_the_tuned_ones(name: str) -> None:
    plant = get(name)
    if name == "cstr_series_recycle":
        with pytest.raises(BadInput, match="TIC-101 moves runs away"):
            simc_layer(plant)
        return
    for found, tuned in zip(simc_layer(plant), plant.loops, strict=True):
        assert np.sign(found.gains.K_c) == np.sign(tuned.gains.K_c)


@pytest.mark.parametrize("name", COMPILED[:3])
def test_tuned_layers_are_robust_and_beat_simc(name: str) -> None:
    plant = get(name)
    carried = current(plant, episodes=16)
    assert carried.sensitivity <= MOST_SENSITIVE
    tuner = Tuner(plant, episodes=16)
    assert carried.cost < tuner.cost(tuner.start, plant.advance, carried.schedule)[0]


def test_an_unstable_layer_has_no_finite_sensitivity() -> None:
    plant = get("exothermic_cstr")
    robustness = Robustness(plant, nominal_equilibrium(plant))
    settings = Settings.of(plant, plant.loops, plant.advance)
    wild = settings.coefficients.copy()
    wild[:7] *= -50.0
    assert robustness.peak(settings.coefficients, settings.limits) < MOST_SENSITIVE
    assert robustness.peak(wild, settings.limits) == float("inf")


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPILED[:3])
def test_tuning_finds_the_carried_gains_again(name: str) -> None:
    """What tuning finds anew is at most 3 % better than what the plant file carries, on the same tuning episodes."""
    plant = get(name)
    found = tune(plant, generations=120).cost
    assert current(plant).cost - found <= 0.03 * abs(found)
