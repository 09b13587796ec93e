"""What does not change while a session runs: its loops with ranges and limits, its disturbances, and what may go wrong."""

from __future__ import annotations

import math
from typing import Any

from controller.live.clock import SPEEDS
from controller.live.session import Session, period_of
from controller.recording import shown
from dashboard.figures import shown_name, unit_text
from plant_models.core.loop import Loop
from plant_models.core.plant import Plant
from plant_models.core.quantity import Quantity
from plant_models.derive.layout import layout
from plant_models.derive.limit_kinds import limit_kinds

KINDS = {
    "bias": ("bias", "{unit}", 0.05), "drift": ("drift", "{unit}/{time}", 0.005), "noise": ("noise, times as much", "", 5.0),
    "spike": ("spikes", "{unit}", 0.1), "stuck": ("stuck", "", 0.0), "dropout": ("dropout", "", 0.0),
}  # fmt: skip
"""Of an instrument: what it is called, the unit of its size, and its size as a share of the span; of noise a factor."""
VALVE_KINDS = {"jammed": ("stuck", 0.0), "stiction": ("stiction", 0.035), "deadband": ("play", 0.035)}
DIGITS = 4


def plan(session: Session) -> dict[str, Any]:
    """Return all that the page needs once, in display units."""
    plant = session.plant
    return {
        "title": plant.title, "plant": plant.name, "scenario": session.case.scenario or plant.scenario().name,
        "seed": session.case.seed, "steps": session.steps, "period": period_of(plant), "worth": unit_text(plant.worth),
        "loops": [_loop(session, loop) for loop in plant.loops],
        "disturbances": [_disturbance(name, q) for name, q in plant.Disturbance.quantities().items()],
        "places": _places(plant),
        "controllers": [{"name": name, "label": shown_name(name.split(" ")[0])} for name in session.offered],
        "speeds": [{"value": None if math.isinf(s) else s, "label": "max" if math.isinf(s) else f"{s:,.0f}×"} for s in SPEEDS],
        "shield": any(kind == "hard" for kind in layout(plant, "setpoint").kinds),
    }  # fmt: skip


def digits(span: float) -> int:
    """Return the decimals that show a thousandth of a span."""
    return max(0, min(6, math.ceil(-math.log10(span / 1000.0)))) if 0.0 < span < math.inf else DIGITS


def displayed(q: Quantity, value: float) -> float:
    """Return a value in the unit that displays use."""
    return float(shown(q, value))  # type: ignore[arg-type]


def moves(plant: Plant, loop: Loop) -> Quantity:
    """Return the quantity that a loop's output is: an input, or what its slave measures."""
    return plant.Input.quantities()[loop.mv] if loop.mv else plant.Output.quantities()[plant.slave(loop).pv]


def _loop(session: Session, loop: Loop) -> dict[str, Any]:
    plant = session.plant
    pv, out = plant.Output.quantities()[loop.pv], moves(plant, loop)
    (low, high), (lowest, highest) = session.limits[loop.tag]
    scale = _scale(pv, low, high)
    lines = [line for line in plant.limits if line.output == loop.pv]
    kinds = limit_kinds(plant)
    bounds = [
        (session.parameters[line.bound], line.side, kinds[line.bound]) for line in lines if line.bound in session.parameters
    ]
    return {
        "tag": loop.tag, "meaning": pv.meaning, "unit": unit_text(pv.shown), "digits": digits(scale[1] - scale[0]),
        "scale": [displayed(pv, v) for v in scale], "setpoints": [displayed(pv, v) for v in (low, high)],
        "limits": [{"value": displayed(pv, v), "side": side, "kind": kind} for v, side, kind in bounds],
        "varying": [
            {"name": line.bound, "side": line.side, "kind": kinds[line.bound]}
            for line in lines if line.bound in plant.Disturbance.names()
        ],
        "out": {"unit": unit_text(out.shown), "range": [displayed(out, v) for v in (lowest, highest)],
                "digits": digits(highest - lowest), "tag": out.tag if loop.mv else loop.sp_of},
        "master": loop in plant.masters, "cascade": session.cascades[loop.tag], "supervised": loop.authority > 0.0,
        "target": loop.pv in plant.targets, "pv": loop.pv,
    }  # fmt: skip


def _scale(q: Quantity, low: float, high: float) -> tuple[float, float]:
    """Return the range of an indicator: the instrument's, where it has one, else that of setpoints."""
    return (q.low, q.high) if math.isfinite(q.low) and math.isfinite(q.high) else (low, high)


def _disturbance(name: str, q: Quantity) -> dict[str, Any]:
    span = q.high - q.low if math.isfinite(q.high - q.low) else abs(q.nominal) or 1.0
    return {"name": name, "meaning": q.meaning, "tag": q.tag, "unit": unit_text(difference(q)), "shown": unit_text(q.shown),
            "digits": digits(span), "step": span / 10.0, "reach": span, "measured": q.measured}  # fmt: skip


def difference(q: Quantity) -> str:
    """The unit of a difference of two of its values, as they are displayed."""
    return "K" if q.shown == "degC" else q.shown


def _places(plant: Plant) -> list[dict[str, Any]]:
    """Return instruments and valves, each with the faults that it may have and their usual sizes."""
    places = []
    for name, q in plant.Output.quantities().items():
        span = q.high - q.low if math.isfinite(q.high - q.low) else abs(q.nominal) or 1.0
        kinds = [
            {"kind": kind, "label": label, "size": share if kind == "noise" else share * span,
             "unit": unit.format(unit=unit_text(difference(q)), time=plant.time_unit), "sized": share > 0.0}
            for kind, (label, unit, share) in KINDS.items()
        ]  # fmt: skip
        places.append({"name": name, "label": f"{q.tag or name} {q.meaning}", "valve": False, "kinds": kinds})
    for loop in plant.loops:
        if loop.mv:
            q = plant.Input.quantities()[loop.mv]
            kinds = [
                {"kind": kind, "label": label, "size": share * (q.high - q.low), "unit": unit_text(difference(q)),
                 "sized": share > 0.0}
                for kind, (label, share) in VALVE_KINDS.items()
            ]  # fmt: skip
            places.append({"name": loop.mv, "label": f"{q.tag or loop.mv} {q.meaning}", "valve": True, "kinds": kinds})
    return places
