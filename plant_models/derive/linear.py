"""Linear models at an operating point, and how robust the sampled PID layer is on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import casadi as ca
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive import symbolic
from plant_models.derive.closed_loop import Trace
from plant_models.derive.layout import scheduled
from plant_models.derive.steady import nominal

FREQUENCIES = 160


@dataclass(frozen=True)
class Linear:
    """``dx/dt = A x + B u + E d``, ``y = C x + D u + F d``, per time unit of the plant, around a point."""

    A: Array
    B: Array
    E: Array
    C: Array
    D: Array
    F: Array

    def sampled(self, h: float) -> tuple[Array, Array]:
        """Return the state and input matrices over one period ``h`` with the inputs held."""
        n, m = self.B.shape
        block = np.zeros((n + m, n + m))
        block[:n, :n], block[:n, n:] = self.A, self.B
        whole = expm(block * h)
        return whole[:n, :n], whole[:n, n:]


@cache
def _jacobians(plant: Plant) -> ca.Function:
    s = symbolic.Symbols.of(plant)
    f = symbolic.derivative(plant, s.x, s.u, s.d, s.p)
    y = symbolic.outputs(plant, s.x, s.u, s.d, s.p)
    parts = [ca.jacobian(g, v) for g in (f, y) for v in (s.x, s.u, s.d)]
    return ca.Function("jacobians", [s.x, s.u, s.d, s.p], parts)


def linearise(plant: Plant, x: Array, u: Array, d: Array, p: Array) -> Linear:
    """Return the linear model at a point."""
    parts = [part.full() for part in _jacobians(plant)(x, u, d, p)]
    return Linear(*parts)


def linearise_nominal(plant: Plant, x: Array) -> Linear:
    """Return the linear model at a state, with everything else nominal."""
    return linearise(plant, x, nominal(plant.Input), nominal(plant.Disturbance), nominal(plant.Parameter))


class Robustness:
    """Peak sensitivity of the sampled PID layer around one operating point, for any gains.

    Each loop is broken in turn at its measurement and at its manipulated variable, all others closed: the diagonal of
    ``(I - P K)^-1`` and of ``(I - K P)^-1`` (Skogestad and Postlethwaite, Multivariable Feedback Control, 2005, 3.2).
    A loop that only passes its setpoint on has an integral part that nothing moves: a mode at one, which is left out.
    """

    def __init__(self, plant: Plant, x: Array) -> None:
        self.plant = plant
        model = linearise_nominal(plant, x)
        h = plant.loop_period
        A, B = model.sampled(h)
        w = np.geomspace(1e-3, np.pi, FREQUENCIES)
        self._z: NDArray[np.complex128] = np.exp(1j * w)
        self._plant = (A, B, model.C, model.D)
        self._P = self._transfer(*self._plant)
        self._law = _law(plant)
        self._idle = sum(loop.gains.K_c == 0.0 for loop in plant.loops)
        outputs = np.array([q.nominal for q in plant.Output.quantities().values()])
        self._point = (outputs, nominal(plant.Input))

    def peak(self, coefficients: Array, limits: Array) -> float:
        """Return M_s of the layer with these rows of coefficients; infinite where the closed loop is unstable."""
        law = tuple(part.full() for part in self._law(coefficients, limits, *self._point))
        modes = np.sort(np.abs(np.linalg.eigvals(_closed(self._plant, law))))
        if modes[len(modes) - 1 - self._idle] >= 1.0 - 1e-9:
            return float("inf")
        K = self._transfer(*law)
        eye_y, eye_u = np.eye(K.shape[2]), np.eye(K.shape[1])
        outer, inner = np.linalg.inv(eye_y - self._P @ K), np.linalg.inv(eye_u - K @ self._P)
        peaks = [np.abs(np.einsum("fii->fi", s)).max() for s in (outer, inner)]
        return float(max(peaks))

    def _transfer(self, A: Array, B: Array, C: Array, D: Array) -> NDArray[np.complex128]:
        resolvent: NDArray[Any] = np.linalg.solve(
            self._z[:, None, None] * np.eye(len(A)) - A, np.broadcast_to(B, (FREQUENCIES, *B.shape))
        )
        response: NDArray[np.complex128] = np.asarray(C @ resolvent + D)
        return response


def _closed(plant: tuple[Array, ...], law: tuple[Array, ...]) -> Array:
    """Return the state matrix of plant and controller in feedback; the controller reads y before it moves u.

    y = C x + D u_held is what the last period left, so u_held is a state of its own.
    """
    A, B, C, D = plant
    a, b, c, d = law
    x, m, u = np.eye(len(A)), np.eye(len(a)), np.zeros((B.shape[1], B.shape[1]))
    read = np.hstack([C @ x, np.zeros((len(C), len(m))), D])
    moved = np.hstack([np.zeros((len(c), len(A))), c, u]) + d @ read
    remembered = np.hstack([np.zeros((len(a), len(A))), a, np.zeros((len(a), B.shape[1]))]) + b @ read
    state = np.hstack([A, np.zeros((len(A), len(m) + B.shape[1]))]) + B @ moved
    return np.vstack([state, remembered, moved])


@cache
def _law(plant: Plant) -> ca.Function:
    """Return the sampled PID layer's matrices (memory to memory, y to memory, memory to u, y to u) at its rest point."""
    trace = Trace(plant)
    writes, inputs = trace.layer()
    m, y = trace.S("memory"), trace.S("y")
    u = writes["u"]
    parts = [ca.jacobian(g, v) for g in (writes["memory"], u) for v in (m, y)]
    return _at_rest(plant, trace, parts, inputs)


def _at_rest(plant: Plant, trace: Trace, parts: list[ca.SX], inputs: ca.SX) -> ca.Function:
    """Evaluate the matrices where every loop holds its nominal point."""
    rest = []
    for loop in plant.loops:
        pv = plant.Output.quantities()[loop.pv].nominal
        moved = plant.Input.quantities()[loop.mv] if loop.mv else plant.Output.quantities()[plant.slave(loop).pv]
        rest += [0.0, 0.0, pv, moved.nominal, 0.0]
    rest += [0.0 for _ in scheduled(plant)]
    y, u = ca.SX.sym("y", trace.S("y").numel()), ca.SX.sym("u", trace.S("u").numel())
    references = [plant.Output.quantities()[loop.pv].nominal for loop in plant.masters]
    disturbances = nominal(plant.Disturbance)
    old = [trace.S("memory"), trace.S("y"), trace.S("u"), trace.S("v"), inputs, trace.E("r")]
    new = [ca.DM(rest), y, u, ca.DM.zeros(trace.S("v").numel()), ca.DM(disturbances), ca.DM(references)]
    fixed = ca.substitute(parts, old, [ca.SX(value) for value in new])
    return ca.Function("law", [trace.P("coefficients"), trace.P("limits"), y, u], fixed, {"allow_free": False})
