"""Where another process finds a plant, which it cannot be sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from plant_models.catalogue import get, load
from plant_models.core.plant import Plant
from plant_models.env.mixture import label, mixture
from plant_models.env.scenario_file import with_scenario


@dataclass(frozen=True)
class Source:
    """A plant by name or file, with a scenario's name or TOML file; where it is learned on, also several or ``all``."""

    name: str = ""
    file: Path | None = None
    scenario: str = ""

    def case(self) -> tuple[Plant, str]:
        """Return the plant and the name of the scenario."""
        plant = get(self.name) if self.file is None else load(self.file)
        if not self.scenario.endswith(".toml"):
            return plant, plant.scenario(self.scenario).name
        plant = with_scenario(plant, Path(self.scenario))
        return plant, plant.scenarios[-1].name

    def cases(self) -> tuple[Plant, str]:
        """Return the plant and what it learns on: the name of a scenario, or of several with commas between.

        Raises:
            UnknownName: where there is none of a name.
            BadInput: where they cannot share a fleet, or a file cannot be used.
        """
        if self.scenario.endswith(".toml"):
            return self.case()
        plant = get(self.name) if self.file is None else load(self.file)
        return plant, label(mixture(plant, self.scenario))
