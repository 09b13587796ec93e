"""Fed-batch penicillin after Bajpai and Reuss (1980) in the form of Cuthrell and Biegler (1989): the optimal feed.

Luus (Biotechnol. Bioeng. 41, 1993, 599) reports 87.948 g after 132 h, Banga et al. (J. Biotechnol. 117, 2005, 407) 87.99 g.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from plant_models.core.scenario import Array
from plant_models.reactors.penicillin_fermentation import PLANT, PUBLISHED, Disturbance, Input, Parameter, State, derivative
from tests.books.published import check

D, P = Disturbance.nominal(), Parameter.nominal()
TIMES, FEED = PUBLISHED[0].times, PUBLISHED[0].values


def fed(times: tuple[float, ...], feed: tuple[float, ...]) -> Array:
    """Return the states (points, 4) at ``times`` under a feed that runs in straight lines between them."""
    x = np.array(list(State.nominal()))
    path = [x]
    for (a, b), (low, high) in zip(pairwise(times), pairwise(feed), strict=True):
        if b > a:

            def slope(t: float, x: Array, a: float = a, b: float = b, low: float = low, high: float = high) -> list[float]:
                F = low + (high - low) * (t - a) / (b - a)
                return list(derivative(State.of(list(x)), Input(F=F), D, P))

            x = solve_ivp(slope, (a, b), x, method="LSODA", rtol=1e-9, atol=1e-11).y[:, -1]
        path.append(x)
    return np.array(path)


@pytest.fixture(scope="module")
def optimal() -> Array:
    return fed(TIMES, FEED)


def test_the_optimal_feed_yields_what_is_published(optimal: Array) -> None:
    _, penicillin, _, volume = optimal[-1]
    check(PLANT, "penicillin after 132 h of the optimal feed", float(penicillin * volume))
    assert volume == pytest.approx(10.0, abs=2e-3)


def test_a_constant_feed_of_the_same_sugar_yields_a_twentieth_less() -> None:
    _, penicillin, _, volume = fed((0.0, 132.0), (3.0 / 132.0, 3.0 / 132.0))[-1]
    assert penicillin * volume == pytest.approx(0.95 * 87.948, rel=0.005)


def test_growth_comes_first_and_production_starves(optimal: Array) -> None:
    """Substrate is in excess until about 32 h, then near the 3 mg/L at which the production rate peaks."""
    producing = np.array(TIMES) >= 36.0
    assert optimal[~producing, 2].max() > 1.0
    assert np.all((optimal[producing, 2] > 5e-4) & (optimal[producing, 2] < 5e-3))
    assert optimal[~producing, 1].max() < 0.1 * optimal[-1, 1]


def test_production_peaks_where_its_derivative_says() -> None:
    S = np.linspace(1e-4, 0.02, 2000)
    rate = derivative(State(X=1.0, P=0.0, S=S, V=1.0), Input(F=0.0), D, P).P
    assert S[np.argmax(rate)] == pytest.approx(np.sqrt(P.K_p * P.K_in), rel=0.01)
