"""The slow, exact twin of the kernel: the same pieces run one by one, the plant integrated by CVODES.

It rescues the steps that the kernel's fixed-step method cannot do, and it is what the kernel is tested against.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import casadi as ca
import numpy as np

from plant_models.core.errors import IntegrationError
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive import symbolic
from plant_models.derive.closed_loop import Piece, Trace
from plant_models.derive.layout import FAILED, RUNNING, Level, bin_periods

TOLERANCE = 1e-10


class Twin:
    """One plant, one decision at a time, at a tolerance of CVODES."""

    def __init__(self, plant: Plant, level: Level, substeps: int, tolerance: float = TOLERANCE, operated: bool = False) -> None:
        trace = Trace(plant, level, operated)
        self.plant, self.layout, self.substeps = plant, trace.layout, substeps
        self._h = plant.loop_period / substeps
        self._times = [self._h * (i + 1) for i in range(substeps)]
        self._begin, self._control, self._measure, self._finish = (
            trace.begin(), trace.control(), trace.measure(), trace.finish()
        )  # fmt: skip
        self._account = trace.account()
        self._whole, self._single = _cvodes(plant, self._times, tolerance), _cvodes(plant, self._times[:1], tolerance)

    def step(self, S: Array, P: Array, E: Array, noise: Array) -> Array:
        """Return the state column after one decision; ``noise`` (loops per decision, rows of ``N``) is in units.

        Raises:
            IntegrationError: where CVODES fails or the state leaves the plant's valid range.
        """
        blocks = {"S": S.copy(), "P": P, "E": E}
        _run(self._begin, blocks)
        loops = self.plant.loops_per_decision
        for j in range(loops):
            _run(self._control, blocks | {"N": noise[j], "tau": np.array([(j + 0.5) / loops])})
            self._period(blocks)
            over = float((j + 1) % bin_periods(self.plant) == 0)
            _run(self._measure, blocks | {"N": noise[j], "tau": np.array([over])})
        _run(self._finish, blocks)
        return blocks["S"]

    def _period(self, blocks: dict[str, Array]) -> None:
        S, rows = blocks["S"], self.layout.S
        if S[rows.row("status")] != RUNNING:
            return
        held = np.concatenate([S[rows["u"]], S[rows["d"]], blocks["P"][self.layout.P["p"]]])
        for x in self._reached(S[rows["x"]].copy(), held):
            _run(self._account, blocks | {"X": x, "tau": np.array([self._h])})
            if S[rows.row("status")] == FAILED:
                raise IntegrationError(f"{self.plant.name}: the state left the range where the model is valid")
            if S[rows.row("status")] != RUNNING:
                return

    def _reached(self, x: Array, held: Array) -> Iterator[Array]:
        """Yield the states at the ends of the sub-steps; one by one where the loop period cannot be integrated as a whole."""
        try:
            together = self._whole(x0=x, p=held)["xf"].full().T
        except RuntimeError:
            together = None
        for i in range(self.substeps):
            x = self._next(x, held) if together is None else together[i]
            yield x

    def _next(self, x: Array, held: Array) -> Array:
        try:
            return np.asarray(self._single(x0=x, p=held)["xf"].full().ravel())
        except RuntimeError as error:
            raise IntegrationError(f"{self.plant.name}: CVODES could not integrate the step") from error


@cache
def twin(plant: Plant, level: Level, substeps: int, tolerance: float = TOLERANCE, operated: bool = False) -> Twin:
    """Return the twin, built once a process; it looks at margins and trips ``substeps`` times in a loop period."""
    return Twin(plant, level, substeps, tolerance, operated)


def _run(piece: Piece, blocks: dict[str, Array]) -> None:
    values = np.array([blocks[block][row] for block, row in piece.reads])
    results = piece.f(values).full().ravel()
    for (_, row), value in zip(piece.writes, results, strict=True):
        blocks["S"][row] = value


def _cvodes(plant: Plant, times: list[float], tolerance: float) -> ca.Function:
    s = symbolic.Symbols.of(plant)
    dae = {"x": s.x, "p": ca.vertcat(s.u, s.d, s.p), "ode": symbolic.derivative(plant, s.x, s.u, s.d, s.p)}
    options = {"abstol": tolerance, "reltol": tolerance, "disable_internal_warnings": True}
    return ca.integrator("cvodes", "cvodes", dae, 0.0, times, options)
