"""Balances over a year, the published ageing law, and the week's optimum by linear programming.

B. Xu, A. Oudalov, A. Ulbig, G. Andersson, D. Kirschen: Modeling of lithium-ion battery degradation for cell life assessment,
IEEE Trans. Smart Grid 9 (2018) 1131-1140. A. Dobos: PVWatts version 5 manual, NREL/TP-6A20-62641 (2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq, linprog
from scipy.sparse import bmat, diags_array, eye_array

from controller.baselines import Pid
from controller.rollout import returns
from plant_models.catalogue import get
from plant_models.energy import battery_microgrid as grid
from plant_models.env.scenario import Episodes, draw
from plant_models.weather.bundled import load
from tests.books.published import check

Array = NDArray[np.float64]
PLANT = get("battery_microgrid")
P = grid.Parameter.nominal()


@dataclass(frozen=True)
class Sums:
    """Energies in kWh and money in USD that a simulation added up, and the stored energy at its end."""

    charged: Array
    discharged: Array
    bought: Array
    sold: Array
    cut: Array
    stood: Array
    cost: Array
    E: Array


def simulate(E: Array, P_b: Array, P_pv: Array, P_l: Array, price: Array, h: float) -> Sums:
    """Run the plant's equations by Euler steps of ``h`` hours; inputs and disturbances are (steps, ...)."""
    sums, demand = [np.zeros_like(E)] * 7, np.zeros_like(E)
    for k in range(len(P_b)):
        x, u = grid.State(E=E, P_m=demand), grid.Input(P_b=P_b[k])
        d = grid.Disturbance(P_pv=P_pv[k], P_l=P_l[k], price=price[k], dear=0.0)
        into, out = grid.battery_power(x, u, P)
        to_grid, cut = grid.grid_power(x, u, d, P)
        spent = sum(grid.cost(x, u, d, P).values())
        rates = (into, out, np.maximum(-to_grid, 0.0), np.maximum(to_grid, 0.0), cut, E, spent)
        sums = [total + h * r for total, r in zip(sums, rates, strict=True)]
        rate = grid.derivative(x, u, d, P)
        E, demand = E + h * rate.E, demand + h * rate.P_m
    charged, discharged, bought, sold, cut, stood, cost = sums
    return Sums(charged, discharged, bought, sold, cut, stood, cost, E)


def test_energy_balances_close_on_every_day_of_a_year() -> None:
    """The house covers itself; what comes in is what goes out, is lost or stays, to a billionth of a kilowatt-hour."""
    h, days = 1.0 / 60.0, 24.0 * np.arange(365)
    hours = days[None, :] + h * np.arange(1440)[:, None]
    year = load("san_francisco_ca")
    now = year.at(hours)
    P_pv = grid.array_power(year.on_surface(now, tilt=grid.TILT), now.dry_bulb)
    P_l = grid.usual_load(hours, np.array(1))
    price, _ = grid.tariff(hours, np.array(1))
    start = np.full(365, 3.2)
    s = simulate(start, P_l - P_pv, P_pv, P_l, price, h)
    at_the_meter = h * P_pv.sum(axis=0) + s.bought + s.discharged - h * P_l.sum(axis=0) - s.sold - s.cut - s.charged
    in_the_battery = s.E - start - P.eta * s.charged + s.discharged / P.eta + P.k_E * s.stood
    assert np.abs(at_the_meter).max() < 1e-9
    assert np.abs(in_the_battery).max() < 1e-9
    assert s.charged.sum() > 500.0
    assert 5000.0 < h * P_pv.sum() < 7500.0
    assert 9000.0 < h * P_l.sum() < 11000.0


@pytest.mark.parametrize("city", ["san_francisco_ca", "golden_co", "tampa_fl", "chicago_il", "greensboro_nc"])
def test_the_array_gives_in_a_year_nearly_what_pvwatts_computes(city: str) -> None:
    """PVWatts 5: 4 kW in an open rack at 20 degrees to the south, 14.08 % of losses, inverter 0.96 and 3.33 kW, albedo 0.2."""
    parts = 6
    year, hours = load(city), (np.arange(8760 * parts) + 0.5) / parts
    now = year.at(hours)
    power = grid.array_power(year.on_surface(now, tilt=grid.TILT), now.dry_bulb)
    check(PLANT, f"energy of the array over a year, {city}", float(power.sum() / parts))


