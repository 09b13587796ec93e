"""Draw the episodes of a scenario: seeded, in blocks, so that the first fifty of a hundred are the fifty of fifty."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plant_models.core.errors import BadInput, UnknownName, unknown
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Draw, Scenario, Signals, Split
from plant_models.env.faults import delays, faded, instruments

BLOCK = 64
"""Episodes drawn from one generator."""

Single: TypeAlias = NDArray[np.float32]
CODES: dict[Split, int] = {"training": 0, "tuning": 1, "judging": 2, "validation": 3}
"""Part of every seed: the same number never draws the same episode for two purposes."""
FAULTS = 1
"""Part of the seed of what goes wrong, which has a generator of its own: a fault changes nothing else of an episode."""


@dataclass(frozen=True)
class Episodes:
    """What ``n`` episodes of a scenario prescribe.

    ``exogenous`` (n, samples, disturbances + references + targets + fading parameters), ``noise`` (n, loop periods + 1,
    outputs + two for each faulty valve) what instruments add, in units, and the valves' bands, ``forecasts`` (n, steps + 1,
    entries), ``initial`` (n, states), ``parameters`` (n, parameters), ``delays`` (n, delayed instruments) in loop periods.
    """

    plant: Plant
    scenario: Scenario
    exogenous: Array
    noise: Single
    forecasts: Single
    initial: Array
    parameters: Array
    delays: Array

    def __len__(self) -> int:
        return len(self.exogenous)

    def __getitem__(self, which: slice | NDArray[np.intp]) -> Episodes:
        """Return some of the episodes."""
        arrays: dict[str, Any] = {name: getattr(self, name)[which] for name in ARRAYS}
        return replace(self, **arrays)

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The PID layer with the scenario's own settings, where it has some."""
        return self.scenario.loops or self.plant.loops

    def references(self) -> slice:
        """Return the columns of ``exogenous`` that hold the setpoints sent to the master loops."""
        first = len(self.plant.Disturbance.names())
        return slice(first, first + len(self.plant.masters))

    def targets(self) -> slice:
        """Return the columns of ``exogenous`` that hold the judged targets."""
        return slice(self.references().stop, self.references().stop + len(self.plant.targets))

    def disturbance(self, name: str) -> Array:
        """Return one disturbance, (n, samples)."""
        column: Array = self.exogenous[:, :, self.plant.Disturbance.names().index(name)]
        return column

    def under(self, parameters: Array) -> Episodes:
        """Return the episodes with other plant parameters, (n, parameters)."""
        return replace(self, parameters=parameters)

    def commanding(self, tag: str, setpoints: Array) -> Episodes:
        """Return the episodes with other setpoints sent to one master loop, (n, samples)."""
        exogenous = self.exogenous.copy()
        column = [loop.tag for loop in self.plant.masters].index(tag)
        exogenous[:, :, self.references().start + column] = setpoints
        return replace(self, exogenous=exogenous)

    def following(self, references: Array) -> Episodes:
        """Return the episodes with other setpoints sent to the master loops, (n, samples, masters)."""
        exogenous = self.exogenous.copy()
        exogenous[:, :, self.references()] = references
        return replace(self, exogenous=exogenous)


ARRAYS = tuple(f.name for f in fields(Episodes) if f.name not in ("plant", "scenario"))


def concatenate(parts: list[Episodes]) -> Episodes:
    """Join episodes of one scenario."""
    if len(parts) == 1:
        return parts[0]
    joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}
    return replace(parts[0], **joined)


def draw(plant: Plant, scenario: Scenario, seed: int, n: int, split: Split, first: int = 0, weather: Any = None) -> Episodes:
    """Draw episodes ``first`` to ``first + n`` of a seed.

    Raises:
        BadInput: for a count below one or a negative seed, and for signals that the plant does not declare or of another shape.
        UnknownName: for a split that is none; the text suggests the nearest.
    """
    if split not in CODES:
        raise UnknownName(unknown("split", split, CODES))
    if n < 1 or seed < 0:
        raise BadInput(f"{n} episodes of seed {seed}: give at least 1 episode and a seed of at least 0")
    begin, end = first // BLOCK, -(-(first + n) // BLOCK)
    blocks = [_block(plant, scenario, seed, block, split, weather) for block in range(begin, end)]
    return concatenate(blocks)[slice(first - begin * BLOCK, first - begin * BLOCK + n)]


