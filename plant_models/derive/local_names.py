"""What a plant's file calls the things that it computes on the way to its balances."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from plant_models.core import smooth
from plant_models.core.plant import Plant
from plant_models.core.vector import Vector
from plant_models.derive.written import Written

Definition = tuple[str, Written]
"""A name and what it stands for."""
_ALONE, _LISTED, _NESTED, _FUNCTION = range(4)


class Call(NamedTuple):
    """A function of :mod:`plant_models.core.smooth` and what it was given, expressions or numbers."""

    function: str
    arguments: tuple[Any, ...]


class Named(NamedTuple):
    """A plant's time derivatives; by its key what the file calls an expression, with it; and which ones are calls."""

    slopes: tuple[Any, ...]
    names: dict[int, Definition]
    calls: dict[int, Call]


class Keys:
    """Gives expressions that are written alike the same key, however often they were computed."""

    def __init__(self) -> None:
        self._kept: list[Written] = []
        self._of: dict[int, int] = {}
        self._known: dict[tuple[object, ...], int] = {}

    def of(self, e: Written) -> int:
        """Return the key of an expression."""
        if id(e) not in self._of:
            self._kept.append(e)  # one that is let go of would leave its id to another
            told = (e.operation, *(("key", self.of(part)) if isinstance(part, Written) else part for part in e.operands))
            self._of[id(e)] = self._known.setdefault(told, len(self._known))
        return self._of[id(e)]


def named(plant: Plant, keys: Keys) -> Named:
    """Trace a plant's balances and note what its file calls what.

    The names are those of local variables of the functions in the plant's own folder, line by line; where there is none, that of
    the one function that returns it. The outermost function's count, there the first, of several lists' the last. One that
    several expressions share gets a number, one that is a state's or parameter's a prime.
    """
    watch = _Watch(Path(plant.derivative.__code__.co_filename).parent, keys)
    vectors = [_symbols(vector) for vector in plant.arguments]
    before = sys.gettrace()
    sys.settrace(watch)
    try:
        slopes = tuple(plant.derivative(*vectors))
    finally:
        sys.settrace(before)
    return Named(slopes, _distinct(watch.names, {name for vector in plant.arguments for name in vector.names()}), watch.calls)


class _Watch:
    """A trace function that notes names and calls as they come."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.calls = dict[int, Call]()
        self._folder, self._keys, self._best = folder, keys, dict[int, tuple[int, int, Definition]]()

    @property
    def names(self) -> dict[int, Definition]:
        """What each expression is called, by its key, in the order in which they were computed."""
        often = Counter(told[0] for _, _, told in self._best.values())
        return {key: told for key, (place, _, told) in self._best.items() if place != _FUNCTION or often[told[0]] == 1}

    def __call__(self, frame: FrameType, event: str, result: Any) -> Any:
        if Path(frame.f_code.co_filename).parent == self._folder:
            return self._own
        return self._smooth if frame.f_code.co_filename == smooth.__file__ else None

    def _own(self, frame: FrameType, event: str, result: Any) -> Any:
        depth, given = _depth(frame), frame.f_code.co_varnames[: frame.f_code.co_argcount]
        for name, value in frame.f_locals.items():
            if not name.startswith("_") and name not in given:
                for text, e, place in _expressions(name, value):
                    self._note(text, e, place, depth)
        if event == "return" and _is_computed(result) and frame.f_code.co_name.isidentifier():
            self._note(frame.f_code.co_name.strip("_"), result, _FUNCTION, depth)
        return self._own

    def _note(self, name: str, e: Written, place: int, depth: int) -> None:
        key = self._keys.of(e)
        old, level, told = self._best.get(key, (_FUNCTION, depth + 1, (name, e)))
        before, now = (max(old, _LISTED), level), (max(place, _LISTED), depth)
        if now < before or (now == before and old == place == _LISTED):
            self._best[key] = place, depth, (name, told[1])

    def _smooth(self, frame: FrameType, event: str, result: Any) -> Any:
        if event == "return" and _is_computed(result):
            given = frame.f_code.co_varnames[: frame.f_code.co_argcount]
            self.calls[self._keys.of(result)] = Call(frame.f_code.co_name, tuple(frame.f_locals[name] for name in given))
        return self._smooth


def _depth(frame: FrameType | None) -> int:
    count = 0
    while frame is not None:
        frame, count = frame.f_back, count + 1
    return count


def _symbols(vector: type[Vector]) -> Vector:
    return vector.of([Written("name", name) for name in vector.names()])


def _is_computed(value: object) -> bool:
    """Whether a value is an expression that was computed; quantities and numbers have their names already."""
    return isinstance(value, Written) and not value.leaf


def _expressions(name: str, value: object, place: int = _ALONE) -> Iterator[tuple[str, Written, int]]:
    """The expressions in a local variable, each with its name, and whether it is one of a list."""
    if isinstance(value, Written):
        if not value.leaf:
            yield name, value, place
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _expressions(each.name, getattr(value, each.name), place)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _expressions(f"{name}_{key}", part, min(place + 1, _NESTED))
    elif isinstance(value, (tuple, list)):
        for k, part in enumerate(value):
            if hasattr(value, "_fields"):
                yield from _expressions(value._fields[k], part, place)
            else:
                yield from _expressions(f"{name}_{k + 1}", part, min(place + 1, _NESTED))


def _distinct(found: Mapping[int, Definition], taken: set[str]) -> dict[int, Definition]:
    count, seen = Counter(name for name, _ in found.values()), Counter[str]()
    told: dict[int, Definition] = {}
    for key, (name, e) in found.items():
        seen[name] += 1
        text = f"{name}_{seen[name]}" if count[name] > 1 else name
        while text in taken:
            text += "'"
        taken.add(text)
        told[key] = text, e
    return told
