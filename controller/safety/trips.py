"""The trip margins of one plant as they are measured: from what its instruments show and, for the rest, from the estimate."""

from __future__ import annotations

import numpy as np

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Standing


def trip_margins(plant: Plant, standing: Standing, used: Array) -> dict[str, float]:
    """Return every trip margin by name, the smaller of the estimate's and the instruments', NaN where it cannot be told.

    ``standing`` is one plant's by the estimate, ``used`` (1, outputs) what is gone by of its readings.
    """
    states = np.concatenate([standing.x[:, 0], shown_states(plant, standing.x[:, 0], used)])
    parts = (states, standing.u, standing.d[:, 0, 0], standing.p[:, 0])
    columns = [np.broadcast_to(part, (2, part.shape[1])).T for part in parts]
    found = plant.margins(*(vector.of(list(rows)) for vector, rows in zip(plant.arguments, columns, strict=True)))
    return {name: _least(margin.value) for name, margin in found.items() if margin.kind == "trip"}


def crossed(margins: dict[str, float]) -> str:
    """Return the first trip margin that is not known to be kept; empty where all are."""
    return next((name for name, margin in margins.items() if not margin >= 0.0), "")


def shown_states(plant: Plant, x: Array, used: Array) -> Array:
    """Return states (n, states); those that an instrument of the same name, unit and nominal value shows, as it shows them."""
    states, outputs = plant.State.quantities(), plant.Output.quantities()
    shown = x.copy()
    for place, (name, q) in enumerate(states.items()):
        if name in outputs and (outputs[name].unit, outputs[name].nominal) == (q.unit, q.nominal):
            shown[:, place] = used[:, list(outputs).index(name)]
    return shown


def _least(values: object) -> float:
    """Return the smallest, NaN where one is no finite number."""
    numbers = np.asarray(values, dtype=float)
    return float(numbers.min()) if np.isfinite(numbers).all() else float("nan")
