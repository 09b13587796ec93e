"""A plant on the test bench: its steady maps, its step answers with a fitted model, and its loops under other tunings.

The first question about a plant takes seconds, since its equations are traced and its sub-steps found; answers are kept.
One question is worked on at a time. Few wait for it, and not for long: the server's threads are for every reader.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dashboard.limit_figures import Bound
from dashboard.plant_figures import PRESENT, Line, Loop
from plant_models.core.errors import BadInput, SetpointError
from plant_models.core.quantity import ZERO_C, Quantity
from plant_models.derive.typeset import typeset

if TYPE_CHECKING:
    from controller.loop_test import Judgement, LoopTest
    from controller.tuning_rules import Fit
    from plant_models.core.loop import Gains
    from plant_models.core.plant import Plant

Values = NDArray[np.float64]
_ONE_AT_A_TIME = threading.Lock()  # tracing is not made for several threads
PLACES = 3
"""Of the server's threads, those that may be at the bench or wait for it."""
_PLACES = threading.BoundedSemaphore(PLACES)
PATIENCE = 10.0
"""Seconds that a question waits for those before it: one reader opens several tabs."""
LONGEST = 10.0
"""Lengths of the plant's scenario that a step test may last."""
LONG = 12.0
"""Time constants and delays that a preview lasts."""
SHARE = 0.05
"""Size of a step unless the address says otherwise, as a share of the range."""


class Busy(BadInput):
    """The bench is taken by other readers."""


@dataclass(frozen=True)
class Map:
    """Steady outputs over one input, whose nominal value is given too."""

    moved: Line
    outputs: tuple[Line, ...]
    nominal: float


@dataclass(frozen=True)
class Answer:
    """A step of ``moved`` by ``size``, what every output did, the fit of the chosen one, and the loop that a fit can tune.

    ``tag`` is how screens name what was stepped.
    """

    moved: str
    tag: str
    size: float
    size_unit: str
    time: Values
    time_unit: str
    outputs: tuple[Line, ...]
    of: int
    fit: Fit | None
    why_not: str
    model: Values | None
    loop: str


@dataclass(frozen=True)
class Tried:
    """A loop under one tuning: its gains, its trial, its figures, the peak sensitivity of the layer, and whether it tripped."""

    gains: Gains
    trial: Loop
    judged: Judgement
    sensitivity: float
    failed: bool


@dataclass(frozen=True)
class Preview:
    """A setpoint step of a loop under the present tuning and by every rule; the units of its gains and figures."""

    tag: str
    size: float
    tried: dict[str, Tried]
    pv: Line
    op: Line
    gain_unit: str
    time_unit: str


def choices(name: str) -> dict[str, str]:
    """What can be stepped: every input and every loop's setpoint, by the name in the address, in words."""
    plant = _plant(name)
    inputs = {key: f"{q.tag or key} · {q.meaning}, loops in manual" for key, q in plant.Input.quantities().items()}
    outputs = plant.Output.quantities()
    return inputs | {loop.tag: f"SP of {loop.tag} · {outputs[loop.pv].meaning}" for loop in plant.loops}


def answers(name: str) -> dict[str, str]:
    """The outputs that can be fitted, in words."""
    return {key: f"{q.tag or key} · {q.meaning}" for key, q in _plant(name).Output.quantities().items()}


def usual(name: str) -> tuple[str, str]:
    """What is stepped, and which output is looked at, unless the address says otherwise: the first loop that a fit can tune."""
    plant = _plant(name)
    for loop in plant.loops:
        if loop.gains.K_c != 0.0:
            return loop.mv or loop.sp_of, loop.pv
    return plant.Input.names()[0], plant.Output.names()[0]


@lru_cache(maxsize=64)
def equations(name: str) -> tuple[str, ...]:
    """The balances as LaTeX; nothing where the catalogue does not hold the plant."""
    try:
        return typeset(_plant(name))
    except SetpointError:
        return ()


@lru_cache(maxsize=8)
def maps(name: str) -> tuple[Map, ...]:
    """The steady maps of a plant, one an input; raises BadInput for a batch, Busy."""
    with _turn():
        plant = _plant(name)
        found = _late("plant_models.derive.responses").steady_maps(plant)
    if not found:
        raise BadInput(f"{name} is a batch: it does not come to rest, so there is no steady state to map")
    return tuple(
        Map(
            _line(each.moved, plant.Input.quantities()[each.moved], each.values),
            _outputs(plant, each.outputs),
            _shown(plant.Input.quantities()[each.moved], np.array([plant.Input.quantities()[each.moved].nominal]))[0],
        )
        for each in found
    )


