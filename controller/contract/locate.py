"""Find the line of a plant's file that declares what a check found wrong."""

from __future__ import annotations

import ast
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from plant_models.core.plant import Plant

ROLES = ("derivative", "outputs", "margins", "cost", "measures", "stock", "complete")
"""The functions of a plant, by the keyword that declares them."""


def file_of(plant: Plant) -> Path:
    """Return the file that declares the plant's equations."""
    return Path(sys.modules[plant.derivative.__module__].__file__ or "")


def line_of(plant: Plant, subject: str) -> int:
    """Return the line of a subject, as :class:`~controller.contract.check.Broken` names it; else that of ``PLANT``.

    A subject is ``Class.field``, ``function.name`` (the value that the function returns under that name), a function, a
    keyword of ``Plant(...)``, or a loop's tag or a scenario's name.
    """
    tree = tree_of(plant)
    role, _, name = subject.partition(".")
    owner = _function_name(plant, role)
    found = [*_in_class(tree, owner, name), *_in_function(tree, owner, name), *_in_plant(tree, role), *_named(tree, subject)]
    return next(iter(found), _plant_line(tree))


def raised_at(plant: Plant, error: BaseException) -> int:
    """Return the line of the plant's file that was running when an error was raised; else that of ``PLANT``."""
    path = str(file_of(plant))
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return (lines[-1] if lines else None) or _plant_line(tree_of(plant))


def tree_of(plant: Plant) -> ast.Module:
    """Return the plant's file as a syntax tree."""
    return ast.parse(file_of(plant).read_text(encoding="utf-8"))


def _function_name(plant: Plant, role: str) -> str:
    return str(getattr(plant, role).__name__) if role in ROLES and getattr(plant, role) is not None else role


def _in_class(tree: ast.Module, owner: str, name: str) -> Iterator[int]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == owner:
            yield from (field.lineno for field in reversed(declared(node)) if target(field) == name)
            yield node.lineno


def declared(vector: ast.ClassDef) -> list[ast.AnnAssign]:
    """Return the field declarations of a class."""
    return [node for node in vector.body if isinstance(node, ast.AnnAssign)]


def target(field: ast.AnnAssign) -> str:
    """Return the name that a field declaration declares."""
    return field.target.id if isinstance(field.target, ast.Name) else ""


def _in_function(tree: ast.Module, owner: str, name: str) -> Iterator[int]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == owner:
            yield from (line for part in ast.walk(node) for line in _value(part, name))
            yield node.lineno


def _value(node: ast.AST, name: str) -> Iterator[int]:
    """Yield the line where a value is given under a name, by keyword or in a dictionary."""
    if isinstance(node, ast.keyword) and node.arg == name:
        yield node.value.lineno
    if isinstance(node, ast.Dict):
        yield from (key.lineno for key in node.keys if isinstance(key, ast.Constant) and key.value == name)


def _in_plant(tree: ast.Module, subject: str) -> Iterator[int]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and _is_plant(node) and isinstance(node.value, ast.Call):
            yield from (keyword.lineno for keyword in node.value.keywords if keyword.arg == subject)


def _named(tree: ast.Module, subject: str) -> Iterator[int]:
    """Yield the lines of calls such as ``Loop(tag=...)`` and ``Scenario("name", ...)`` that are given the subject."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = [value for call in calls for value in (*call.args, *(keyword.value for keyword in call.keywords))]
    yield from (value.lineno for value in given if isinstance(value, ast.Constant) and value.value == subject)


def _plant_line(tree: ast.Module) -> int:
    return next((node.lineno for node in tree.body if _is_plant(node)), 1)


def _is_plant(node: ast.stmt) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(name, ast.Name) and name.id == "PLANT" for name in targets)
