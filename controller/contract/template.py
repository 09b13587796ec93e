"""Write a new plant file: a small plant that keeps the whole contract, to be changed piece by piece."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.metadata import packages_distributions
from importlib.resources import files
from pathlib import Path

from plant_models.catalogue import names
from plant_models.core.errors import BadInput

TITLE = "Heated tank"


def text(name: str) -> str:
    """Return the text of a plant file of this name; its title is the name in words."""
    given = (files("controller.contract") / "heated_tank.py").read_text(encoding="utf-8")
    return given.replace(f'title="{TITLE}"', f'title="{name.replace("_", " ").capitalize()}"')


def write(name: str, folder: Path) -> Path:
    """Write ``NAME.py`` into a folder and return its path.

    Raises:
        BadInput: where the name or the folder cannot be used, or the file is already there.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise BadInput(f"{name!r} is no name for a plant; give small letters, digits and underscores, such as mixing_tank")
    if name in names():
        raise BadInput(f"a plant {name!r} is already there; choose a name that `setpoint plants` does not list")
    if name in sys.stdlib_module_names or name in packages_distributions():
        raise BadInput(f"{name!r} is a Python module, which {name}.py would hide; choose another name")
    path = folder / f"{name}.py"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text(name))
    except FileExistsError as error:
        raise BadInput(f"{path} is already there and is left as it is; choose another name or --folder") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}); choose another --folder") from error
    return path