@lru_cache(maxsize=32)
def answer(name: str, moved: str, size: float | None, of: str, lasts: float | None = None) -> Answer:
    """The answer of an output to a step of an input or of a loop's setpoint, by a share of its range unless a size is given.

    It ``lasts`` until it has settled unless a time is given: short, slow parts of the answer look like a ramp.

    Raises:
        BadInput: for a size that is zero or leaves the range, a time out of bounds, or a setpoint step of a batch.
        Busy: where others ask.
        SetpointError: where the plant cannot be integrated or has no rest.
    """
    with _turn():
        plant = _plant(name)
        unit, by = _size(plant, moved, size)
        _check_time(plant, lasts)
        if moved in plant.Input.names():
            found = _late("plant_models.derive.responses").step(plant, moved, by, lasts)
            time, outputs = found.time, found.outputs
        else:
            duration = lasts or plant.scenario().steps * plant.decision
            trial = _late("controller.loop_test").LoopTest(plant, moved, duration).run(by)
            time, outputs = trial.time, trial.outputs
    k = plant.Output.names().index(of)
    fit, why, model = _fitted(time, outputs[k], by)
    q = plant.Output.quantities()[of]
    shown = None if model is None else _shown(q, model)
    tag = (plant.Input.quantities()[moved].tag or moved) if moved in plant.Input.names() else f"SP of {moved}"
    return Answer(
        moved, tag, by, unit, time, plant.time_unit, _outputs(plant, outputs), k, fit, why, shown, _tunable(plant, moved, of)
    )


@lru_cache(maxsize=16)
def preview(name: str, moved: str, size: float | None, of: str, lasts: float | None = None) -> Preview | None:
    """The loop that a fit can tune under its present gains and those of every rule; None where there is no such loop."""
    found = answer(name, moved, size, of, lasts)
    if found.fit is None or not found.loop:
        return None
    with _turn():
        return _preview(_plant(name), found.loop, found.fit)


@contextmanager
def _turn() -> Iterator[None]:
    """The bench for oneself; raises Busy where others have it, and a few wait already or the wait is long."""
    taken = Busy("The test bench is working on other readers' questions; ask again in a minute.")
    if not _PLACES.acquire(blocking=False):
        raise taken
    try:
        if not _ONE_AT_A_TIME.acquire(timeout=PATIENCE):
            raise taken
        try:
            yield
        finally:
            _ONE_AT_A_TIME.release()
    finally:
        _PLACES.release()


def _preview(plant: Plant, tag: str, fit: Fit) -> Preview:
    rules, model = _late("controller.tuning_rules"), fit.model
    loop = next(each for each in plant.loops if each.tag == tag)
    slow = getattr(model, "tau", 5.0 * model.theta)
    test: LoopTest = _late("controller.loop_test").LoopTest(plant, tag, LONG * (model.theta + slow + plant.loop_period))
    size = SHARE * (loop.high - loop.low)
    pv = plant.Output.quantities()[loop.pv]
    moved = plant.Input.quantities()[loop.mv] if loop.mv else plant.Output.quantities()[plant.slave(loop).pv]
    found = {PRESENT: (loop.gains, None)}
    found |= {rule: ((put := rules.gains(rule, model, plant.loop_period)), put) for rule in rules.RULES}
    tried = {words: _try(plant, test, size, shown, put, loop.mv) for words, (shown, put) in found.items()}
    nothing = np.zeros(0)
    gain_unit = f"{_difference(moved)} per {_difference(pv)}"
    held = replace(_line(pv.tag or loop.pv, pv, nothing), limits=_limits(plant, loop.pv, pv))
    return Preview(tag, size, tried, held, _line(moved.tag or loop.mv, moved, nothing), gain_unit, plant.time_unit)


def _try(plant: Plant, test: LoopTest, size: float, shown: Gains, put: Gains | None, mv: str) -> Tried:
    trial, loop = test.run(size, put), test.loop
    pv, names = plant.Output.quantities()[loop.pv], plant.Output.names()
    values = trial.outputs[names.index(loop.pv)]
    slave = plant.Input.quantities()[mv] if mv else plant.Output.quantities()[plant.slave(loop).pv]
    op = trial.inputs[plant.Input.names().index(mv)] if mv else trial.outputs[names.index(plant.slave(loop).pv)]
    kept = Loop(trial.time, _shown(pv, trial.setpoint), _shown(pv, values), _shown(slave, op))
    return Tried(shown, kept, test.judged(trial), test.sensitivity(put), trial.failed)


