"""BOPTEST's figures of a building, sampled at 60 s or finer whatever the control step.

Definitions: Blum et al., Building optimization testing framework (BOPTEST), J. Building Performance Simulation 14(5), 2021,
doi:10.1080/19401493.2021.1986574, section on core KPIs: discomfort averaged over the zones; energy, cost, emissions and peaks
for each square metre. Days are counted from the episode's beginning at midnight. Tariffs that vary by the market are synthetic.
"""

from __future__ import annotations

import numpy as np

from controller.kpi import Kpi
from controller.rollout import Run
from plant_models.core.building import BIN, Building, Tariff
from plant_models.core.plant import SECONDS, Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import layout

PEAKS = {"electricity": "pele", "gas": "pgas", "district heat": "pdih"}


def building(run: Run) -> dict[str, Kpi]:
    """Return the figures of a building by BOPTEST's names; none for another plant."""
    plant = run.episodes.plant
    declared = plant.building
    if declared is None:
        return {}
    found = {"tdis": Kpi(_measure(run, plant, declared.thermal).sum(axis=1) / declared.zones, "K h/zone")}
    if declared.air:
        found["idis"] = Kpi(_measure(run, plant, declared.air).sum(axis=1) / declared.zones, "ppm h/zone")
    energy = [np.sum([_measure(run, plant, name) for name in carrier.measures], axis=0) for carrier in declared.carriers]
    area = declared.area
    found["ener"] = Kpi(np.sum(energy, axis=0).sum(axis=1) / area, "kWh/m^2")
    found["emis"] = Kpi(sum(c.emission * e.sum(axis=1) for c, e in zip(declared.carriers, energy, strict=True)) / area, "kg/m^2")
    for i, carrier in enumerate(declared.carriers):
        found[PEAKS[carrier.kind]] = Kpi(_peak(run, plant, i, energy[i]) / area, "kW/m^2")
    return found | _costs(run, declared, energy)


def _measure(run: Run, plant: Plant, name: str) -> Array:
    """Return what a measure accumulated in each decision, (n, steps)."""
    names = [each for each, _ in layout(plant, "setpoint").measures]
    accumulated: Array = run.sums["measures"][:, :, names.index(name)]
    return accumulated


def _peak(run: Run, plant: Plant, i: int, energy: Array) -> Array:
    """Return the largest mean power of any quarter of an hour in kW, (n,)."""
    decision = plant.decision * SECONDS[plant.time_unit]
    if decision >= BIN:
        return np.asarray(run.sums["peak"][:, :, i].max(axis=1) * 3600.0 / BIN)
    together = round(BIN / decision)
    whole = energy[:, : energy.shape[1] // together * together]
    bins = whole.reshape(len(whole), -1, together).sum(axis=2)
    return np.asarray(bins.max(axis=1) * 3600.0 / (together * decision))


def _costs(run: Run, declared: Building, energy: list[Array]) -> dict[str, Kpi]:
    found = {}
    for name in declared.carriers[0].tariffs:
        paid = [(_price(run, c.tariffs[name]) * used).sum(axis=1) for c, used in zip(declared.carriers, energy, strict=True)]
        found[f"cost, {name} tariff"] = Kpi(np.sum(paid, axis=0) / declared.area, f"{run.episodes.plant.worth}/m^2")
    return found


def _price(run: Run, tariff: Tariff) -> Array:
    """Return the price of a kWh in each decision, (n, steps)."""
    plant, (n, steps) = run.episodes.plant, run.cost.shape
    if isinstance(tariff, str):
        seen: Array = run.path["d"][:, 1:, plant.Disturbance.names().index(tariff)]
        return seen
    hours = np.repeat(plant.decision * plant.hours * np.arange(steps)[None], n, axis=0)
    return np.asarray(tariff(np.random.default_rng(0), hours))
