"""The whole contract in order, and what it finds in one plant."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from controller.contract import behaviour, declarations, environments, numerics, physics, scenarios, units
from controller.contract.check import Broken, Check
from controller.contract.locate import file_of, line_of, raised_at
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant

MISTAKES = (AttributeError, NameError, LookupError, ImportError, BadInput, SystemExit)
"""What Python raises for a slip of the pen, whatever is being checked."""

GROUPS: dict[str, tuple[Check, ...]] = {
    "declarations": declarations.CHECKS,
    "units": units.CHECKS,
    "physics": physics.CHECKS,
    "scenarios": scenarios.CHECKS,
    "numerics": numerics.CHECKS,
    "behaviour": behaviour.CHECKS,
    "environments": environments.CHECKS,
}
"""Every check by group; each group relies on those before it."""

CHECKS: tuple[Check, ...] = tuple(check for checks in GROUPS.values() for check in checks)


@dataclass(frozen=True)
class Finding:
    """What became of one check; where it is broken, what is wrong, in which file and line, and what to do."""

    group: str
    check: Check
    status: Literal["holds", "broken", "not tried"]
    wrong: str = ""
    file: Path = Path()
    line: int = 0
    remedy: str = ""

    def __str__(self) -> str:
        """Say file, line, what is wrong and what to do, in one line."""
        return f"{self.file}:{self.line}: {self.check.title}: {self.wrong}; {self.remedy}"


def examine(plant: Plant) -> Iterator[Finding]:
    """Yield what becomes of every check, in order; what relies on a broken group or check is not tried.

    Raises:
        BadInput: where what the checks need is not installed.
    """
    units.pint()
    sound = True
    for group, checks in GROUPS.items():
        tried = sound
        for check in checks:
            finding = _judged(plant, group, check) if tried else Finding(group, check, "not tried")
            sound = sound and finding.status == "holds"
            tried = tried and (finding.status == "holds" or not check.decides)
            yield finding


def _judged(plant: Plant, group: str, check: Check) -> Finding:
    file = file_of(plant)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            check.run(plant)
    except Broken as error:
        return Finding(group, check, "broken", str(error), file, line_of(plant, error.subject), error.remedy or check.remedy)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001
        wrong = " ".join(f"{type(error).__name__}: {error}".split())
        remedy = "correct what this line says, then check again" if isinstance(error, MISTAKES) else check.remedy
        return Finding(group, check, "broken", wrong, file, raised_at(plant, error), remedy)
    return Finding(group, check, "holds")
