"""The PID law and the robustness figures against two independent packages: simple-pid and python-control."""

from __future__ import annotations

from typing import Any

import control
import numpy as np
import pytest
import simple_pid

from plant_models.catalogue import get
from plant_models.core.loop import Actuator, Coefficients, Memory, coefficients, pid
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.linear import Robustness, linearise_nominal
from plant_models.derive.steady import nominal_equilibrium
from plant_models.env.start import Settings

H = 0.1
WIDE = Actuator(bias=0.0, low=-1e3, high=1e3, step=np.inf)
SINGLE, CROSSED = "heat_pump_house", "quadruple_tank"


def ours(c: Coefficients, r: Array, y: Array, to: Actuator = WIDE) -> Array:
    """Return the outputs of the law over recorded setpoints and measurements."""
    m, out = Memory(0.0, 0.0, float(y[0]), 0.0, 0.0), []
    for setpoint, measured in zip(r, y, strict=True):
        m = pid(c, m, setpoint, measured, 0.0, 0.0, to)
        out.append(m.u)
    return np.array(out)


def theirs(K_c: float, T_i: float, T_d: float, r: Array, y: Array, limits: tuple[float, float] = (-1e3, 1e3)) -> Array:
    """Return the P, I and D parts of simple-pid, (periods, 3).

    It adds the error of this period to the integral before it is used, the law after: its proportional gain is less by what one
    period integrates. Its derivative is the difference quotient itself.
    """
    law = simple_pid.PID(K_c - K_c * H / T_i, K_c / T_i, K_c * T_d, sample_time=None, output_limits=limits)
    parts = []
    for setpoint, measured in zip(r, y, strict=True):
        law.setpoint = float(setpoint)
        law(float(measured), dt=H)
        parts.append(law.components)
    return np.array(parts)


@pytest.fixture
def records() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return np.repeat(rng.uniform(-1.0, 1.0, 20), 10), np.cumsum(rng.normal(0.0, 0.05, 200))


@pytest.mark.parametrize("T_i", [1e12, 2.0])
def test_p_and_pi_are_those_of_simple_pid(records: tuple[Array, Array], T_i: float) -> None:
    r, y = records
    np.testing.assert_allclose(
        ours(coefficients(1.5, T_i, 0.0, 1.0, 0.0, H), r, y), theirs(1.5, T_i, 0.0, r, y).sum(1), atol=1e-9
    )


def test_the_derivative_is_that_of_simple_pid_through_its_filter(records: tuple[Array, Array]) -> None:
    """simple-pid differentiates raw; the same first-order filter over its derivative part gives the law's output exactly."""
    r, y = records
    c = coefficients(1.5, 2.0, 0.7, 1.0, 0.0, H)
    proportional, integral, D = theirs(1.5, 2.0, 0.7, r, y).T
    filtered, last = [], 0.0
    for d in D:
        last = c.decay * last + (1.0 - c.decay) * d
        filtered.append(last)
    np.testing.assert_allclose(ours(c, r, y), proportional + integral + filtered, atol=1e-9)


def test_at_its_limits_the_law_stands_where_simple_pid_stands() -> None:
    """Both integrals are held, by back-calculation here and by clamping there: alike within 0.1, the same once settled."""
    r, to = np.repeat([0.5, 3.0, 0.3], 150), Actuator(bias=0.0, low=-1.0, high=1.0, step=np.inf)
    paths = []
    for law in ("ours", "simple-pid"):
        m, y, path = Memory(0.0, 0.0, 0.0, 0.0, 0.0), 0.0, []
        other = simple_pid.PID(2.0 - 2.0 * H, 2.0, 0.0, sample_time=None, output_limits=(-1.0, 1.0))
        for setpoint in r:
            m = pid(coefficients(2.0, 1.0, 0.0, 1.0, 0.0, H), m, setpoint, y, 0.0, 0.0, to)
            other.setpoint = setpoint
            y += H / 2.0 * ((m.u if law == "ours" else other(y, dt=H)) - y)
            path.append(y)
        paths.append(np.array(path))
    assert paths[0][299] > 0.99
    np.testing.assert_allclose(paths[0], paths[1], atol=0.1)
    np.testing.assert_allclose(paths[0][[140, 299, -1]], paths[1][[140, 299, -1]], atol=1e-3)


