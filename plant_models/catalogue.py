"""Finds the plants: files in the family folders, entry points of installed packages, and files of the user's own.

One file is one plant, and the file's name is its id everywhere. Nothing is imported before it is asked for, so that a broken
file breaks itself alone.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from plant_models.core.errors import SetpointError, UnknownName, unknown
from plant_models.core.plant import Plant

FAMILIES = ("reactors", "process_units", "hvac", "energy")
GROUP = "setpoint.plants"
"""Entry points of this group name modules, each with a PLANT."""
OWN = "own"
"""The family of plants that were loaded from a file of the user's."""


class NotAPlant(SetpointError):
    """A file that cannot be used as a plant; the text names file, line and remedy."""


@cache
def files() -> dict[str, str]:
    """Return the module of every plant of this package and of installed packages by name, without importing any.

    Raises:
        NotAPlant: where two share a name.
    """
    found: dict[str, str] = {}
    shipped = {f"plant_models.{family}.{path.stem}" for family in FAMILIES
               for path in (Path(__file__).parent / family).glob("[!_]*.py")}  # fmt: skip
    order = {family: i for i, family in enumerate(FAMILIES)}
    modules = sorted(shipped, key=lambda module: (order[module.split(".")[1]], module))
    for module in (*modules, *(point.value for point in entry_points(group=GROUP))):
        name = module.rpartition(".")[2]
        if name in found:
            raise NotAPlant(f"{module}: the name {name!r} is used twice, first by {found[name]}; rename one of the files")
        found[name] = module
    return found


def names() -> tuple[str, ...]:
    """Return the names of all plants, those loaded from the user's own files last."""
    own = (module.partition(".")[2] for module in sys.modules if module.startswith(f"{OWN}."))
    return (*files(), *own)


def get(name: str) -> Plant:
    """Return a plant by name.

    Raises:
        UnknownName: where there is none; the text suggests the nearest.
        NotAPlant: where the file declares no PLANT, or cannot be imported.
    """
    own = sys.modules.get(f"{OWN}.{name}")
    if own is not None:
        return _declared(own)
    if name not in files():
        raise UnknownName(unknown("plant", name, names()))
    return _imported(files()[name])


def problems() -> dict[str, str]:
    """Return the plants that cannot be used, each with one line that says why."""
    return {name: text for name in names() if (text := _problem(name))}


def usable() -> tuple[str, ...]:
    """Return the names of the plants that can be used."""
    return tuple(name for name in names() if not _problem(name))


@cache
def load(path: Path) -> Plant:
    """Load a plant from a file anywhere on disk; from then on :func:`get` knows it by the file's name.

    Raises:
        NotAPlant: where the file is missing, cannot be imported, declares no PLANT, or bears a name that is taken.
    """
    path = path.resolve()
    if path.suffix != ".py" or not path.is_file():
        raise NotAPlant(f"{path}: not a Python file; give the path of a plant file, or write one by `setpoint new plant NAME`")
    if not path.stem.isidentifier() or path.stem in names():
        raise NotAPlant(
            f"{path}: the name {path.stem!r} is {'taken' if path.stem.isidentifier() else 'no name'}; rename the file"
        )
    name = f"{OWN}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        return _declared(module)
    except (SetpointError, KeyboardInterrupt):
        del sys.modules[name]
        raise
    except BaseException as error:
        del sys.modules[name]
        raise NotAPlant(_where(error, str(path))) from error


@cache
def _problem(name: str) -> str:
    try:
        get(name)
    except SetpointError as error:
        return str(error)
    return ""


@cache
def _imported(module: str) -> Plant:
    try:
        return _declared(importlib.import_module(module))
    except (SetpointError, KeyboardInterrupt):
        raise
    except BaseException as error:
        spec = importlib.util.find_spec(module)
        raise NotAPlant(_where(error, (spec.origin if spec else None) or module)) from error


def _declared(module: ModuleType) -> Plant:
    plant = vars(module).get("PLANT")
    if not isinstance(plant, Plant):
        raise NotAPlant(f"{module.__file__}: no PLANT is declared; end the file with PLANT = Plant(...)")
    return plant


def _where(error: BaseException, path: str) -> str:
    """Return ``file:line: what is wrong``, with the last line of the file that was running."""
    lines = [error.lineno] if isinstance(error, SyntaxError) else []
    lines += [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f"{path}:{lines[-1] or 1 if lines else 1}: {type(error).__name__}: {error}"
