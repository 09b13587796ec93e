"""What the shell falls back on is safe where it begins: the nominal command, and the safe action, in the corners of a plant.

A shield that finds nothing better holds what was safe before, and at the start that is the nominal command; a batch it stops
after one decision. The corners are the ends of every uncertain parameter and of what disturbances move within the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from controller.safety import governor
from controller.safety.adversaries import vertices
from controller.safety.calibration import HORIZONS, after, drift
from controller.safety.corners import Spread, enforced, shares, varied
from controller.safety.field import Field
from plant_models.catalogue import get, usable
from plant_models.core.plant import Plant
from plant_models.env.lookahead import Lookahead
from plant_models.env.scenario import Episodes, draw
from tests.compiled import alone
from tests.safety import true

QUICK = ("exothermic_cstr", "heat_pump_house", "quadruple_tank")
MOST = 512
"""Corners that are looked at; where there are more, as many are drawn."""
LIMITED = [name for name in usable() if enforced(get(name)).any()]
HELD = {
    "semibatch_polymerization": "stopped after one decision it is 5.9 K colder than allowed at the end, 0.5 K hotter before, "
    "and the adiabatic limit is crossed by 0.36 K in a corner at once",
}
STOPPED = {
    "semibatch_polymerization": "5.8 K colder than allowed at last; the adiabatic limit is crossed by 0.36 K in a corner",
    "boiler_drum": "in corners the level leaves +-0.1 m by 18 mm upwards and by 7 mm downwards within 450 s",
    "evaporator": "in corners the level leaves +-0.5 m by 1.07 m upwards and by 0.19 m downwards within 225 min",
    "data_hall": "all fans and valves open cool it 22 K below what is allowed at once, by 52 K at last, beyond the model's range",
    "greenhouse_lettuce": "no frost, but in the sunniest corners the air leaves the model's range at 60 degC",
}
"""Plants that do not keep the promise yet, and by how much they fail."""


def limited(failing: dict[str, str]) -> pytest.MarkDecorator:
    """Run a test on every plant with limits that must hold; those that fail must fail."""
    return pytest.mark.parametrize("name", [pytest.param(name, marks=_marks(name, failing)) for name in LIMITED])


def _marks(name: str, failing: dict[str, str]) -> list[pytest.MarkDecorator]:
    expected = [pytest.mark.xfail(strict=True, raises=AssertionError, reason=failing[name])] if name in failing else []
    return [alone(name), *expected, *([] if name in QUICK else [pytest.mark.every])]


@dataclass(frozen=True)
class Found:
    """The smallest enforced margins in any corner, by name, and whether every corner stays within what the model covers."""

    lowest: dict[str, float]
    sound: bool

    @property
    def crossed(self) -> dict[str, float]:
        """Those that are not kept."""
        return {name: value for name, value in self.lowest.items() if not value >= 0.0}


def nominal(plant: Plant) -> Episodes:
    """Return an episode that is nominal in everything, without noise."""
    drawn = draw(plant, plant.scenario(), 0, 1, "tuning")
    exogenous = drawn.exogenous.copy()
    exogenous[:, :, : len(plant.Disturbance.names())] = list(plant.Disturbance.nominal())
    exogenous[:, :, drawn.references()] = governor.nominal(plant, 1).r
    x, p = ([list(vector.nominal())] for vector in (plant.State, plant.Parameter))
    return replace(
        drawn, exogenous=exogenous, noise=np.zeros_like(drawn.noise), initial=np.array(x), parameters=np.array(p, dtype=float)
    )


def worst_of(plant: Plant, stopped: bool) -> Found:
    """Look ahead from the nominal state, in all corners, under the nominal command or the safe action."""
    episodes = nominal(plant)
    decisions = min(HORIZONS[-1], episodes.scenario.steps)
    moved = drift(draw(plant, plant.scenario(), 1, 64, "tuning"), min(decisions, episodes.scenario.steps - 1))
    spread = Spread(np.zeros((1, len(plant.State.names()))), moved, shares(plant))
    size = np.concatenate([spread.states[0], moved.max(axis=0), spread.parameters])
    signs = np.zeros((min(2 ** int((size > 0.0).sum()), MOST) + 1, spread.entries))
    signs[1:, size > 0.0] = vertices(int((size > 0.0).sum()), MOST, np.random.default_rng(0))
    field = Field(plant, episodes)
    standing = varied(plant, true(field, field.read()), signs, spread, np.zeros(1, dtype=np.intp))
    sent = governor.nominal(plant, 1)._replace(safe=np.array([stopped]))
    then = None if stopped else after(plant, sent)
    outlook = Lookahead(plant).hold(standing, sent, then, decisions)
    lowest, limits = outlook.lowest[0].min(axis=0), enforced(plant)
    names = np.array(list(plant.margins(*(vector.nominal() for vector in plant.arguments))))
    return Found(dict(zip(names[limits], lowest[limits].tolist(), strict=True)), bool(outlook.sound.all()))


@limited(HELD)
def test_the_nominal_command_keeps_every_limit_in_all_corners(name: str) -> None:
    found = worst_of(get(name), stopped=False)
    assert found.crossed == {}
    assert found.sound


@limited(STOPPED)
def test_the_safe_action_keeps_every_limit_in_all_corners(name: str) -> None:
    found = worst_of(get(name), stopped=True)
    assert found.crossed == {}
    assert found.sound
