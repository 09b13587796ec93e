"""The batch of do-mpc's industrial polymerization example: its reference trajectory, and its batch time by an NMPC of our own.

Lucia, Andersson, Brandt, Diehl, Engell, J. Process Control 24 (2014) 1247; do-mpc 5.1.2, example industrial_poly, which ends
the batch at 20 680 kg. Its inputs are replayed here; then a controller with its horizon, limits and sampling runs the batch.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import casadi as ca
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from plant_models.catalogue import get
from plant_models.derive import symbolic
from plant_models.derive.steady import nominal
from plant_models.reactors import semibatch_polymerization as reactor
from tests.books.published import check

Array = NDArray[np.float64]
PLANT = get("semibatch_polymerization")
STEP, HORIZON = 50.0 / 3600.0, 20
NAMES = PLANT.State.names()
D = reactor.Disturbance.nominal()
SHARP = 1e-3
"""Feed in kg over which the pump loses suction; the reference's feed ends abruptly."""


def parameters(**changed: float) -> reactor.Parameter:
    values = dict(zip(PLANT.Parameter.names(), nominal(PLANT.Parameter), strict=True))
    return reactor.Parameter(**(values | {"m_heel": SHARP} | changed))


def advance(x: Array, u: Array, p: reactor.Parameter) -> Array:
    """Return the state after 50 s."""
    inputs = reactor.Input.of(list(u))
    run = solve_ivp(
        lambda _, z: list(reactor.derivative(reactor.State.of(list(z)), inputs, D, p)), (0.0, STEP), x,
        method="LSODA", rtol=1e-9, atol=1e-9,
    )  # fmt: skip
    return np.asarray(run.y[:, -1])


@cache
def reference() -> dict[str, Array]:
    path = Path(__file__).parent / "data" / "semibatch_polymerization.csv"
    columns = path.read_text().splitlines()[0].split(",")
    return dict(zip(columns, np.loadtxt(path, delimiter=",", skiprows=1).T, strict=True))


@cache
def replayed() -> Array:
    r, p = reference(), parameters(m_feed=30000.5)
    states = [np.array([r[name][0] for name in NAMES])]
    for u in np.stack([r["F"], r["T_inM"], r["T_inE"]], axis=1)[:-1]:
        states.append(advance(states[-1], u, p))
    return np.array(states)


def batch_time(polymer: Array) -> float:
    """Return the hours until 20 680 kg, on a straight line between the samples."""
    return float(np.interp(20680.0, polymer, STEP * np.arange(len(polymer))))


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_trajectory_is_followed_in_every_state(name: str) -> None:
    ours, theirs = replayed()[:, NAMES.index(name)], reference()[name]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-3)


def test_the_adiabatic_temperature_is_the_reference_s_tenth_state() -> None:
    x = reactor.State.of(list(replayed().T))
    np.testing.assert_allclose(reactor.adiabatic_temperature(x, parameters()), reference()["T_ad"], atol=1e-3)


def test_the_plant_file_states_what_the_replay_gives() -> None:
    x = replayed()
    check(PLANT, "batch time with the reference's inputs", batch_time(x[:, NAMES.index("m_P")]))
    at_one_hour = reactor.State.of(list(x[72]))
    check(PLANT, "polymer after 1 h of the reference's inputs", at_one_hour.m_P)
    T_ad = reactor.adiabatic_temperature(at_one_hour, parameters())
    check(PLANT, "adiabatic temperature after 1 h of the reference's inputs", T_ad)


def test_mass_closes_and_no_monomer_is_lost() -> None:
    x = reactor.State.of(list(replayed().T))
    charged = x.m_F - x.m_F[0]
    total = x.m_W + x.m_A + x.m_P
    np.testing.assert_allclose(total - total[0], charged, atol=1e-4)
    np.testing.assert_allclose(x.m_A + x.m_P - 879.5, parameters().w_A * charged, atol=1e-4)


def test_the_feed_vessel_runs_empty_and_not_below() -> None:
    p, x = parameters(m_heel=50.0), nominal(PLANT.State)
    x[NAMES.index("m_F")] = 29800.0
    for _ in range(40):
        x = advance(x, np.array([3.0e4, 333.15, 333.15]), p)
    assert 29990.0 < x[NAMES.index("m_F")] <= 30000.0


def test_losing_all_cooling_ends_at_the_adiabatic_temperature() -> None:
    """No feed, no heat transfer: all monomer reacts and the reactor ends where T_ad said, less what the wall and water keep."""
    p = parameters(A=0.0, f_E=0.0, a=0.0, m_E=1e-9)
    x = np.array(replayed()[40])
    promised = reactor.adiabatic_temperature(reactor.State.of(list(x)), p)
    for _ in range(400):
        x = advance(x, np.array([0.0, 333.15, 333.15]), p)
    assert x[NAMES.index("m_A")] == pytest.approx(0.0, abs=1.0)
    assert x[NAMES.index("T_R")] == pytest.approx(promised, abs=0.05)


