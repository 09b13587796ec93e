"""What terminal, browser and documentation show of a plant, as plain data."""

from __future__ import annotations

import inspect
import math
import sys
from dataclasses import asdict
from typing import Any

from plant_models.catalogue import get
from plant_models.core.duty import Economic
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.quantity import Quantity, Reproduced, Source
from plant_models.core.scenario import Scenario
from plant_models.core.vector import Vector
from plant_models.derive.margin_units import margin_units

KINDS = (
    "Kind: printed in a paper, book, standard, data sheet or result file; computed by somebody else's published program, run "
    "anew; or a check of our own against an independent calculation, which no publication holds."
)
"""What ``kind`` says of a number reproduced, in one line for whoever shows it."""


def card(name: str) -> dict[str, Any]:
    """Return everything a plant declares; infinite bounds are None.

    Raises:
        UnknownName: where the catalogue holds no such plant.
    """
    plant = get(name)
    vectors = {"states": plant.State, "inputs": plant.Input, "disturbances": plant.Disturbance,
               "parameters": plant.Parameter, "outputs": plant.Output}  # fmt: skip
    return {
        "name": plant.name,
        "title": plant.title,
        "folder": plant.folder,
        "equations": inspect.cleandoc(sys.modules[plant.derivative.__module__].__doc__ or ""),
        "time_unit": plant.time_unit,
        "decision": plant.decision,
        "loop_period": plant.loop_period,
        "vectors": {title: [_quantity(n, q) for n, q in v.quantities().items()] for title, v in vectors.items()},
        "loops": [_loop(plant, loop) for loop in plant.loops],
        "margins": _margins(plant),
        "duty": _duty(plant),
        "scenarios": [_scenario(s, "training and judging" if i == 0 else "extra") for i, s in enumerate(plant.scenarios)],
        "sources": _sources(plant, vectors.values()),
        "validated": [_reproduced(r) for r in plant.reproduced],
    }


def _reproduced(r: Reproduced) -> dict[str, Any]:
    return {"what": r.what, "kind": r.kind, "published": r.published, "ours": r.ours, "unit": r.unit, "deviation": r.deviation,
            "tolerance": r.tolerance, "remark": r.remark, "source": r.source.text, "doi": r.source.doi}  # fmt: skip


def _scenario(scenario: Scenario, role: str) -> dict[str, Any]:
    return {"name": scenario.name, "description": scenario.description, "steps": scenario.steps, "role": role,
            "protocol": scenario.protocol, "faults": [repr(fault) for fault in scenario.faults]}  # fmt: skip


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _quantity(name: str, q: Quantity) -> dict[str, Any]:
    numbers = {key: _finite(value) for key, value in asdict(q).items() if isinstance(value, float)}
    texts = {"unit": q.unit, "shown": q.shown, "meaning": q.meaning, "tag": q.tag, "kind": q.kind}
    flags = {"measured": q.measured, "forecast": q.forecast, "source": q.source.text if q.source else ""}
    return {"name": name, **texts, **numbers, **flags, "valid": [_finite(bound) for bound in q.valid]}


def _loop(plant: Plant, loop: Loop) -> dict[str, Any]:
    g = loop.gains
    gains = {"K_c": g.K_c, "T_i": _finite(g.T_i), "T_d": g.T_d, "b": g.b, "setpoint feed-forward": g.setpoint}
    gains |= {f"{name} feed-forward": gain for name, gain in g.disturbance}
    if loop.schedule:
        by = f"by {loop.schedule.variable}, exponent"
        gains |= {f"K_c {by}": loop.schedule.K_c, f"T_i {by}": loop.schedule.T_i}
    unit = plant.Output.quantities()[loop.pv].unit
    return {"tag": loop.tag, "pv": loop.pv, "mv": loop.mv, "sp_of": loop.sp_of, "low": loop.low, "high": loop.high,
            "unit": unit, "authority": loop.authority, "gains": gains}  # fmt: skip


def _margins(plant: Plant) -> list[dict[str, Any]]:
    at, units = (v.nominal() for v in plant.arguments), margin_units(plant)
    return [{"name": n, "kind": m.kind, "nominal": float(m.value), "unit": units[n]} for n, m in plant.margins(*at).items()]


def _duty(plant: Plant) -> dict[str, Any]:
    """Return the duty's declarations; what it leaves out is left out."""
    found = {key: dict(value) if key in ("moves", "scales") else value for key, value in asdict(plant.duty).items() if value}
    return found | ({"source": plant.duty.source.text} if isinstance(plant.duty, Economic) and plant.duty.source else {})


def _sources(plant: Plant, vectors: Any) -> list[dict[str, str]]:
    of_duty = (plant.duty.source,) if isinstance(plant.duty, Economic) and plant.duty.source else ()
    found: dict[Source, None] = dict.fromkeys((*plant.sources, *of_duty))
    vector: type[Vector]
    for vector in vectors:
        found |= dict.fromkeys(q.source for q in vector.quantities().values() if q.source)
    return [{"text": source.text, "doi": source.doi} for source in found]
