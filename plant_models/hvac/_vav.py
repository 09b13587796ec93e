"""Boxes and air handler of a variable-air-volume system: their signals."""

from __future__ import annotations

from typing import Any, NamedTuple

from plant_models.core.smooth import clamp
from plant_models.core.vector import Expr


class Zone(NamedTuple):
    """A zone's states, signal and geometry: what the balances of all five have in common."""

    T: Expr
    M: Expr
    C: Expr
    z: Expr
    sun: Expr
    area: Expr
    facade: Expr
    flow: Expr
    least: Expr
    door: Expr


class Air(NamedTuple):
    """The air handler at a moment: flow in kg/s, the return's and the supply's state, heat of the coils and fan's power in W."""

    flow: Expr
    T_ra: Expr
    C_ra: Expr
    C_sa: Expr
    T_leaving: Expr
    w_sa: Expr
    heating: Expr
    cooling: Expr
    fan: Expr


def within(share: Expr) -> Expr:
    """Return a share kept between 0 and 1."""
    return clamp(share, 0.0, 1.0)


def box(zone: Zone, p: Any) -> tuple[Expr, Expr]:
    """Return a box's air flow in kg/s, fan running, and its reheat valve's opening."""
    heating = within(-zone.z / p.z_heat)
    share = zone.least + (1.0 - zone.least) * within(zone.z) + (p.f_heat - zone.least) * heating
    valve = within((-zone.z - p.z_heat) / (1.0 - p.z_heat))
    return p.rho * zone.flow * share, valve


def boxes(five: tuple[Zone, ...], most: Expr, p: Any) -> list[tuple[Expr, Expr]]:
    """Return every box's flow in kg/s and valve; where they ask for more than ``most`` m3/s, each gets its share."""
    asked = [box(zone, p) for zone in five]
    total = sum((flow for flow, _ in asked[1:]), asked[0][0])
    given = within(p.rho * most / total)
    return [(given * flow, valve) for flow, valve in asked]