def test_a_full_cycle_returns_the_published_round_trip_efficiency() -> None:
    """Charged from empty to full at 1 kW and emptied again: nine tenths come back."""
    count, h, none = 60 * 40, 1.0 / 60.0, np.zeros((60 * 40, 1))
    power = np.where(np.arange(count) < count // 2, -1.0, 1.0)[:, None]
    s = simulate(np.array([0.0]), power, none, none, none, h)
    check(PLANT, "energy back from a full cycle", float((s.discharged / s.charged)[0]))


def test_ageing_nearly_doubles_with_ten_kelvin() -> None:
    """The law's exponent is ln 2 over 10 K; its factor of the reference over the temperature takes 2 % off."""
    assert grid.temperature_stress(298.15, P) == 1.0
    assert grid.temperature_stress(308.15, P) == pytest.approx(2.0 ** (298.15 / 308.15), rel=1e-3)


def test_life_in_cycles_falls_with_their_depth() -> None:
    """By the published coefficients a fifth is lost at f = 0.1639, after four times as many cycles of half depth as full ones."""
    f_end = brentq(lambda f: grid.lost(f, P) - 0.2, 0.0, 1.0)
    assert f_end == pytest.approx(P.f_end, rel=1e-5)
    lives = np.array([f_end / grid.depth_stress(depth, P) for depth in (1.0, 0.8, 0.5, 0.1)])
    assert lives == pytest.approx([2787.0, 5500.0, 12315.0, 52577.0], rel=1e-3)


def test_a_year_on_the_shelf_costs_what_the_film_on_the_anode_takes() -> None:
    """Fast at first, then slowly: the film's share is spent within the first year."""
    rate = grid.ageing(grid.State(E=0.5 * P.C, P_m=0.0), grid.Input(P_b=0.0), P)
    after = [grid.lost(rate * 8760.0 * years, P) for years in (0.0, 1.0, 2.0, 10.0)]
    assert after[0] == 0.0
    assert after[1] - after[0] > 2.0 * (after[2] - after[1])
    assert after[3] < 0.2


def test_photovoltaic_system_losses_are_pvwatts() -> None:
    """The manual's table: soiling, shading, mismatch, wiring, connections, first light, rating, availability."""
    shares = np.array([0.02, 0.03, 0.02, 0.02, 0.005, 0.015, 0.01, 0.03])
    assert 1.0 - np.prod(1.0 - shares) == pytest.approx(grid.SYSTEM_LOSSES, abs=5e-5)


@dataclass(frozen=True)
class Week:
    """What a week prescribes at each of its decisions, means over the half hour."""

    P_pv: Array
    P_l: Array
    price: Array
    E: float


def stored_week(episodes: Episodes) -> Week:
    steps = episodes.scenario.steps
    P_pv, P_l = (0.5 * (s[0, :steps] + s[0, 1 : steps + 1]) for s in map(episodes.disturbance, ("P_pv", "P_l")))
    return Week(P_pv, P_l, episodes.disturbance("price")[0, :steps], float(episodes.initial[0, 0]))


def optimum(week: Week) -> tuple[float, Array]:
    """Return the least cost in USD of a week seen whole and the battery powers that reach it.

    Calendar ageing is taken by its tangent at half charge, which lies below it. Columns: charging, discharging, bought, above
    the limit, sold, cut, stored at the end of each step.
    """
    n, h = len(week.price), PLANT.decision
    wear = P.value * P.C / P.f_end * grid.depth_stress(P.depth, P) / (2.0 * P.depth * P.C)
    eye, none, zero = eye_array(n), 0.0 * eye_array(n), np.zeros(n)
    shelf = h * P.value * P.C / P.f_end * P.k_t * P.hour
    kept = np.full(n, shelf * P.k_s / P.C)
    kept[-1] -= P.price_mean * P.eta
    price = h * np.concatenate(
        [np.full(n, wear * P.eta), np.full(n, wear / P.eta), week.price, np.full(n, P.w_g), np.full(n, -P.feed_in), zero]
    )
    meter = [-eye, eye, eye, none, -eye, -eye, none]
    stored = diags_array([1.0 + h * P.k_E, -1.0], offsets=[0, -1], shape=(n, n))
    battery = [-h * P.eta * eye, h / P.eta * eye, none, none, none, none, stored]
    first = zero.copy()
    first[0] = week.E
    limit = [none, none, eye, -eye, none, none, none]
    bounds = [(0.0, P.P_max)] * (2 * n) + [(0.0, None)] * (2 * n) + [(0.0, P.x_max)] * n + [(0.0, None)] * n + [(0.0, P.C)] * n
    found = linprog(
        np.concatenate([price, kept]), A_ub=bmat([limit]), b_ub=np.full(n, P.g_max), A_eq=bmat([meter, battery]),
        b_eq=np.concatenate([week.P_l - week.P_pv, first]), bounds=bounds, method="highs",
    )  # fmt: skip
    assert found.success
    constant = n * shelf * (1.0 - P.k_s * P.s_r) + P.price_mean * P.eta * week.E
    return float(found.fun + constant), found.x[n : 2 * n] - found.x[:n]


def cost_of(week: Week, P_b: Array) -> float:
    """Return what these battery powers cost on the plant's own equations."""
    parts = 10
    powers, P_pv, P_l, price = (np.repeat(series, parts)[:, None] for series in (P_b, week.P_pv, week.P_l, week.price))
    s = simulate(np.array([week.E]), powers, P_pv, P_l, price, PLANT.decision / parts)
    return float((s.cost - P.price_mean * P.eta * (s.E - week.E))[0])


@pytest.mark.parametrize("episode", [pytest.param(0, marks=pytest.mark.slow), 3])
def test_the_week_by_linear_programming_is_the_plants_own_optimum(episode: int) -> None:
    """The programme knows no slower charging near full, so the plant pays a little more for its plan; the PID layer more."""
    week = draw(PLANT, PLANT.scenario(), 0, 8, "judging")[slice(episode, episode + 1)]
    exact = Episodes(**{**vars(week), "parameters": np.array([list(P)])})
    best, plan = optimum(stored_week(exact))
    reached = cost_of(stored_week(exact), plan)
    by_pid = float(returns(Pid(PLANT), exact)[0])
    assert best <= reached + 0.01
    assert reached <= 1.03 * best
    assert reached < by_pid
