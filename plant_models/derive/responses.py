"""How a plant answers without its PID layer: steps of each input, and where it comes to rest for each value of it."""

from __future__ import annotations

from dataclasses import dataclass

import casadi as ca
import numpy as np

from plant_models.core.duty import Batch
from plant_models.core.errors import IntegrationError, SetpointError
from plant_models.core.plant import Plant
from plant_models.core.quantity import Quantity
from plant_models.core.scenario import Array
from plant_models.derive import symbolic
from plant_models.derive.linear import linearise_nominal
from plant_models.derive.steady import equilibrium, nominal, nominal_equilibrium

POINTS = 200


@dataclass(frozen=True)
class Response:
    """What happened after a step of one quantity: its name and size, times (points,) and outputs (outputs, points)."""

    moved: str
    step: float
    time: Array
    outputs: Array


class OpenLoop:
    """The plant's own equations by CVODES, inputs and disturbances held."""

    def __init__(self, plant: Plant, duration: float) -> None:
        s = symbolic.Symbols.of(plant)
        held = ca.vertcat(s.u, s.d)
        parameters = ca.DM(list(plant.Parameter.nominal()))
        slope = symbolic.derivative(plant, s.x, s.u, s.d, parameters)
        shown = symbolic.outputs(plant, s.x, s.u, s.d, parameters)
        self.plant, self.time = plant, np.linspace(0.0, duration, POINTS)
        self._shown = ca.Function("shown", [s.x, held], [shown])
        options = {"abstol": 1e-8, "reltol": 1e-8, "max_num_steps": 100_000}
        self._integrate = ca.integrator(
            "open_loop", "cvodes", {"x": s.x, "p": held, "ode": slope}, 0.0, list(self.time[1:]), options
        )

    def run(self, x: Array, u: Array, d: Array) -> Array:
        """Return the outputs from a state on, (outputs, points).

        Raises:
            IntegrationError: where CVODES cannot go on.
        """
        held = np.concatenate([u, d])
        try:
            states = self._integrate(x0=x, p=held)["xf"].full()
        except RuntimeError as error:
            raise IntegrationError(f"{self.plant.name}: CVODES could not integrate the step response") from error
        return np.asarray(self._shown(np.column_stack([x, states]), held).full())


@dataclass(frozen=True)
class SteadyMap:
    """Where the outputs come to rest for values of one input, the others nominal: (points,) and (outputs, points)."""

    moved: str
    values: Array
    outputs: Array


def steps(plant: Plant, share: float = 0.1) -> list[Response]:
    """Return the answers to a step of each input by a share of its range: from rest, or over a batch from its start.

    Raises:
        IntegrationError: where CVODES cannot go on.
        SetpointError: where a continuous plant has no steady state near its nominal point.
    """
    start = _start(plant)
    loop = OpenLoop(plant, _duration(plant, start))
    return [_stepped(loop, start, name, _inward(q, share)) for name, q in plant.Input.quantities().items()]


def step(plant: Plant, name: str, size: float, duration: float | None = None) -> Response:
    """Return the answer to a step of one input, by default until it has settled; raises as :func:`steps` does."""
    start = _start(plant)
    return _stepped(OpenLoop(plant, duration or _duration(plant, start)), start, name, size)


def _start(plant: Plant) -> Array:
    return nominal(plant.State) if isinstance(plant.duty, Batch) else nominal_equilibrium(plant)


def _stepped(loop: OpenLoop, start: Array, name: str, size: float) -> Response:
    moved = nominal(loop.plant.Input)
    moved[loop.plant.Input.names().index(name)] += size
    return Response(name, size, loop.time, loop.run(start, moved, nominal(loop.plant.Disturbance)))


def _inward(q: Quantity, share: float) -> float:
    """Return a step up, or down where up would leave the range."""
    size = share * (q.high - q.low)
    return size if q.nominal + size <= q.high else -size


def _duration(plant: Plant, start: Array) -> float:
    """Return five of the slowest time constants, but no more than an episode; for a batch, an episode."""
    episode = plant.scenario().steps * plant.decision
    if isinstance(plant.duty, Batch):
        return episode
    rates = -np.linalg.eigvals(linearise_nominal(plant, start).A).real
    decaying = rates[rates > 0.0]
    return float(min(episode, 5.0 / decaying.min())) if len(decaying) else episode


def steady_maps(plant: Plant, points: int = 25) -> list[SteadyMap]:
    """Return steady outputs over each input's range, followed from the nominal point; nothing for a batch.

    Where the plant has no steady state the map holds NaN.
    """
    if isinstance(plant.duty, Batch):
        return []
    start, inputs = nominal_equilibrium(plant), plant.Input.quantities().values()
    return [_map(plant, start, i, np.linspace(q.low, q.high, points)) for i, q in enumerate(inputs)]


def _map(plant: Plant, start: Array, i: int, values: Array) -> SteadyMap:
    outputs = np.full((len(plant.Output.names()), len(values)), np.nan)
    middle = int(np.argmin(np.abs(values - nominal(plant.Input)[i])))
    for walk in (range(middle, len(values)), range(middle - 1, -1, -1)):
        x = start
        for k in walk:
            u = nominal(plant.Input)
            u[i] = values[k]
            try:
                x, outputs[:, k] = _at_rest(plant, u, x)
            except SetpointError:
                break
    return SteadyMap(plant.Input.names()[i], values, outputs)


def _at_rest(plant: Plant, u: Array, guess: Array) -> tuple[Array, Array]:
    """Return the steady state for these inputs and its outputs, NaN where the state is not valid."""
    d, p = nominal(plant.Disturbance), nominal(plant.Parameter)
    x = equilibrium(plant, u, d, p, guess)
    vectors = (vector.of(list(values)) for vector, values in zip(plant.arguments, (x, u, d, p), strict=True))
    shown = np.array(list(plant.outputs(*vectors)), dtype=float)
    return x, shown if _inside(plant, x) else np.full(len(shown), np.nan)


def _inside(plant: Plant, x: Array) -> bool:
    bounds = np.array([q.valid for q in plant.State.quantities().values()])
    return bool(np.all((x >= bounds[:, 0]) & (x <= bounds[:, 1])))
