"""The variants of a scenario: more noise, delay, faults, drifting parameters, and a year and city that nobody has seen.

Each is the scenario's own episodes with one thing changed, so that what a variant costs is told episode by episode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, get_args

import numpy as np

from plant_models.core.errors import UnknownName, unknown
from plant_models.core.fault import Bias, Delay, Dropout, Fading, Fault, Spike, Stiction
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Scenario
from plant_models.derive.layout import HELD, fading
from plant_models.env.scenario import Episodes, draw
from plant_models.weather.bundled import load

Variant = Literal["none", "noise", "delay", "faults", "drift", "weather"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
SHIELDED: tuple[Variant, ...] = ("none", "noise", "weather")
"""Those that leave the plant's equations alone, which a shield looks ahead by."""
LOUDER = 3.0
"""Times the declared noise."""
BIASED, SPIKED = 0.005, 0.02
"""An instrument's bias and spike in shares of its range."""
RARE = 0.01
"""Chance of a spike, and of a decision of silence, in each decision."""
STICKS = 0.02
"""Stiction as a share of the valve's stroke: the lower end of what is usual (2 to 5 %)."""
LATE = 0.1
"""Share of a decision by which readings are late, but a period of the PID layer at least."""
UNSEEN = {
    "chiller_plant": "golden_co", "data_hall": "chicago_il", "greenhouse_lettuce": "chicago_il", "heat_pump_house": "chicago_il",
    "office_vav": "san_francisco_ca", "battery_microgrid": "sterling_va",
}  # fmt: skip
"""Bundled years that neither training, nor tuning, nor other judging of a plant draws from."""
DRIFTS = 4
"""Part of the seed of where parameters drift to."""


@dataclass(frozen=True)
class Judged:
    """Held-out episodes of a variant: ``count`` from number ``first`` of a seed."""

    plant: Plant
    scenario: Scenario
    seed: int
    first: int
    count: int

    def drawn(self) -> Episodes:
        """Return the episodes as the scenario draws them."""
        return draw(self.plant, self.scenario, self.seed, self.count, "judging", self.first)


def variant(name: str) -> Variant:
    """Return a variant by name.

    Raises:
        UnknownName: where there is none of that name; the text suggests the nearest.
    """
    for known in VARIANTS:
        if name == known:
            return known
    raise UnknownName(unknown("variant", name, VARIANTS))


def meaningless(plant: Plant, name: Variant) -> str:
    """Return why a variant would change nothing on a plant; an empty text where it does."""
    outputs = plant.Output.quantities()
    reasons = {
        "noise": "" if any(q.noise > 0.0 for q in outputs.values()) else "its instruments are declared without noise",
        "delay": "" if plant.loops else "it has no loops",
        "faults": "" if plant.loops else "it has no loops",
        "drift": "" if _uncertain(plant) else "none of its parameters is declared as uncertain",
        "weather": "" if plant.name in UNSEEN else "no held-out year is kept for it",
    }
    return reasons.get(name, "")


def judged(plant: Plant, scenario: Scenario, name: Variant, seed: int, count: int, first: int = 0) -> Episodes:
    """Return held-out episodes of a variant.

    Raises:
        BadInput: for a count below one or a negative seed.
    """
    return _MADE[name](Judged(plant, scenario, seed, first, count))


def _louder(asked: Judged) -> Episodes:
    episodes = asked.drawn()
    outputs = len(asked.plant.Output.names())
    readings = episodes.noise[:, :, :outputs]
    noise = episodes.noise.copy()
    noise[:, :, :outputs] = np.where(readings < HELD, np.float32(LOUDER) * readings, readings)
    return replace(episodes, noise=noise)


def _delayed(asked: Judged) -> Episodes:
    return _with(asked, _late(asked.plant))


def _faulty(asked: Judged) -> Episodes:
    return _with(asked, _worn(asked.plant))


def _with(asked: Judged, faults: tuple[Fault, ...]) -> Episodes:
    """Draw under the scenario's own name: then everything but the faults is as without them."""
    scenario = replace(asked.scenario, faults=(*asked.scenario.faults, *faults))
    return replace(asked, plant=_hampered(asked.plant), scenario=scenario).drawn()


def _drifting(asked: Judged) -> Episodes:
    """Let every uncertain parameter go straight from where it was drawn to elsewhere in its declared range."""
    episodes = replace(asked, plant=_hampered(asked.plant)).drawn()
    centre = replace(asked, scenario=replace(asked.scenario, exact=True)).drawn().parameters
    uncertain = _uncertain(asked.plant)
    ends = _ends(asked, len(uncertain))
    age = np.minimum(np.arange(episodes.exogenous.shape[1]) / asked.scenario.steps, 1.0)
    exogenous = episodes.exogenous.copy()
    for i, (name, spread) in enumerate(uncertain.items()):
        at = asked.plant.Parameter.names().index(name)
        begun, end = episodes.parameters[:, at, None], (centre[:, at] * (1.0 + spread * ends[:, i]))[:, None]
        column = episodes.targets().stop + fading(episodes.plant).index(name)
        exogenous[:, :, column] = begun + (end - begun) * age
    return replace(episodes, exogenous=exogenous)


def _ends(asked: Judged, count: int) -> Array:
    """Return where each parameter of each episode drifts to in [-1, 1], (n, count), whatever block it is asked for in."""
    seeds = range(asked.first, asked.first + asked.count)
    return np.stack([np.random.default_rng([asked.seed, DRIFTS, e]).uniform(-1.0, 1.0, count) for e in seeds])


def _elsewhere(asked: Judged) -> Episodes:
    year = load(UNSEEN[asked.plant.name])
    return draw(asked.plant, asked.scenario, asked.seed, asked.count, "judging", asked.first, year)


def _late(plant: Plant) -> tuple[Fault, ...]:
    """Every reading that a loop takes is late."""
    return tuple(Delay(output, max(plant.loop_period, LATE * plant.decision)) for output in _read(plant))


def _worn(plant: Plant) -> tuple[Fault, ...]:
    """Every reading that a loop takes is biased from some moment on, spikes and falls silent; every valve sticks."""
    found: list[Fault] = []
    for output in _read(plant):
        span = 2.0 * plant.Output.quantities()[output].half_range
        chance = RARE / plant.loops_per_decision
        found += [Bias(output, BIASED * span), Spike(output, SPIKED * span, chance), Dropout(output, chance, plant.decision)]
    strokes = {loop.mv: 2.0 * plant.Input.quantities()[loop.mv].half_range for loop in plant.loops if loop.mv}
    return (*found, *(Stiction(name, STICKS * stroke) for name, stroke in strokes.items()))


def _read(plant: Plant) -> tuple[str, ...]:
    return tuple(dict.fromkeys(loop.pv for loop in plant.loops))


def _uncertain(plant: Plant) -> dict[str, float]:
    return {name: q.uncertain for name, q in plant.Parameter.quantities().items() if q.uncertain > 0.0}


@cache
def _hampered(plant: Plant) -> Plant:
    """Return the plant with room for all that goes wrong in any variant, so that one kernel serves them all."""
    drifting = tuple(Fading(name, share) for name, share in _uncertain(plant).items())
    room = replace(plant.scenarios[0], name="all that goes wrong", faults=(*_late(plant), *_worn(plant), *drifting))
    return replace(plant, scenarios=(*plant.scenarios, room))


_MADE: dict[Variant, Callable[[Judged], Episodes]] = {
    "none": Judged.drawn, "noise": _louder, "delay": _delayed, "faults": _faulty, "drift": _drifting, "weather": _elsewhere,
}  # fmt: skip
