"""Local steady gains of a plant along the operating points of one loop: what a gain schedule starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plant_models.core.errors import BadInput, SetpointError
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.core.schedule import SETPOINT, Schedule
from plant_models.core.vector import Vector
from plant_models.derive.linear import linearise
from plant_models.derive.steady import equilibrium, nominal, nominal_equilibrium

POINTS = 60
DEAD = 1e-3
"""Share of the nominal gain below which a loop's input has no grip, and no gain of the loop makes up for it."""


@dataclass(frozen=True)
class LocalGains:
    """``gain`` (points,) of a loop's PV to what the loop moves, at steady states whose outputs are ``y`` (points, outputs).

    Everything but the loop's input is nominal; ``nominal`` is the gain at the nominal point.
    """

    plant: Plant
    loop: Loop
    y: Array
    gain: Array
    nominal: float

    @property
    def ratio(self) -> float:
        """The largest gain over the smallest, within the loop's setpoint range."""
        pv = self.y[:, self.plant.Output.names().index(self.loop.pv)]
        sizes = np.abs(self.gain[(pv >= self.loop.low) & (pv <= self.loop.high)])
        sizes = sizes[sizes > DEAD * abs(self.nominal)]
        return float(sizes.max() / sizes.min())

    def schedule(self, variable: str, at: tuple[float, ...], K_c: float = 1.0, T_i: float = 0.0) -> Schedule:
        """Return the schedule by an output or ``"setpoint"`` with the inverse gains at these breakpoints."""
        column = self.plant.Output.names().index(self.loop.pv if variable == SETPOINT else variable)
        alive = np.flatnonzero(np.abs(self.gain) > DEAD * abs(self.nominal))
        order = alive[np.argsort(self.y[alive, column])]
        inverse = np.interp(at, self.y[order, column], self.nominal / self.gain[order])
        return Schedule(variable=variable, at=at, inverse_gain=tuple(float(f) for f in inverse), K_c=K_c, T_i=T_i)


def local_gains(plant: Plant, tag: str) -> LocalGains:
    """Follow the steady states from the nominal one while a loop's input, or that of its slave, moves through its range.

    Raises:
        BadInput: for a tag that no loop has.
    """
    loop = next((other for other in plant.loops if other.tag == tag), None)
    if loop is None:
        raise BadInput(f"{plant.name} has no loop {tag!r}; known are {', '.join(other.tag for other in plant.loops)}")
    mv = _input(plant, loop)
    q = plant.Input.quantities()[mv]
    down, up = (_path(plant, mv, np.linspace(q.nominal, end, POINTS)) for end in (q.low, q.high))
    points = [*down[:0:-1], *up]
    gains = [_gain(plant, loop, x, u) for x, u in points]
    return LocalGains(
        plant, loop, np.stack([_outputs(plant, x, u) for x, u in points]), np.array(gains), _gain(plant, loop, *up[0])
    )


def _input(plant: Plant, loop: Loop) -> str:
    return loop.mv or _input(plant, plant.slave(loop))


def _path(plant: Plant, mv: str, values: Array) -> list[tuple[Array, Array]]:
    """Return steady states and inputs, as far as a steady state near the last one is found."""
    x, u, points = nominal_equilibrium(plant), nominal(plant.Input), list[tuple[Array, Array]]()
    d, p = nominal(plant.Disturbance), nominal(plant.Parameter)
    spans = np.array([q.half_range for q in plant.State.quantities().values()])
    for value in values:
        u = u.copy()
        u[plant.Input.names().index(mv)] = value
        try:
            found = equilibrium(plant, u, d, p, x)
        except SetpointError:
            break
        if np.abs((found - x) / spans).max() > 0.5:
            break
        x = found
        points.append((x, u))
    return points


def _gain(plant: Plant, loop: Loop, x: Array, u: Array) -> float:
    model = linearise(plant, x, u, nominal(plant.Disturbance), nominal(plant.Parameter))
    static = model.D - model.C @ np.linalg.solve(model.A, model.B)
    names, mv = plant.Output.names(), plant.Input.names().index(_input(plant, loop))
    gain = float(static[names.index(loop.pv), mv])
    if loop.mv:
        return gain
    slave = plant.slave(loop)
    return gain / float(static[names.index(slave.pv), mv])


def _outputs(plant: Plant, x: Array, u: Array) -> Array:
    vectors: tuple[type[Vector], ...] = plant.arguments
    d, p = nominal(plant.Disturbance), nominal(plant.Parameter)
    arguments = [vector.of(list(values)) for vector, values in zip(vectors, (x, u, d, p), strict=True)]
    return np.array(list(plant.outputs(*arguments)), dtype=float)
