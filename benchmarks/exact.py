"""Closed loops by CVODES: what a command really brings a plant in the field, and a corner that the shield reckons with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from controller.safety.field import Field
from plant_models.core.errors import IntegrationError
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import RUNNING, Layout
from plant_models.derive.twin import Twin, twin
from plant_models.env.lookahead import Command, Standing, by_hand, safe_outputs
from plant_models.env.start import SETTINGS, Settings
from plant_models.env.substeps import substeps

Decision = tuple[Array, Array, Array]
"""What a decision of the twin is given: columns of ``P`` and ``E``, and the noise of its loop periods."""


def real(field: Field, e: int, sent: Command, then: Command | None, drawn: int, decisions: int) -> Array:
    """Return the smallest margins, (margins,), that a command brings plant ``e`` of a field; NaN where CVODES gives up.

    Disturbances and noise are as drawn for as many decisions, then the disturbances hold and there is no noise.
    """
    exact = _twin(field.plant)
    return _lowest(exact, field.simulator.S.column(e), _field_decisions(exact.layout, field, e, sent, then, drawn, decisions))


def _twin(plant: Plant) -> Twin:
    return twin(plant, "setpoint", substeps(plant), operated=True)


def _lowest(exact: Twin, S: Array, decisions: Iterable[Decision]) -> Array:
    rows, lowest = exact.layout.S["lowest"], np.full(len(exact.layout.margins), np.inf)
    for P, E, noise in decisions:
        if S[exact.layout.S.row("status")] != RUNNING:
            break
        try:
            S = exact.step(S, P, E, noise)
        except IntegrationError:
            return np.full_like(lowest, np.nan)
        lowest = np.minimum(lowest, S[rows])
    return lowest


def _field_decisions(
    rows: Layout, field: Field, e: int, sent: Command, then: Command | None, drawn: int, decisions: int
) -> Iterator[Decision]:
    simulator, exogenous = field.simulator, field.episodes.exogenous[e]
    begun, steps, P = int(simulator.k[e]), field.episodes.scenario.steps, simulator.P.column(e)
    last = min(begun + drawn, steps) - 1
    names = field.plant.Parameter.names()
    for k in range(begun, begun + decisions):
        at = min(k, last)
        E = _given(rows, field.plant, e, sent if k == begun or then is None else then)
        E[rows.E["d"]], E[rows.E["d1"]] = (exogenous[i, : len(E[rows.E["d"]])] for i in (at, at + (k <= last)))
        for i, name in enumerate(rows.fading):
            P[rows.P["p"].start + names.index(name)] = exogenous[at, rows.exogenous + i]
        noise = simulator.noise_of(e, k) if k <= last else np.zeros((field.plant.loops_per_decision, rows.noise))
        yield P, E, noise


def _given(rows: Layout, plant: Plant, e: int, command: Command) -> Array:
    E = np.zeros(rows.E.size)
    E[rows.E["r"]], E[rows.E["a"]] = command.r[e], command.a[e]
    E[rows.E["mode"]], E[rows.E["manual"]] = command.safe[e] * by_hand(plant), safe_outputs(plant)[:, 0]
    return E


def corner(plant: Plant, standing: Standing, e: int, variant: int, sent: Command, then: Command | None, decisions: int) -> Array:
    """Return the smallest margins, (margins,), that a command brings a plant that stands as one of ``standing``'s variants."""
    exact = _twin(plant)
    rows, d = exact.layout, standing.d[e, variant]

    def given(k: int) -> Array:
        E = _given(rows, plant, e, sent if k == 0 or then is None else then)
        E[rows.E["d"]], E[rows.E["d1"]] = (d[min(at, len(d) - 1)] for at in (k, k + 1))
        return E

    P, quiet = _parameters(rows, plant, standing, e, variant), np.zeros((plant.loops_per_decision, rows.noise))
    return _lowest(exact, _column(rows, plant, standing, e, variant), ((P, given(k), quiet) for k in range(decisions)))


def _column(rows: Layout, plant: Plant, standing: Standing, e: int, variant: int) -> Array:
    S = np.zeros(rows.S.size)
    parts = {"x": standing.x[e, variant], "d": standing.d[e, variant, 0], "u": standing.u[e], "y": standing.y[e],
             "memory": standing.memory[e], "v": standing.v[e], "was": standing.was[e]}  # fmt: skip
    for part, values in parts.items():
        S[rows.S[part]] = values
    S[rows.S["history"]] = [standing.y[e, plant.Output.names().index(name)] for name, count in rows.delayed for _ in range(count)]
    return S


def _parameters(rows: Layout, plant: Plant, standing: Standing, e: int, variant: int) -> Array:
    P, layer = np.zeros(rows.P.size), Settings.of(plant, plant.loops, plant.advance)
    for part in SETTINGS:
        P[rows.P[part]] = getattr(layer, part)[:, 0]
    P[rows.P["p"]] = standing.p[e if len(standing.p) > 1 else 0, variant]
    return P
