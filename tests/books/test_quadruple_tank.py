"""Johansson: The quadruple-tank process, IEEE Trans. Control Systems Technology 8(3), 2000, 456-465: both operating points.

The paper rounds levels, time constants and zeros to two digits and takes the levels from the rig; ours are the steady states of
the equations at the printed voltages.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import eigvals

from plant_models.catalogue import get
from plant_models.derive.linear import Linear, linearise
from plant_models.derive.steady import equilibrium, nominal
from plant_models.process_units.quadruple_tank import NON_MINIMUM, Disturbance, Input, Parameter, State
from tests.books.published import check

PLANT = get("quadruple_tank")
PHASES = {"minimum": (dict[str, float](), 3.0), "non-minimum": (NON_MINIMUM, 3.15)}
Array = NDArray[np.float64]


def at(phase: str) -> tuple[Array, Linear]:
    """Steady levels and the linear model around them."""
    changed, voltage = PHASES[phase]
    p = np.array([changed.get(name, q.nominal) for name, q in Parameter.quantities().items()])
    u, d = np.full(2, voltage), nominal(Disturbance)
    x = equilibrium(PLANT, u, d, p, nominal(State))
    return x, linearise(PLANT, x, u, d, p)


def zeros(m: Linear) -> list[float]:
    """Transmission zeros, rising: where the system matrix loses rank."""
    system = np.block([[m.A, m.B], [m.C, m.D]])
    weight = np.zeros_like(system)
    weight[: len(m.A), : len(m.A)] = np.eye(len(m.A))
    found = eigvals(system, weight)
    return sorted(found[np.isfinite(found)].real)


@pytest.mark.parametrize("phase", PHASES)
def test_time_constants(phase: str) -> None:
    _, model = at(phase)
    for i, rate in enumerate(np.diag(model.A), start=1):
        check(PLANT, f"time constant T_{i}, {phase} phase", -1.0 / rate)


def test_zeros_on_both_sides_of_the_imaginary_axis() -> None:
    fast, slow = zeros(at("minimum")[1])
    check(PLANT, "fast zero, minimum phase", fast)
    check(PLANT, "slow zero, minimum phase", slow)
    left, right = zeros(at("non-minimum")[1])
    check(PLANT, "fast zero, non-minimum phase", left)
    check(PLANT, "zero in the right half-plane, non-minimum phase", right)


@pytest.mark.parametrize(("phase", "printed"), [("minimum", (12.4, 12.7, 1.8, 1.4)), ("non-minimum", (12.6, 13.0, 4.8, 4.9))])
def test_steady_levels_are_those_of_the_rig(phase: str, printed: tuple[float, ...]) -> None:
    """Within 2 mm of what was measured."""
    assert at(phase)[0] == pytest.approx(printed, abs=0.2)


@pytest.mark.parametrize(("phase", "share_1", "share_2"), [("minimum", 0.70, 0.60), ("non-minimum", 0.43, 0.34)])
def test_the_valves_alone_decide_the_relative_gain(phase: str, share_1: float, share_2: float) -> None:
    """The paper's formula gamma_1 gamma_2 / (gamma_1 + gamma_2 - 1), of tank 1 to the pump that feeds it directly."""
    _, model = at(phase)
    gain = -model.C @ np.linalg.solve(model.A, model.B)
    relative = (gain * np.linalg.inv(gain).T)[0, 1 if phase == "non-minimum" else 0]
    expected = share_1 * share_2 / (share_1 + share_2 - 1.0)
    assert relative == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("phase", PHASES)
def test_water_is_neither_made_nor_lost(phase: str) -> None:
    """What all tanks gain is what the pumps and the outside bring less what leaves through the two lower outlets."""
    changed, _ = PHASES[phase]
    p = Parameter(**{name: changed.get(name, q.nominal) for name, q in Parameter.quantities().items()})
    rng = np.random.default_rng(0)
    for levels in rng.uniform(0.5, 20.0, (20, 4)):
        u, d = Input(v_1=rng.uniform(0.0, 10.0), v_2=rng.uniform(0.0, 10.0)), Disturbance(q_3=0.7, q_4=0.3)
        rates = list(PLANT.derivative(State.of(levels.tolist()), u, d, p))
        gained = np.dot(rates, [p.A_1, p.A_2, p.A_3, p.A_4])
        pumps = (p.k_1 * u.v_2 + p.k_2 * u.v_1) if p.crossed else (p.k_1 * u.v_1 + p.k_2 * u.v_2)
        left = p.a_1 * np.sqrt(2.0 * p.g * levels[0]) + p.a_2 * np.sqrt(2.0 * p.g * levels[1])
        assert gained == pytest.approx(pumps + 1.0 - left, abs=0.02)


def test_turned_valves_answer_the_wrong_pump_first() -> None:
    """Along the zero's own direction a level moves away from where it will end: it rises first, and settles below."""
    _, model = at("non-minimum")
    gain = -model.C @ np.linalg.solve(model.A, model.B)
    push = np.linalg.solve(gain, [-1.0, 0.0])
    first = model.C @ model.B @ push
    assert first[0] > 0.0