SCALE_X, SCALE_U = np.array([1e4, 1e3, 1e4, 1e4, 100.0, 100.0, 100.0, 100.0, 100.0]), np.array([1e4, 100.0, 100.0])
LOW_U, HIGH_U = (np.array(bounds) / SCALE_U for bounds in ([0.0, 333.15, 333.15], [3.0e4, 373.15, 373.15]))
T_R, M_P, M_F = (NAMES.index(name) for name in ("T_R", "m_P", "m_F"))
PENALTY = 100.0


class Nmpc:
    """Most polymer over the next 20 intervals of 50 s within the published limits; the model is exact, its feed without end.

    Radau collocation with two points (Biegler, Nonlinear Programming, SIAM 2010, table 10.1); the limit of T_R is softened.
    """

    def __init__(self) -> None:
        self.opti = ca.Opti()
        self.x, self.before = self.opti.parameter(len(SCALE_X)), self.opti.parameter(len(SCALE_U))
        self.U = self.opti.variable(len(SCALE_U), HORIZON)
        self.X = [self.opti.variable(len(SCALE_X), 2) for _ in range(HORIZON)]
        self.over = self.opti.variable(HORIZON)
        self._constrain()
        ends = ca.horzcat(*(X[:, 1] for X in self.X))
        moves = self.U - ca.horzcat(self.before, self.U[:, :-1])
        self.opti.minimize(-ca.sum2(ends[M_P, :]) + 1e-3 * ca.sumsqr(moves) + PENALTY * ca.sum1(self.over))
        quiet = {"print_time": False, "ipopt": {"print_level": 0, "sb": "yes", "tol": 1e-6}}
        self.opti.solver("ipopt", quiet)

    def _constrain(self) -> None:
        rate, adiabatic = model()
        slopes = np.array([[-2.0, 1.5, 0.5], [2.0, -4.5, 2.5]])
        start = self.x
        for k, X in enumerate(self.X):
            points = ca.horzcat(start, X)
            for i in range(2):
                self.opti.subject_to(points @ slopes[i] == STEP * rate(X[:, i], self.U[:, k]))
            start = X[:, 1]
            self.opti.subject_to(self.opti.bounded(3.6115, start[T_R], 3.6515 + self.over[k]))
            self.opti.subject_to(adiabatic(start) <= 3.8215)
            self.opti.subject_to(start[M_F] <= 3.0)
        self.opti.subject_to(ca.vec(self.over) >= 0.0)
        for i, (low, high) in enumerate(zip(LOW_U, HIGH_U, strict=True)):
            self.opti.subject_to(self.opti.bounded(low, self.U[i, :], high))

    def act(self, x: Array, before: Array) -> Array:
        """Return the inputs of the next 50 s; the search starts from the last solution."""
        self.opti.set_value(self.x, x / SCALE_X)
        self.opti.set_value(self.before, before / SCALE_U)
        solved = self.opti.solve()
        self.opti.set_initial(solved.value_variables())
        first: Array = np.asarray(solved.value(self.U))[:, 0] * SCALE_U
        return first


def model() -> tuple[ca.Function, ca.Function]:
    """Return the scaled rate of the states, and the adiabatic temperature over 100 K, at nominal parameters."""
    p, s = parameters(m_feed=1e9), symbolic.Symbols.of(PLANT)
    x, u = s.x * SCALE_X, s.u * SCALE_U
    d = ca.DM(nominal(PLANT.Disturbance))
    rate = symbolic.derivative(PLANT, x, u, d, ca.DM(list(p))) / SCALE_X
    adiabatic = reactor.adiabatic_temperature(reactor.State.of(symbolic.rows(x)), p) / 100.0
    return ca.Function("rate", [s.x, s.u], [rate]), ca.Function("adiabatic", [s.x], [adiabatic])


def test_nominal_nmpc_makes_20680_kg_in_the_reference_s_time() -> None:
    controller, states = Nmpc(), [nominal(PLANT.State)]
    for X in controller.X:
        controller.opti.set_initial(X, np.tile(states[0] / SCALE_X, (2, 1)).T)
    u = np.array([0.0, 363.15, 353.15])
    controller.opti.set_initial(controller.U, np.tile(u / SCALE_U, (HORIZON, 1)).T)
    while states[-1][M_P] < 20680.0 and len(states) < 150:
        u = controller.act(states[-1], u)
        states.append(advance(states[-1], u, parameters(m_feed=30000.5)))
    x = np.array(states)
    check(PLANT, "batch time by nominal NMPC", batch_time(x[:, M_P]))
    assert x[:, T_R].min() >= 361.0
    assert x[:, T_R].max() <= 365.3
    assert reactor.adiabatic_temperature(reactor.State.of(list(x.T)), parameters()).max() <= 382.25
