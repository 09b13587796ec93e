"""What scenarios prescribe: finite, in range, the same for the same seed, and another for every purpose."""

from __future__ import annotations

import numpy as np

from controller.contract.check import Broken, Check, episodes
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Scenario
from plant_models.env.scenario import ARRAYS, CODES, Episodes, draw

BEYOND = 0.25
"""How far a disturbance may leave the range that scales it, as a share of that range."""


def prescribed(plant: Plant) -> None:
    """Scenarios prescribe what the plant declares, by name, as one number or for each episode and sample."""
    for scenario in plant.scenarios:
        for split in CODES:
            try:
                episodes(plant, scenario, 8, split)
            except BadInput as error:
                raise Broken(str(error), scenario.name) from error


def in_range(plant: Plant) -> None:
    """Signals are finite; disturbances leave their range by a quarter at most, setpoints, targets and states not at all."""
    for scenario in plant.scenarios:
        for split in CODES:
            drawn = episodes(plant, scenario, 8, split)
            _finite(scenario, drawn)
            _disturbances(plant, scenario, drawn)
            _initial(plant, scenario, drawn)
            _setpoints(plant, scenario, drawn)


def _finite(scenario: Scenario, drawn: Episodes) -> None:
    for name in ARRAYS:
        if not np.isfinite(getattr(drawn, name)).all():
            raise Broken(f"scenario {scenario.name!r} prescribes a number that is not finite ({name})", scenario.name)


def _disturbances(plant: Plant, scenario: Scenario, drawn: Episodes) -> None:
    for name, q in plant.Disturbance.quantities().items():
        found, beyond = drawn.disturbance(name), BEYOND * (q.high - q.low)
        if not (q.low - beyond <= found.min() and found.max() <= q.high + beyond):
            reach = f"{found.min():.4g} to {found.max():.4g} {q.unit}"
            raise Broken(f"scenario {scenario.name!r} takes {name} from {reach}; its range is {q.low} to {q.high}", scenario.name)


def _initial(plant: Plant, scenario: Scenario, drawn: Episodes) -> None:
    for i, (name, q) in enumerate(plant.State.quantities().items()):
        if not ((drawn.initial[:, i] > q.valid[0]) & (drawn.initial[:, i] < q.valid[1])).all():
            raise Broken(f"scenario {scenario.name!r} begins with {name} outside its valid range", scenario.name)


def _setpoints(plant: Plant, scenario: Scenario, drawn: Episodes) -> None:
    masters = [loop for loop in drawn.loops if loop.tag in {master.tag for master in plant.masters}]
    sent = drawn.exogenous[:, :, drawn.references()]
    judged = drawn.exogenous[:, :, drawn.targets()]
    ranged = [(loop, sent[:, :, i]) for i, loop in enumerate(masters)]
    ranged += [(loop, judged[:, :, plant.targets.index(loop.pv)]) for loop in masters if loop.pv in plant.targets]
    for loop, values in ranged:
        if not ((values >= loop.low) & (values <= loop.high)).all():
            reach = f"{values.min():.4g} to {values.max():.4g}"
            raise Broken(
                f"scenario {scenario.name!r} sends {loop.tag} {reach}; allowed is {loop.low} to {loop.high}", scenario.name
            )


def repeats(plant: Plant) -> None:
    """A seed draws the same episodes again, and the first of many are those of few."""
    few, many = (draw(plant, plant.scenario(), 3, n, "judging") for n in (5, 20))
    later = draw(plant, plant.scenario(), 3, 4, "judging", first=15)
    for name in ARRAYS:
        if not np.array_equal(getattr(few, name), getattr(many[slice(0, 5)], name)):
            raise Broken(f"scenario {plant.scenario().name!r} draws other {name} the second time", plant.scenario().name)
    if not np.array_equal(later.exogenous, many[slice(15, 19)].exogenous):
        raise Broken(f"scenario {plant.scenario().name!r} draws other episodes from the middle", plant.scenario().name)


def splits_differ(plant: Plant) -> None:
    """Training, tuning, validation and judging never draw the same episodes."""
    drawn = {split: episodes(plant, plant.scenario(), 8, split).exogenous for split in CODES}
    pairs = [(a, b) for i, a in enumerate(drawn) for b in list(drawn)[i + 1 :]]
    for a, b in pairs:
        if np.array_equal(drawn[a], drawn[b]):
            raise Broken(f"scenario {plant.scenario().name!r} draws the same for {a} and {b}", plant.scenario().name)


CHECKS = (
    Check("scenarios prescribe what is declared", prescribed,
          "give names that the plant declares, and arrays of (n, count), (n,) for initial states and parameters", decides=True),
    Check("scenarios stay in range", in_range, "widen the range, or clip what the scenario draws"),
    Check("scenarios repeat", repeats, "draw by the given Draw alone: draw.rng, draw.uniform, draw.steps, draw.wander"),
    Check("training, tuning and judging differ", splits_differ, "let the scenario draw something by chance"),
)  # fmt: skip
