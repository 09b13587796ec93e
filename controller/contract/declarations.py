"""What a plant file says before anything runs: names, sources, tags, ranges, limits, protocols."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, get_args

import numpy as np

from controller.contract.check import Broken, Check
from controller.contract.locate import declared, target, tree_of
from controller.contract.points import everything, plain
from plant_models.core.errors import unknown
from plant_models.core.plant import Margin, Measure, Plant
from plant_models.core.scenario import Protocol

PROTOCOLS = get_args(Protocol)


def written(plant: Plant) -> None:
    """At the nominal point every function gives each of its values, by name, as a finite number."""
    _typed(plant)
    for name, value in everything(plant, *plain(plant)).items():
        if not isinstance(value, Real) or not np.isfinite(float(value)):
            raise Broken(f"{name} is {value} at the nominal point", name)


def _typed(plant: Plant) -> None:
    """Refuse what a function returns in place of its vector, its margins or its measures, before anything looks inside."""
    at = plain(plant)
    _check_type("derivative", plant.derivative(*at), plant.State, "return the slope of every state in a State(...)")
    _check_type("outputs", plant.outputs(*at), plant.Output, "return the value of every output in an Output(...)")
    _check_named("margins", plant.margins(*at), Margin, "return hard(...), soft(...) or trip(...) by name")
    _check_named("measures", plant.measures(*at), Measure, "return Measure(rate, unit) by name")
    _check_type("cost", plant.cost(*at), Mapping, "return stage costs by name, in a dictionary")


def _check_named(role: str, found: Any, kind: type[Any], remedy: str) -> None:
    _check_type(role, found, Mapping, f"{remedy}, in a dictionary")
    for name, value in found.items():
        _check_type(f"{role}.{name}", value, kind, remedy)


def _check_type(subject: str, found: Any, kind: type[Any], remedy: str) -> None:
    if not isinstance(found, kind):
        raise Broken(f"{subject} is of type {type(found).__name__}, not {kind.__name__}", subject, remedy)


def named_once(plant: Plant) -> None:
    """No vector has two fields, no instrument two tags, and no scenario two meanings of one name."""
    for node in tree_of(plant).body:
        if isinstance(node, ast.ClassDef):
            for name in _twice(target(field) for field in declared(node)):
                raise Broken(f"{node.name}.{name} is declared twice", f"{node.name}.{name}")
    for name in _twice(scenario.name for scenario in plant.scenarios):
        raise Broken(f"scenario {name!r} is declared twice", name)
    for name in _twice((*plant.Parameter.names(), *plant.Disturbance.names())):
        raise Broken(f"{name!r} is both a parameter and a disturbance", f"{plant.Parameter.__name__}.{name}")
    for tag in _twice(q.tag for vector in (plant.Input, plant.Output) for q in vector.quantities().values() if q.tag):
        raise Broken(f"tag {tag!r} is given twice", tag)


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def sourced(plant: Plant) -> None:
    """Every parameter says where its number comes from."""
    for name, q in plant.Parameter.quantities().items():
        if q.source is None:
            raise Broken(f"parameter {name} names no source", f"{plant.Parameter.__name__}.{name}")


def tagged(plant: Plant) -> None:
    """Every output bears an instrument's tag."""
    for name, q in plant.Output.quantities().items():
        if not q.tag:
            raise Broken(f"output {name} has no tag", f"{plant.Output.__name__}.{name}")


def ranged(plant: Plant) -> None:
    """States, inputs, disturbances and outputs have a finite range, and states a finite range of validity."""
    for vector in (plant.State, plant.Input, plant.Disturbance, plant.Output):
        for name, q in vector.quantities().items():
            if not np.isfinite(q.high - q.low) or q.high <= q.low:
                raise Broken(f"{name} ranges from {q.low} to {q.high} {q.unit}", f"{vector.__name__}.{name}")
    for name, q in plant.State.quantities().items():
        if not np.isfinite(q.valid).all():
            raise Broken(f"state {name} is valid from {q.valid[0]} to {q.valid[1]} {q.unit}", f"{plant.State.__name__}.{name}")


def safe(plant: Plant) -> None:
    """The safe action lies within the ranges of its inputs."""
    for name, value in plant.safe_action.items():
        q = plant.Input.quantities()[name]
        if not q.low <= value <= q.high:
            raise Broken(f"safe action {name} = {value} {q.unit} lies outside {q.low} to {q.high}", "safe_action")


def nominal_within_setpoints(plant: Plant) -> None:
    """Every loop's setpoint range holds the nominal value of what it controls."""
    for loop in plant.loops:
        q = plant.Output.quantities()[loop.pv]
        if not loop.low <= q.nominal <= loop.high:
            raise Broken(f"{loop.tag}: setpoints {loop.low} to {loop.high} leave out the nominal {q.nominal} {q.unit}", loop.tag)


def supervised(plant: Plant) -> None:
    """A supervisor may move at least one setpoint, and what divides or charges the score is above zero."""
    if not plant.acted:
        raise Broken("no loop has authority, so that a supervisor has nothing to do", "loops")
    for name, value in (("scale", plant.scale), ("worst", plant.worst)):
        if not value > 0.0:
            raise Broken(f"{name} is {value}", name)


def limited(plant: Plant) -> None:
    """Every limit line belongs to an output, and to the parameter or disturbance that bounds it."""
    for limit in plant.limits:
        if limit.output not in plant.Output.names():
            raise Broken(f"limit line of {limit.output!r}, which is no output", "limits")
        if limit.bound not in (*plant.Parameter.names(), *plant.Disturbance.names()):
            raise Broken(f"limit line at {limit.bound!r}, which is neither parameter nor disturbance", "limits")


def figured(plant: Plant) -> None:
    """A building's figures are of measures that the plant reports."""
    if plant.building is None:
        return
    known, building = tuple(plant.measures(*plain(plant))), plant.building
    counted = [name for carrier in building.carriers for name in carrier.measures]
    for name in (building.thermal, *([building.air] if building.air else []), *counted):
        if name not in known:
            raise Broken(unknown("measure", name, known), "building")


def asked(plant: Plant) -> None:
    """There is a scenario of each protocol: everyday tracking, large disturbances, life at the limits."""
    found = {scenario.protocol for scenario in plant.scenarios}
    if missing := [protocol for protocol in PROTOCOLS if protocol not in found]:
        raise Broken(f"no scenario has protocol {', '.join(missing)}", "scenarios")


CHECKS = (
    Check("every balance is written", written,
          "give every vector that a function returns each of its fields by name, and finite nominal values"),
    Check("every name is used once", named_once, "rename one of the two"),
    Check("every parameter names its source", sourced, "add source=Source(...) to the parameter"),
    Check("every output has a tag", tagged, "add tag=... to the output"),
    Check("every range is finite", ranged, "give low= and high=, and valid=(low, high) to a state"),
    Check("the safe action is possible", safe, "choose a value within the input's low and high"),
    Check("setpoint ranges hold the nominal point", nominal_within_setpoints, "widen the loop's low and high"),
    Check("a supervisor has something to do", supervised, "give a loop authority=, and scale and worst values above zero"),
    Check("limit lines name what exists", limited, "name an output, and the parameter or disturbance that bounds it"),
    Check("a building's figures name measures", figured, "name what the function measures returns"),
    Check("every protocol has a scenario", asked, "add a Scenario(..., protocol=...) of each kind"),
)  # fmt: skip
