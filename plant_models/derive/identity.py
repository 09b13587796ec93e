"""A fingerprint of a plant's closed loop: changes when an equation, a gain or a range does, not when a comment does."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache

from plant_models.core.plant import Plant
from plant_models.derive.closed_loop import Trace
from plant_models.derive.kernel import source
from plant_models.derive.observation import observation


@cache
def plant_hash(plant: Plant) -> str:
    """Return the sha256 of the generated kernel, the PID layer's settings and the quantities' declarations, faults apart."""
    plant = replace(plant, scenarios=tuple(replace(scenario, faults=()) for scenario in plant.scenarios))
    trace = Trace(plant)
    vectors = (*plant.arguments, plant.Output)
    declared = [source(trace, observation(plant, trace.layout, "setpoint")), repr(plant.loops), str(plant.advance)]
    declared += [repr(vector.quantities()) for vector in vectors]
    declared += [repr(loop.schedule) for loop in plant.loops if loop.schedule]
    return hashlib.sha256("\n".join(declared).encode()).hexdigest()
