"""What NMPC believes of disturbances that nobody measures is what training episodes show of them."""

from __future__ import annotations

import numpy as np
import pytest

from controller.baselines import Pid
from controller.liveliness import liveliness
from controller.nmpc import Nmpc
from controller.rollout import rollout
from plant_models.catalogue import get
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.derive.observer import STILL, observer, unmeasured
from plant_models.env.scenario import draw

CSTR, STEPS = get("exothermic_cstr"), 400
FEED, HALF = "c_f", CSTR.Disturbance.quantities()["c_f"].half_range


def moving(feed: Array | None = None, seen: list[str] | None = None) -> Scenario:
    """Return a scenario of the stirred tank whose feed wanders, or is as given."""

    def signals(draw: Draw) -> Signals:
        if seen is not None:
            seen.append(draw.split)
        drawn = draw.wander(1.01, 0.004, memory=8.0) if feed is None else np.broadcast_to(feed, (draw.n, draw.count))
        return Signals(disturbances={FEED: drawn})

    return Scenario("moving", "the feed moves", STEPS, signals)


def test_mean_deviation_and_memory_are_found_in_training_episodes_alone() -> None:
    splits: list[str] = []
    found = liveliness(CSTR, moving(seen=splits))
    assert set(splits) == {"training"}
    assert found.usual == pytest.approx((1.01,), rel=1e-3)
    assert found.deviation == pytest.approx((0.004,), rel=0.05)
    assert found.kept == pytest.approx((np.exp(-1.0 / 8.0),), rel=0.01)


def test_what_never_moves_is_held_for_an_episode_and_still_estimated() -> None:
    found = liveliness(CSTR, moving(np.array(1.0)))
    assert found.deviation == (0.0,)
    assert found.kept == pytest.approx((np.exp(-1.0 / STEPS),))
    begun = observer(CSTR, "setpoint", 1, found).begin(1, np.array(list(CSTR.Parameter.nominal())))
    place = len(CSTR.State.names())
    assert np.sqrt(begun.covariance[0, place, place]) == pytest.approx(STILL)


def test_the_observer_is_as_unsure_as_the_scenario_is_lively() -> None:
    found = liveliness(CSTR, moving())
    begun = observer(CSTR, "setpoint", 1, found).begin(1, np.array(list(CSTR.Parameter.nominal())))
    place = len(CSTR.State.names())
    assert begun.mean[0, place] * HALF == pytest.approx(found.usual[0])
    assert np.sqrt(begun.covariance[0, place, place]) * HALF == pytest.approx(found.deviation[0])


def test_every_unmeasured_disturbance_has_its_own() -> None:
    column = get("distillation_column")
    found = liveliness(column, column.scenario())
    assert len(unmeasured(column)) == len(found.usual) == len(found.deviation) == len(found.kept) == 2


@pytest.mark.slow
def test_nmpc_gains_where_only_slow_ageing_is_hidden() -> None:
    plant = get("tubular_reactor")
    episodes = draw(plant, plant.scenario(), 0, 3, "judging")
    assert (rollout(Nmpc(plant), episodes).total < 0.97 * rollout(Pid(plant), episodes).total).all()
