"""What one decision of one plant is given, brought into shape: whatever came, numbers stand where numbers belong, or NaN."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from controller.safety.evidence import Request
from controller.safety.field import Reading
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import MEMORY

Numbers = tuple[float, ...]

REAL = "iuf"
"""Kinds of NumPy types that are real numbers."""
BEYOND = 1.0
"""Spans by which a measured disturbance may lie outside its declared range and still be taken for one."""
ROUNDING = 1e-6
"""Share of the span by which an input or an offset may lie outside its bounds."""


@dataclass(frozen=True)
class Given:
    """What one decision is given; NaN where nothing came that is a number in its bounds, ``manual`` empty where nothing was.

    Readings ``y`` (outputs) and the ``age`` of their time stamps in decision periods; of the PID layer the inputs ``u``, its
    ``memory``, the offsets ``v`` and the modes its loops ``was`` in; the measured disturbances ``d``; the hierarchy's setpoints
    ``r`` (masters); the operator's ``request``, and the command ``manual`` (masters + actions) that stands on the panel.
    """

    y: Numbers
    age: Numbers
    u: Numbers
    memory: Numbers
    v: Numbers
    was: Numbers
    d: Numbers
    r: Numbers
    request: Request = "none"
    manual: Numbers = ()


@dataclass(frozen=True)
class Shapes:
    """The bounds of what a plant's decision is given, each part (entries,); infinite where there are none."""

    low: dict[str, Array]
    high: dict[str, Array]

    @classmethod
    def of(cls, plant: Plant) -> Shapes:
        """Work out a plant's bounds."""
        outputs, rows = len(plant.Output.names()), MEMORY * len(plant.loops) + sum(1 for loop in plant.loops if loop.schedule)
        u = np.array([(q.low, q.high) for q in plant.Input.quantities().values()]).reshape(-1, 2)
        d = np.array([(q.low, q.high) for q in plant.Disturbance.quantities().values()]).reshape(-1, 2)
        v = np.array([(-loop.authority, loop.authority) for loop in plant.acted]).reshape(-1, 2)
        r = np.array([(loop.low, loop.high) for loop in plant.masters]).reshape(-1, 2)
        manual = np.concatenate([r, np.tile([-1.0, 1.0], (len(v), 1))])
        bounds = {"u": _wider(u, ROUNDING), "v": _wider(v, ROUNDING), "d": _wider(d, BEYOND), "r": r, "manual": manual}
        free = {"y": outputs, "age": outputs, "memory": rows, "was": len(plant.loops)}
        low = {name: part[:, 0] for name, part in bounds.items()} | {name: np.full(n, -np.inf) for name, n in free.items()}
        high = {name: part[:, 1] for name, part in bounds.items()} | {name: np.full(n, np.inf) for name, n in free.items()}
        return cls(low, high)

    def taken(self, name: str, value: object) -> Numbers:
        """Return one part: NaN for what is no number or out of bounds; signals keep what they show, for the tests to judge."""
        low, high = self.low[name], self.high[name]
        numbers = numbers_of(value, low.shape)
        if name in ("y", "age"):
            return tuple(numbers.tolist())
        if name in ("r", "manual"):
            return tuple(np.clip(np.where(np.isfinite(numbers), numbers, np.nan), low, high).tolist())
        good = np.isfinite(numbers) & (low <= numbers) & (numbers <= high)
        return tuple(np.where(good, numbers, np.nan).tolist())


def given(
    shapes: Shapes, reading: Reading, r: object, age: object = None, request: object = "none", manual: object = None
) -> Given:
    """Return what a decision of one plant is given, whatever it is; without ``age`` every time stamp is of now."""
    parts = {f.name: shapes.taken(f.name, getattr(reading, f.name)) for f in fields(Reading)}
    now = np.zeros(len(parts["y"])) if age is None else age
    asked: Request = next((known for known in get_args(Request) if type(request) is str and request == known), "none")
    hand = () if manual is None else shapes.taken("manual", manual)
    return Given(age=shapes.taken("age", now), r=shapes.taken("r", r), request=asked, manual=hand, **parts)


def numbers_of(value: object, shape: tuple[int, ...]) -> Array:
    """Return float64 of a shape, with or without a leading axis of one plant; NaN throughout for anything else."""
    if not isinstance(value, (np.ndarray, tuple, list)):
        return np.full(shape, np.nan)
    try:
        array: NDArray[np.generic] = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        return np.full(shape, np.nan)
    if array.dtype.kind not in REAL or array.shape not in (shape, (1, *shape)):
        return np.full(shape, np.nan)
    return array.astype(np.float64).reshape(shape)


def stood_in(last: Given, now: Given) -> tuple[Given, tuple[str, ...]]:
    """Return what is gone by: the last good numbers of the PID layer where none came, and the names of the parts concerned."""
    kept: dict[str, Any] = {}
    for name in ("u", "memory", "v", "was", "r"):
        before, came = getattr(last, name), getattr(now, name)
        kept[name] = came if np.isfinite(came).all() else before
    missing = tuple(name for name, part in kept.items() if part is not getattr(now, name))
    return replace(now, **kept), missing


def nominal(plant: Plant, shapes: Shapes) -> Given:
    """Return what is gone by before anything good has come: every part at its nominal value, loops in cascade."""
    outputs = plant.Output.quantities()
    r = tuple(min(max(outputs[loop.pv].nominal, loop.low), loop.high) for loop in plant.masters)
    zeros: dict[str, Any] = {name: (0.0,) * len(shapes.low[name]) for name in ("age", "memory", "v", "was")}
    return Given(y=tuple(q.nominal for q in outputs.values()), u=tuple(q.nominal for q in plant.Input.quantities().values()),
                 d=tuple(q.nominal for q in plant.Disturbance.quantities().values()), r=r, **zeros)  # fmt: skip


def as_reading(now: Given, used: Array) -> Reading:
    """Return the reading of one plant with the values ``used`` (1, outputs) in place of what instruments show."""
    rest = (np.array([getattr(now, name)]) for name in ("u", "memory", "v", "was", "d"))
    return Reading(used, *rest)


def _wider(bounds: Array, share: float) -> Array:
    span = bounds[:, 1:] - bounds[:, :1]
    return np.asarray(bounds + share * span * np.array([-1.0, 1.0]))
