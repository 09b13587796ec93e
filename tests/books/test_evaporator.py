"""Kariwala, Cao, Janardhanan: Ind. Eng. Chem. Res. 47(4), 2008, 1150-1158: the economic optimum of Newell and Lee's evaporator.

The search below is a general one over all inputs at steady state; it knows nothing of the law that the scenarios use.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import fsolve, minimize

from plant_models.catalogue import get
from plant_models.process_units import evaporator as e
from tests.books.published import check

PLANT = get("evaporator")
P = e.Parameter.nominal()
PUBLISHED_X_2 = 35.5
SIZES = np.array([35.0, 50.0, 1.3, 25.0, 200.0, 9.0, 400.0])
BOUNDS = [(PUBLISHED_X_2, 99.0), (40.0, 80.0), (0.1, 4.0), (0.0, 100.0), (1.0, 400.0), (0.1, 20.0), (100.0, 400.0)]
PRICED = ("steam", "cooling water", "pumping", "feed", "product")


def point(z: np.ndarray) -> tuple[e.State, e.Input]:
    """State and inputs of a scaled search vector."""
    X_2, P_2, F_2, F_3, F_200, F_1, P_100 = z * SIZES
    return e.State(L_2=1.0, X_2=X_2, P_2=P_2), e.Input(F_2=F_2, F_3=F_3, F_200=F_200, F_1=F_1, P_100=P_100)


def price(z: np.ndarray, d: e.Disturbance) -> float:
    """The published cost in USD/h."""
    terms = PLANT.cost(*point(z), d, P)
    return float(sum(terms[name] for name in PRICED))


def cheapest(d: e.Disturbance) -> tuple[float, e.State, e.Input]:
    """The least cost at steady state within the published limits, and where it is."""
    result = minimize(
        lambda z: 1e-2 * price(z, d), np.array([1.05, 1.1, 1.0, 1.0, 1.1, 1.0, 0.95]), method="SLSQP",
        bounds=[(low / s, high / s) for (low, high), s in zip(BOUNDS, SIZES, strict=True)],
        constraints={"type": "eq", "fun": lambda z: np.array(list(PLANT.derivative(*point(z), d, P)))},
        options={"maxiter": 500, "ftol": 1e-11},
    )  # fmt: skip
    assert list(PLANT.derivative(*point(result.x), d, P)) == pytest.approx([0.0, 0.0, 0.0], abs=1e-7)
    return 1e2 * float(result.fun), *point(result.x)


def named(x: e.State, u: e.Input, d: e.Disturbance) -> dict[str, float]:
    """Everything the paper prints, temperatures in degC."""
    s = e.streams(x, u, d, P)._asdict()
    celsius = {name: s[name] - 273.15 for name in ("T_2", "T_3", "T_100", "T_201")}
    return {**vars(x), **vars(u), **s, **celsius}


def claimed(where: str) -> set[str]:
    """Return the names of what the plant file claims at a point."""
    split = (claim.what.partition(" at the ") for claim in PLANT.reproduced)
    return {what for what, _, there in split if there == where}


def test_the_published_optimum_is_found() -> None:
    d = e.Disturbance.nominal()
    J, x, u = cheapest(d)
    check(PLANT, "J at the optimum", J)
    found = named(x, u, d)
    for what in claimed("optimum") - {"J"}:
        check(PLANT, f"{what} at the optimum", found[what])


def test_the_base_case_is_found() -> None:
    d = e.Disturbance.nominal()
    X_2, P_2 = fsolve(lambda z: list(PLANT.derivative(e.State(L_2=1.0, X_2=z[0], P_2=z[1]), e.BASE, d, P))[1:], [25.0, 50.0])
    found = named(e.State(L_2=1.0, X_2=X_2, P_2=P_2), e.BASE, d)
    for what in claimed("base case"):
        check(PLANT, f"{what} at the base case", found[what])


def test_steam_pressure_and_specification_are_the_active_limits() -> None:
    """At the optimum the paper's two active constraints, each worth money if it gave way."""
    d = e.Disturbance.nominal()
    J, x, u = cheapest(d)
    active = {"specification": x.X_2, "steam": u.P_100}
    assert active == pytest.approx({"specification": 35.5, "steam": 400.0}, rel=1e-6)
    assert 40.5 < x.P_2 < 79.5
    assert cheapest(replace(d, X_1=5.1))[0] < J - 100.0


@pytest.mark.parametrize(("X_1", "T_1", "T_200"), [(5.0, 313.15, 298.15), (5.25, 313.15, 298.15), (5.0, 305.15, 303.15)])
def test_the_setpoints_sent_are_the_optimum(X_1: float, T_1: float, T_200: float) -> None:
    """The law behind the scenarios' setpoints, against the general search: feed flow and pressure, and hence the money."""
    d = e.Disturbance(X_1=X_1, T_1=T_1, T_200=T_200, X_min=35.0)
    _, x, u = cheapest(d)
    F_1, P_2 = e.optimum(d, np.array([PUBLISHED_X_2]), np.array([400.0]))
    assert F_1[0] == pytest.approx(u.F_1, abs=0.06)
    assert P_2[0] == pytest.approx(x.P_2, abs=0.6)


def test_mass_is_kept() -> None:
    """Feed ends as product, as vapour that condenses, or stays: whatever the point."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = e.State(L_2=rng.uniform(0.0, 2.5), X_2=rng.uniform(33.0, 38.0), P_2=rng.uniform(40.0, 80.0))
        u = e.Input.of(rng.uniform([0.0, 0.0, 0.0, 0.0, 100.0], [4.0, 100.0, 400.0, 20.0, 400.0]).tolist())
        d = replace(e.Disturbance.nominal(), X_1=rng.uniform(4.75, 5.25))
        rates, s = PLANT.derivative(x, u, d, P), e.streams(x, u, d, P)
        kept = P.rhoA * rates.L_2 + P.C * rates.P_2
        assert kept == pytest.approx(u.F_1 - e.product_flow(x, u, P) - e.overflow(x, P) - s.F_5)


def test_selling_the_stock_at_the_end_pays_nothing() -> None:
    """A kilogram of solute drawn off as product takes from the stock at least what it is sold for."""
    x = e.State.nominal()
    drawn = replace(x, L_2=x.L_2 - 1.0 / P.rhoA, X_2=x.X_2 - x.X_2 / P.M)
    assert PLANT.stock(x, P) - PLANT.stock(drawn, P) >= P.c_2 / P.hour
