"""Supervisors for trials: adversaries whose moves are known beforehand, one that watches the true plant, and controllers."""

from __future__ import annotations

from functools import partial

import numpy as np

from controller.interface import Controller, Reading
from controller.panel import panel
from controller.safety.adversaries import Path, channels, command, path, vertices
from controller.safety.field import Field
from controller.safety.trial import Send, Supervisor, smallest
from plant_models.core.errors import BadInput
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command
from plant_models.env.scenario import Episodes

VERTICES = 8
"""Corners of the commands' box that are tried in a decision."""


def sending(moves: Array) -> Send:
    """Return what sends known moves, (n, steps, channels)."""

    def send(field: Field, k: int) -> Command:
        return command(field.plant, moves[:, k])

    return send


def along(kind: Path, period: int, seed: int) -> Supervisor:
    """Return the adversary whose moves follow a path; ``period`` is a bang-bang's, in decisions."""

    def begin(episodes: Episodes, first: int) -> Send:
        rng = np.random.default_rng([seed, first])
        return sending(path(kind, len(episodes), episodes.scenario.steps, channels(episodes.plant), period, rng))

    return Supervisor(kind, begin)


def in_turn(name: str, moves: Array) -> Supervisor:
    """Return the adversary that has some sequences of moves, (sequences, steps, channels), and goes through them in turn."""

    def begin(episodes: Episodes, first: int) -> Send:
        return sending(moves[(first + np.arange(len(episodes))) % len(moves)])

    return Supervisor(name, begin)


def edge_seeking(horizon: int, seed: int) -> Supervisor:
    """Return the adversary that knows the true plants, and tries corners of the commands' box on them over ``horizon`` decisions.

    It takes the one that lowers the smallest margin most, whether the shield lets it through or not. Where there are more than
    eight corners, it tries its last choice and seven others in each decision.
    """

    def begin(episodes: Episodes, first: int) -> Send:
        n, count, rng = len(episodes), channels(episodes.plant), np.random.default_rng([seed, first])
        last = np.ones((n, count))

        def send(field: Field, _: int) -> Command:
            tried = np.repeat(vertices(count, VERTICES, rng)[:, None], n, axis=1)
            if 2**count > VERTICES:
                tried[0] = last
            last[:] = nearest(field, tried, horizon)
            return command(field.plant, last)

        return send

    return Supervisor("edge-seeking", begin)


def nearest(field: Field, tried: Array, horizon: int) -> Array:
    """Return the moves, (n, channels), of those tried, (candidates, n, channels), that bring each plant nearest to a limit."""
    found = np.stack([smallest(field.plant, field.held(command(field.plant, moves), None, horizon)) for moves in tried])
    chosen: Array = tried[found.argmin(axis=0), np.arange(field.n)]
    return chosen


def steered(controller: Controller) -> Supervisor:
    """Return a controller as a supervisor.

    Raises:
        BadInput: for a controller that does not leave the PID layer its setpoints.
    """
    if controller.level != "setpoint":
        raise BadInput(f"{controller.name} moves at level {controller.level!r}; the shield governs level 'setpoint'")

    def begin(episodes: Episodes, _: int) -> Send:
        def send(field: Field, _: int) -> Command:
            simulator = field.simulator
            reading = Reading(simulator.observe(), partial(panel, simulator, episodes))
            return Command(simulator.sent, np.asarray(controller.act(reading), dtype=float), np.zeros(field.n, dtype=bool))

        return send

    return Supervisor(controller.name, begin, controller.plan)