def controller(c: Coefficients) -> Any:
    """Return the law from error to output as python-control's transfer function, for setpoint weight one."""
    z = control.tf("z")
    z.dt = H
    return c.K_c + c.integral / (z - 1.0) - c.derivative * (z - 1.0) / (z - c.decay)


def test_a_step_response_is_that_of_python_control() -> None:
    """The law on a sampled second-order lag, stepped by hand, and the closed loop as python-control builds it."""
    c = coefficients(1.2, 2.5, 0.3, 1.0, 0.0, H)
    lag = control.sample_system(control.ss(control.tf([2.0], [3.0, 4.0, 1.0])), H, "zoh")
    x, m, path = np.zeros((2, 1)), Memory(0.0, 0.0, 0.0, 0.0, 0.0), []
    for _ in range(150):
        y = (lag.C @ x).item()
        m = pid(c, m, 1.0, y, 0.0, 0.0, WIDE)
        x = lag.A @ x + lag.B * m.u
        path.append(y)
    z = control.tf("z")
    z.dt = H
    pi, d = c.K_c + c.integral / (z - 1.0), -c.derivative * (z - 1.0) / (z - c.decay)
    inner = control.feedback(lag, control.ss(d))
    closed = control.feedback(control.series(control.ss(pi), inner), 1)
    _, expected = control.step_response(closed, np.arange(150) * H)
    np.testing.assert_allclose(path, np.ravel(expected), atol=1e-8)


def sampled(plant: Plant) -> Any:
    """Return the plant over one loop period for python-control; what inputs do at once is seen one period later."""
    model = linearise_nominal(plant, nominal_equilibrium(plant))
    A, B = model.sampled(plant.loop_period)
    n, m = B.shape
    return control.ss(
        np.block([[A, np.zeros((n, m))], [np.zeros((m, n + m))]]), np.vstack([B, np.eye(m)]),
        np.hstack([model.C, model.D]), np.zeros((len(model.C), m)), H,
    )  # fmt: skip


def sensitivity(plant: Plant, K: list[Any]) -> float:
    """Return the peak over loops of what python-control's return difference gives, each loop broken at measurement and input."""
    pv = [plant.Output.names().index(loop.pv) for loop in plant.loops]
    mv = [plant.Input.names().index(loop.mv) for loop in plant.loops]
    w = np.geomspace(1e-3, np.pi, 160) / H
    P = np.moveaxis(sampled(plant)(np.exp(1j * w * H), squeeze=False), 2, 0)[:, pv][:, :, mv]
    diagonal = np.stack([np.diag([k(z) for k in K]) for z in np.exp(1j * w * H)])
    eye = np.eye(len(pv))
    parts = np.linalg.inv(eye + P @ diagonal), np.linalg.inv(eye + diagonal @ P)
    return float(max(np.abs(np.einsum("fii->fi", part)).max() for part in parts))


@pytest.mark.parametrize("name", [SINGLE, CROSSED])
def test_the_sensitivity_peak_is_that_of_python_control(name: str) -> None:
    plant = get(name)
    settings = Settings.of(plant, plant.loops, plant.advance)
    laws = [controller(Coefficients(*c)) for c in settings.coefficients.reshape(len(plant.loops), -1)]
    found = Robustness(plant, nominal_equilibrium(plant)).peak(settings.coefficients, settings.limits)
    assert found == pytest.approx(sensitivity(plant, laws), rel=1e-6)


def test_stability_is_lost_at_the_gain_margin_of_python_control() -> None:
    plant = get(SINGLE)
    settings = Settings.of(plant, plant.loops, plant.advance)
    law = controller(Coefficients(*settings.coefficients[:, 0]))
    names = plant.Output.names().index("T_z")
    margin, *_ = control.stability_margins(control.series(control.ss(law), sampled(plant)[names, 0]))
    gains = [Coefficients._fields.index(name) for name in ("K_c", "integral", "derivative")]
    robustness = Robustness(plant, nominal_equilibrium(plant))

    def peak(factor: float) -> float:
        louder = settings.coefficients.copy()
        louder[gains] *= factor
        return robustness.peak(louder, settings.limits)

    assert np.isfinite(peak(0.98 * margin))
    assert peak(1.02 * margin) == float("inf")