def _fitted(time: Values, output: Values, by: float) -> tuple[Fit | None, str, Values | None]:
    """The fit of an output from the step on, or why there is none, and the model's course over the whole time."""
    after = time >= 0.0
    h = float(time[1] - time[0])
    rules = _late("controller.tuning_rules")
    try:
        fit: Fit = rules.identified(output[after] / by, h)
    except SetpointError as error:
        return None, str(error), None
    start = float(output[after][0])
    return fit, "", start + by * rules.simulated(fit.model, time) * (time >= 0.0)


def _tunable(plant: Plant, moved: str, of: str) -> str:
    """The loop that moves what was stepped by looking at this output, unless it only passes its setpoint on."""
    fitting = [loop for loop in plant.loops if moved in (loop.mv, loop.sp_of) and loop.pv == of and loop.gains.K_c != 0.0]
    return fitting[0].tag if fitting else ""


def _size(plant: Plant, moved: str, size: float | None) -> tuple[str, float]:
    """The unit of a step, and its size: a share of the range, inward from the nominal point, unless one is given."""
    if moved in plant.Input.names():
        q = plant.Input.quantities()[moved]
        low, high, unit = q.low, q.high, _difference(q)
    else:
        loop = next(each for each in plant.loops if each.tag == moved)
        q = plant.Output.quantities()[loop.pv]
        low, high, unit = loop.low, loop.high, _difference(q)
    by = SHARE * (high - low)
    chosen = (by if q.nominal + by <= high else -by) if size is None else size
    if not np.isfinite(chosen) or chosen == 0.0:
        raise BadInput(f"step of {chosen:g} {unit}: give a size other than 0, such as {by:.3g}")
    if not low <= q.nominal + chosen <= high:
        raise BadInput(f"step of {chosen:g} {unit}: leaves the range; {low - q.nominal:.4g} to {high - q.nominal:.4g} allowed")
    return unit, float(chosen)


def _check_time(plant: Plant, lasts: float | None) -> None:
    least, most = 10.0 * plant.loop_period, LONGEST * plant.scenario().steps * plant.decision
    if lasts is not None and not least <= lasts <= most:
        raise BadInput(f"test of {lasts:g} {plant.time_unit}: {least:.3g} to {most:.3g} {plant.time_unit} allowed")


def _difference(q: Quantity) -> str:
    """The unit of a difference: one of temperatures stays in K."""
    return "K" if _is_celsius(q) else q.unit


def _is_celsius(q: Quantity) -> bool:
    return q.unit == "K" and q.shown == "degC"


def _shown(q: Quantity, values: Values) -> Values:
    return values - ZERO_C if _is_celsius(q) else values


def _line(name: str, q: Quantity, values: Values) -> Line:
    return Line(q.tag or name, q.meaning, q.shown, _shown(q, np.asarray(values, dtype=float)))


def _outputs(plant: Plant, values: Values) -> tuple[Line, ...]:
    """The outputs, (outputs, points), each with its limits."""
    quantities = plant.Output.quantities()
    return tuple(
        replace(_line(name, q, line), limits=_limits(plant, name, q))
        for (name, q), line in zip(quantities.items(), values, strict=True)
    )


def _limits(plant: Plant, output: str, q: Quantity) -> tuple[Bound, ...]:
    """The limits that the plant declares of an output, where they stand nominally."""
    kinds = _late("plant_models.derive.limit_kinds").limit_kinds(plant)
    bounds = {**plant.Disturbance.quantities(), **plant.Parameter.quantities()}
    own = [each for each in plant.limits if each.output == output]
    at = [float(_shown(q, np.array(bounds[each.bound].nominal))) for each in own]
    return tuple(Bound(value, each.side, kinds[each.bound]) for each, value in zip(own, at, strict=True))


def _plant(name: str) -> Plant:
    plant: Plant = _late("plant_models.catalogue").get(name)
    return plant


def _late(module: str) -> Any:
    """A module that loads the simulator, imported when it is first needed."""
    return importlib.import_module(module)
