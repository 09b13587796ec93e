"""What a command says of the shield: whether there is to be one, and that calibrating it takes a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from dashboard import terminal

if TYPE_CHECKING:
    from controller.safety.governor import Calibration
    from plant_models.core.plant import Plant
    from plant_models.core.scenario import Scenario

KINDS = ("none", "shield")
Safety = Annotated[str, typer.Option("--safety", help="shield: every controller runs behind the safety shield too.")]


def shield(plant: Plant, scenario: Scenario, safety: str) -> Calibration | None:
    """Return what the shield knows of a plant where ``safety`` asks for one.

    Raises:
        UnknownName: for another word than ``none`` or ``shield``.
        BadInput: for a plant without hard limits.
    """
    from plant_models.core.errors import UnknownName, unknown

    if safety not in KINDS:
        raise UnknownName(unknown("safety", safety, KINDS))
    return shield_of(plant, scenario) if safety == "shield" else None


def shield_of(plant: Plant, scenario: Scenario) -> Calibration:
    """Return what the shield knows of the plant; found out first where nobody has before.

    Raises:
        BadInput: for a plant without hard limits; the text names plants that have.
    """
    from controller.safety.known import calibrated, check, found

    check(plant, scenario)
    known = found(plant, scenario)
    if known is not None:
        return known
    terminal.note(f"calibrating the shield of {plant.name}: once, half a minute to some minutes, then it is kept ...")
    begun = time.monotonic()
    known = calibrated(plant, scenario)
    terminal.note(f"calibrated in {time.monotonic() - begun:.0f} s")
    return known
