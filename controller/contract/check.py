"""What a check is, and what it raises: one line on what is wrong, and the name it is wrong with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from inspect import getdoc

from plant_models.core.errors import SetpointError
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario, Split
from plant_models.env.scenario import Episodes, draw


class Broken(SetpointError):
    """A promise of the contract that a plant does not keep.

    ``subject`` names the declaration: ``State.T``, ``derivative.T``, ``margins.hot``, a loop's tag, a scenario's name, or a
    keyword of ``PLANT = Plant(...)``. ``remedy`` says what to do where that is not what the check says.
    """

    def __init__(self, wrong: str, subject: str = "", remedy: str = "") -> None:
        super().__init__(wrong)
        self.subject = subject
        self.remedy = remedy


@dataclass(frozen=True)
class Check:
    """One promise: its title, the function that raises :class:`Broken` where it is not kept, and what to do then.

    The rest of a group relies on a check that ``decides``: once that is broken it is not tried.
    """

    title: str
    run: Callable[[Plant], None]
    remedy: str
    decides: bool = False

    @property
    def meaning(self) -> str:
        """What is promised, in one sentence."""
        return (getdoc(self.run) or "").partition("\n")[0]


@lru_cache(maxsize=8)
def episodes(plant: Plant, scenario: Scenario, n: int, split: Split = "judging") -> Episodes:
    """Return the first episodes of a scenario under seed 0; several checks look at the same ones."""
    return draw(plant, scenario, 0, n, split)
