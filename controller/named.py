"""Controllers by the names that commands and results give them; what is not asked for is not computed."""

from __future__ import annotations

from pathlib import Path

from controller.benchmark import ladder
from controller.comfort import Shifted, shifts
from controller.interface import Controller
from controller.methods import ALGORITHMS
from controller.policy import load
from controller.reference import NAME as OPTIMUM
from plant_models.core.errors import BadInput, UnknownName, unknown
from plant_models.core.plant import Plant

SEARCHING = ("nmpc", "nmpc with preview", OPTIMUM)
"""Those that search anew in each decision or episode, which takes its time."""
SHIFTED = "pid, shifted "
"""Before the number of the offsets that the PID layer holds."""


def check(plant: Plant, name: str) -> None:
    """Refuse a name that this plant has no controller of.

    Raises:
        UnknownName: with the nearest name in its text.
    """
    known = dict.fromkeys((*ladder(plant), "ppo", *SEARCHING))
    if name not in known and name not in ALGORITHMS:
        raise UnknownName(unknown("controller", name, known))


def named(plant: Plant, name: str, policy: Path | None = None) -> Controller:
    """Return a controller; that of the algorithm that trained it, such as ``ppo``, is the policy in a folder.

    Raises:
        UnknownName: for a name that this plant has no controller of.
        BadInput: where a policy is asked for and none is given, another algorithm trained it, or it does not fit.
    """
    if name.startswith(SHIFTED):
        return Shifted(plant, shifts(plant)[int(name.removeprefix(SHIFTED))], name)
    check(plant, name)
    if name in ALGORITHMS:
        return _trained(plant, name, policy)
    return _searching(plant, name) if name in SEARCHING else ladder(plant)[name]()


def _searching(plant: Plant, name: str) -> Controller:
    from controller.nmpc import nmpc
    from controller.reference import Optimum

    return Optimum(plant) if name == OPTIMUM else nmpc(plant, name)


def _trained(plant: Plant, name: str, policy: Path | None) -> Controller:
    """Load the policy that an algorithm has trained; raises BadInput."""
    if policy is None:
        command = f"setpoint train {plant.name}" + ("" if name == "ppo" else f" --algorithm {name}")
        raise BadInput(f"controller {name!r} needs a trained policy; run `{command}` and give its folder by --policy")
    loaded = load(policy, plant)
    if loaded.name != name:
        raise BadInput(f"controller {name!r}: the policy in {policy} was trained by {loaded.name}; name it so")
    return loaded
