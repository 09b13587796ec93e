"""What a plant's file calls the things that it computes on the way to its balances."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import FrameType
from typing import Any, NamedTuple

import casadi as ca

from plant_models.core import smooth
from plant_models.core.plant import Plant
from plant_models.derive import symbolic


class Call(NamedTuple):
    """A function of :mod:`plant_models.core.smooth` and what it was given, expressions or numbers."""

    function: str
    arguments: tuple[Any, ...]


class Named(NamedTuple):
    """A plant's time derivatives; by its key what the file calls an expression, with it; and which ones are calls."""

    slopes: list[ca.SX]
    names: dict[int, tuple[str, ca.SX]]
    calls: dict[int, Call]


class Keys:
    """Gives expressions that are written alike the same key, however often they were computed."""

    def __init__(self) -> None:
        self._kept: dict[int, ca.SX] = {}
        self._of: dict[int, int] = {}
        self._known: dict[tuple[object, ...], int] = {}

    def of(self, e: ca.SX) -> int:
        """Return the key of a scalar."""
        node = e.element_hash()
        if node not in self._of:
            self._kept[node] = e  # a node that is let go of leaves its hash to another
            told = (e.name(),) if e.is_symbolic() else (float(e),) if e.is_constant() else (e.op(), *map(self.of, _deps(e)))
            self._of[node] = self._known.setdefault(told, len(self._known))
        return self._of[node]


def named(plant: Plant, s: symbolic.Symbols, keys: Keys) -> Named:
    """Trace a plant's balances and note what its file calls what.

    The names are those of local variables of the functions in the plant's own file as they stand when a function returns; those
    of the outermost count. One that several expressions share gets a number, one that is a state's or parameter's a prime.
    """
    names, calls = dict[int, tuple[str, ca.SX]](), dict[int, Call]()
    file, before = plant.derivative.__code__.co_filename, sys.getprofile()

    def noted(frame: FrameType, event: str, result: Any) -> None:
        if event != "return":
            return
        if frame.f_code.co_filename == file:
            for name, value in frame.f_locals.items():
                names.update({keys.of(e): (text, e) for text, e in _expressions(name, value) if not text.startswith("_")})
        elif frame.f_code.co_filename == smooth.__file__ and _is_expression(result):
            given = frame.f_code.co_varnames[: frame.f_code.co_argcount]
            calls[keys.of(result)] = Call(frame.f_code.co_name, tuple(frame.f_locals[name] for name in given))

    sys.setprofile(noted)
    try:
        slopes = symbolic.rows(symbolic.derivative(plant, s.x, s.u, s.d, s.p))
    finally:
        sys.setprofile(before)
    return Named(slopes, _distinct(names, {name for vector in plant.arguments for name in vector.names()}), calls)


def _deps(e: ca.SX) -> Iterator[ca.SX]:
    return (e.dep(i) for i in range(e.n_dep()))


def _is_expression(value: object) -> bool:
    """Whether a value is a scalar that was computed; arguments and numbers have their names already."""
    return isinstance(value, ca.SX) and bool(value.is_scalar()) and not value.is_leaf()


def _expressions(name: str, value: object) -> Iterator[tuple[str, ca.SX]]:
    """The scalar expressions in a local variable, each with its name."""
    if _is_expression(value):
        yield name, value
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _expressions(each.name, getattr(value, each.name))
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _expressions(f"{name}_{key}", part)
    elif isinstance(value, (tuple, list)):
        for k, part in enumerate(value):
            yield from _expressions(value._fields[k] if hasattr(value, "_fields") else f"{name}_{k + 1}", part)


def _distinct(found: Mapping[int, tuple[str, ca.SX]], taken: set[str]) -> dict[int, tuple[str, ca.SX]]:
    count, seen = Counter(name for name, _ in found.values()), Counter[str]()
    told: dict[int, tuple[str, ca.SX]] = {}
    for key, (name, e) in found.items():
        seen[name] += 1
        text = f"{name}_{seen[name]}" if count[name] > 1 else name
        while text in taken:
            text += "'"
        taken.add(text)
        told[key] = text, e
    return told
