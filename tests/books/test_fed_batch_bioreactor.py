"""Two publications behind the bioreactor: Xu et al. (1999) on acetate, Lee and Ramirez (1994) on induction.

Xu et al. report that 9.0 +- 1.0 % of the glucose carbon ends as acetate where glucose is unlimited. Lee and Ramirez' problem,
as restated by Tholudur and Ramirez (1997), has its best performance index at 0.8165 for an inducer price of 5.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from plant_models.core.scenario import Array
from plant_models.reactors.fed_batch_bioreactor import (
    PLANT,
    Disturbance,
    Input,
    Parameter,
    State,
    derivative,
    expression,
    metabolism,
    vigour,
)
from tests.books.published import check

D, P = Disturbance.nominal(), Parameter.nominal()
AERATED = replace(Input.nominal(), N=1200.0)


def batch(glucose: float) -> Array:
    """Return the states (points, 9) of an aerated batch from little biomass and no acetate until glucose runs out."""
    start = replace(State.nominal(), X=0.1, S=glucose, A=0.0)

    def exhausted(_: float, x: Array) -> float:
        return float(State.of(list(x)).S) - 0.05

    exhausted.terminal = True  # type: ignore[attr-defined]
    run = solve_ivp(
        lambda _, x: list(derivative(State.of(list(x)), AERATED, D, P)), (0.0, 20.0), list(start),
        method="LSODA", events=exhausted, rtol=1e-8, atol=1e-10, max_step=0.05,
    )  # fmt: skip
    return np.asarray(run.y.T)


def test_acetate_takes_the_published_share_of_glucose_carbon() -> None:
    """Acetate and glucose hold the same carbon by mass, so that the share is grams by grams."""
    share = batch(5.0)[:, State.names().index("A")].max() / 5.0
    check(PLANT, "acetate from glucose in an aerated batch, by carbon", 100.0 * float(share))


def test_acetate_is_taken_up_again_once_glucose_is_gone() -> None:
    hungry = replace(State.nominal(), S=0.0, A=1.0)
    assert derivative(hungry, AERATED, D, P).A < 0.0
    assert derivative(hungry, AERATED, D, P).X > 0.0


def test_below_the_critical_uptake_there_is_no_overflow() -> None:
    """Overflow begins where glucose needs more oxygen than 13.4 mmol/(g h)."""
    uptake = np.linspace(0.05, 1.2, 200)
    rates = metabolism(uptake, 0.0 * uptake, P.q_Omax + 0.0 * uptake, P)
    starts = uptake[np.argmax(rates.q_A > 1e-9)]
    assert rates.q_O[uptake < starts].max() < P.q_Omax
    assert rates.q_O[uptake > starts] == pytest.approx(P.q_Omax)
    assert 0.9 < starts < 1.1


def test_carbon_is_not_made() -> None:
    """Carbon in biomass and acetate stays below that of the glucose, with and without oxygen to spare."""
    uptake = np.linspace(0.1, 1.2, 50)
    for oxygen in (0.05, 0.2, P.q_Omax):
        rates = metabolism(uptake, 0.0 * uptake, oxygen + 0.0 * uptake, P)
        assert np.all(rates.mu * P.c + rates.q_A < uptake)


def protein_rate(x: State, u: Input) -> float:
    return float(derivative(x, u, D, P).P)


def test_protein_is_made_on_respired_glucose_alone() -> None:
    """Below the critical uptake all glucose is respired: Monod's share of it, Lee and Ramirez' induction, halved at K_f."""
    x = replace(State.nominal(), X=2.0, S=P.K_S, A=0.0, I=P.K_f, P=0.0)
    expected = P.f_max * 0.5 * (P.f_0 + P.K_f) / (2.0 * P.K_f) * 2.0
    assert protein_rate(x, AERATED) == pytest.approx(expected, rel=1e-12)
    assert protein_rate(replace(x, S=0.0), AERATED) == 0.0
    assert protein_rate(replace(x, I=0.0), AERATED) < 0.05 * expected


def test_what_overflows_makes_no_protein() -> None:
    """With plenty of glucose and little oxygen most of what is taken up overflows, and protein falls with respiration."""
    x = replace(State.nominal(), X=20.0, S=10.0, A=0.0, I=0.1)
    rates = [protein_rate(x, replace(AERATED, N=speed)) for speed in (1200.0, 600.0, 300.0)]
    assert rates[0] > 1.5 * rates[1] > 2.0 * rates[2] > 0.0


def test_feeding_dilutes_protein() -> None:
    x = replace(State.nominal(), S=0.0, P=3.0)
    assert protein_rate(x, replace(AERATED, F=0.04)) == pytest.approx(-0.04 / x.V * 3.0)


DOSE_TIMES = (0.0, 2.5, 3.5, 4.5, 5.5, 6.5, 10.0)
DOSE = (0.0, 0.01008, 0.00637, 0.00439, 0.0012, 0.0)
"""Inducer feed in L/h between these hours that is best for the problem below; its best glucose feed is none."""


def test_lee_and_ramirez_index_from_our_induction() -> None:
    """Their own growth on nutrient; the plant's vigour, rate of protein, and balances of volume, inducer and shock."""

    def slope(_: float, z: Array, feed: float) -> list[float]:
        V, X, S, product, inducer, k_1, k_2 = z
        g = S / (0.108 + S + S**2 / 14814.8)
        ours = replace(State.nominal(), X=X, S=0.0, A=0.0, I=inducer, k_1=k_1, k_2=k_2, V=V)
        rates = derivative(ours, replace(AERATED, F=0.0, F_I=feed), D, P)
        mu, diluted, made = 0.407 * g * vigour(k_1, k_2, inducer, P), feed / V, expression(g, inducer, P)
        theirs = [(mu - diluted) * X, -diluted * S - mu * X / 0.51, made * X - diluted * product]
        return [rates.V, *theirs, rates.I, rates.k_1, rates.k_2]

    z, used = np.array([1.0, 0.1, 40.0, 0.0, 0.0, 1.0, 0.0]), 0.0
    for (a, b), feed in zip(pairwise(DOSE_TIMES), DOSE, strict=True):
        z = solve_ivp(slope, (a, b), z, args=(feed,), method="LSODA", rtol=1e-9, atol=1e-11).y[:, -1]
        used += feed * (b - a)
    check(PLANT, "Lee and Ramirez' performance index", float(z[0] * z[3] - P.w_I * used))