def _block(plant: Plant, scenario: Scenario, seed: int, block: int, split: Split, weather: Any) -> Episodes:
    key = [seed, CODES[split], zlib.crc32(f"{plant.name}/{scenario.name}".encode()), block]
    rng = np.random.default_rng(key)
    samples = scenario.steps + 1 + max(plant.preview, *plant.leads, 1)
    signals = scenario.signals(Draw(rng, BLOCK, samples, plant.decision, split, plant.leads, weather))
    _check(plant, scenario, signals, samples)
    exogenous = _exogenous(plant, signals, samples)
    periods = scenario.steps * plant.loops_per_decision + 1
    standard = rng.standard_normal((BLOCK, periods, len(plant.Output.names())), dtype=np.float32)
    parameters, faults = _parameters(plant, scenario, signals, rng), np.random.default_rng([*key, FAULTS])
    return Episodes(
        plant, scenario,
        np.concatenate([exogenous, faded(plant, scenario, parameters, samples, faults)], axis=2),
        instruments(plant, scenario, standard, faults),
        _forecasts(plant, signals, exogenous, scenario.steps + 1),
        _vector(plant.State.quantities(), signals.initial),
        parameters,
        delays(plant, scenario, BLOCK, faults),
    )  # fmt: skip


def _check(plant: Plant, scenario: Scenario, signals: Signals, samples: int) -> None:
    """Refuse names that the plant does not declare, and shapes that would be spread over the wrong axis."""
    many, count = (BLOCK, samples), scenario.steps + 1
    foreseen = [name for name, q in plant.Disturbance.quantities().items() if q.forecast]
    _check_kind(scenario, "target", signals.targets, plant.Output.names(), many)
    _check_kind(scenario, "reference", signals.references, [loop.tag for loop in plant.masters], many)
    _check_kind(scenario, "disturbance", signals.disturbances, plant.Disturbance.names(), many)
    shown = {name: np.asarray(value)[:, :count] if np.ndim(value) > 1 else value for name, value in signals.forecasts.items()}
    _check_kind(scenario, "forecast", shown, foreseen, (BLOCK, count, len(plant.leads)))
    _check_kind(scenario, "initial state", signals.initial, plant.State.names(), (BLOCK,))
    _check_kind(scenario, "parameter", signals.parameters, plant.Parameter.names(), (BLOCK,))


def _check_kind(scenario: Scenario, kind: str, given: Mapping[str, Any], known: Sequence[str], shape: tuple[int, ...]) -> None:
    for name, value in given.items():
        if name not in known:
            raise BadInput(f"scenario {scenario.name!r}: {unknown(kind, name, known)}")
        found = np.shape(value)
        if found and (len(found) != len(shape) or any(a not in (1, b) for a, b in zip(found, shape, strict=True))):
            raise BadInput(f"scenario {scenario.name!r}: {kind} {name!r} of shape {found} given, {shape} or one number allowed")


def _exogenous(plant: Plant, signals: Signals, samples: int) -> Array:
    columns = [signals.disturbances.get(name, q.nominal) for name, q in plant.Disturbance.quantities().items()]
    for loop in plant.masters:
        nominal = plant.Output.quantities()[loop.pv].nominal
        columns.append(signals.references.get(loop.tag, signals.targets.get(loop.pv, nominal)))
    columns += [signals.targets.get(name, plant.Output.quantities()[name].nominal) for name in plant.targets]
    exogenous = np.empty((BLOCK, samples, len(columns)))
    for i, column in enumerate(columns):
        exogenous[:, :, i] = column
    return exogenous


def _forecasts(plant: Plant, signals: Signals, exogenous: Array, count: int) -> Single:
    shown = [(i, name) for i, (name, q) in enumerate(plant.Disturbance.quantities().items()) if q.forecast and plant.leads]
    forecasts = np.empty((BLOCK, count, len(shown), len(plant.leads)), dtype=np.float32)
    for at, (i, name) in enumerate(shown):
        if name in signals.forecasts:
            given = np.asarray(signals.forecasts[name])
            forecasts[:, :, at] = given[:, :count] if given.ndim else given
        else:
            forecasts[:, :, at] = exogenous[:, np.arange(count)[:, None] + np.asarray(plant.leads), i]
    return forecasts.reshape(BLOCK, count, -1)


def _vector(quantities: dict[str, Any], given: Any) -> Array:
    values = np.empty((BLOCK, len(quantities)))
    for i, (name, q) in enumerate(quantities.items()):
        values[:, i] = given.get(name, q.nominal)
    return values


def _parameters(plant: Plant, scenario: Scenario, signals: Signals, rng: np.random.Generator) -> Array:
    quantities = plant.Parameter.quantities()
    values = _vector(quantities, signals.parameters)
    spread = np.array([0.0 if scenario.exact else q.uncertain for q in quantities.values()])
    return values * (1.0 + spread * rng.uniform(-1.0, 1.0, values.shape))
